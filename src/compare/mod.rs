//! Where two files or trees differ, down to the member, the section and the byte.
//!
//! [`paths`] walks two trees side by side ([`tree`]). Files that differ are opened if their first
//! bytes show a container ([`format`]); members are compared by name ([`parts`]), and their content
//! is opened again. What is no container is compared as JSON ([`json`]), by lines ([`text`]) or by
//! bytes ([`bytes`]); [`look`] says what the bytes at that place may mean.
//!
//! Everything that is read may be hostile or broken: [`Limits`] bound the work, and a container
//! that can't be read is compared byte by byte, which the [`Difference`] then says. The order of
//! differences depends on the content alone.

pub mod bytes;
mod content;
pub mod difference;
mod format;
mod json;
pub mod look;
mod parts;
mod text;
mod tree;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

pub use difference::{Difference, Place, Side, What};

/// What a comparison may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Containers inside each other.
    pub depth: usize,
    /// Bytes of a file that is looked into; a larger one is only compared byte by byte.
    pub file: u64,
    /// Bytes that are decompressed, in all.
    pub unpacked: u64,
    /// Members of a container.
    pub members: usize,
    /// Differences that are kept; the others are counted.
    pub differences: usize,
}

impl Default for Limits {
    /// Fits what forge builds: the largest are images of a few hundred megabytes.
    fn default() -> Self {
        Self { depth: 16, file: 1 << 30, unpacked: 4 << 30, members: 1_000_000, differences: 100 }
    }
}

/// A file or directory that can't be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct Error {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// What a comparison found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// The first differences, in the order of the tree and then of the container.
    pub differences: Vec<Difference>,
    /// How many more there are.
    pub more: u64,
}

impl Comparison {
    /// Whether both sides are the same.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.count() == 0
    }

    /// How many differences there are, kept or not.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.differences.len() as u64 + self.more
    }
}

impl fmt::Display for Comparison {
    /// One paragraph a difference, and a line on those that were not kept.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.differences.iter().try_for_each(|difference| writeln!(f, "{difference}"))?;
        match self.more {
            0 => Ok(()),
            1 => writeln!(f, "and one more difference"),
            more => writeln!(f, "and {more} more differences"),
        }
    }
}

/// Compares two files, directories or symlinks; links are not followed. Names, kinds, the owner's
/// executable bit, targets and contents count; times, owners and other modes of the disk do not.
///
/// # Errors
/// If something can't be read. What is broken inside files is no error.
pub fn paths(one: &Path, two: &Path, limits: &Limits) -> Result<Comparison, Error> {
    let mut walk = Walk::new(limits);
    walk.entry(&Place::default(), [one, two])?;
    Ok(walk.found)
}

/// Compares two contents as [`paths`] compares files.
#[must_use]
pub fn contents(one: &[u8], two: &[u8], limits: &Limits) -> Comparison {
    let mut walk = Walk::new(limits);
    walk.content(&Place::default(), [one, two], 0, &[]);
    walk.found
}

/// A comparison under way.
struct Walk<'l> {
    limits: &'l Limits,
    found: Comparison,
    unpacked: u64,
}

impl<'l> Walk<'l> {
    fn new(limits: &'l Limits) -> Self {
        Self { limits, found: Comparison::default(), unpacked: 0 }
    }

    fn add(&mut self, place: &Place, what: What) {
        self.add_noted(place, what, None);
    }

    fn add_noted(&mut self, place: &Place, what: What, note: Option<String>) {
        if self.found.differences.len() < self.limits.differences {
            self.found.differences.push(Difference { place: place.clone(), what, note });
        } else {
            self.found.more += 1;
        }
    }
}

#[cfg(test)]
mod tests;
