//! `forge lock`.

use std::collections::BTreeSet;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::error::CliError;
use super::lock_report::{self, Meaning};
use super::progress::Bar;
use super::unfree::Permission;
use super::{Verdict, environment, output, session};
use crate::build::times::Times;
use crate::debian::date::Date;
use crate::debian::openpgp::Key;
use crate::fetch::{Fetcher, Indexes, Trust};
use crate::lockfile::{Entry, Lockfile, Mode, Stale, Unfree, Update};
use crate::path::Name;
use crate::recipe::{Archive, Build, Cargo, Closure, Project, Source};
use crate::store::{Output, Store};

/// Where the project keeps the public keys of archives, as `<FINGERPRINT>.asc`.
const KEYS: &str = "recipes/keys";

/// Pin every source to a digest in lockfile.toml, and print what changed and what that means.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only say whether the lockfile fits the recipes; uses no network.
    #[arg(long, conflicts_with_all = ["update", "dry_run"])]
    check: bool,
    /// Move to the newest versions; of the named units, of single sources (UNIT/SOURCE), or of all. All .debs of an
    /// archive move together.
    #[arg(long, value_name = "NAME", num_args = 0.., value_parser = part)]
    update: Option<Vec<(Name, Option<Name>)>>,
    #[command(flatten)]
    permission: Permission,
    /// Print what would change and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object: what changed, what there is to download, which units are built again.
    #[arg(long)]
    json: bool,
}

impl Args {
    fn mode(&self) -> Mode {
        let update = match &self.update {
            None => Update::Needed,
            Some(names) if names.is_empty() => Update::All,
            Some(names) => Update::Named(names.iter().cloned().collect()),
        };
        match (self.check, self.dry_run) {
            (true, _) => Mode::Check,
            (false, true) => Mode::DryRun(update),
            (false, false) => Mode::Write(update),
        }
    }

    /// Refuses to move what is not there, or not free.
    fn known(&self, project: &Project) -> Result<(), CliError> {
        for (unit, source) in self.update.iter().flatten() {
            session::known(project, std::slice::from_ref(unit))?;
            let own = &project.units[unit].sources;
            if let Some(source) = source.as_ref().filter(|source| !own.contains_key(*source)) {
                let own = own.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                return Err(CliError::user(format!("`{unit}` has no source `{source}`")).hint(format!("it has {own}")));
            }
            if project.units[unit].unfree {
                self.permission.of(project, std::slice::from_ref(unit))?;
            }
        }
        Ok(())
    }
}

/// `unit` or `unit/source`.
fn part(text: &str) -> Result<(Name, Option<Name>), String> {
    match text.split_once('/') {
        Some((unit, source)) => Ok((super::name(unit)?, Some(super::name(source)?))),
        None => Ok((super::name(text)?, None)),
    }
}

pub fn run(directory: Option<&Path>, args: &Args) -> Result<Verdict, CliError> {
    let root = session::root(directory)?;
    let project = session::recipes(&root)?;
    args.known(&project)?;
    let (old, unfree) = (session::lockfile(&root)?, args.permission.locking());
    let (update, write) = match args.mode() {
        Mode::Check => return check(&old, &project, unfree, args.json),
        Mode::DryRun(update) => (update, false),
        Mode::Write(update) => (update, true),
    };
    let new = lock(&root, &project, &old, &update, unfree)?;
    let times = Times::read(&environment::store()?);
    lock_report::show(&Meaning::of(&project, &old, &new, &times), args.json);
    lock_report::show_left(&new, &project);
    if write {
        new.save(&root).map_err(CliError::environment)?;
    }
    Ok(Verdict::Good)
}

fn check(lockfile: &Lockfile, project: &Project, unfree: Unfree, json: bool) -> Result<Verdict, CliError> {
    let problems = lockfile.problems(project, unfree);
    if json {
        lock_report::show_problems(&problems);
    }
    if problems.is_empty() {
        lock_report::show_left(lockfile, project);
        output::words("lockfile.toml fits the recipes");
        return Ok(Verdict::Good);
    }
    Err(CliError::user(Stale(problems)))
}

/// The lockfile that fits the recipes.
fn lock(root: &Path, project: &Project, old: &Lockfile, update: &Update, unfree: Unfree) -> Result<Lockfile, CliError> {
    let (mut new, mut open) = old.prepare(project, update, unfree);
    if open.is_empty() {
        return Ok(new);
    }
    let store = session::store()?;
    let fetcher = session::fetcher(&store, false)?;
    let bar = Bar::new();
    let archives: Vec<&Archive> = open.values().filter_map(|source| source.archive()).collect();
    let suites = fetcher.suites(archives.iter().copied(), &trust(root, &archives, old, update)?, &bar.watch())?;
    for suite in &suites {
        new.set_suite(suite.locked.clone());
    }
    // Where an archive moved on, the sets that stood on its old state have lost their entries.
    let (_, moved) = new.prepare(project, &Update::Needed, unfree);
    open.extend(moved);
    let indexes = Indexes::new(&suites)?;
    // What a Cargo.lock names can only be known once its source is pinned.
    let (later, first): (Vec<_>, Vec<_>) =
        open.into_iter().partition(|(_, source)| matches!(source, Source::Crates(_)));
    for ((unit, name), source) in first.into_iter().chain(later) {
        let locked = match source {
            Source::Crates(closure) => {
                let source = held(&unit, closure, &new, (root, &store, &fetcher))?;
                fetcher.pin_crates(closure, &source, &patches(root, project, &unit), &bar.watch())
            }
            source => fetcher.pin(source, &indexes, &bar.watch()),
        };
        let locked = locked.map_err(|error| CliError::of_source(error, &unit, &name))?;
        new.insert(unit, name, Entry { spec: source.specification(), locked }).map_err(CliError::environment)?;
    }
    store.commit()?;
    Ok(new)
}

/// The patches of a unit.
fn patches(root: &Path, project: &Project, unit: &Name) -> Vec<PathBuf> {
    let recipe = &project.units[unit];
    let (Build::Cargo(cargo), Some(directory)) = (&recipe.build, recipe.file.parent()) else { return Vec::new() };
    cargo.patches.iter().map(|patch| root.join(directory.as_str()).join(patch.as_str())).collect()
}

/// The content of the source whose Cargo.lock is pinned.
fn held(
    unit: &Name,
    closure: &Closure,
    lockfile: &Lockfile,
    (root, store, fetcher): (&Path, &Store, &Fetcher<'_>),
) -> Result<Output, CliError> {
    let source = Name::constant(Cargo::SOURCE);
    let held = match (&*closure.source, lockfile.entry(unit, &source)) {
        (Source::Path { directory, include, exclude }, _) => {
            session::observer(root, store)?.observe(directory, include, exclude)
        }
        (_, Some(entry)) => fetcher.unpacked(&entry.locked, unit.as_str(), &|_| ControlFlow::Continue(())),
        (_, None) => unreachable!("BUG: the source of a Cargo.lock is pinned before it"),
    };
    held.map_err(|error| CliError::of_source(error, unit, &source))
}

/// What locking believes: the keys of `archives`, the clock, and the states that are locked.
pub fn trust(root: &Path, archives: &[&Archive], old: &Lockfile, update: &Update) -> Result<Trust, CliError> {
    let fingerprints: BTreeSet<&String> = archives.iter().flat_map(|archive| &archive.fingerprints).collect();
    let mut keys = Vec::new();
    for fingerprint in fingerprints {
        keys.extend(read_keys(&root.join(KEYS).join(format!("{fingerprint}.asc")))?);
    }
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let moving = if *update == Update::Needed { &[] } else { archives };
    Ok(Trust {
        keys,
        now: Date::from_unix(seconds),
        locked: old.suites().clone(),
        update: moving.iter().map(|archive| archive.name.clone()).collect(),
    })
}

fn read_keys(file: &Path) -> Result<Vec<Key>, CliError> {
    let bytes = fs::read(file).map_err(|error| {
        CliError::user(format!("{}: {error}", file.display()))
            .hint("an archive's `fingerprints` name the keys that must stand there")
    })?;
    Key::read(&bytes).map_err(|error| CliError::user(format!("{}: {error}", file.display())))
}
