//! What is wrong with an extension, and what to do about it.

use std::fmt;

/// A rule that an extension must keep; the header of the module above says where each is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Rule {
    TopLevel,
    Manifest,
    Rootfs,
    Name,
    Version,
    Compatibility,
    AllowedPaths,
    WorldWritable,
    SpecialFiles,
    Service,
    HardLinks,
    Parents,
    Duplicates,
    BelowLinks,
    Whiteouts,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TopLevel => "top-level",
            Self::Manifest => "manifest",
            Self::Rootfs => "rootfs",
            Self::Name => "name",
            Self::Version => "version",
            Self::Compatibility => "compatibility",
            Self::AllowedPaths => "allowed-paths",
            Self::WorldWritable => "world-writable",
            Self::SpecialFiles => "special-files",
            Self::Service => "service",
            Self::HardLinks => "hard-links",
            Self::Parents => "parents",
            Self::Duplicates => "duplicates",
            Self::BelowLinks => "below-links",
            Self::Whiteouts => "whiteouts",
        })
    }
}

/// A rule that is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The rule.
    pub rule: Rule,
    /// The file that breaks it, relative to the archive.
    pub path: String,
    /// How.
    pub why: String,
    /// What to do.
    pub help: String,
}

impl Refusal {
    pub(super) fn new(rule: Rule, path: &str, why: impl Into<String>, help: impl Into<String>) -> Self {
        Self { rule, path: path.to_owned(), why: why.into(), help: help.into() }
    }
}

impl fmt::Display for Refusal {
    /// One line: `allowed-paths: rootfs/boot/x: …; …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, path, why, help } = self;
        write!(f, "{rule}: {path}: {why}; {help}")
    }
}
