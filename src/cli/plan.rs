//! `forge plan`: what `forge build` would do, decided by the same code.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;

use super::error::CliError;
use super::overrides::Override;
use super::session::Planned;
use super::{Verdict, output, session};
use crate::build::look;
use crate::build::schedule::State;
use crate::path::Name;

/// Say which units are built and which are in the store.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The units; all with `default = true` where none is named.
    #[arg(value_name = "NAME", value_parser = super::name)]
    names: Vec<Name>,
    /// Print one JSON object a line. `derivation` is null where an input has to be built before
    /// it can be told.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    derivation: Option<String>,
    cached: bool,
}

pub fn run(directory: Option<&Path>, args: &Args) -> Result<Verdict, CliError> {
    show(directory, &args.names, &[], args.json)
}

/// Prints the plan for `names`; also what `forge build --dry-run` does.
pub fn show(directory: Option<&Path>, names: &[Name], overrides: &[Override], json: bool) -> Result<Verdict, CliError> {
    let root = session::root(directory)?;
    let store = session::store()?;
    let Planned { plan, .. } = session::plan(&root, &session::observer(&root, &store)?, names, overrides)?;
    let rebuild = BTreeSet::new();
    let schedule = look(&plan, &store, &rebuild, plan.units.values().map(|unit| unit.last));
    let width = plan.units.keys().map(|name| name.as_str().len()).max().unwrap_or(0);
    for (name, unit) in &plan.units {
        let line = Line {
            name: name.as_str(),
            derivation: schedule.resolved(unit.last).map(|derivation| derivation.key().to_string()),
            cached: matches!(schedule.state(unit.last), State::Done(_)),
        };
        if json {
            output::json(&line);
        } else {
            let key = line.derivation.unwrap_or_else(|| "waits for an input that has to be built first".to_owned());
            output::data(&format!("{:6}  {name:width$}  {key}", if line.cached { "cached" } else { "build" }));
        }
    }
    if !json {
        let count = schedule.count();
        let open = output::count(count.wanted - count.over, "step");
        output::words(&format!("{open} to do, {} in the store", count.over));
    }
    Ok(Verdict::Good)
}
