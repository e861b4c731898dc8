//! What verbs that speak to registries start from.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::environment;
use super::meter::Meter;
use crate::registry::{Credentials, Policy, Registry, Watch};

/// A registry client that moves `meter`, and stops once `cancel` is set.
pub fn client(cancel: &Arc<AtomicBool>, meter: &Arc<Meter>) -> Registry {
    let meter = Arc::clone(meter);
    let watch = Watch::new(Arc::clone(cancel), move |name, at, size| meter.transferred(name, at, Some(size)));
    Registry::new(Credentials { config: environment::docker_config() }, Policy::default(), watch)
}
