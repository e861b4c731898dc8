//! What is told of a build while it goes on.

use super::finish::Finish;
use super::realise::News;
use crate::plan::StepId;

/// What happens in a build.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// So many of the wanted steps are over. More may come to be wanted.
    Counted {
        /// These are over.
        over: usize,
        /// So many are wanted.
        wanted: usize,
    },
    /// A step was started.
    Started(StepId),
    /// A step says something while it goes on.
    News(StepId, News<'a>),
    /// What a step needs, or had made, is damaged, in words; it is made again.
    Repairing(StepId, &'a str),
    /// A step is over.
    Finished(StepId, &'a Finish),
}

/// Who is told how a build goes.
pub trait Progress: Sync {
    /// Takes what happened. Called from several threads.
    fn tell(&self, event: Event<'_>);
}
