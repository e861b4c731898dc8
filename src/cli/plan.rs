//! `forge plan`: what `forge build` would do, decided by the same code.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;

use super::error::CliError;
use super::overrides::Override;
use super::session::Planned;
use super::{Verdict, output, session};
use crate::build::schedule::State;
use crate::build::{Lookup, look};
use crate::explain::last::Last;
use crate::explain::rebuild::Reasons;
use crate::path::Name;
use crate::plan::Plan;
use crate::store::Store;
use crate::words;

/// Say what `forge build` would do: which units it builds, and why.
///
/// Why: what differs from what a unit was made of when it was last built here.
///
/// Of a unit of which nothing is known it says `never built`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The units; all with `default = true` where none is named.
    #[arg(value_name = "NAME", value_parser = super::name)]
    names: Vec<Name>,
    /// Print one JSON object a line.
    ///
    /// `derivation` is null where an input must be built before it can be told.
    ///
    /// `why` is empty where `cached` is true.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    derivation: Option<String>,
    cached: bool,
    why: Vec<String>,
}

pub fn run(directory: Option<&Path>, args: &Args) -> Result<Verdict, CliError> {
    show(directory, &args.names, &[], args.json, |_| Ok(()))
}

/// Prints the plan for `names` if `check` lets it pass; also what `forge build --dry-run` does.
pub fn show(
    directory: Option<&Path>,
    names: &[Name],
    overrides: &[Override],
    json: bool,
    check: impl FnOnce(&Planned) -> Result<(), CliError>,
) -> Result<Verdict, CliError> {
    let root = session::root(directory)?;
    let store = session::store()?;
    let planned = session::plan(&root, &session::observer(&root, &store)?, &store, names, overrides)?;
    check(&planned)?;
    let plan = planned.plan;
    reasoned(&root, &store, &plan, |reasons| {
        let lines: Vec<Line<'_>> = plan.units.keys().map(|name| line(name, reasons)).collect();
        if json { lines.iter().for_each(output::json) } else { print(&lines) }
    });
    Ok(Verdict::Good)
}

/// Says why units of a plan are built, before they are.
pub fn explain(root: &Path, store: &Store, plan: &Plan) {
    reasoned(root, store, plan, |reasons| {
        for name in plan.units.keys() {
            reasons.of(name).iter().for_each(|reason| output::words(&format!("{name}: {reason}")));
        }
    });
}

/// Does `work` with the reasons for what a plan builds.
fn reasoned<T>(root: &Path, store: &Store, plan: &Plan, work: impl FnOnce(&Reasons<'_, Lookup<'_>>) -> T) -> T {
    let rebuild = BTreeSet::new();
    let schedule = look(plan, store, &rebuild, plan.units.values().map(|unit| unit.last));
    let last = Last::read(store.root(), root);
    work(&Reasons { plan, schedule: &schedule, last: &last, store })
}

fn line<'a>(name: &'a Name, reasons: &Reasons<'_, Lookup<'_>>) -> Line<'a> {
    let step = reasons.plan.units[name].last;
    Line {
        name: name.as_str(),
        derivation: reasons.schedule.resolved(step).map(|derivation| derivation.key().to_string()),
        cached: matches!(reasons.schedule.state(step), State::Done(_)),
        why: reasons.of(name),
    }
}

/// A line a unit, and below it a line for each reason; then how many units there are of each sort.
fn print(lines: &[Line<'_>]) {
    let width = lines.iter().map(|line| line.name.len()).max().unwrap_or(0);
    for Line { name, derivation, cached, why } in lines {
        let key = derivation.as_deref().unwrap_or("waits for an input that has to be built first");
        output::data(&format!("{:6}  {name:width$}  {key}", if *cached { "cached" } else { "build" }));
        why.iter().for_each(|reason| output::data(&format!("        {reason}")));
    }
    let cached = lines.iter().filter(|line| line.cached).count();
    output::words(&format!("{} to build, {cached} in the store", words::count(lines.len() - cached, "unit")));
}
