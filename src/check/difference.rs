//! Where a rebuild's outputs differ from the first ones.

use std::path::PathBuf;

use crate::build::realise::Trouble;
use crate::build::schedule::Outputs;
use crate::compare::{Comparison, Limits, paths};
use crate::path::Name;
use crate::store::Store;

/// An output that came out differently.
#[derive(Clone, Debug)]
pub struct Difference {
    /// Where the first one lies.
    pub first: PathBuf,
    /// Where the rebuilt one lies, until the store is swept.
    pub second: PathBuf,
    /// Where they differ, the first one being wanted. Paths start with the output's name.
    pub found: Comparison,
}

/// Compares all outputs of a step.
///
/// # Errors
/// If they can't be read.
pub fn differences(store: &Store, first: &Outputs, made: &Outputs) -> Result<Vec<Difference>, Trouble> {
    let mut differences = Vec::new();
    for (output, content) in first {
        let Some(other) = made.get(output).filter(|other| *other != content) else { continue };
        let (first, second) = (store.realise(content)?, store.realise(other)?);
        let found = paths(&first, &second, &Limits::default());
        let mut found = found.map_err(|error| Trouble::Environment(error.to_string()))?;
        found.differences.iter_mut().for_each(|difference| place(output, &mut difference.place.path));
        differences.push(Difference { first, second, found });
    }
    Ok(differences)
}

/// Puts the output's name before a path in it; it has none if the output is a file.
fn place(output: &Name, path: &mut String) {
    *path = if path.is_empty() { output.to_string() } else { format!("{output}/{path}") };
}
