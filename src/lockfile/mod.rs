//! The lockfile: every source pinned to a digest.
//!
//! `lockfile.toml` is TOML that only `forge lock` writes: one item a line, sorted, so that a change shows in review as
//! the lines it is about. What several sets share stands once.
//!
//! ```toml
//! format = 1
//!
//! crates = [                                    # name, version, size, sha256 of packages of the crate registry
//!   "serde 1.0.200 77710 …",
//! ]
//! repositories = [                              # URL, commit, size and sha256 of its tree's root directory message:
//!   "https://example.org/a.git 0123… 168 …",    # git repositories of which a Cargo.lock names packages
//! ]
//!
//! [[suite]]                                     # one for each Debian archive; all its packages are of one state
//! archive = "debian"
//! suite = "trixie"
//! date = "20260912T075541Z"                     # finds that state in a snapshot archive
//! inrelease = "sha256:…"                        # of the signed index
//! indexes = [                                   # package indexes: size, sha256, path below dists/<suite>/
//!   "9671234 … main/binary-amd64/Packages.xz",
//! ]
//! debs = [                                      # package:architecture, version, size, sha256, path
//!   "gcc:amd64 4:14.2.0-1 1344 … pool/main/g/gcc-defaults/gcc_14.2.0-1_amd64.deb",
//! ]
//!
//! [[source]]                                    # a set of packages
//! unit = "gcc"
//! name = "debs"
//! spec = "sha256:…"                             # `Source::specification` of what the recipe says
//! debs = [
//!   "debian/gcc:amd64",
//! ]
//!
//! [[source]]                                    # one package
//! unit = "linux"
//! name = "src"
//! spec = "sha256:…"
//! deb = "debian/linux-source-6.12:all"
//! member = "usr/src/linux-source-6.12.tar.xz"
//! strip = 1                                     # only if it is unpacked
//!
//! [[source]]                                    # a file
//! unit = "hello"
//! name = "data"
//! spec = "sha256:…"
//! url = "https://example.org/data.tar.xz"
//! size = 1234
//! digest = "sha256:…"
//!
//! [[source]]                                    # a file that the user has
//! unit = "jupiter"
//! name = "program"
//! spec = "sha256:…"
//! supplied = "jupiter-swap-api"
//! size = 1234
//! digest = "sha256:…"
//!
//! [[source]]                                    # a git repository
//! unit = "hello"
//! name = "lib"
//! spec = "sha256:…"
//! git = "https://example.org/lib.git"
//! commit = "0123456789abcdef0123456789abcdef01234567"
//! tree = "sha256:…"                             # of the checked-out tree in the store
//! tree-size = 168                               # of its root directory message, in bytes
//!
//! [[source]]                                    # a package of the crate registry
//! unit = "agave"
//! name = "src"
//! spec = "sha256:…"
//! crate = "agave-validator 4.1.2"
//!
//! [[source]]                                    # all that a Cargo.lock names, with the patches of the recipe
//! unit = "agave"
//! name = "crates"
//! spec = "sha256:…"
//! crates = [
//!   "serde 1.0.200",
//!   "wire 0.2.0 https://example.org/a.git tag=v2 0123…",   # of a repository; `branch=`, `tag=`, `rev=` or none
//! ]
//! features = [                                  # of those whose types cross between a program and its plugins
//!   "serde 1.0.200 default,std",
//!   "wire 0.2.0#0123… default",                 # of a repository, with the commit
//! ]
//! ```
//!
//! Path sources have no entry. A package of an archive has one version in the whole file, and every package that
//! stands there is used by an entry: [`Lockfile::insert`] sees to it, and [`Lockfile::parse`] checks it.

mod apply;
mod crates;
mod diff;
mod drift;
mod edits;
mod emit;
mod entry;
mod impact;
mod linked;
mod listed;
mod parse;
mod repository;
#[cfg(test)]
mod tests;
mod unfree;

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

pub use apply::{Problem, Stale, Update};
pub use diff::{Change, Diff};
pub use entry::{Crate, Deb, Entry, Index, Locked, Pin, Place, Suite};
pub use linked::Linked;
pub use repository::{Asked, GitCrate, Repository, is_word};
pub use unfree::Unfree;

use crate::path::Name;
use crate::recipe::Diagnostic;

/// The lockfile's name in the project root.
pub const FILE: &str = "lockfile.toml";
/// The format that this forge reads and writes.
pub const FORMAT: u64 = 1;

/// What `forge lock` is to do with what it found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Pin what is missing or stale, and what is to be updated; write the file if anything changed.
    Write(Update),
    /// The same, but only show what would change.
    DryRun(Update),
    /// Without network: is every source pinned as its recipe says, and nothing left over?
    Check,
}

/// Every pinned source of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lockfile {
    suites: BTreeMap<Name, Suite>,
    sources: BTreeMap<(Name, Name), Entry>,
}

/// Why an entry can't stand in a lockfile, or the file can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A package of an archive whose suite is not there.
    #[error("{unit}/{name}: the archive `{archive}` of the package `{package}` has no locked suite of {date}")]
    NoSuite {
        /// The unit.
        unit: Name,
        /// Its source.
        name: Name,
        /// The package at fault.
        package: String,
        /// The archive it says it is from.
        archive: Name,
        /// The state of the archive it says it is from.
        date: String,
    },
    /// Two pins for one package.
    #[error("{unit}/{name}: the package `{package}` is locked twice\nhave {have}\n got {got}")]
    Mixed {
        /// The unit.
        unit: Name,
        /// Its source.
        name: Name,
        /// `package:architecture`.
        package: String,
        /// The version and digest that another set has.
        have: String,
        /// The version and digest that this one brings.
        got: String,
    },
    /// A value that the format has no words for.
    #[error("{unit}/{name}: {what}")]
    Unwritable {
        /// The unit.
        unit: Name,
        /// Its source.
        name: Name,
        /// What can't be written.
        what: String,
    },
    /// The file can't be read or written.
    #[error("{FILE} can't be {verb}: {error}")]
    Io {
        /// `read` or `written`.
        verb: &'static str,
        /// Why.
        error: io::Error,
    },
    /// The file is not a lockfile; the diagnostics say where.
    #[error("{FILE} is damaged; take it back from version control, or delete it and run `forge lock`")]
    Damaged(Vec<Diagnostic>),
}

impl Lockfile {
    /// Reads the lockfile of `project`. An empty file is a lockfile without entries.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Damaged`].
    pub fn load(project: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(project.join(FILE)).map_err(|error| Error::Io { verb: "read", error })?;
        Self::parse(&text).map_err(Error::Damaged)
    }

    /// Writes it into `project`, whole or not at all; whether that changed anything.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn save(&self, project: &Path) -> Result<bool, Error> {
        let path = project.join(FILE);
        let text = self.emit();
        if fs::read_to_string(&path).is_ok_and(|old| old == text) {
            return Ok(false);
        }
        let aside = project.join(format!("{FILE}.new"));
        fs::write(&aside, text)
            .and_then(|()| fs::rename(&aside, &path))
            .map_err(|error| Error::Io { verb: "written", error })?;
        Ok(true)
    }

    /// The locked state of each archive.
    #[must_use]
    pub fn suites(&self) -> &BTreeMap<Name, Suite> {
        &self.suites
    }

    /// Every entry by unit and source.
    #[must_use]
    pub fn sources(&self) -> &BTreeMap<(Name, Name), Entry> {
        &self.sources
    }

    /// The entry of one source.
    #[must_use]
    pub fn entry(&self, unit: &Name, source: &Name) -> Option<&Entry> {
        self.sources.get(&(unit.clone(), source.clone()))
    }

    /// Sets the state of an archive; entries that hold packages of another state of it are dropped, and must be
    /// pinned again, so that versions never mix.
    pub fn set_suite(&mut self, suite: Suite) {
        self.sources.retain(|_, entry| {
            entry
                .debs()
                .iter()
                .filter_map(Deb::state)
                .all(|(archive, date)| *archive != suite.archive || date == suite.date)
        });
        self.suites.insert(suite.archive.clone(), suite);
    }

    /// Sets the entry of one source, in place of the one it has. The suite of its packages must be there.
    ///
    /// # Errors
    /// [`Error::NoSuite`], [`Error::Mixed`], [`Error::Unwritable`]; the lockfile is then as it was.
    pub fn insert(&mut self, unit: Name, name: Name, entry: Entry) -> Result<(), Error> {
        if let Some(what) = entry.unwritable() {
            return Err(Error::Unwritable { unit, name, what });
        }
        let others = self.sources.iter().filter(|((other, source), _)| (other, source) != (&unit, &name));
        let have: BTreeMap<_, _> = others.flat_map(|(_, entry)| entry.debs()).map(|deb| (deb.key(), deb)).collect();
        for deb in entry.debs() {
            let Some((archive, date)) = deb.state() else { continue };
            if self.suites.get(archive).is_none_or(|suite| suite.date != date) {
                let (package, archive, date) = (deb.package.clone(), archive.clone(), date.to_owned());
                return Err(Error::NoSuite { unit, name, package, archive, date });
            }
            if let Some(other) = have.get(&deb.key()).filter(|other| **other != deb) {
                let package = format!("{}:{}", deb.package, deb.architecture);
                return Err(Error::Mixed { unit, name, package, have: other.brief(), got: deb.brief() });
            }
        }
        let others = self.sources.iter().filter(|((other, source), _)| (other, source) != (&unit, &name));
        if let Some((package, have, got)) = crates::clash(others.map(|(_, entry)| entry), &entry) {
            return Err(Error::Mixed { unit, name, package, have, got });
        }
        self.sources.insert((unit, name), entry.sorted());
        Ok(())
    }
}
