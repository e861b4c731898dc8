//! `toolroot`: a set of .debs, merged into a root file system.
//!
//! The merge's key holds only the pinned digests of the packages, so a toolroot that is in the
//! store needs none of its .debs.

use super::{Error, Input, Planner, STEP_TIMEOUT, Step, Unit, out};
use crate::derivation::{Assemble, Derivation};
use crate::lockfile::Locked;
use crate::recipe::{Recipe, Toolroot};

impl Planner<'_> {
    pub(super) fn toolroot(&mut self, recipe: &Recipe<Locked>, toolroot: &Toolroot) -> Result<Unit, Error> {
        let mut debs = Vec::new();
        for locked in recipe.sources.values() {
            if let Locked::Debs(set) = locked {
                debs.extend(set.iter().map(|deb| (deb.package.clone(), self.deb(&recipe.name, deb))));
            }
        }
        debs.sort_by(|(a, _), (b, _)| a.cmp(b));
        let assemble = Assemble::Toolroot {
            debs,
            links: toolroot.links.clone(),
            trim: toolroot.trim.clone(),
            ignore: toolroot.ignore_alternatives.clone(),
        };
        let last = self.plan.add(Step {
            unit: recipe.name.clone(),
            label: recipe.name.to_string(),
            derivation: Derivation::Assemble(assemble),
            timeout: STEP_TIMEOUT,
        });
        Ok(Unit { kind: recipe.build.kind(), outputs: vec![(out(), Input::Step(last, out()))], last })
    }
}
