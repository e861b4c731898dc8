//! Whether there is something newer than what is locked, decided from what the archives and
//! repositories have now. Nothing is opened here.
//!
//! Tags, and versions of crates, are ordered by their numbers: `v1.9` is before `v1.10`, `v2.0-rc1` before `v2.0`. Only tags
//! that differ in numbers alone are compared, so that `v1.2` is not followed by `nightly-2026`; and
//! a release is not followed by a release candidate.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use globset::Glob;

use super::git::Refs;
use crate::digest::Digest;
use crate::lockfile::{Deb, Locked};
use crate::recipe::Rev;
use crate::registry::{self, Reference};

/// How much of a commit people are shown.
const SHORT: usize = 12;

/// What is locked, and what could be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newer {
    /// A version, a tag or a commit.
    pub locked: String,
    /// Likewise.
    pub candidate: String,
}

/// What can be said of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There is nothing newer.
    Current,
    /// There is.
    Outdated(Newer),
    /// Nobody can know; why.
    Unwatched(&'static str),
}

/// The packages that a set has in another version than the set that would be locked now, by
/// `archive/package:architecture`. Packages that only one of them has follow from those.
#[must_use]
pub fn packages(locked: &Locked, now: &Locked) -> BTreeMap<String, Newer> {
    let now: BTreeMap<String, &Deb> = now.debs().iter().map(|deb| (deb.reference(), deb)).collect();
    let moved = |deb: &Deb| {
        let other = now.get(&deb.reference()).filter(|other| other.version != deb.version)?;
        Some((deb.reference(), Newer { locked: deb.version.clone(), candidate: other.version.clone() }))
    };
    locked.debs().iter().filter_map(moved).collect()
}

/// Whether a repository has something newer than the locked `commit`, which `rev` led to; `bound` is a
/// glob of the tags that count.
#[must_use]
pub fn revision(rev: &Rev, commit: &str, bound: Option<&str>, refs: &Refs) -> Standing {
    match rev {
        Rev::Commit(_) => Standing::Unwatched("a commit has no successor; name a tag or a branch"),
        Rev::Branch(branch) => match refs.branches.get(branch) {
            None => Standing::Unwatched("the repository does not have this branch any more"),
            Some(tip) if tip == commit => Standing::Current,
            Some(tip) => outdated(short(commit), short(tip)),
        },
        Rev::Tag(tag) => match (newest(tag, bound, refs.tags.keys()), refs.tags.get(tag)) {
            (Some(newest), _) => outdated(tag.clone(), newest.to_owned()),
            (None, Some(now)) if now != commit => outdated(format!("{tag} at {}", short(commit)), short(now)),
            (None, Some(_)) => Standing::Current,
            (None, None) => Standing::Unwatched("the repository does not have this tag any more"),
        },
    }
}

/// Whether one of `versions` of a crate is newer than the `present` one; `bound` is a glob of the versions that count.
#[must_use]
pub fn published(present: &str, bound: Option<&str>, versions: &[String]) -> Standing {
    match newest(present, bound, versions.iter()) {
        _ if versions.is_empty() => Standing::Unwatched("cargo does not say which versions there are"),
        Some(newest) => outdated(present.to_owned(), newest.to_owned()),
        None => Standing::Current,
    }
}

/// Whether a name leads to another image `now` than to the `locked` one.
#[must_use]
pub fn image(reference: &Reference, locked: &Digest, now: &Digest) -> Standing {
    match &reference.version {
        Some(registry::Version::Digest(_)) => Standing::Unwatched("a digest has no successor; name a tag"),
        _ if locked == now => Standing::Current,
        _ => outdated(short(&locked.hex()), short(&now.hex())),
    }
}

fn outdated(locked: String, candidate: String) -> Standing {
    Standing::Outdated(Newer { locked, candidate })
}

fn short(commit: &str) -> String {
    commit.chars().take(SHORT).collect()
}

/// The newest of `tags` after `present`, within `bound`.
fn newest<'t>(present: &str, bound: Option<&str>, tags: impl Iterator<Item = &'t String>) -> Option<&'t str> {
    let own = Version::of(present)?;
    let bound = bound.and_then(|bound| Glob::new(bound).ok()).map(|glob| glob.compile_matcher());
    let within = tags.map(String::as_str).filter(|tag| bound.as_ref().is_none_or(|bound| bound.is_match(tag)));
    let successors =
        within.filter_map(|tag| Some((Version::of(tag)?, tag))).filter(|(version, _)| version.follows(&own));
    successors.max_by(|(a, _), (b, _)| a.order(b)).map(|(_, tag)| tag)
}

/// A tag, taken apart: `v1.2.3-rc1` is `v`, `1.2.3` and `-rc1`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Version<'t> {
    prefix: &'t str,
    numbers: Vec<u64>,
    rest: &'t str,
}

impl<'t> Version<'t> {
    /// Nothing for a tag without a number.
    fn of(tag: &'t str) -> Option<Self> {
        let (prefix, version) = tag.split_at(tag.find(|c: char| c.is_ascii_digit())?);
        let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
        let (numbers, rest) = version.split_at(end);
        let numbers = numbers.trim_end_matches('.').split('.').map(|number| number.parse().ok());
        Some(Self { prefix, numbers: numbers.collect::<Option<_>>()?, rest })
    }

    fn follows(&self, present: &Self) -> bool {
        let alike = self.prefix == present.prefix && (self.rest.is_empty() || !present.rest.is_empty());
        alike && self.order(present) == Ordering::Greater
    }

    /// A rest marks what comes before the release.
    fn order(&self, other: &Self) -> Ordering {
        let length = self.numbers.len().max(other.numbers.len());
        let padded = |version: &Self| {
            let mut numbers = version.numbers.clone();
            numbers.resize(length, 0);
            numbers
        };
        let (own, others) = ((self.rest.is_empty(), natural(self.rest)), (other.rest.is_empty(), natural(other.rest)));
        padded(self).cmp(&padded(other)).then_with(|| own.cmp(&others))
    }
}

/// Words and the numbers behind them, so that `-rc2` is before `-rc10`.
fn natural(mut text: &str) -> Vec<(&str, u64)> {
    let mut parts = Vec::new();
    while !text.is_empty() {
        let (word, more) = text.split_at(text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len()));
        let (number, rest) = more.split_at(more.find(|c: char| !c.is_ascii_digit()).unwrap_or(more.len()));
        parts.push((word, number.parse().unwrap_or_default()));
        text = rest;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_tag() {
        for (present, bound, tags, want) in [
            ("v1.9", None, "v1.10 v1.9 v1.2", Some("v1.10")),
            ("v1.0", None, "v1.0.1 v1", Some("v1.0.1")),
            ("v1.0", None, "v1.0.0 v1", None),
            ("v1.0", None, "v2.0-rc1 nightly-9 w3 3.0", None),
            ("v2.0-rc1", None, "v2.0-rc2 v2.0-rc10", Some("v2.0-rc10")),
            ("v2.0-rc1", None, "v2.0 v2.0-rc2", Some("v2.0")),
            ("v1.2.3", Some("v1.2.*"), "v1.2.9 v1.3.0 v2", Some("v1.2.9")),
            ("v1.2.3", Some("v1.2.*"), "v1.3.0 v2", None),
            ("stable", None, "v1 v2", None),
            ("release-6.1", None, "release-6.12 release-7.0", Some("release-7.0")),
        ] {
            let tags: Vec<String> = tags.split(' ').map(str::to_owned).collect();
            assert_eq!(newest(present, bound, tags.iter()), want, "{present} in {tags:?}");
        }
    }

    #[test]
    fn crates() {
        let versions = ["1.2.0", "1.2.9", "1.10.0", "2.0.0-rc.1"].map(str::to_owned);
        let newer = |present: &str, candidate: &str| outdated(present.to_owned(), candidate.to_owned());
        assert_eq!(published("1.2.0", None, &versions), newer("1.2.0", "1.10.0"));
        assert_eq!(published("1.2.0", Some("1.2.*"), &versions), newer("1.2.0", "1.2.9"));
        assert_eq!(published("1.10.0", None, &versions), Standing::Current);
        assert!(matches!(published("1.2.0", None, &[]), Standing::Unwatched(_)));
    }

    #[test]
    fn revisions() {
        let refs = Refs {
            tags: BTreeMap::from([("v1".to_owned(), "aa".to_owned()), ("v0".to_owned(), "bb".to_owned())]),
            branches: BTreeMap::from([("main".to_owned(), "cc".to_owned())]),
        };
        let (tag, branch) = (|tag: &str| Rev::Tag(tag.to_owned()), |branch: &str| Rev::Branch(branch.to_owned()));
        assert_eq!(revision(&tag("v1"), "aa", None, &refs), Standing::Current);
        assert_eq!(revision(&tag("v0"), "bb", None, &refs), outdated("v0".to_owned(), "v1".to_owned()));
        assert_eq!(revision(&tag("v0"), "bb", Some("v0*"), &refs), Standing::Current);
        assert_eq!(revision(&tag("v1"), "00", None, &refs), outdated("v1 at 00".to_owned(), "aa".to_owned()));
        assert_eq!(revision(&branch("main"), "cc", None, &refs), Standing::Current);
        assert_eq!(revision(&branch("main"), "dd", None, &refs), outdated("dd".to_owned(), "cc".to_owned()));
        for rev in [tag("v9"), branch("none"), Rev::Commit("aa".to_owned())] {
            assert!(matches!(revision(&rev, "aa", None, &refs), Standing::Unwatched(_)), "{rev:?}");
        }
    }
}
