//! What changed from one lockfile to the next, in words: packages by version and size, sources by what they pin.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{Crate, Deb, Entry, GitCrate, Locked, Lockfile, Suite};
use crate::digest::Digest;
use crate::recipe::Unpack;

/// What became of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change<T> {
    /// It is new.
    Added(T),
    /// It is gone.
    Removed(T),
    /// It was the one, and is the other.
    Changed(T, T),
}

/// The difference of two lockfiles; empty if they are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// Archive → suite and date of its state, and InRelease's digest.
    pub suites: BTreeMap<String, Change<(String, Digest)>>,
    /// `archive/package:architecture` → version, size in bytes, digest.
    pub packages: BTreeMap<String, Change<(String, u64, String)>>,
    /// `name version` → size in bytes and digest.
    pub crates: BTreeMap<String, Change<(u64, String)>>,
    /// `url commit` of repositories of which a Cargo.lock names packages → the digest of the tree.
    pub repositories: BTreeMap<String, Change<String>>,
    /// `unit/source name version` → the features that the crate has there; [`super::Linked::reference`].
    pub features: BTreeMap<String, Change<String>>,
    /// `unit/source` → what it is pinned to, in a few words, and the digest of what its recipe says.
    pub sources: BTreeMap<String, Change<(String, Digest)>>,
}

impl Diff {
    /// What changed from `old` to `new`.
    #[must_use]
    pub fn new(old: &Lockfile, new: &Lockfile) -> Self {
        Self {
            suites: changes(&suites(old), &suites(new)),
            packages: changes(&packages(old), &packages(new)),
            crates: changes(&crates(old), &crates(new)),
            repositories: changes(&repositories(old), &repositories(new)),
            features: changes(&features(old), &features(new)),
            sources: changes(&sources(old), &sources(new)),
        }
    }

    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, change) in &self.suites {
            line(f, name, change, |(state, _)| state.clone(), ", other content")?;
        }
        for (name, change) in &self.packages {
            line(f, name, change, |(version, size, _)| format!("{version} ({})", bytes(*size)), ", other content")?;
        }
        for (name, change) in &self.crates {
            line(f, name, change, |(size, _)| format!("({})", bytes(*size)), ", other content")?;
        }
        for (name, change) in &self.repositories {
            line(f, name, change, |tree| format!("tree {tree}"), "")?;
        }
        for (name, change) in &self.features {
            line(f, name, change, String::clone, "")?;
        }
        for (name, change) in &self.sources {
            line(f, name, change, |(pin, _)| pin.clone(), ", the same for a changed recipe")?;
        }
        Ok(())
    }
}

/// One change; `same` is said of two values whose words are equal.
fn line<T>(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    change: &Change<T>,
    words: impl Fn(&T) -> String,
    same: &str,
) -> fmt::Result {
    match change {
        Change::Added(new) => writeln!(f, "+ {name} {}", words(new)),
        Change::Removed(old) => writeln!(f, "- {name} {}", words(old)),
        Change::Changed(old, new) if words(old) == words(new) => writeln!(f, "~ {name} {}{same}", words(new)),
        Change::Changed(old, new) => writeln!(f, "~ {name} {} → {}", words(old), words(new)),
    }
}

fn changes<T: Clone + PartialEq>(old: &BTreeMap<String, T>, new: &BTreeMap<String, T>) -> BTreeMap<String, Change<T>> {
    let keys: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let change = |key: &String| match (old.get(key).cloned(), new.get(key).cloned()) {
        (None, Some(new)) => Some(Change::Added(new)),
        (Some(old), None) => Some(Change::Removed(old)),
        (Some(old), Some(new)) if old != new => Some(Change::Changed(old, new)),
        _ => None,
    };
    keys.into_iter().filter_map(|key| change(key).map(|change| (key.clone(), change))).collect()
}

fn suites(lockfile: &Lockfile) -> BTreeMap<String, (String, Digest)> {
    let about = |suite: &Suite| (format!("{} of {}", suite.suite, suite.date), suite.inrelease);
    lockfile.suites.iter().map(|(archive, suite)| (archive.to_string(), about(suite))).collect()
}

fn packages(lockfile: &Lockfile) -> BTreeMap<String, (String, u64, String)> {
    let about = |deb: &Deb| (deb.reference(), (deb.version.clone(), deb.pin.size, deb.pin.digest.to_string()));
    lockfile.sources.values().flat_map(Entry::debs).map(about).collect()
}

fn crates(lockfile: &Lockfile) -> BTreeMap<String, (u64, String)> {
    let about = |one: &Crate| (one.reference(), (one.size, one.digest.to_string()));
    lockfile.sources.values().flat_map(|entry| entry.locked.crates()).map(about).collect()
}

fn repositories(lockfile: &Lockfile) -> BTreeMap<String, String> {
    let about = |GitCrate { repository, .. }: &GitCrate| (repository.reference(), repository.tree.digest.to_string());
    lockfile.sources.values().flat_map(|entry| entry.locked.git_crates()).map(about).collect()
}

fn features(lockfile: &Lockfile) -> BTreeMap<String, String> {
    let linked =
        lockfile.sources.iter().flat_map(|(key, entry)| entry.locked.linked().iter().map(move |one| (key, one)));
    linked.map(|((unit, source), one)| (format!("{unit}/{source} {}", one.reference()), one.words())).collect()
}

fn sources(lockfile: &Lockfile) -> BTreeMap<String, (String, Digest)> {
    let about = |entry: &Entry| (summary(&entry.locked), entry.spec);
    lockfile.sources.iter().map(|((unit, name), entry)| (format!("{unit}/{name}"), about(entry))).collect()
}

/// Few words, and different ones for different pins; the versions of packages have lines of their own.
fn summary(locked: &Locked) -> String {
    let strip = |unpack: &Option<Unpack>| match unpack {
        Some(unpack) => format!(", unpacked, strip {}", unpack.strip),
        None => String::new(),
    };
    match locked {
        Locked::Debs(debs) => {
            let size = debs.iter().map(|deb| deb.pin.size).sum();
            format!("{} packages ({})", debs.len(), bytes(size))
        }
        Locked::DebMember { deb, member, unpack } => {
            let member = member.as_ref().map(|member| format!(", {member}")).unwrap_or_default();
            format!("{}{member}{}", deb.reference(), strip(unpack))
        }
        Locked::File { pin, unpack } => format!("{} ({}){}", pin.digest, bytes(pin.size), strip(unpack)),
        Locked::Git { commit, tree, .. } => format!("commit {commit}, tree {}", tree.digest),
        Locked::Oci { manifest, .. } => {
            format!("{} ({})", manifest.digest, bytes(locked.image().iter().map(|pin| pin.size).sum()))
        }
        Locked::Crate(one) => one.reference(),
        Locked::Crates { published, git, .. } => {
            let size = published.iter().map(|one| one.size).sum();
            let git = if git.is_empty() { String::new() } else { format!(", {} from git", git.len()) };
            format!("{} crates ({}){git}", published.len(), bytes(size))
        }
        Locked::Path { .. } => "files of this repository".to_owned(),
    }
}

/// A size for people, in powers of 1000.
fn bytes(size: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match UNITS.into_iter().find(|(unit, _)| size >= *unit) {
        Some((unit, name)) => format!("{}.{} {name}", size / unit, size % unit * 10 / unit),
        None => format!("{size} B"),
    }
}
