//! How steps end.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::realise::{Attempt, Trouble};
use super::schedule::{Known, Outputs, Schedule, State};
use crate::digest::Digest;
use crate::path::Name;
use crate::plan::{Input, Plan, StepId};
use crate::store::Output;

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It ran.
    Built,
    /// Its result was in the store.
    Cached,
    /// It ran and failed.
    Failed,
    /// A step it needs failed.
    Skipped,
    /// It was not started, or was stopped, as the build ended before.
    Cancelled,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Built, Self::Cached, Self::Failed, Self::Skipped, Self::Cancelled];

    /// The word for it in what scripts read.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Built => "built",
            Self::Cached => "cached",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
        }
    }
}

/// The end of a step.
#[derive(Clone, Debug)]
pub struct Finish {
    /// How it ended.
    pub status: Status,
    /// Its key; `None` where the content of its inputs never came to be known.
    pub key: Option<Digest>,
    /// How long it ran, in seconds; 0 where it did not.
    pub seconds: f64,
    /// What it made.
    pub outputs: Outputs,
    /// Where its outputs lie as plain files; only of those that a build was asked to lay out.
    pub paths: BTreeMap<Name, PathBuf>,
    /// Why it failed.
    pub trouble: Option<Trouble>,
    /// The failed step that it needs, where it was skipped.
    pub obstacle: Option<StepId>,
}

/// What an input of a step holds that was built.
#[must_use]
pub fn content(finishes: &Finishes, input: &Input) -> Option<Output> {
    match input {
        Input::Known(output) => Some(*output),
        Input::Step(id, name) => finishes.get(id)?.outputs.get(name).copied(),
    }
}

impl Finish {
    /// How a step ended; `attempt` is what it came to, where it was started.
    pub(super) fn of<K: Known>(schedule: &Schedule<'_, K>, id: StepId, attempt: Option<Attempt>) -> Self {
        let key = schedule.resolved(id).map(|derivation| derivation.key());
        let (status, outputs) = match (schedule.state(id), &attempt) {
            (State::Done(outputs), Some(Attempt::Done { ran: true, .. })) => (Status::Built, outputs.clone()),
            (State::Done(outputs), _) => (Status::Cached, outputs.clone()),
            (State::Failed, Some(Attempt::Failed(Trouble::Cancelled))) => (Status::Cancelled, Outputs::new()),
            (State::Failed, _) => (Status::Failed, Outputs::new()),
            (State::Skipped(_), _) => (Status::Skipped, Outputs::new()),
            _ => (Status::Cancelled, Outputs::new()),
        };
        let (seconds, trouble) = match attempt {
            Some(Attempt::Done { seconds, .. }) => (seconds, None),
            Some(Attempt::Failed(trouble)) => (0.0, Some(trouble)),
            _ => (0.0, None),
        };
        let obstacle = match schedule.state(id) {
            State::Skipped(failed) => Some(*failed),
            _ => None,
        };
        Self { status, key, seconds, outputs, paths: BTreeMap::new(), trouble, obstacle }
    }

    /// Where the log of a command that failed is kept.
    #[must_use]
    pub fn log(&self) -> Option<&Path> {
        match &self.trouble {
            Some(Trouble::Command { log, .. }) => Some(log),
            _ => None,
        }
    }

    /// Why a step of `plan` failed or was skipped, in words.
    #[must_use]
    pub fn reason(&self, plan: &Plan) -> Option<String> {
        let needs = |failed: StepId| format!("it needs `{}`, which failed", plan.steps[failed].label);
        self.trouble.as_ref().map(ToString::to_string).or_else(|| self.obstacle.map(needs))
    }
}

/// How each step ended that was wanted.
pub type Finishes = BTreeMap<StepId, Finish>;
