//! A crate that a plugin and the program that loads it have in common: whether it is the same in both.

use std::collections::{BTreeMap, BTreeSet};

use crate::lockfile::Locked;
use crate::path::Name;
use crate::recipe::Recipe;

/// A crate in a unit: the versions that its Cargo.lock has, and the features of those that it is linked with. The
/// version of one from a git repository has its commit, `1.0.0 of 0a0a…`.
pub(super) struct Side<'r> {
    versions: BTreeSet<String>,
    features: BTreeMap<String, &'r BTreeSet<String>>,
}

/// What a recipe lets pass of one crate: that its versions differ, that some of its features do.
pub(super) struct Waived<'a> {
    versions: bool,
    features: BTreeSet<&'a str>,
}

impl<'a> Waived<'a> {
    /// What `waivers` say of the crate of that name.
    pub(super) fn of(waivers: &'a BTreeMap<String, String>, name: &str) -> Self {
        let features = waivers.keys().filter_map(|waiver| waiver.split_once('/'));
        let features = features.filter(|(of, _)| *of == name).map(|(_, feature)| feature).collect();
        Self { versions: waivers.contains_key(name), features }
    }
}

impl<'r> Side<'r> {
    /// The crate of that name in `unit`.
    pub(super) fn of(unit: &'r Recipe<Locked>, name: &str) -> Self {
        let published = unit.sources.values().flat_map(Locked::crates).filter(|one| one.name == name);
        let git = unit.sources.values().flat_map(Locked::git_crates).filter(|one| one.name == name);
        let linked = unit.sources.values().flat_map(Locked::linked).filter(|one| one.name == name);
        let git = git.map(|one| exact(&one.version, Some(&one.repository.commit)));
        Self {
            versions: published.map(|one| exact(&one.version, None)).chain(git).collect(),
            features: linked.map(|one| (exact(&one.version, one.commit.as_deref()), &one.features)).collect(),
        }
    }

    /// What differs between this crate, which people call `name`, and the same one in `host`, beside what is waived: its
    /// versions, and the features of versions that both are linked with. A waiver of what does not differ is one too.
    pub(super) fn drifts(&self, other: &Self, name: &str, host: &Name, waived: &Waived<'_>) -> Vec<String> {
        if self.versions.is_empty() && other.versions.is_empty() {
            return vec![format!("{name}: in neither Cargo.lock; drop it from `abi.crates`")];
        }
        match (agree(&self.versions, &other.versions), waived.versions) {
            (false, false) => vec![format!("{name}: {} here, {} in {host}", self.words(), other.words())],
            (true, true) => vec![format!("{name}: {} in both; drop its waiver", self.words())],
            (false, true) | (true, false) => self.odd_features(other, name, host, &waived.features),
        }
    }

    fn odd_features(&self, other: &Self, name: &str, host: &Name, waived: &BTreeSet<&str>) -> Vec<String> {
        let (mut drifts, mut idle) = (Vec::new(), waived.clone());
        for (version, own) in &self.features {
            let Some(others) = other.features.get(version) else { continue };
            let (mut here, mut there) = (only(own, others), only(others, own));
            idle.retain(|feature| !here.contains(feature) && !there.contains(feature));
            here.retain(|feature| !waived.contains(feature));
            there.retain(|feature| !waived.contains(feature));
            let here = (!here.is_empty()).then(|| format!("{} here, not in {host}", list(&here)));
            let there = (!there.is_empty()).then(|| format!("{} in {host}, not here", list(&there)));
            let odd = here.into_iter().chain(there).reduce(|here, there| format!("{here}; {there}"));
            drifts.extend(odd.map(|odd| format!("{name} {version}: {odd}")));
        }
        drifts.extend(
            idle.iter().map(|feature| format!("{name}: feature {feature} is the same in both; drop its waiver")),
        );
        drifts
    }

    /// Its versions.
    fn words(&self) -> String {
        let versions: Vec<_> = self.versions.iter().map(String::as_str).collect();
        if versions.is_empty() { "none".to_owned() } else { versions.join(" and ") }
    }
}

/// The features of `one` that `other` does not have.
fn only<'r>(one: &'r BTreeSet<String>, other: &'r BTreeSet<String>) -> Vec<&'r str> {
    one.difference(other).map(String::as_str).collect()
}

fn list(features: &[&str]) -> String {
    format!("feature{} {}", if features.len() == 1 { "" } else { "s" }, features.join(", "))
}

/// A version in words; the commit is that of a package from a repository.
fn exact(version: &str, commit: Option<&str>) -> String {
    commit.map_or_else(|| version.to_owned(), |commit| format!("{version} of {commit}"))
}

/// Whether both have a version in some range of compatible ones, and the same in each range that both have. Cargo takes
/// one version in a range from each source, so what crosses the boundary is in such a range; other versions are for
/// others.
fn agree(ours: &BTreeSet<String>, theirs: &BTreeSet<String>) -> bool {
    let (ours, theirs) = (ranges(ours), ranges(theirs));
    let mut both = ours.iter().filter_map(|(range, own)| Some((own, theirs.get(range)?))).peekable();
    both.peek().is_some() && both.all(|(own, other)| own == other)
}

fn ranges(versions: &BTreeSet<String>) -> BTreeMap<String, BTreeSet<&str>> {
    let mut ranges = BTreeMap::<String, BTreeSet<&str>>::new();
    for version in versions {
        ranges.entry(range(version)).or_default().insert(version);
    }
    ranges
}

/// The first number of a version that is not 0, with those before it: what cargo takes to be compatible.
fn range(version: &str) -> String {
    let numbers: Vec<&str> = version.split(['.', '-', '+', ' ']).take(3).collect();
    let end = numbers.iter().position(|number| *number != "0").map_or(numbers.len(), |first| first + 1);
    numbers[..end].join(".")
}
