//! What `forge build` is asked for: units, or single outputs of them.
//!
//! A unit stands for all its outputs but the file system of an image or an extension, which is laid out where it is
//! named: it has thousands of files, and few look at it.

use std::collections::BTreeSet;

use super::error::CliError;
use crate::path::Name;
use crate::plan::{Plan, StepId, Unit};
use crate::recipe::{Extension, Image, Project, Reference};

/// The file systems: of which kind, and which output.
const ASIDE: [(&str, &str); 2] = [(Image::KIND, Image::ROOT), (Extension::KIND, Extension::ROOTFS)];

/// The units of which something is asked for, each once.
pub fn units(asked: &[Reference]) -> Vec<Name> {
    let mut seen = BTreeSet::new();
    asked.iter().map(|reference| reference.unit.clone()).filter(|unit| seen.insert(unit.clone())).collect()
}

/// Refuses an output that a known unit has not.
pub fn known<S>(project: &Project<S>, reference: &Reference) -> Result<(), CliError> {
    let known = project.units[&reference.unit].outputs();
    match &reference.output {
        Some(output) if !known.contains(output) => {
            let known: Vec<_> = known.iter().map(Name::as_str).collect();
            let error = CliError::user(format!("`{}` has no output `{output}`", reference.unit));
            Err(error.hint(format!("its outputs: {}", known.join(", "))))
        }
        _ => Ok(()),
    }
}

/// The outputs of `units` to lay out as plain files: those named, or all that a unit stands for.
pub fn outputs<'n>(
    plan: &Plan,
    units: impl IntoIterator<Item = &'n Name>,
    asked: &[Reference],
) -> BTreeSet<(StepId, Name)> {
    let mut wanted = BTreeSet::new();
    for name in units {
        let unit = &plan.units[name];
        let mut named = asked.iter().filter(|reference| reference.unit == *name).peekable();
        if named.peek().is_none() {
            wanted.extend(whole(unit));
        }
        for reference in named {
            match &reference.output {
                Some(output) => drop(wanted.insert((unit.last, output.clone()))),
                None => wanted.extend(whole(unit)),
            }
        }
    }
    wanted
}

/// The outputs that a unit stands for.
fn whole(unit: &Unit) -> impl Iterator<Item = (StepId, Name)> {
    let aside = |name: &Name| ASIDE.contains(&(unit.kind, name.as_str()));
    unit.outputs.iter().filter(move |(name, _)| !aside(name)).map(|(name, _)| (unit.last, name.clone()))
}
