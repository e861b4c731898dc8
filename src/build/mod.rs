//! Realises a plan: looks up, fetches, runs, assembles, records.
//!
//! [`schedule`] decides, [`realise`](mod@realise) does one step ([`command`] those in a sandbox), and
//! this file joins them: a few
//! threads take steps from the schedule, downloads on a lane of their own. One thread commits
//! results to the disk behind them, so that no step waits for a sync. A step that fails is an
//! outcome; `Err` means that forge could not do its work.

pub mod command;
pub mod failed;
pub mod kit;
pub mod realise;
mod repair;
pub mod schedule;
pub mod settled;
pub mod timeline;
pub mod times;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::derivation::Derivation;
use crate::digest::Digest;
use crate::path::Name;
use crate::plan::{Plan, StepId};
use crate::store::{self, Lock, Output, Store};
use realise::{Attempt, News, Trouble, Worker};
use repair::Once;
use schedule::{Known, Lane, Outputs, Schedule, State};
use times::Times;

/// How many downloads go on at once.
pub const DOWNLOADS: usize = 6;

/// How often a build starts over because an object turned out to be corrupt and was put aside.
pub const REPAIRS: usize = 3;

/// How long a thread sleeps before it looks again whether the user wants to stop.
const PATIENCE: Duration = Duration::from_millis(100);

/// What the user chose.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many steps run at once, and how many jobs they share.
    pub jobs: usize,
    /// Go on with what can still be built after a failure.
    pub keep_going: bool,
    /// Steps that run although their result is known.
    pub rebuild: BTreeSet<StepId>,
}

impl Options {
    /// So many jobs, until the first failure, nothing again.
    #[must_use]
    pub fn of_jobs(jobs: usize) -> Self {
        Self { jobs, keep_going: false, rebuild: BTreeSet::new() }
    }
}

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
    /// Where its outputs lie as plain files; filled for the steps that a build was asked for.
    pub paths: BTreeMap<Name, PathBuf>,
    /// Why it failed.
    pub trouble: Option<Trouble>,
    /// The failed step that it needs, where it was skipped.
    pub obstacle: Option<StepId>,
}

impl Finish {
    /// Why a step of `plan` failed or was skipped, in words.
    #[must_use]
    pub fn reason(&self, plan: &Plan) -> Option<String> {
        let needs = |failed: StepId| format!("it needs `{}`, which failed", plan.steps[failed].label);
        self.trouble.as_ref().map(ToString::to_string).or_else(|| self.obstacle.map(needs))
    }
}

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

/// How each step ended that was wanted.
pub type Finishes = BTreeMap<StepId, Finish>;

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

struct Build<'a> {
    plan: &'a Plan,
    options: &'a Options,
    worker: &'a Worker<'a>,
    progress: &'a dyn Progress,
    inner: Mutex<Inner<'a>>,
    changed: Condvar,
}

struct Inner<'a> {
    schedule: Schedule<'a, Lookup<'a>>,
    times: Times,
    wanted: BTreeSet<StepId>,
    attempts: BTreeMap<StepId, Attempt>,
    finishes: Finishes,
    /// No step is started any more.
    stopped: bool,
    /// Results wait for the disk.
    uncommitted: bool,
    /// The locks of those results.
    locks: Vec<Lock>,
}

impl<'a> Build<'a> {
    fn new(
        plan: &'a Plan,
        wanted: &[StepId],
        options: &'a Options,
        worker: &'a Worker<'a>,
        progress: &'a dyn Progress,
    ) -> Self {
        let inner = Inner {
            schedule: look(plan, worker.store, &options.rebuild, wanted.iter().copied()),
            times: Times::read(worker.store.root()),
            wanted: wanted.iter().copied().collect(),
            attempts: BTreeMap::new(),
            finishes: Finishes::new(),
            stopped: false,
            uncommitted: false,
            locks: Vec::new(),
        };
        Self { plan, options, worker, progress, inner: Mutex::new(inner), changed: Condvar::new() }
    }

    fn run(self) -> Result<Finishes, store::Error> {
        self.settle(&mut self.lock());
        if self.lock().schedule.count().active > 0 {
            self.work()?;
        }
        let mut inner = self.inner.into_inner().unwrap_or_else(PoisonError::into_inner);
        cancel_rest(self.plan, &mut inner, self.progress);
        // A record of times that can't be written is no reason to fail.
        let _ = inner.times.save();
        Ok(inner.finishes)
    }

    /// Starts the threads and waits until nothing is left to do.
    fn work(&self) -> Result<(), store::Error> {
        std::thread::scope(|scope| {
            let lanes = [(Lane::Fetch, DOWNLOADS), (Lane::Work, self.options.jobs.max(1))];
            for (lane, threads) in lanes {
                (0..threads).for_each(|_| drop(scope.spawn(move || self.serve(lane))));
            }
            scope.spawn(|| self.commit()).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// One thread's life: takes steps of its lane until the build is over.
    fn serve(&self, lane: Lane) {
        let mut inner = self.lock();
        loop {
            if self.worker.cancelled() {
                inner.stopped = true;
            }
            if self.over(&inner) {
                self.changed.notify_all();
                return;
            }
            let next = if inner.stopped { None } else { inner.schedule.start(lane) };
            inner = match next {
                Some(id) => self.perform(inner, id),
                None => self.wait(inner),
            };
        }
    }

    fn over(&self, inner: &Inner<'_>) -> bool {
        let running = inner.attempts.values().any(|attempt| attempt.is_running());
        !running && (inner.stopped || inner.schedule.count().active == 0)
    }

    fn perform<'b>(&'b self, mut inner: MutexGuard<'b, Inner<'a>>, id: StepId) -> MutexGuard<'b, Inner<'a>> {
        let derivation = inner.schedule.resolved(id).expect("BUG: a ready step knows its inputs");
        inner.attempts.insert(id, Attempt::Running);
        drop(inner);
        self.progress.tell(Event::Started(id));
        let again = self.options.rebuild.contains(&id);
        let (step, downloads) = (&self.plan.steps[id], self.plan.downloads(id));
        let told = |news: News<'_>| self.progress.tell(Event::News(id, news));
        let mut attempt = self.worker.realise(step, &derivation, &downloads, again, &told);
        let mut inner = self.lock();
        inner.uncommitted = true;
        if let Attempt::Done { seconds, lock, .. } = &mut attempt {
            inner.times.set(&self.plan.steps[id].label, *seconds);
            inner.locks.extend(lock.take());
        }
        let outputs = attempt.outputs().cloned();
        inner.stopped |= outputs.is_none() && !self.options.keep_going;
        inner.attempts.insert(id, attempt);
        inner.schedule.finish(id, outputs);
        self.settle(&mut inner);
        self.changed.notify_all();
        inner
    }

    /// Reports the steps that ended; finds out where the outputs of wanted ones lie.
    fn settle(&self, inner: &mut Inner<'a>) {
        for id in inner.schedule.ended() {
            let attempt = inner.attempts.remove(&id);
            let mut finish = finish(&inner.schedule, id, attempt);
            if inner.wanted.contains(&id) {
                self.uncover(id, &mut finish);
            }
            self.progress.tell(Event::Finished(id, &finish));
            inner.finishes.insert(id, finish);
        }
        let count = inner.schedule.count();
        self.progress.tell(Event::Counted { over: count.over, wanted: count.wanted });
    }

    /// Makes a wanted step's outputs visible as plain files.
    fn uncover(&self, id: StepId, finish: &mut Finish) {
        for (name, output) in &finish.outputs {
            match self.visible(id, output) {
                Ok(path) => drop(finish.paths.insert(name.clone(), path)),
                Err(error) => {
                    finish.status = Status::Failed;
                    finish.trouble = Some(error.into());
                }
            }
        }
    }

    /// Where an output lies, looked over for damage; a toolroot is looked over when a command runs in it.
    fn visible(&self, id: StepId, output: &Output) -> Result<PathBuf, store::Error> {
        let store = self.worker.store;
        let there = if self.plan.is_toolroot(id) { store.realised(output) } else { None };
        there.map_or_else(|| store.realise(output), Ok)
    }

    /// Brings results to the disk while the build goes on, and once more at its end; other
    /// processes find them there when their locks go. After a failure no step is started.
    fn commit(&self) -> Result<(), store::Error> {
        let mut outcome = Ok(());
        let mut inner = self.lock();
        loop {
            let over = self.over(&inner);
            if std::mem::take(&mut inner.uncommitted) {
                let locks = std::mem::take(&mut inner.locks);
                drop(inner);
                outcome = outcome.and_then(|()| self.worker.store.commit());
                drop(locks);
                inner = self.lock();
                inner.stopped |= outcome.is_err();
            } else if over {
                return outcome;
            } else {
                inner = self.wait(inner);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner<'a>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'b>(&self, inner: MutexGuard<'b, Inner<'a>>) -> MutexGuard<'b, Inner<'a>> {
        self.changed.wait_timeout(inner, PATIENCE).unwrap_or_else(PoisonError::into_inner).0
    }
}

fn finish(schedule: &Schedule<'_, Lookup<'_>>, id: StepId, attempt: Option<Attempt>) -> Finish {
    let key = schedule.resolved(id).map(|derivation| derivation.key());
    let (status, outputs) = match (schedule.state(id), &attempt) {
        (State::Done(outputs), Some(Attempt::Done { ran: true, .. })) => (Status::Built, outputs.clone()),
        (State::Done(outputs), _) => (Status::Cached, outputs.clone()),
        (State::Failed, Some(Attempt::Failed(Trouble::Cancelled))) => (Status::Cancelled, Outputs::new()),
        (State::Failed, _) => (Status::Failed, Outputs::new()),
        _ => (Status::Skipped, Outputs::new()),
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
    Finish { status, key, seconds, outputs, paths: BTreeMap::new(), trouble, obstacle }
}

/// Ends the steps that were wanted and never started, as the build was stopped.
fn cancel_rest(plan: &Plan, inner: &mut Inner<'_>, progress: &dyn Progress) {
    for id in 0..plan.steps.len() {
        let unfinished = matches!(inner.schedule.state(id), State::Waiting | State::Gathering | State::Ready);
        if unfinished {
            let key = inner.schedule.resolved(id).map(|derivation| derivation.key());
            let finish = Finish {
                status: Status::Cancelled,
                key,
                seconds: 0.0,
                outputs: Outputs::new(),
                paths: BTreeMap::new(),
                trouble: None,
                obstacle: None,
            };
            progress.tell(Event::Finished(id, &finish));
            inner.finishes.insert(id, finish);
        }
    }
}
