//! Puts the REAPI action of a unit into the store and prints what names it, as one line of JSON:
//! `{"action": "<digest>/<size>", "command": …, "input_root": …}`.
//!
//!     cargo run --example reapi -- PROJECT STORE UNIT
//!
//! What the unit needs must have been built. Its blobs lie in the store as `file/`, `exec/` and
//! `dir/`, from where a client uploads them to a farm: see tests/reapi/execute.py.
#![allow(clippy::print_stdout)]

use std::collections::BTreeSet;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use forge::build;
use forge::derivation::Derivation;
use forge::derivation::reapi::{self, Messages};
use forge::fetch::Observer;
use forge::lockfile::{Locked, Lockfile};
use forge::path::Name;
use forge::plan::{self, Observed, Plan};
use forge::recipe::{self, Diagnostic, Project};
use forge::store::{Blob, Store};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [project, store, unit] = &arguments[..] else { return Err("usage: reapi PROJECT STORE UNIT".into()) };
    let unit = Name::new(unit.to_str().ok_or("a unit's name is text")?)?;
    println!("{}", line(&export(&project.canonicalize()?, store, &unit)?));
    Ok(())
}

/// Puts the action of a built `unit` into the store.
pub fn export(project: &Path, store: &Path, unit: &Name) -> Result<Messages, Box<dyn Error>> {
    let store = Store::open(store)?;
    let plan = draw(project, &store, unit)?;
    let last = plan.units[unit].last;
    let rebuild = BTreeSet::new();
    let schedule = build::look(&plan, &store, &rebuild, [last]);
    match schedule.resolved(last) {
        Some(Derivation::Run(run)) => Ok(reapi::action(&run, &store)?),
        Some(_) => Err(format!("`{unit}` runs no command, so it has no action").into()),
        None => Err(format!("what `{unit}` needs is not in the store: build it first").into()),
    }
}

fn draw(project: &Path, store: &Store, unit: &Name) -> Result<Plan, Box<dyn Error>> {
    let recipes = recipe::load(project).map_err(drawn)?;
    let locked = Lockfile::load(project)?.apply(recipes)?;
    let wanted = [unit.clone()];
    let observed = observe(&locked, project, store, &wanted)?;
    Ok(plan::plan(&locked, &observed, &wanted)?)
}

fn observe(
    locked: &Project<Locked>,
    project: &Path,
    store: &Store,
    wanted: &[Name],
) -> Result<Observed, Box<dyn Error>> {
    let observer = Observer::open(store, project, SystemTime::now)?;
    let mut observed = Observed::new();
    for recipe in plan::closure(locked, wanted)? {
        for (name, source) in &recipe.sources {
            if let Locked::Path { directory, include, exclude } = source {
                let output = observer.observe(directory, include, exclude)?;
                observed.insert((recipe.name.clone(), name.clone()), output);
            }
        }
    }
    Ok(observed)
}

fn drawn(diagnostics: Vec<Diagnostic>) -> String {
    diagnostics.iter().map(|diagnostic| diagnostic.render(false)).collect::<Vec<_>>().join("\n")
}

/// The digests as JSON, each written as REAPI's resource names do: `<hex>/<size>`.
pub fn line(messages: &Messages) -> serde_json::Value {
    let name = |blob: Blob| format!("{}/{}", blob.digest.hex(), blob.size);
    let Messages { action, command, input_root } = *messages;
    serde_json::json!({ "action": name(action), "command": name(command), "input_root": name(input_root) })
}
