//! What verbs that speak to registries start from.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::environment;
use super::error::CliError;
use super::meter::Meter;
use crate::recipe::Recipe;
use crate::registry::public::is_public;
use crate::registry::{Credentials, Host, Policy, Registry, Watch};

/// A registry client that moves `meter`, and stops once `cancel` is set.
pub fn client(cancel: &Arc<AtomicBool>, meter: &Arc<Meter>) -> Registry {
    let meter = Arc::clone(meter);
    let watch = Watch::new(Arc::clone(cancel), move |name, at, size| meter.transferred(name, at, Some(size)));
    Registry::new(Credentials { config: environment::docker_config() }, Policy::default(), watch)
}

/// Refuses to publish units that are not free.
pub fn permit<'a, S: 'a>(
    units: impl IntoIterator<Item = &'a Recipe<S>>,
    host: &Host,
    allowed: bool,
) -> Result<(), CliError> {
    let unfree: Vec<_> = units.into_iter().filter(|unit| unit.unfree).map(|unit| format!("`{}`", unit.name)).collect();
    if unfree.is_empty() || host.is_loopback() {
        return Ok(());
    }
    let unfree = unfree.join(", ");
    if is_public(host) {
        let error = CliError::user(format!("{unfree} must not be published, and anybody can read from {host}"));
        return Err(error.hint("push to a registry of your own"));
    }
    if allowed {
        return Ok(());
    }
    let error = CliError::user(format!("{unfree} must not be published: not free"));
    Err(error.hint(format!("if {host} is private, say so with --allow-unfree")))
}
