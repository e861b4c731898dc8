//! Lines of versions, and what differs between them.

use std::fmt;
use std::ops::RangeInclusive;

/// A minor version: all of its patch releases take the same configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    major: u64,
    minor: u64,
}

/// The lines that are known here: the one that is kept for those who stay with it, and the newest two.
pub const LINES: [Line; 3] = [Line::new(1, 10), Line::new(1, 13), Line::new(1, 14)];

/// How a configuration says most of what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// In one document without a kind, `v1alpha1`; volumes in their own.
    Single,
    /// In a document for each thing.
    Many,
}

impl Line {
    /// The line `major.minor`.
    #[must_use]
    pub const fn new(major: u64, minor: u64) -> Self {
        Self { major, minor }
    }

    /// The line that a version belongs to, if it is known here.
    #[must_use]
    pub fn of(version: &semver::Version) -> Option<Self> {
        let line = Self::new(version.major, version.minor);
        LINES.contains(&line).then_some(line)
    }

    /// How the network is said: in documents of their own since 1.12.
    pub(super) fn network(self) -> Form {
        if self < Self::new(1, 12) { Form::Single } else { Form::Many }
    }

    /// How everything else is said: in documents of their own since 1.14.
    pub(super) fn rest(self) -> Form {
        if self < Self::new(1, 14) { Form::Single } else { Form::Many }
    }

    /// The minor versions of Kubernetes 1 that it runs (`pkg/machinery/compatibility/talos1*/talos1*.go`).
    pub(super) fn kubernetes(self) -> RangeInclusive<u64> {
        self.minor + 18..=self.minor + 23
    }

    /// The file systems that a user volume may have (`FilesystemType` in the schema).
    pub(super) fn file_systems(self) -> &'static [&'static str] {
        if self < Self::new(1, 14) { &["ext4", "xfs"] } else { &["ext4", "xfs", "btrfs"] }
    }

    /// The options that the mount of a user volume may have (`UserMountSpec` in the schema).
    pub(super) fn mount_options(self) -> &'static [&'static str] {
        if self < Self::new(1, 13) { &[] } else { &["disableAccessTime", "secure"] }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_belong_to_lines() {
        for (version, line) in [("1.10.3", Some("1.10")), ("1.14.1", Some("1.14")), ("1.11.0", None), ("2.10.0", None)]
        {
            let found = Line::of(&semver::Version::parse(version).expect("a version"));
            assert_eq!(found.map(|line| line.to_string()).as_deref(), line, "{version}");
        }
        assert!(LINES.is_sorted());
    }
}
