//! `forge why-changed`: what differs between a commit and the working tree, unit by unit.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::error::CliError;
use super::session::Planned;
use super::{Verdict, environment, output, session};
use crate::build::look;
use crate::build::schedule::State;
use crate::build::times::Times;
use crate::explain::cause;
use crate::explain::changed::{Fate, Side, changed};
use crate::fetch::Git;
use crate::lockfile::{self, Diff, Locked};
use crate::path::Name;
use crate::plan::Plan;
use crate::recipe::{Project, Root};
use crate::store::{Output, Store};
use crate::words::{count, duration};

/// At most so many differences of the lockfile are printed.
const MAX_LOCK_LINES: usize = 20;

/// Say what changed since a commit: which units are made of something else now, and why.
///
/// After them stand the units that only inherit that from units that they need.
///
/// The working tree is not touched.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The commit, as git calls it (`HEAD`, `main~3`, `v1.2`).
    #[arg(value_name = "REV")]
    rev: String,
    /// The units, with what they need; all with `default = true` where none is named.
    #[arg(value_name = "NAME", value_parser = super::name)]
    names: Vec<Name>,
    /// Print one JSON object a line for each unit, unchanged ones too.
    #[arg(long)]
    json: bool,
}

/// What became of a unit; `change` is `changed`, `inherits`, `added`, `removed` or `same`.
#[derive(Serialize)]
struct Line {
    name: String,
    change: &'static str,
    why: Vec<String>,
    from: BTreeSet<String>,
    /// Whether what it is now is in the store.
    cached: bool,
    /// How long its steps took when they were last run.
    seconds: Option<f64>,
}

/// The words for what became of a unit, root causes first.
const CHANGES: [&str; 5] = ["changed", "added", "removed", "inherits", "same"];

pub fn run(directory: Option<&Path>, args: &Args) -> Result<Verdict, CliError> {
    let root = session::root(directory)?;
    let store = session::store()?;
    let past = checkout(&root, &store, &args.rev)?;
    let of_past = |error: CliError| error.hint(format!("this is the project as of {}", args.rev));
    let (old, new) = (session::locked(&past).map_err(of_past)?, session::locked(&root)?);
    if args.names.is_empty() {
        session::wanted(&new, &[])?;
    }
    let unknown = |name: &&Name| !old.units.contains_key(*name) && !new.units.contains_key(*name);
    session::known(&new, &args.names.iter().filter(unknown).cloned().collect::<Vec<_>>())?;
    let old = planned(&past, &store, old, &args.names).map_err(of_past)?;
    let new = planned(&root, &store, new, &args.names)?;
    let lines = lines(&store, &old, &new);
    if args.json {
        lines.iter().for_each(output::json);
        return Ok(Verdict::Good);
    }
    print(&lines);
    print_lock(&Diff::new(&session::lockfile(&past)?, &session::lockfile(&root)?));
    conclude(&lines);
    Ok(Verdict::Good)
}

/// What forge reads of a project, as of a commit, in a folder of the store.
fn checkout(root: &Path, store: &Store, rev: &str) -> Result<PathBuf, CliError> {
    let paths: Vec<&str> = Root::folders().chain([lockfile::FILE]).collect();
    let tree = Git::new(environment::all()).past(store, root, rev, &paths)?;
    Ok(store.realise(&Output::Tree(tree))?)
}

/// The plan for those of `names` that the project at `root` has, or for its default units.
fn planned(root: &Path, store: &Store, project: Project<Locked>, names: &[Name]) -> Result<Planned, CliError> {
    let asked = |name: &&Name| if names.is_empty() { project.units[*name].default } else { names.contains(name) };
    let units = project.units.keys().filter(asked).cloned().collect();
    session::drawn(root, &session::observer(root, store)?, store, project, units, &[])
}

/// A line for each unit of both plans, root causes first.
fn lines(store: &Store, old: &Planned, new: &Planned) -> Vec<Line> {
    let nothing = BTreeSet::new();
    let [before, now] =
        [old, new].map(|side| look(&side.plan, store, &nothing, side.plan.units.values().map(|unit| unit.last)));
    let fates = changed(&Side::new(&old.plan, &before), &Side::new(&new.plan, &now));
    let times = Times::read(store.root());
    let line = |(name, fate): (Name, Fate)| {
        let built = |last| matches!(now.state(last), State::Done(_));
        let cached = new.plan.units.get(&name).is_some_and(|unit| built(unit.last));
        let seconds = seconds(&new.plan, &times, &name);
        let (change, why, from) = words(fate, store);
        Line { name: name.to_string(), change, why, from, cached, seconds }
    };
    let mut lines: Vec<Line> = fates.into_iter().map(line).collect();
    lines.sort_by_key(|line| CHANGES.iter().position(|change| *change == line.change));
    lines
}

/// What became of a unit: the word for it, what changed in it, the units that changed for it.
fn words(fate: Fate, store: &Store) -> (&'static str, Vec<String>, BTreeSet<String>) {
    match fate {
        Fate::Added => ("added", Vec::new(), BTreeSet::new()),
        Fate::Removed => ("removed", Vec::new(), BTreeSet::new()),
        Fate::Same => ("same", Vec::new(), BTreeSet::new()),
        Fate::Changed { own, from } => {
            let why = cause::words(&own, store);
            (if why.is_empty() { "inherits" } else { "changed" }, why, from)
        }
    }
}

/// How long the unit's own steps took when they were last run, of those that ever were.
fn seconds(plan: &Plan, times: &Times, unit: &Name) -> Option<f64> {
    let own = plan.steps.iter().filter(|step| step.unit == *unit);
    own.filter_map(|step| times.get(&step.label)).reduce(|one, other| one + other)
}

fn print(lines: &[Line]) {
    let mut rows = Vec::new();
    for line in lines.iter().filter(|line| line.change != "same") {
        let from: Vec<_> = line.from.iter().map(String::as_str).collect();
        let from = (!from.is_empty()).then(|| format!("from {}", from.join(", ")));
        let mut reasons = line.why.iter().cloned().chain(from);
        let first = reasons.next().unwrap_or_default();
        rows.push([line.change.to_owned(), line.name.clone(), first]);
        rows.extend(reasons.map(|reason| [String::new(), String::new(), reason]));
    }
    output::table(&rows);
}

fn print_lock(diff: &Diff) {
    let text = diff.to_string();
    text.lines().take(MAX_LOCK_LINES).for_each(|line| output::data(&format!("{}: {line}", lockfile::FILE)));
    let more = text.lines().count().saturating_sub(MAX_LOCK_LINES);
    if more > 0 {
        output::data(&format!("{}: and {more} more", lockfile::FILE));
    }
}

fn conclude(lines: &[Line]) {
    let differ: Vec<_> = lines.iter().filter(|line| line.change != "same").collect();
    if differ.is_empty() {
        return output::words("nothing changed");
    }
    let open = || differ.iter().filter(|line| !line.cached && line.change != "removed");
    let known: f64 = open().filter_map(|line| line.seconds).sum();
    let time = match open().count() {
        0 => "all in the store".to_owned(),
        open => format!("{} to build, {} by what it took last", count(open, "unit"), duration(known)),
    };
    output::words(&format!("{} of {} changed: {time}", differ.len(), count(lines.len(), "unit")));
}
