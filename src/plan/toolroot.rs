//! `toolroot`: a set of .debs, merged into a root file system.
//!
//! The merge's key holds only the pinned digests of the packages, so a toolroot that is in the
//! store needs none of its .debs.

use super::{Planner, Unit};
use crate::derivation::Assemble;
use crate::lockfile::Locked;
use crate::recipe::{Recipe, Toolroot};

impl Planner<'_> {
    pub(super) fn toolroot(&mut self, recipe: &Recipe<Locked>, toolroot: &Toolroot) -> Unit {
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
        self.assembled(recipe, assemble)
    }
}
