//! Checks a set of packages strictly: nothing missing, nothing that clashes.
//!
//! It knows nothing of how the set was chosen.

use std::collections::BTreeSet;

use super::index::{Index, PackageId};
use super::need::{Group, Needs, answers, victims};

/// What is wrong with a set.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A group of a package's needs (its place among them) that nothing in the set meets.
    Unmet { package: PackageId, group: usize },
    /// Two packages of one name, or of which one (its clash's place) excludes the other.
    Clash { package: PackageId, other: PackageId },
}

/// The first fault of a set, in the order of the index.
pub(super) fn verify(index: &Index<'_>, set: &BTreeSet<PackageId>) -> Result<(), Fault> {
    for package in set.iter().copied() {
        let name = index.owner(package);
        if let Some(other) =
            index.name(name).packages.iter().copied().find(|other| *other != package && set.contains(other))
        {
            return Err(Fault::Clash { package, other });
        }
        let needs = Needs::of(index, package);
        let inside = |id: &PackageId| set.contains(id);
        let met = |group: &&Group<'_>| group.iter().any(|want| answers(index, want).any(|id| inside(&id)));
        let unmet = || needs.groups.iter().enumerate().filter(|(_, group)| !met(group));
        // What the suite does not have at all explains more than what was not tried for its sake.
        let hopeless =
            |(_, group): &(usize, &Group<'_>)| group.iter().all(|want| answers(index, want).next().is_none());
        if let Some((group, _)) = unmet().find(hopeless).or_else(|| unmet().next()) {
            return Err(Fault::Unmet { package, group });
        }
        if let Some(other) = needs.clashes.iter().find_map(|clash| victims(index, package, clash).find(inside)) {
            return Err(Fault::Clash { package, other });
        }
    }
    Ok(())
}
