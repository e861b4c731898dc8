//! Units that are not free, or locked on demand. What they take from outside is locked only for who asks for it: a
//! project is sound without.

use std::collections::{BTreeMap, BTreeSet};

use super::Lockfile;
use super::apply::wanted;
use crate::path::Name;
use crate::recipe::{Project, Recipe, Source, Unlocked};

/// What becomes of the sources of units that are not free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfree {
    /// They stay as they are, locked or not.
    Left,
    /// They are locked as all others are.
    Locked,
}

impl Unfree {
    /// Whether a source is left alone. What an archive has is not: all its packages move together, and to lock them
    /// none is downloaded.
    pub(super) fn leaves(self, recipe: &Recipe, source: &Source) -> bool {
        let unasked = (self == Self::Left && recipe.unfree) || recipe.on_demand;
        unasked && source.archive().is_none()
    }
}

impl Lockfile {
    /// The sources that are not locked as their recipes say, as they are not free or locked on demand.
    #[must_use]
    pub fn left(&self, project: &Project) -> BTreeSet<(Name, Name)> {
        let left = wanted(project).filter(|((unit, _), source)| Unfree::Left.leaves(&project.units[unit], source));
        left.filter(|(key, source)| self.problem(key, source).is_some()).map(|(key, _)| key).collect()
    }

    /// The units that can't be planned for what is left, each with the one that is at fault.
    pub(super) fn unlocked(&self, project: &Project) -> BTreeMap<Name, Unlocked> {
        let mut unlocked = BTreeMap::new();
        for (unit, _) in self.left(project) {
            let supplied = project.units[&unit].sources.values().filter_map(|source| match source {
                Source::Supplied { name, .. } => Some(name.clone()),
                _ => None,
            });
            let on_demand = !project.units[&unit].unfree;
            let why = Unlocked { unit: unit.clone(), on_demand, supplied: supplied.collect() };
            unlocked.extend(project.dependents(&BTreeSet::from([unit])).into_iter().map(|name| (name, why.clone())));
        }
        unlocked
    }
}
