//! `forge lock`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use super::error::CliError;
use super::progress::Bar;
use super::{Verdict, output, session};
use crate::debian::date::Date;
use crate::debian::openpgp::Key;
use crate::fetch::{Fetcher, Indexes, Suite, Trust};
use crate::lockfile::{self, Diff, Entry, Lockfile, Mode, Pin, Place, Stale, Update};
use crate::path::{Name, RelPath};
use crate::recipe::{Archive, Project, Source};
use crate::store::Blob;

/// Where the project keeps the public keys of archives, as `<FINGERPRINT>.asc`.
const KEYS: &str = "recipes/keys";

/// Pin every source to a digest in lockfile.toml, and print what changed.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only say whether the lockfile fits the recipes; uses no network.
    #[arg(long, conflicts_with_all = ["update", "dry_run"])]
    check: bool,
    /// Move to the newest versions; of the named units, or of all. All .debs of an archive move together.
    #[arg(long, value_name = "NAME", num_args = 0.., value_parser = super::name)]
    update: Option<Vec<Name>>,
    /// Print what would change and write nothing.
    #[arg(long)]
    dry_run: bool,
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
}

pub fn run(directory: Option<&Path>, args: &Args) -> Result<Verdict, CliError> {
    let root = session::root(directory)?;
    let project = session::recipes(&root)?;
    session::wanted(&project, args.update.as_deref().unwrap_or_default())?;
    let old = session::lockfile(&root)?;
    match args.mode() {
        Mode::Check => check(&old, &project),
        Mode::DryRun(update) => {
            report(&old, &lock(&root, &project, &old, &update)?);
            Ok(Verdict::Good)
        }
        Mode::Write(update) => {
            let new = lock(&root, &project, &old, &update)?;
            new.save(&root).map_err(CliError::environment)?;
            report(&old, &new);
            Ok(Verdict::Good)
        }
    }
}

fn check(lockfile: &Lockfile, project: &Project) -> Result<Verdict, CliError> {
    let problems = lockfile.problems(project);
    if problems.is_empty() {
        output::words("lockfile.toml fits the recipes");
        return Ok(Verdict::Good);
    }
    Err(CliError::user(Stale(problems)))
}

fn report(old: &Lockfile, new: &Lockfile) {
    let diff = Diff::new(old, new);
    if diff.is_empty() {
        output::words("nothing changed");
    } else {
        output::raw(diff.to_string().as_bytes());
    }
}

/// The lockfile that fits the recipes.
fn lock(root: &Path, project: &Project, old: &Lockfile, update: &Update) -> Result<Lockfile, CliError> {
    let (mut new, mut open) = old.prepare(project, update);
    if open.is_empty() {
        return Ok(new);
    }
    let store = session::store()?;
    let fetcher = session::fetcher(&store, false)?;
    let bar = Bar::new();
    let moving = *update != Update::Needed;
    let suites = suites(root, &fetcher, open.values().copied(), if moving { None } else { Some(old) }, &bar)?;
    for suite in &suites {
        new.set_suite(entry(suite)?);
    }
    // Where an archive moved on, the sets that stood on its old state have lost their entries.
    let (_, moved) = new.prepare(project, &Update::Needed);
    open.extend(moved);
    let indexes = Indexes::new(&suites)?;
    for ((unit, name), source) in open {
        let locked = fetcher.pin(source, &indexes, &bar.watch()).map_err(|error| {
            let kind = CliError::from(error);
            kind.hint(format!("this is the source `{name}` of the unit `{unit}`"))
        })?;
        new.insert(unit, name, Entry { spec: source.specification(), locked }).map_err(CliError::environment)?;
    }
    store.commit()?;
    Ok(new)
}

/// The package lists of all archives that `sources` name; as `locked`, where that is given.
fn suites<'a>(
    root: &Path,
    fetcher: &Fetcher<'_>,
    sources: impl Iterator<Item = &'a Source>,
    locked: Option<&Lockfile>,
    bar: &Bar,
) -> Result<Vec<Suite>, CliError> {
    let archives: Vec<&Archive> = sources.filter_map(Source::archive).collect();
    let fingerprints: BTreeSet<&String> = archives.iter().flat_map(|archive| &archive.fingerprints).collect();
    let mut keys = Vec::new();
    for fingerprint in fingerprints {
        keys.extend(read_keys(&root.join(KEYS).join(format!("{fingerprint}.asc")))?);
    }
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let locked = locked.map(pins).transpose()?.unwrap_or_default();
    let trust = Trust { keys, now: Date::from_unix(seconds), locked };
    Ok(fetcher.suites(archives, &trust, &bar.watch())?)
}

fn read_keys(file: &Path) -> Result<Vec<Key>, CliError> {
    let bytes = fs::read(file).map_err(|error| {
        CliError::user(format!("{}: {error}", file.display()))
            .hint("an archive's `fingerprints` name the keys that must stand there")
    })?;
    Key::read(&bytes).map_err(|error| CliError::user(format!("{}: {error}", file.display())))
}

/// The InRelease files that the lockfile stands on.
fn pins(lockfile: &Lockfile) -> Result<BTreeMap<(Name, String), Pin>, CliError> {
    let pin = |suite: &lockfile::Suite| {
        let path = in_release(&suite.suite)?;
        let place = Place::Archive { archive: suite.archive.clone(), path, date: suite.date.clone() };
        let pin = Pin { place, size: suite.inrelease.size, digest: suite.inrelease.digest };
        Ok(((suite.archive.clone(), suite.suite.clone()), pin))
    };
    lockfile.suites().values().map(pin).collect()
}

/// What the lockfile keeps of a suite.
fn entry(suite: &Suite) -> Result<lockfile::Suite, CliError> {
    let Pin { size, digest, .. } = suite.release;
    Ok(lockfile::Suite {
        archive: suite.archive.name.clone(),
        suite: suite.archive.suite.clone(),
        date: suite.date().to_owned(),
        inrelease: Blob { digest, size },
    })
}

fn in_release(suite: &str) -> Result<RelPath, CliError> {
    RelPath::new(format!("dists/{suite}/InRelease")).map_err(CliError::user)
}
