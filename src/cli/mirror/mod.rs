//! `forge mirror`.

mod target;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

use super::error::CliError;
use super::meter::Meter;
use super::unfree::Permission;
use super::{Verdict, environment, output, registry, session};
use crate::fetch::inventory::{Content, Item, inventory};
use crate::fetch::mirror::Found;
use crate::fetch::{Error, Fetcher, Progress};
use crate::lockfile::Locked;
use crate::parallel;
use crate::path::Name;
use crate::plan;
use crate::recipe::{Project, Recipe};
use crate::words;
use target::{Place, Target};

/// How many sources are looked at and copied at once.
const THREADS: usize = 6;

/// Copy every locked source, by its digest, into a folder or a registry that FORGE_MIRRORS can name.
///
/// What is there already is hashed and stays; what is damaged there is replaced. Interrupted, it goes
/// on where it was.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder, which is made where there is none, or a repository of a registry: oci://host/repository.
    #[arg(value_name = "DIR|oci://…")]
    place: PathBuf,
    /// The units whose sources are copied, with what they need; all units where none is named.
    #[arg(value_name = "NAME", value_parser = super::name)]
    names: Vec<Name>,
    /// Copy sources that are not free too, also to a private registry. Public registries are refused all the same.
    #[arg(long)]
    allow_unfree: bool,
    /// Print one JSON object a line for each source, as it is done.
    #[arg(long)]
    json: bool,
    /// Only say what would be copied.
    #[arg(long)]
    dry_run: bool,
}

pub fn run(directory: Option<&Path>, args: &Args) -> Result<Verdict, CliError> {
    let place = Place::of(&args.place)?;
    let root = session::root(directory)?;
    let project = session::locked(&root)?;
    let units = units(&project, &args.names)?;
    if let Place::Repository(repository) = &place {
        registry::permit(units.iter().copied(), &repository.host, args.allow_unfree)?;
    }
    Permission { allow_unfree: args.allow_unfree }.of(&project, &args.names)?;
    let copied = units.into_iter().filter(|unit| args.allow_unfree || !unit.unfree);
    let items = inventory(copied, session::lockfile(&root)?.suites().values());
    let store = session::store()?;
    let mut fetcher = session::fetcher(&store, false)?;
    fetcher.expect(session::closures(&project));
    let cancel = session::interrupts()?;
    let meter = Arc::new(Meter::new(if args.dry_run { "looking at" } else { "copying" }, items.len()));
    let target = Target::of(&place, args.dry_run, &cancel, &meter)?;
    let copier = Copier { target: &target, dry_run: args.dry_run, fetcher: &fetcher, cancel: &cancel, meter: &meter };
    let fates = parallel::each(&items, THREADS, |item| {
        let fate = copier.copy(item)?;
        meter.over();
        meter.suspended(|| show(item, &fate, args.json));
        Ok::<_, Error>(fate)
    });
    let fates = fates.and_then(|fates| if args.dry_run { Ok(fates) } else { target.finish().map(|()| fates) });
    drop((target, meter));
    let fates = match fates {
        Err(Error::Shelf(crate::registry::Error::Cancelled)) => {
            output::words(INTERRUPTED);
            return Ok(Verdict::Interrupted);
        }
        fates => {
            fates.map_err(|error| CliError::from(error).hint("what was copied stays; mend that, and run this again"))?
        }
    };
    Ok(conclude(&place, &project, &items, &fates, args))
}

/// What is said of copying that the user stopped.
const INTERRUPTED: &str = "interrupted; what was copied stays, and the next run goes on from there";

/// The units whose sources are to be copied.
fn units<'a>(project: &'a Project<Locked>, names: &[Name]) -> Result<Vec<&'a Recipe<Locked>>, CliError> {
    session::known(project, names)?;
    let all: Vec<Name> = project.units.keys().cloned().collect();
    Ok(plan::closure(project, if names.is_empty() { &all } else { names })?)
}

/// What became of an item.
enum Fate {
    /// It is in the mirror already.
    There(u64),
    /// It was copied, or would be; how many bytes, where that is known, and what was wrong with what stood there.
    Copied(Option<u64>, Option<String>),
    /// No place has it.
    Failed(Error),
    /// The user stopped the work before.
    Cancelled,
}

impl Fate {
    fn bytes(&self) -> u64 {
        match self {
            Self::There(bytes) => *bytes,
            Self::Copied(bytes, _) => bytes.unwrap_or_default(),
            Self::Failed(_) | Self::Cancelled => 0,
        }
    }
}

struct Copier<'a> {
    target: &'a Target,
    dry_run: bool,
    fetcher: &'a Fetcher<'a>,
    cancel: &'a AtomicBool,
    meter: &'a Meter,
}

impl Copier<'_> {
    /// `Err` is trouble that the next item would meet as well.
    fn copy(&self, item: &Item) -> Result<Fate, Error> {
        if self.cancelled() {
            return Ok(Fate::Cancelled);
        }
        let damage = match self.target.find(self.fetcher, item)? {
            Found::Sound(bytes) => return Ok(Fate::There(bytes)),
            Found::Missing => None,
            Found::Damaged(why) => Some(why),
        };
        if self.dry_run {
            return Ok(Fate::Copied(known(item), damage));
        }
        match self.target.copy(self.fetcher, item, &|progress| self.watch(progress)) {
            Ok(bytes) => Ok(Fate::Copied(Some(bytes), damage)),
            Err(_) if self.cancelled() => Ok(Fate::Cancelled),
            Err(error) if error.is_local() => Err(error),
            Err(error) => Ok(Fate::Failed(error)),
        }
    }

    fn watch(&self, progress: Progress<'_>) -> ControlFlow<()> {
        self.meter.transferred(progress.name, progress.got, progress.total);
        if self.cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }
}

/// The bytes of an item before it is fetched; the lock does not tell how many a tree has.
fn known(item: &Item) -> Option<u64> {
    (!matches!(item.content, Content::Tree { .. })).then(|| item.blob().size)
}

#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    kind: &'static str,
    digest: String,
    status: &'static str,
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    damage: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

fn show(item: &Item, fate: &Fate, json: bool) {
    let (status, bytes, damage) = match fate {
        Fate::There(bytes) => ("there", Some(*bytes), None),
        Fate::Copied(bytes, damage) => ("copied", *bytes, damage.as_deref()),
        Fate::Failed(_) => ("failed", None, None),
        Fate::Cancelled => ("cancelled", None, None),
    };
    let error = if let Fate::Failed(error) = fate { Some(error.to_string()) } else { None };
    if json {
        let digest = item.digest().to_string();
        return output::json(&Line { name: &item.name, kind: item.kind(), digest, status, bytes, damage, error });
    }
    if let Fate::Copied(bytes, damage) = fate {
        let size = bytes.map_or("size unknown".to_owned(), words::size);
        let why = damage.as_ref().map(|why| format!("  in place of {why}")).unwrap_or_default();
        output::data(&format!("{size:>12}  {}{why}", item.name));
    }
}

/// Says what the copying came to.
fn conclude(place: &Place, project: &Project<Locked>, items: &[Item], fates: &[Fate], args: &Args) -> Verdict {
    let mut verdict = Verdict::Good;
    for (item, fate) in items.iter().zip(fates) {
        match (fate, &item.content) {
            (Fate::Cancelled, _) => verdict = Verdict::Interrupted,
            (Fate::Failed(error), Content::Index { .. }) => {
                output::words(&format!(
                    "note: {error}\n  builds do not need it; `forge lock` can't do without a network"
                ));
            }
            (Fate::Failed(error), _) => {
                output::words(&format!("error: {error}"));
                verdict = Verdict::Environment;
            }
            _ => {}
        }
    }
    output::words(&summary(items, fates, args.dry_run));
    if verdict == Verdict::Interrupted {
        output::words(INTERRUPTED);
    }
    if verdict == Verdict::Good && !args.dry_run {
        advise(place, project, args);
    }
    verdict
}

fn advise(place: &Place, project: &Project<Locked>, args: &Args) {
    let unfree: Vec<&str> = project.units.values().filter(|unit| unit.unfree).map(|unit| unit.name.as_str()).collect();
    let names = unfree.join(", ");
    if args.allow_unfree && !unfree.is_empty() {
        output::words(&format!("note: do not publish {place} if it holds sources of {names}: not free"));
    } else if args.names.is_empty() && !unfree.is_empty() {
        output::words(&format!("note: left out, as it is not free: {names}; --allow-unfree copies it too"));
    }
    if environment::mirrors().is_none() {
        let line = format!("digests = [{:?}]", place.to_string());
        output::words(&format!("to build from it: a file with the line `{line}`, which FORGE_MIRRORS names"));
    }
}

/// `147 sources: 3 copied, 144 there, 169.4 MB`
fn summary(items: &[Item], fates: &[Fate], dry_run: bool) -> String {
    let sources = || items.iter().zip(fates).filter(|(item, _)| item.kind() != "index").map(|(_, fate)| fate);
    let count = |is: fn(&Fate) -> bool| sources().filter(|fate| is(fate)).count();
    let part = |number: usize, words: &str| if number == 0 { String::new() } else { format!(", {number} {words}") };
    format!(
        "{}: {} {}{}, {} there{}{}, {}",
        words::count(sources().count(), "source"),
        count(|fate| matches!(fate, Fate::Copied(..))),
        if dry_run { "to copy" } else { "copied" },
        part(count(|fate| matches!(fate, Fate::Copied(_, Some(_)))), "of them damaged before"),
        count(|fate| matches!(fate, Fate::There(_))),
        part(count(|fate| matches!(fate, Fate::Failed(_))), "not to be had"),
        part(count(|fate| matches!(fate, Fate::Cancelled)), "not looked at"),
        words::size(sources().map(Fate::bytes).sum())
    )
}
