//! `forge log`.

use std::collections::BTreeSet;
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
/// With no NAME, the logs of what failed in the last build that ran anything.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The unit.
    #[arg(value_name = "NAME", value_parser = super::name)]
    name: Option<Name>,
}

pub fn run(directory: Option<&Path>, args: &Args) -> Result<Verdict, CliError> {
    let store = session::store()?;
    match &args.name {
        Some(name) => unit(&session::root(directory)?, &store, name)?,
        None => last_failures(&store)?,
    }
    Ok(Verdict::Good)
}

/// The logs of what failed in the last build.
fn last_failures(store: &Store) -> Result<(), CliError> {
    let spans = Timeline::read(store.root()).map(|timeline| timeline.spans).unwrap_or_default();
    let failed = spans.iter().filter(|span| span.status == Status::Failed);
    let logs: Vec<_> = failed
        .filter_map(|span| Some((&span.label, std::fs::read(failed_log(store.root(), &span.key?)).ok()?)))
        .collect();
    if logs.is_empty() {
        return Err(CliError::user("no step of the last build left the log of a failure")
            .hint("name a unit: `forge log NAME` prints what its commands said"));
    }
    for (label, log) in logs {
        output::words(&format!("── log of {label} ──"));
        output::raw(&log);
    }
    Ok(())
}

fn unit(root: &Path, store: &Store, name: &Name) -> Result<(), CliError> {
    let Planned { plan, .. } = session::planned(root, store, std::slice::from_ref(name))?;
    let rebuild = BTreeSet::new();
    let schedule = look(&plan, store, &rebuild, [plan.units[name].last]);
    let logs = logs(&plan, &schedule, store, name)?;
    if logs.is_empty() {
        return Err(none(&plan, &schedule, store, name));
    }
    logs.iter().for_each(|log| output::raw(log));
    Ok(())
}

/// The logs of the unit's own steps, in their order.
fn logs(
    plan: &Plan,
    schedule: &Schedule<'_, Lookup<'_>>,
    store: &Store,
    unit: &Name,
) -> Result<Vec<Vec<u8>>, CliError> {
    let own = |id: &StepId| plan.steps[*id].unit == *unit;
    let mut logs = Vec::new();
    for derivation in (0..plan.steps.len()).filter(own).filter_map(|id| schedule.resolved(id)) {
        let key = derivation.key();
        if let Ok(failed) = std::fs::read(failed_log(store.root(), &key)) {
            logs.push(failed);
        } else if let Some(blob) = store.result(&key)?.and_then(|result| result.log) {
            let mut text = Vec::new();
            let read = store.read(&blob)?.read_to_end(&mut text);
            read.map_err(|error| CliError::environment(format!("the log {}: {error}", blob.digest)))?;
            logs.push(text);
        }
    }
    Ok(logs)
}

/// Why there is no log of a unit: its commands never ran, as something else comes before them.
fn none(plan: &Plan, schedule: &Schedule<'_, Lookup<'_>>, store: &Store, name: &Name) -> CliError {
    let failed = |id: &StepId| {
        schedule.resolved(*id).is_some_and(|derivation| failed_log(store.root(), &derivation.key()).is_file())
    };
    let waits = open(plan, schedule, plan.units[name].last);
    let waits: Vec<StepId> = waits.into_iter().filter(|id| plan.steps[*id].unit != *name).collect();
    if let Some(id) = waits.iter().find(|id| failed(id)) {
        let step = &plan.steps[*id];
        return CliError::user(format!("`{name}` has no log: it waits for `{}`, which failed", step.label))
            .hint(format!("`forge log {}` prints why", step.unit));
    }
    if matches!(schedule.state(plan.units[name].last), State::Done(_)) {
        return CliError::user(format!("`{name}` has no log: forge made it itself, without a command"));
    }
    let error = match waits.first() {
        Some(id) => format!("`{name}` has no log: it waits for `{}`, which was not built yet", plan.steps[*id].label),
        None => format!("`{name}` has no log: its commands have not run with the present recipes"),
    };
    CliError::user(error).hint(format!("`forge build {name}` runs them"))
}

/// The steps that keep `last` from running, those that come first among them; itself where there are none.
fn open(plan: &Plan, schedule: &Schedule<'_, Lookup<'_>>, last: StepId) -> Vec<StepId> {
    let (mut open, mut seen, mut queue) = (BTreeSet::new(), BTreeSet::new(), vec![last]);
    while let Some(id) = queue.pop() {
        let done = matches!(schedule.state(id), State::Done(_)) || plan.steps[id].derivation.fixed().is_some();
        if done || !seen.insert(id) {
            continue;
        }
        open.insert(id);
        queue.extend(plan.steps[id].derivation.inputs().into_iter().filter_map(|input| match input {
            Input::Step(id, _) => Some(*id),
            Input::Known(_) => None,
        }));
    }
    // A step uses only earlier ones.
    open.into_iter().collect()
}
