//! Which edit of a set of packages makes it the one that was locked.
//!
//! An entry holds the digest of the list that the recipe had, not the list. So the present one is compared with those
//! that it may have been before an edit: the one with that digest is the one that was locked.

use std::collections::BTreeSet;
use std::ops::Range;

use super::{Deb, Entry};
use crate::recipe::{Archive, Source};

/// How many lists are compared to find several packages that were removed: less than a second for large sets.
const TRIES: usize = 400_000;

/// A set of packages as a recipe says it, and what is locked for it.
pub(super) struct Set<'a> {
    pub(super) archive: &'a Archive,
    pub(super) packages: &'a [String],
    pub(super) essential: bool,
    pub(super) debs: &'a [Deb],
}

impl Set<'_> {
    /// What changed, in words; nothing where no edit is found that explains it.
    pub(super) fn drift(&self, entry: &Entry) -> Vec<String> {
        let was = |packages: &[String], essential: bool| {
            let (archive, packages) = (self.archive.clone(), packages.to_vec());
            Source::Debs { archive, packages, essential }.specification() == entry.spec
        };
        if was(self.packages, !self.essential) {
            return vec![format!("essential {} → {}", !self.essential, self.essential)];
        }
        let is = |packages: &[String]| was(packages, self.essential);
        match self.earlier().find(|packages| is(packages)).or_else(|| self.with_more(is)) {
            Some(earlier) => {
                let removed = earlier.iter().filter(|name| !self.packages.contains(name));
                let added = self.packages.iter().filter(|name| !earlier.contains(name));
                added.map(|name| format!("{name} added")).chain(removed.map(|name| format!("{name} removed"))).collect()
            }
            None => self.packages.iter().filter(|name| !self.is_locked(name)).map(not_locked).collect(),
        }
    }

    /// Lists of packages that one edit makes the present one: some added, one removed, one put in place of another.
    fn earlier(&self) -> impl Iterator<Item = Vec<String>> {
        let (places, present) = (0..self.packages.len(), self.packages.to_vec());
        let locked: Vec<String> = present.iter().filter(|name| self.is_locked(name)).cloned().collect();
        let removed = places.clone().map(move |at| spliced(self.packages, at..at + 1, None));
        let inserted = [present, locked.clone()].into_iter().flat_map(move |list| {
            (0..=list.len()).flat_map(move |at| {
                let list = list.clone();
                self.names().map(move |name| spliced(&list, at..at, Some(name)))
            })
        });
        let replaced =
            places.flat_map(move |at| self.names().map(move |name| spliced(self.packages, at..at + 1, Some(name))));
        std::iter::once(locked).chain(removed).chain(inserted).chain(replaced)
    }

    /// The list of which two or three packages were removed. They are looked for where their names fit: recipes have
    /// packages in order, and those of a recipe that they extend before their own.
    fn with_more(&self, was: impl Fn(&[String]) -> bool) -> Option<Vec<String>> {
        let gone = self.gone();
        let choices = several(&gone, 2).chain(several(&gone, 3));
        let lists = choices.flat_map(|names| {
            names.iter().fold(vec![self.packages.to_vec()], |lists, name| {
                lists.iter().flat_map(|list| fitted(list, name)).collect()
            })
        });
        lists.take(TRIES).find(|list| was(list))
    }

    /// The locked packages that the recipe does not name.
    fn gone(&self) -> Vec<String> {
        let names: BTreeSet<&String> = self.debs.iter().map(|deb| &deb.package).collect();
        names.into_iter().filter(|name| !self.packages.contains(name)).cloned().collect()
    }

    /// What a recipe can call the locked packages.
    fn names(&self) -> impl Iterator<Item = String> {
        self.debs.iter().flat_map(|deb| [deb.package.clone(), format!("{}={}", deb.package, deb.version)])
    }

    /// Whether a package that a recipe names is locked by that name.
    fn is_locked(&self, named: &str) -> bool {
        let name = named.split_once('=').map_or(named, |(name, _)| name);
        self.debs.iter().any(|deb| deb.package == name)
    }
}

/// A list with `names` in place of what stands at `at`.
fn spliced(list: &[String], at: Range<usize>, names: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut list = list.to_vec();
    list.splice(at, names);
    list
}

/// The lists with `name` at a place where those before and behind it stay in order, as far as they are.
fn fitted(list: &[String], name: &str) -> Vec<Vec<String>> {
    let places = (0..=list.len()).filter(|at| fits(list[..*at].last(), name, list.get(*at)));
    places.map(|at| spliced(list, at..at, [name.to_owned()])).collect()
}

/// Whether a name may stand between two others: in their order, or at either side of where an order ends.
fn fits(before: Option<&String>, name: &str, behind: Option<&String>) -> bool {
    let follows = before.is_none_or(|before| before.as_str() < name);
    let leads = behind.is_none_or(|behind| name < behind.as_str());
    let apart = before.zip(behind).is_some_and(|(before, behind)| before > behind);
    if apart { follows || leads } else { follows && leads }
}

/// Each choice of so many of `names`, in their order.
fn several(names: &[String], count: usize) -> Box<dyn Iterator<Item = Vec<String>> + '_> {
    if count == 0 {
        return Box::new(std::iter::once(Vec::new()));
    }
    Box::new(names.iter().enumerate().flat_map(move |(at, first)| {
        several(&names[at + 1..], count - 1).map(move |more| [vec![first.clone()], more].concat())
    }))
}

fn not_locked(name: &String) -> String {
    format!("{name} is not locked")
}

#[cfg(test)]
mod tests {
    use super::super::Locked;
    use super::super::drift::drift;
    use super::super::tests::{deb, name};
    use super::*;

    fn set(packages: &[&str], essential: bool) -> Source {
        let archive = Archive {
            name: name("debian"),
            suite: "trixie".to_owned(),
            components: vec!["main".to_owned()],
            architecture: "amd64".to_owned(),
            fingerprints: vec!["0".repeat(40)],
        };
        Source::Debs { archive, packages: packages.iter().map(|name| (*name).to_owned()).collect(), essential }
    }

    #[test]
    fn edits_of_a_set() {
        let debs = ["dash", "gcc", "gzip", "libc6"].map(|package| deb(package, "1.2"));
        for (old, new, want) in [
            (&["dash", "gcc"][..], &["dash", "gcc", "make"][..], &["make added"][..]),
            (&["dash", "gcc"], &["dash", "make", "cmake", "gcc"], &["make added", "cmake added"]),
            (&["dash", "gcc", "gzip"], &["dash", "gzip"], &["gcc removed"]),
            (&["dash", "gzip"], &["dash", "gcc", "gzip"], &["gcc added"]),
            (&["dash", "gzip"], &["make", "dash"], &["make added", "gzip removed"]),
            (&["dash", "gzip"], &["dash", "gcc"], &["gcc added", "gzip removed"]),
            (&["dash", "gcc"], &["dash", "gcc=1.3"], &["gcc=1.3 added", "gcc removed"]),
            (&["dash", "gcc=1.2"], &["dash", "gcc"], &["gcc added", "gcc=1.2 removed"]),
            (&["dash", "gcc", "gzip"], &["make"], &["make is not locked"]),
            (&["dash", "gcc", "gzip"], &["dash"], &["gcc removed", "gzip removed"]),
            (&["dash", "gcc", "gzip", "libc6"], &["gcc"], &["dash removed", "gzip removed", "libc6 removed"]),
            (&["gcc", "libc6", "dash", "gzip"], &["gcc", "dash"], &["libc6 removed", "gzip removed"]),
            (&["gzip", "libc6", "gcc", "dash"], &["gzip", "dash"], &[]),
        ] {
            let entry = Entry { spec: set(old, true).specification(), locked: Locked::Debs(debs.to_vec()) };
            assert_eq!(drift(&entry, &set(new, true)), want, "{old:?} → {new:?}");
        }
        let entry = Entry { spec: set(&["dash"], true).specification(), locked: Locked::Debs(debs.to_vec()) };
        assert_eq!(drift(&entry, &set(&["dash"], false)), ["essential true → false"]);
    }
}
