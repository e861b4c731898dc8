//! `signing`: the modules of a kernel with signatures, made or kept, at their ends.

use std::collections::BTreeMap;

use super::kernel::output_of;
use super::{Input, Plan, Planner, StepId, Unit};
use crate::derivation::{Assemble, Derivation, Signatures};
use crate::lockfile::Locked;
use crate::path::Name;
use crate::recipe::{Kernel, Recipe, Signing};

impl Plan {
    /// Which output of which step has a kernel's modules as they were built.
    #[must_use]
    pub fn unsigned_modules(&self, unit: &Name) -> Option<(StepId, Name)> {
        let last = self.units.get(unit)?.last;
        match &self.steps[last].derivation {
            Derivation::Assemble(Assemble::Signed { modules: Input::Step(step, output), .. }) => {
                Some((*step, output.clone()))
            }
            Derivation::Assemble(Assemble::Kernel(_)) => Some((last, Name::constant(Kernel::MODULES))),
            _ => None,
        }
    }
}

impl Planner<'_> {
    /// A kernel that was read back; with signatures, if its recipe says from where.
    pub(super) fn signed(
        &mut self,
        recipe: &Recipe<Locked>,
        kernel: &Kernel,
        built: Assemble<Input>,
        sources: &BTreeMap<Name, Input>,
    ) -> Unit {
        let Some(signing) = &kernel.signing else { return self.assembled(recipe, built) };
        let built = self.assemble(&recipe.name, format!("{}: read back", recipe.name), built);
        let made = |output| output_of(&built, output);
        let others = Kernel::OUTPUTS.into_iter().filter(|output| *output != Kernel::MODULES);
        let signatures = match signing {
            Signing::Dev => Signatures::Dev { key: sources[Signing::KEY].clone() },
            Signing::Detached { .. } => Signatures::Detached { folder: sources[Signing::SIGNATURES].clone() },
        };
        let signed = Assemble::Signed {
            others: others.map(|output| (output.to_owned(), made(output))).collect(),
            modules: made(Kernel::MODULES),
            certificate: sources[Signing::CERTIFICATE].clone(),
            signatures,
        };
        self.assembled(recipe, signed)
    }
}
