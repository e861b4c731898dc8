//! Realises a plan: looks up, fetches, runs, assembles, records.
//!
//! [`schedule`] decides, [`realise`](mod@realise) does one step ([`command`] those in a sandbox), and
//! `work` joins them: a few threads take steps from the schedule, downloads on a lane of their own.
//! One thread commits results to the disk behind them, so that no step waits for a sync. A step that
//! fails is an outcome; `Err` means that forge could not do its work.

pub mod command;
mod event;
pub mod failed;
mod finish;
pub mod kit;
pub mod realise;
mod repair;
pub mod schedule;
pub mod settled;
pub mod timeline;
pub mod times;
mod work;

use std::collections::BTreeSet;

use crate::derivation::Derivation;
use crate::path::Name;
use crate::plan::{Plan, StepId};
use crate::store::{self, Output, Store};
pub use event::{Event, Progress};
pub use finish::{Finish, Finishes, Status, content};
use realise::Worker;
use repair::Once;
use schedule::{Known, Outputs, Schedule};
use times::Times;
use work::Build;

/// How often a build starts over because an object turned out to be corrupt and was put aside.
const REPAIRS: usize = 3;

/// What the user chose.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many steps run at once, and how many jobs they share.
    pub jobs: usize,
    /// Go on with what can still be built after a failure.
    pub keep_going: bool,
    /// Steps that run although their result is known.
    pub rebuild: BTreeSet<StepId>,
    /// Outputs of wanted steps that are to lie as plain files, as far as they come to be.
    pub visible: BTreeSet<(StepId, Name)>,
}

impl Options {
    /// So many jobs, until the first failure, nothing again, and results in the store only.
    #[must_use]
    pub fn of_jobs(jobs: usize) -> Self {
        Self { jobs, keep_going: false, rebuild: BTreeSet::new(), visible: BTreeSet::new() }
    }
}

/// Realises `wanted` steps of `plan`.
///
/// # Errors
/// Where the store fails as a whole; a step's own failure stands in the summary.
pub fn build(
    plan: &Plan,
    wanted: &[StepId],
    options: &Options,
    worker: &Worker<'_>,
    progress: &dyn Progress,
) -> Result<Finishes, store::Error> {
    let progress = Once::new(progress);
    let mut repairs = 0;
    loop {
        let finishes = Build::new(plan, wanted, options, worker, &progress).run()?;
        let damaged = repair::damaged(&finishes);
        // Files that can't be read again leave the damage as it is, and that is reported.
        if damaged.is_empty() || repairs == REPAIRS || worker.cancelled() || (worker.refill)().is_err() {
            progress.end(&finishes);
            return Ok(finishes);
        }
        damaged.iter().for_each(|(step, what)| progress.tell(Event::Repairing(*step, what)));
        repairs += 1;
    }
}

/// A schedule of `plan` that has looked up `wanted` in the store and started nothing.
pub fn look<'a>(
    plan: &'a Plan,
    store: &'a Store,
    rebuild: &'a BTreeSet<StepId>,
    wanted: impl IntoIterator<Item = StepId>,
) -> Schedule<'a, Lookup<'a>> {
    let times = Times::read(store.root());
    let seconds = |id: StepId| times.get(&plan.steps[id].label).unwrap_or(times::UNKNOWN_SECONDS);
    let mut schedule = Schedule::new(plan, Lookup { store, rebuild }, seconds);
    wanted.into_iter().for_each(|id| schedule.want(id));
    schedule
}

/// The store's answers to a schedule.
pub struct Lookup<'a> {
    store: &'a Store,
    rebuild: &'a BTreeSet<StepId>,
}

impl Known for Lookup<'_> {
    fn result(&mut self, step: StepId, derivation: &Derivation) -> Option<Outputs> {
        if self.rebuild.contains(&step) {
            return None;
        }
        // A result that can't be read is as good as none: it is made again.
        let result = self.store.result(&derivation.key()).ok().flatten()?;
        Some(result.outputs)
    }

    fn present(&mut self, output: &Output) -> bool {
        self.store.contains(&output.digest())
    }
}
