//! One go at a build: a few threads take steps from the schedule, downloads on a lane of their own, and one commits
//! results to the disk behind them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::event::{Event, Progress};
use super::finish::{Finish, Finishes, Status};
use super::realise::{Attempt, News, Worker};
use super::schedule::{Lane, Schedule, State};
use super::times::Times;
use super::{Lookup, Options, look};
use crate::path::Name;
use crate::plan::{Plan, StepId};
use crate::store::{self, Lock, Output};

/// How many downloads go on at once.
const DOWNLOADS: usize = 6;

/// How long a thread sleeps before it looks again whether the user wants to stop.
const PATIENCE: Duration = Duration::from_millis(100);

/// A build under way.
pub(super) struct Build<'a> {
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
    /// Looks up what there is; nothing is started.
    pub(super) fn new(
        plan: &'a Plan,
        wanted: &[StepId],
        options: &'a Options,
        worker: &'a Worker<'a>,
        progress: &'a dyn Progress,
    ) -> Self {
        let inner = Inner {
            schedule: look(plan, worker.store, &options.rebuild, wanted.iter().copied()),
            times: Times::read(worker.store.root()),
            attempts: BTreeMap::new(),
            finishes: Finishes::new(),
            stopped: false,
            uncommitted: false,
            locks: Vec::new(),
        };
        Self { plan, options, worker, progress, inner: Mutex::new(inner), changed: Condvar::new() }
    }

    /// Does all that can be done.
    pub(super) fn run(self) -> Result<Finishes, store::Error> {
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

    /// Reports the steps that ended; lays out what is to be visible of them.
    fn settle(&self, inner: &mut Inner<'a>) {
        for id in inner.schedule.ended() {
            let attempt = inner.attempts.remove(&id);
            let mut finish = Finish::of(&inner.schedule, id, attempt);
            self.uncover(id, &mut finish);
            self.progress.tell(Event::Finished(id, &finish));
            inner.finishes.insert(id, finish);
        }
        let count = inner.schedule.count();
        self.progress.tell(Event::Counted { over: count.over, wanted: count.wanted });
    }

    /// Lays out a step's outputs as plain files, those that are to be visible.
    fn uncover(&self, id: StepId, finish: &mut Finish) {
        let visible = |name: &&Name| self.options.visible.contains(&(id, (*name).clone()));
        for (name, output) in finish.outputs.iter().filter(|(name, _)| visible(name)) {
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

/// Ends the steps that were wanted and never started, as the build was stopped.
fn cancel_rest(plan: &Plan, inner: &mut Inner<'_>, progress: &dyn Progress) {
    for id in 0..plan.steps.len() {
        if matches!(inner.schedule.state(id), State::Waiting | State::Gathering | State::Ready) {
            let finish = Finish::of(&inner.schedule, id, None);
            progress.tell(Event::Finished(id, &finish));
            inner.finishes.insert(id, finish);
        }
    }
}
