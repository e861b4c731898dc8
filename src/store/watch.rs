//! How upkeep tells how far it is, and is stopped.

use std::ops::ControlFlow;

use super::Error;

/// What upkeep does at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It finds out what is needed; counts results.
    Mark,
    /// It takes away what is not; counts files and trees.
    Sweep,
    /// It hashes objects; counts bytes.
    Hash,
}

/// How far a stage is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// The stage.
    pub stage: Stage,
    /// So much is done.
    pub done: u64,
    /// So much there is.
    pub total: u64,
}

/// Is told of progress at every step, from several threads, so it must be cheap; a `Break` ends
/// the work where it is, which leaves the store sound.
pub type Watch<'a> = dyn Fn(Progress) -> ControlFlow<()> + Sync + 'a;

/// Tells `watch`; an error where it wants an end.
pub(super) fn tell(watch: &Watch<'_>, stage: Stage, done: usize, total: usize) -> Result<(), Error> {
    tell_bytes(watch, stage, done as u64, total as u64)
}

/// As [`tell`], of bytes.
pub(super) fn tell_bytes(watch: &Watch<'_>, stage: Stage, done: u64, total: u64) -> Result<(), Error> {
    match watch(Progress { stage, done, total }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::Stopped),
    }
}
