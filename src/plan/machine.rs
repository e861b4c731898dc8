//! `machine`: forge makes the files of all nodes in one step.

use super::{Error, Planner, Unit};
use crate::derivation::Assemble;
use crate::lockfile::Locked;
use crate::recipe::{Machine, Recipe};

impl Planner<'_> {
    pub(super) fn machine(&mut self, recipe: &Recipe<Locked>, machine: &Machine) -> Result<Unit, Error> {
        let mut sources = self.sources(recipe)?;
        let mut source = |name: &str| sources.remove(name).expect("BUG: a recipe without its sources");
        let (config, schema) = (source(Machine::CONFIG), source(Machine::SCHEMA));
        let Machine { line, folder } = machine;
        Ok(self.assembled(recipe, Assemble::Machine { line: *line, folder: folder.clone(), config, schema }))
    }
}
