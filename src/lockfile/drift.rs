//! What of a source changed in its recipe since it was locked, as far as its entry tells.
//!
//! An entry holds the digest of what the recipe said, not its words. So a set of packages is compared with lists that
//! the recipe may have had before one edit: the list with that digest is the one that was locked.

use std::ops::Range;

use super::{Deb, Entry, Locked, Pin, Place};
use crate::recipe::{Archive, Rev, Source};

/// What changed, in words; nothing where the entry does not tell.
pub(super) fn drift(entry: &Entry, source: &Source) -> Vec<String> {
    let moved = |what: &str, old: &str, new: &str| vec![format!("{what}{old} → {new}")];
    match (&entry.locked, source) {
        (Locked::Debs(debs), Source::Debs { archive, packages, essential }) => {
            Set { archive, packages, essential: *essential, debs }.drift(entry)
        }
        (Locked::DebMember { deb, .. }, Source::DebMember { package, .. }) if deb.package != *package => {
            moved("package ", &deb.package, package)
        }
        (Locked::Url { pin: Pin { place: Place::Url(old), .. }, .. }, Source::Url { url, .. }) if old != url => {
            moved("", old, url)
        }
        (Locked::Git { url: old, .. }, Source::Git { url, .. }) if old != url => moved("", old, url),
        (Locked::Git { commit, .. }, Source::Git { rev: Rev::Commit(new), .. }) if commit != new => {
            moved("commit ", commit, new)
        }
        _ => Vec::new(),
    }
}

/// A set of packages as a recipe says it, and what is locked for it.
struct Set<'a> {
    archive: &'a Archive,
    packages: &'a [String],
    essential: bool,
    debs: &'a [Deb],
}

impl Set<'_> {
    fn drift(&self, entry: &Entry) -> Vec<String> {
        let was = |packages: &[String], essential: bool| {
            let (archive, packages) = (self.archive.clone(), packages.to_vec());
            Source::Debs { archive, packages, essential }.specification() == entry.spec
        };
        if was(self.packages, !self.essential) {
            return vec![format!("essential {} → {}", !self.essential, self.essential)];
        }
        match self.earlier().find(|packages| was(packages, self.essential)) {
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

/// A list with `name`, or nothing, in place of what stands at `at`.
fn spliced(list: &[String], at: Range<usize>, name: Option<String>) -> Vec<String> {
    let mut list = list.to_vec();
    list.splice(at, name);
    list
}

fn not_locked(name: &String) -> String {
    format!("{name} is not locked")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{deb, name};
    use super::*;
    use crate::digest::Digest;
    use crate::store::Blob;

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
            (&["dash", "gcc", "gzip"], &["dash"], &[]),
        ] {
            let entry = Entry { spec: set(old, true).specification(), locked: Locked::Debs(debs.to_vec()) };
            assert_eq!(drift(&entry, &set(new, true)), want, "{old:?} → {new:?}");
        }
        let entry = Entry { spec: set(&["dash"], true).specification(), locked: Locked::Debs(debs.to_vec()) };
        assert_eq!(drift(&entry, &set(&["dash"], false)), ["essential true → false"]);
    }

    #[test]
    fn edits_of_other_sources() {
        let entry = |locked| Entry { spec: Digest::of(b"spec"), locked };
        let pin = Pin { place: Place::Url("https://a.example/x".to_owned()), size: 1, digest: Digest::of(b"x") };
        let file = entry(Locked::Url { pin, unpack: None });
        let (commit, tree) = ("0a".repeat(20), Blob { digest: Digest::of(b"tree"), size: 4 });
        let git = entry(Locked::Git { url: "https://a.example/g".to_owned(), commit: commit.clone(), tree });
        let url = |url: &str| Source::Url { url: url.to_owned(), unpack: None };
        let rev = |url: &str, rev| Source::Git { url: url.to_owned(), rev };
        let other = "0b".repeat(20);
        for (entry, source, want) in [
            (&file, url("https://b.example/x"), "https://a.example/x → https://b.example/x".to_owned()),
            (&file, url("https://a.example/x"), String::new()),
            (&git, rev("https://a.example/g", Rev::Commit(other.clone())), format!("commit {commit} → {other}")),
            (&git, rev("https://a.example/g", Rev::Tag("v2".to_owned())), String::new()),
        ] {
            assert_eq!(drift(entry, &source).join(", "), want);
        }
    }
}
