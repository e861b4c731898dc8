//! `forge why`: the paths from a unit to what it needs.

use std::path::Path;

use serde::Serialize;

use super::error::CliError;
use super::needs::Drawing;
use super::{Verdict, output, session, wanted};
use crate::explain::graph::Hop;
use crate::explain::need::{Reason, Thing};
use crate::path::Name;
use crate::recipe::{Project, Reference};

/// With --all at most so many paths are printed.
const MAX_PATHS: usize = 100;

/// Say why a unit needs another unit, a source, a Debian package, a crate or a file.
///
/// Prints the shortest path, a line for each step of it.
///
/// Each names the line of the recipe, or the relation of the package, that says so.
///
/// Exit code 1 if A does not need B.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The unit (`hello`, `hello:doc`).
    #[arg(value_name = "A")]
    from: Reference,
    /// What it may need: a unit, a source, a package, a crate, a file of the project, or a digest.
    ///
    /// A unit: `zlib`, `zlib:headers`. A source: `hello/src`, its URL.
    ///
    /// A package: `libc6`; `deb:libc6` where a unit has that name.
    ///
    /// A crate: `serde`, `serde@1.0.200`; `crate:serde` where a unit or a package has that name.
    ///
    /// A file: its path, or an end of it that no other path has.
    #[arg(value_name = "B")]
    to: String,
    /// Print every path, shortest first; 100 at most.
    #[arg(long)]
    all: bool,
    /// Print one JSON object a line for each path.
    #[arg(long)]
    json: bool,
    /// Download the locked package list where the store lacks it; nothing else uses the network.
    #[arg(long)]
    fetch: bool,
}

#[derive(Serialize)]
struct Line {
    from: String,
    to: String,
    hops: Vec<HopLine>,
}

#[derive(Serialize)]
struct HopLine {
    from: String,
    to: String,
    why: String,
    file: Option<String>,
    line: Option<usize>,
}

pub fn run(directory: Option<&Path>, args: &Args) -> Result<Verdict, CliError> {
    let root = session::root(directory)?;
    let project = recipes(&root, args)?;
    let unit = unit(&project, &args.from)?;
    let lockfile = session::lockfile(&root)?;
    let drawing = Drawing { root: &root, project: &project, lockfile: &lockfile, unit: &unit, fetch: args.fetch };
    let (graph, targets) = drawing.draw(&args.to)?;
    let from = Thing::Unit(unit);
    if targets.contains(&from) {
        return Err(CliError::user(format!("`{}` is `{}` itself", args.to, args.from)).hint("ask about two things"));
    }
    let limit = if args.all { MAX_PATHS } else { 1 };
    let paths = graph.paths(&from, |thing| targets.contains(thing), limit);
    if paths.found.is_empty() {
        output::words(&format!("`{}` does not need `{}`", args.from, args.to));
        return Ok(Verdict::Negative);
    }
    paths.found.iter().enumerate().for_each(|(number, hops)| print(number, hops, args));
    if args.all && paths.more {
        output::words(&format!("there are more paths than these {}", paths.found.len()));
    }
    Ok(Verdict::Good)
}

/// The recipes that the question is about: all of them for a URL, which none needs to have in one piece, and where
/// there is no such unit, to find the one that is meant.
fn recipes(root: &Path, args: &Args) -> Result<Project, CliError> {
    if !args.to.contains("://") {
        let part = session::recipes_for(root, &[args.from.unit.as_str(), &args.to])?;
        if part.units.contains_key(&args.from.unit) {
            return Ok(part);
        }
    }
    session::recipes(root)
}

/// The unit that `reference` is of.
fn unit(project: &Project, reference: &Reference) -> Result<Name, CliError> {
    session::known(project, std::slice::from_ref(&reference.unit))?;
    wanted::known(project, reference)?;
    Ok(reference.unit.clone())
}

fn print(number: usize, hops: &[Hop<'_, Thing, Reason>], args: &Args) {
    if args.json {
        let hops = hops.iter().map(hop_line).collect();
        return output::json(&Line { from: args.from.to_string(), to: args.to.clone(), hops });
    }
    if number > 0 {
        output::data("");
    }
    let rows: Vec<[String; 3]> = hops.iter().map(row).collect();
    output::table(&rows);
}

fn row(hop: &Hop<'_, Thing, Reason>) -> [String; 3] {
    let place = hop.why.place.as_ref().map(ToString::to_string).unwrap_or_default();
    [format!("{} → {}", hop.from, hop.to), hop.why.words.clone(), place]
}

fn hop_line(hop: &Hop<'_, Thing, Reason>) -> HopLine {
    HopLine {
        from: hop.from.to_string(),
        to: hop.to.to_string(),
        why: hop.why.words.clone(),
        file: hop.why.place.as_ref().map(|place| place.file.to_string()),
        line: hop.why.place.as_ref().map(|place| place.line),
    }
}
