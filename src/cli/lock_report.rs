//! What `forge lock` says: what changed, how much there is to download, and what is built again.

use std::collections::BTreeMap;

use serde::Serialize;

use super::output;
use crate::build::times::Times;
use crate::lockfile::{Change, Diff, Lockfile, Problem};
use crate::path::Name;
use crate::recipe::Project;
use crate::words;

/// A change of the lock, and what it means for builds.
pub struct Meaning {
    diff: Diff,
    /// Bytes to download for an empty store, before and after.
    download: (u64, u64),
    /// The units that may be built again, with the seconds that they took last time.
    rebuilds: Vec<(Name, Option<f64>)>,
}

impl Meaning {
    /// Of moving from `old` to `new`. All that depends on a source that moved is taken to be built again: where a
    /// result comes out the same, fewer are.
    pub fn of(project: &Project, old: &Lockfile, new: &Lockfile, times: &Times) -> Self {
        let units = project.dependents(&new.moved_since(old));
        Self {
            diff: Diff::new(old, new),
            download: (old.download(), new.download()),
            rebuilds: units.into_iter().map(|unit| (unit.clone(), times.unit(&unit))).collect(),
        }
    }
}

/// Prints it; as one JSON object, or as lines.
pub fn show(meaning: &Meaning, json: bool) {
    if json {
        return output::json(&Object::of(meaning));
    }
    if meaning.diff.is_empty() {
        return output::words("nothing changed");
    }
    output::raw(meaning.diff.to_string().as_bytes());
    let (before, after) = meaning.download;
    output::data(&format!("download: {} → {}", words::size(before), words::size(after)));
    if meaning.rebuilds.is_empty() {
        return output::data("rebuild: nothing");
    }
    let units = words::count(meaning.rebuilds.len(), "unit");
    let seconds = meaning.rebuilds.iter().filter_map(|(_, seconds)| *seconds).reduce(|sum, seconds| sum + seconds);
    let last = seconds.map(|seconds| format!(", which took {} last time", words::duration(seconds)));
    output::data(&format!("rebuild: at most {units}{}", last.unwrap_or_default()));
    let row = |(unit, seconds): &(Name, Option<f64>)| {
        [format!("  {unit}"), seconds.map_or("not built here yet".to_owned(), words::duration)]
    };
    output::table(&meaning.rebuilds.iter().map(row).collect::<Vec<_>>());
}

/// Says what was left alone, as it is not free or locked on demand.
pub fn show_left(lockfile: &Lockfile, project: &Project) {
    let left = lockfile.left(project);
    let (unfree, others): (Vec<_>, Vec<_>) = left.iter().partition(|(unit, _)| project.units[unit].unfree);
    let list = |left: &[&(Name, Name)]| {
        left.iter().map(|(unit, source)| format!("{unit}/{source}")).collect::<Vec<_>>().join(", ")
    };
    if !unfree.is_empty() {
        let unfree = list(&unfree);
        output::words(&format!("note: not locked, as it is not free: {unfree}; `forge lock --allow-unfree` locks it"));
    }
    if !others.is_empty() {
        let others = list(&others);
        output::words(&format!("note: not locked, as nobody asked: {others}; `forge lock --update UNIT` locks it"));
    }
}

#[derive(Serialize)]
struct Object<'a> {
    changed: bool,
    suites: Vec<Item<String>>,
    packages: Vec<Item<Package<'a>>>,
    crates: Vec<Item<Crate<'a>>>,
    repositories: Vec<Item<&'a str>>,
    features: Vec<Item<&'a str>>,
    sources: Vec<Item<&'a str>>,
    download: Download,
    rebuilds: Vec<Rebuild<'a>>,
}

/// One change: `old` is null for what is new, `new` for what is gone.
#[derive(Serialize)]
struct Item<T> {
    name: String,
    old: Option<T>,
    new: Option<T>,
}

#[derive(Serialize)]
struct Package<'a> {
    version: &'a str,
    bytes: u64,
    digest: &'a str,
}

#[derive(Serialize)]
struct Crate<'a> {
    bytes: u64,
    digest: &'a str,
}

#[derive(Serialize)]
struct Download {
    before: u64,
    after: u64,
}

#[derive(Serialize)]
struct Rebuild<'a> {
    unit: &'a str,
    seconds: Option<f64>,
}

impl<'a> Object<'a> {
    fn of(Meaning { diff, download: (before, after), rebuilds }: &'a Meaning) -> Self {
        let package = |(version, bytes, digest): &'a (String, u64, String)| Package { version, bytes: *bytes, digest };
        Self {
            changed: !diff.is_empty(),
            suites: items(&diff.suites, |(state, _)| state.clone()),
            packages: items(&diff.packages, package),
            crates: items(&diff.crates, |(bytes, digest)| Crate { bytes: *bytes, digest }),
            repositories: items(&diff.repositories, String::as_str),
            features: items(&diff.features, String::as_str),
            sources: items(&diff.sources, |(pin, _)| pin.as_str()),
            download: Download { before: *before, after: *after },
            rebuilds: rebuilds
                .iter()
                .map(|(unit, seconds)| Rebuild { unit: unit.as_str(), seconds: *seconds })
                .collect(),
        }
    }
}

fn items<'a, T, U>(changes: &'a BTreeMap<String, Change<T>>, show: impl Fn(&'a T) -> U) -> Vec<Item<U>> {
    let item = |(name, change): (&String, &'a Change<T>)| {
        let (old, new) = match change {
            Change::Added(new) => (None, Some(new)),
            Change::Removed(old) => (Some(old), None),
            Change::Changed(old, new) => (Some(old), Some(new)),
        };
        Item { name: name.clone(), old: old.map(&show), new: new.map(&show) }
    };
    changes.iter().map(item).collect()
}

#[derive(Serialize)]
struct Fit<'a> {
    fits: bool,
    problems: Vec<Misfit<'a>>,
}

#[derive(Serialize)]
struct Misfit<'a> {
    source: String,
    problem: &'static str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    changes: &'a [String],
}

/// Prints what `forge lock --check` found, as one JSON object.
pub fn show_problems(problems: &BTreeMap<(Name, Name), Problem>) {
    let problems = problems.iter().map(|((unit, source), problem)| {
        let (problem, changes) = match problem {
            Problem::Missing => ("missing", &[][..]),
            Problem::Stale(changes) => ("stale", changes.as_slice()),
            Problem::LeftOver => ("left-over", &[][..]),
        };
        Misfit { source: format!("{unit}/{source}"), problem, changes }
    });
    let problems: Vec<_> = problems.collect();
    output::json(&Fit { fits: problems.is_empty(), problems });
}
