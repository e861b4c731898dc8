//! Why a set of packages can't be had, told with the chain of dependencies that wants each.

use std::collections::BTreeSet;

use super::chain::show;
use super::index::{Index, NameId, PackageId};
use super::mark::{Marks, Obstacle};
use super::need::{Group, Needs, answers};
use super::verify::Fault;

/// Why there is no set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    /// A root that is in no form there.
    #[error("the suite has no package `{0}`: check the name, or ask for another")]
    Unknown(String),
    /// A root of which there are other versions only.
    #[error(
        "the suite has no `{name}` of version {want}\n  want: {want}\n  got: {got}\nask for another version, or for none in particular"
    )]
    Version {
        /// The root's name.
        name: String,
        /// The version asked for.
        want: String,
        /// The versions there are.
        got: String,
    },
    /// A root that is only provided, by more than one package.
    #[error("`{name}` is no package; these provide it, ask for one of them: {providers}")]
    Virtual {
        /// The root's name.
        name: String,
        /// Those who provide it.
        providers: String,
    },
    /// Nothing meets a need.
    #[error(
        "{package} needs `{need}`, which nothing chosen meets\n  wanted: {chain}\n{reasons}pin an alternative that works in the recipe, or drop the package that wants it"
    )]
    Unmet {
        /// The package and its version.
        package: String,
        /// The group of alternatives.
        need: String,
        /// From a root to the package.
        chain: String,
        /// Why the alternatives were not taken, one a line.
        reasons: String,
    },
    /// Two chosen packages exclude each other.
    #[error(
        "{package} can't be installed beside {other}\n  wanted: {chain}\n  wanted: {other_chain}\npin an alternative to one of them in the recipe, or drop what wants it"
    )]
    Clash {
        /// The package that says so, and its version.
        package: String,
        /// The other one.
        other: String,
        /// From a root to the package.
        chain: String,
        /// From a root to the other one.
        other_chain: String,
    },
}

/// An error shows at most this many steps of why an alternative was not taken.
const MAX_REASONS: usize = 8;

/// Tells a fault of the set that `marks` chose.
pub(super) fn explain(index: &Index<'_>, marks: &Marks<'_, '_>, fault: &Fault) -> Unresolved {
    match *fault {
        Fault::Clash { package, other } => Unresolved::Clash {
            package: label(index, package),
            other: label(index, other),
            chain: chain(index, marks, package),
            other_chain: chain(index, marks, other),
        },
        Fault::Unmet { package, group } => {
            let need = &Needs::of(index, package).groups[group];
            Unresolved::Unmet {
                package: label(index, package),
                need: show(need),
                chain: chain(index, marks, package),
                reasons: reasons(index, marks, need).iter().map(|reason| format!("  {reason}\n")).collect(),
            }
        }
    }
}

/// `name version`
fn label(index: &Index<'_>, id: PackageId) -> String {
    let package = index.package(id);
    format!("{} {}", package.name, package.version)
}

/// A chain shows at most this many packages, half of them at each end.
const MAX_CHAIN: usize = 8;

/// `root → … → package`
fn chain(index: &Index<'_>, marks: &Marks<'_, '_>, package: PackageId) -> String {
    let mut names = vec![index.package(package).name];
    let mut at: Option<NameId> = marks.state(index.owner(package)).wanted_by;
    // A package that was taken back and chosen again may close a circle.
    let mut seen = BTreeSet::new();
    while let Some(name) = at.filter(|name| seen.insert(*name)) {
        names.extend(index.name(name).packages.first().map(|id| index.package(*id).name));
        at = marks.state(name).wanted_by;
    }
    names.reverse();
    if names.len() > MAX_CHAIN {
        names.splice(MAX_CHAIN / 2..names.len() - MAX_CHAIN / 2, ["…"]);
    }
    names.join(" → ")
}

/// Why no alternative of a need was taken, followed down to the first obstacle.
fn reasons(index: &Index<'_>, marks: &Marks<'_, '_>, need: &Group<'_>) -> Vec<String> {
    let mut reasons = Vec::new();
    let mut need = need.clone();
    while reasons.len() < MAX_REASONS {
        let refused = need
            .iter()
            .flat_map(|want| answers(index, want))
            .find_map(|id| marks.state(index.owner(id)).refused.clone());
        let Some(refusal) = refused else { break };
        match refusal.obstacle {
            Obstacle::Clash(other) => {
                let other = index.name(other).packages.first().map_or_else(String::new, |id| label(index, *id));
                reasons.push(format!("{} clashes with {other}", label(index, refusal.package)));
                break;
            }
            Obstacle::Unmet(group) => {
                need = Needs::of(index, refusal.package).groups[group].clone();
                reasons.push(format!("{} needs `{}`", label(index, refusal.package), show(&need)));
            }
        }
    }
    reasons
}
