//! Stands for `trace` where the processor is no x86-64: a world that needs a tracer is refused.

use std::io;

use super::error::{Failure, Stage, Staged as _};
use super::spec::{Exit, World};

/// Cannot exist.
pub(super) enum Tracer {}

impl Tracer {
    pub(super) fn start(_: &World, _: impl FnOnce() -> Failure) -> Result<Self, Failure> {
        let refused = Err(io::Error::from(io::ErrorKind::Unsupported));
        refused.staged(Stage::World, || "showing another clock, order or processor, which needs x86-64".to_owned())
    }

    pub(super) fn follow(self) -> Result<Exit, Failure> {
        match self {}
    }
}

/// As on a machine that does not say.
pub(super) fn cpuinfo(_: usize) -> String {
    String::new()
}
