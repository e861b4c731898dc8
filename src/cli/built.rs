//! An image, or an extension or installer, which is one, for verbs that carry it somewhere: built if need be, and read out of
//! the store.

use std::io::Read as _;
use std::path::Path;
use std::time::SystemTime;

use super::error::CliError;
use super::progress::Screen;
use super::session::{self, Planned};
use super::{Verdict, failure};
use crate::build::realise::Worker;
use crate::build::schedule::State;
use crate::build::timeline::{Purpose, Recorder};
use crate::build::{self, Options, look};
use crate::lockfile::Locked;
use crate::path::{Name, RelPath};
use crate::plan::Plan;
use crate::recipe::{Build, OUTPUT, Project};
use crate::registry::{self, Image};
use crate::store::{Blob, Node, Output, Store, TreeBuilder};

/// The layout of an image.
pub enum Built {
    /// Its tree.
    Layout(Blob),
    /// It is not built, and nothing may be.
    Not,
    /// It could not be built, as was told.
    Failed(Verdict),
}

/// What carries images somewhere starts from.
pub fn planned(root: &Path, store: &Store, name: &Name) -> Result<Planned, CliError> {
    let planned = session::planned(root, store, std::slice::from_ref(name))?;
    is_image(&planned.project, name)?;
    Ok(planned)
}

fn is_image(project: &Project<Locked>, name: &Name) -> Result<(), CliError> {
    let is_one = |build: &Build| matches!(build, Build::Image(_) | Build::Extension(_) | Build::Installer(_));
    let build = &project.units[name].build;
    if is_one(build) {
        return Ok(());
    }
    let kind = build.kind();
    let images = project.units.values().filter(|unit| is_one(&unit.build));
    let images: Vec<_> = images.map(|unit| format!("`{}`", unit.name)).collect();
    let there =
        if images.is_empty() { "there is none here".to_owned() } else { format!("there is {}", images.join(", ")) };
    Err(CliError::user(format!("`{name}` is of kind {kind}, not an image")).hint(there))
}

/// The layout of a unit as it is known; nothing is built.
pub fn known(store: &Store, planned: &Planned, name: &Name) -> Built {
    let last = planned.plan.units[name].last;
    match look(&planned.plan, store, &Default::default(), [last]).state(last) {
        State::Done(outputs) => outputs.iter().find(|(output, _)| output.as_str() == OUTPUT).map_or(Built::Not, layout),
        _ => Built::Not,
    }
}

fn layout((_, output): (&Name, &Output)) -> Built {
    Built::Layout(output.blob())
}

/// The layout of a unit, which is built if need be.
pub fn build(root: &Path, store: &Store, planned: &Planned, name: &Name, offline: bool) -> Result<Built, CliError> {
    match known(store, planned, name) {
        Built::Not => {
            session::with_worker(root, store, planned, offline, None, |worker| realise(&planned.plan, name, worker))
        }
        built => Ok(built),
    }
}

fn realise(plan: &Plan, name: &Name, worker: &Worker<'_>) -> Result<Built, CliError> {
    let wanted = [plan.units[name].last];
    let options = Options::of_jobs(worker.jobs);
    let screen = Screen::new(plan, &wanted, false);
    let recorder = Recorder::new(plan, &screen, SystemTime::now());
    let finishes = build::build(plan, &wanted, &options, worker, &recorder)?;
    screen.close();
    // A record that can't be written is no reason to fail.
    let _ = recorder.end().save(worker.store.root(), Purpose::Build);
    if let Some(verdict) = failure::tell(plan, &finishes, worker.cancelled()) {
        return Ok(Built::Failed(verdict));
    }
    let outputs = &finishes[&wanted[0]].outputs;
    Ok(outputs.iter().find(|(output, _)| output.as_str() == OUTPUT).map_or(Built::Not, layout))
}

/// The image of a layout.
pub fn image(store: &Store, layout: &Blob) -> Result<Image, registry::Error> {
    let mut tree = TreeBuilder::new();
    tree.graft(store, None, &layout.digest)?;
    Image::of_layout(|path| {
        let wrong = |why: String| registry::Error::Image(format!("{path}: {why}"));
        let place = RelPath::new(path).map_err(|error| wrong(error.to_string()))?;
        let Some(Node::File { blob, .. }) = tree.get(&place)? else { return Err(wrong("not there".to_owned())) };
        let mut bytes = Vec::new();
        store.read(&blob)?.read_to_end(&mut bytes).map_err(|error| wrong(error.to_string()))?;
        Ok(bytes)
    })
}
