//! Which packages of a set are there for the sake of which: the relations within it, met by the
//! same look-up as in [`super::resolve`].

use std::collections::BTreeSet;

use super::index::Index;
use super::need::{Group, answers, groups};
use super::package::{Package, RelationField};

/// That one package of a set needs another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link<'i, 't> {
    /// What needs.
    pub package: &'i Package<'t>,
    /// What is needed.
    pub other: &'i Package<'t>,
    /// The relation that says so, as the package has it: `Depends: libc6 (>= 2.38) | libc6.1`.
    pub relation: String,
}

/// The fields that bring packages into a set, by name.
const FIELDS: [(RelationField, &str); 2] =
    [(RelationField::PreDepends, "Pre-Depends"), (RelationField::Depends, "Depends")];

/// Every link among the packages of `set`, an index that holds one version of each and no others.
#[must_use]
pub fn links<'i, 't>(set: &'i Index<'t>) -> Vec<Link<'i, 't>> {
    let mut links = Vec::new();
    for (id, package) in set.numbered() {
        let mut known = BTreeSet::from([id]);
        for (field, name) in FIELDS {
            for group in groups(set, id, field) {
                for other in group.iter().flat_map(|want| answers(set, want)).filter(|other| known.insert(*other)) {
                    links.push(Link {
                        package,
                        other: set.package(other),
                        relation: format!("{name}: {}", show(&group)),
                    });
                }
            }
        }
    }
    links
}

/// A group as it is written.
pub(super) fn show(group: &Group<'_>) -> String {
    group.iter().map(|want| want.relation.to_string()).collect::<Vec<_>>().join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::debian::index::tests::stanza;

    #[test]
    fn links_are_relations_that_the_set_meets() {
        let text = [
            stanza("a", "1", "Pre-Depends: b (>= 1)\nDepends: v | c, b, a, gone"),
            stanza("b", "2", "Recommends: c"),
            stanza("c", "1", ""),
            stanza("p", "1", "Provides: v"),
        ]
        .concat();
        let index = Index::parse(&text, "amd64").expect("well-formed");
        let found: Vec<_> = links(&index)
            .iter()
            .map(|link| format!("{} {} {}", link.package.name, link.other.name, link.relation))
            .collect();
        assert_eq!(found, ["a b Pre-Depends: b (>= 1)", "a p Depends: v | c", "a c Depends: v | c"]);
    }
}
