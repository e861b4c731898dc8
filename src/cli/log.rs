//! `forge log`.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;

use super::error::CliError;
use super::session::Planned;
use super::{Verdict, output, session};
use crate::build::command::failed_log;
use crate::build::look;
use crate::path::Name;
use crate::plan::{Plan, StepId};
use crate::store::Store;

/// Print what the commands of a unit said, in its newest build with the present recipes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The unit.
    #[arg(value_name = "NAME", value_parser = super::name)]
    name: Name,
}

pub fn run(directory: Option<&Path>, args: &Args) -> Result<Verdict, CliError> {
    let root = session::root(directory)?;
    let store = session::store()?;
    let Planned { plan, .. } = session::planned(&root, &store, std::slice::from_ref(&args.name))?;
    let logs = logs(&plan, &store, &args.name)?;
    if logs.is_empty() {
        return Err(CliError::user(format!(
            "`{}` has no log: its commands have not run with the present recipes",
            args.name
        ))
        .hint(format!("`forge build {}` runs them", args.name)));
    }
    logs.iter().for_each(|log| output::raw(log));
    Ok(Verdict::Good)
}

/// The logs of the unit's own steps, in their order.
fn logs(plan: &Plan, store: &Store, unit: &Name) -> Result<Vec<Vec<u8>>, CliError> {
    let rebuild = BTreeSet::new();
    let schedule = look(plan, store, &rebuild, [plan.units[unit].last]);
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
