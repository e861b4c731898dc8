//! `forge log`.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use super::error::CliError;
use super::session::Planned;
use super::{Verdict, output, session};
use crate::build::command::failed_log;
use crate::build::schedule::{Schedule, State};
use crate::build::timeline::Timeline;
use crate::build::{Lookup, Status, look};
use crate::path::Name;
use crate::plan::{Input, Plan, StepId};
use crate::store::Store;

/// Print what the commands of a unit said, in its newest build with the present recipes.
///
/// Where one of them, or a test of the unit, has failed since, only what that one said.
///
/// With no NAME, the logs of what failed in the last build or test that ran anything.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The unit.
    #[arg(value_name = "NAME", value_parser = super::name)]
    name: Option<Name>,
    /// Print what this test of the unit said.
    #[arg(long, value_name = "TEST", value_parser = super::name, requires = "name")]
    test: Option<Name>,
    /// Print what the build of the unit said, whatever became of its tests.
    #[arg(long, requires = "name", conflicts_with = "test")]
    build: bool,
}

pub fn run(directory: Option<&Path>, args: &Args) -> Result<Verdict, CliError> {
    let store = session::store()?;
    match &args.name {
        Some(name) => unit(&session::root(directory)?, &store, name, args)?,
        None => last_failures(&store)?,
    }
    Ok(Verdict::Good)
}

/// The logs of what failed in the last build or test.
fn last_failures(store: &Store) -> Result<(), CliError> {
    let spans = Timeline::newest(store.root()).map(|timeline| timeline.spans).unwrap_or_default();
    let failed = spans.iter().filter(|span| span.status == Status::Failed);
    let logs: Vec<_> =
        failed.filter_map(|span| Some((&span.label, fs::read(failed_log(store.root(), &span.key?)).ok()?))).collect();
    if logs.is_empty() {
        return Err(CliError::user("no step of the last build or test left the log of a failure")
            .hint("name a unit: `forge log NAME` prints what its commands said"));
    }
    for (label, log) in logs {
        print(label, &log);
    }
    Ok(())
}

fn print(label: &str, log: &[u8]) {
    output::words(&format!("── log of {label} ──"));
    output::raw(log);
}

fn unit(root: &Path, store: &Store, name: &Name, args: &Args) -> Result<(), CliError> {
    let names = std::slice::from_ref(name);
    let Planned { plan, .. } = match &args.test {
        Some(_) => session::planned_tests(root, store, names)?,
        None => session::with_tests(root, store, |project| session::known(project, names).map(|()| names.to_vec()))?,
    };
    let (rebuild, last) = (BTreeSet::new(), plan.units[name].last);
    let schedule = look(&plan, store, &rebuild, plan.tests.values().copied().chain([last]));
    let logs = Logs { plan: &plan, schedule: &schedule, store, unit: name };
    match &args.test {
        Some(test) => logs.one(session::test(&plan, name, test)?),
        None => logs.all(last, args.build),
    }
}

/// The logs of a unit's steps.
struct Logs<'a> {
    plan: &'a Plan,
    schedule: &'a Schedule<'a, Lookup<'a>>,
    store: &'a Store,
    unit: &'a Name,
}

impl Logs<'_> {
    /// Prints what a test said.
    fn one(&self, test: StepId) -> Result<(), CliError> {
        let log = self.log(test)?.ok_or_else(|| self.none(test))?;
        output::raw(&log);
        Ok(())
    }

    /// Prints what the unit's build said, or what failed last; not a test, where only `build` is asked for.
    fn all(&self, last: StepId, build: bool) -> Result<(), CliError> {
        let own = (0..self.plan.steps.len()).filter(|id| self.plan.steps[*id].unit == *self.unit);
        let own: Vec<StepId> = own.filter(|id| !(build && self.plan.steps[*id].is_test())).collect();
        if let Some((id, log)) = self.newest_failure(&own) {
            print(&self.plan.steps[id].label, &log);
            if self.plan.steps[id].is_test() {
                output::words(&format!("hint: `forge log {} --build` prints what its build said", self.unit));
            }
            return Ok(());
        }
        let steps = own.into_iter().filter(|id| !self.plan.steps[*id].is_test());
        let logs: Vec<Vec<u8>> = steps.filter_map(|id| self.log(id).transpose()).collect::<Result<_, _>>()?;
        if logs.is_empty() {
            return Err(self.none(last));
        }
        logs.iter().for_each(|log| output::raw(log));
        Ok(())
    }

    /// Of `steps`, the one that failed last as it is now, with its log.
    fn newest_failure(&self, steps: &[StepId]) -> Option<(StepId, Vec<u8>)> {
        let failed = steps.iter().filter_map(|id| {
            let log = failed_log(self.store.root(), &self.schedule.resolved(*id)?.key());
            Some((fs::metadata(&log).ok()?.modified().ok()?, *id, log))
        });
        let (_, id, log) = failed.max()?;
        Some((id, fs::read(log).ok()?))
    }

    /// What a step said when it was last run as it is now.
    fn log(&self, id: StepId) -> Result<Option<Vec<u8>>, CliError> {
        let Some(key) = self.schedule.resolved(id).map(|derivation| derivation.key()) else { return Ok(None) };
        if let Ok(failed) = fs::read(failed_log(self.store.root(), &key)) {
            return Ok(Some(failed));
        }
        let Some(blob) = self.store.result(&key)?.and_then(|result| result.log) else { return Ok(None) };
        let mut text = Vec::new();
        let read = self.store.read(&blob)?.read_to_end(&mut text);
        read.map_err(|error| CliError::environment(format!("the log {}: {error}", blob.digest)))?;
        Ok(Some(text))
    }

    /// Why there is no log of a test, or of the unit whose last step is `last`: its commands never ran, as something
    /// else comes before them.
    fn none(&self, last: StepId) -> CliError {
        let step = &self.plan.steps[last];
        let (name, verb) = if step.is_test() { (&*step.label, "test") } else { (self.unit.as_str(), "build") };
        let before = |id: &StepId| *id != last && (step.is_test() || self.plan.steps[*id].unit != *self.unit);
        let waits: Vec<StepId> = self.open(last).into_iter().filter(before).collect();
        if let Some(failed) = waits.iter().find(|id| self.failed(**id)).map(|id| &self.plan.steps[*id]) {
            return CliError::user(format!("`{name}` has no log: it waits for `{}`, which failed", failed.label))
                .hint(format!("`forge log {}` prints why", failed.unit));
        }
        if matches!(self.schedule.state(last), State::Done(_)) {
            return CliError::user(format!("`{name}` has no log: forge made it itself, without a command"));
        }
        let error = match waits.first().map(|id| &self.plan.steps[*id].label) {
            Some(label) => format!("`{name}` has no log: it waits for `{label}`, which was not built yet"),
            None => format!("`{name}` has no log: its commands have not run with the present recipes"),
        };
        CliError::user(error).hint(format!("`forge {verb} {}` runs them", self.unit))
    }

    /// Whether a step failed as it is now.
    fn failed(&self, id: StepId) -> bool {
        let key = self.schedule.resolved(id).map(|derivation| derivation.key());
        key.is_some_and(|key| failed_log(self.store.root(), &key).is_file())
    }

    /// The steps that keep `last` from running, those that come first among them; itself where there are none.
    fn open(&self, last: StepId) -> BTreeSet<StepId> {
        let (mut open, mut queue) = (BTreeSet::new(), vec![last]);
        while let Some(id) = queue.pop() {
            let derivation = &self.plan.steps[id].derivation;
            let done = matches!(self.schedule.state(id), State::Done(_)) || derivation.fixed().is_some();
            if done || !open.insert(id) {
                continue;
            }
            queue.extend(derivation.inputs().into_iter().filter_map(Input::step));
        }
        // A step uses only earlier ones, so these stand in the order in which they run.
        open
    }
}
