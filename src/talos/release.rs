//! The versions of Talos whose rules are known.

use std::fmt;
use std::str::FromStr;

use semver::Version;

/// A released version of Talos; what it takes changes with its minor version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release {
    minor: u64,
    patch: u64,
}

/// The oldest minor version whose rules are known: the first with the usr-merge.
const FIRST: u64 = 10;
/// The newest.
const LAST: u64 = 14;

/// Why a text names no version that is known.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("what Talos `{text}` takes is not known")]
pub struct UnknownRelease {
    text: String,
}

impl UnknownRelease {
    /// What to write.
    #[must_use]
    pub fn help() -> String {
        format!("write one from `1.{FIRST}` to `1.{LAST}`, or with the patch as `1.{FIRST}.3`")
    }
}

impl Release {
    /// The version 1.`minor`.`patch`.
    #[must_use]
    pub const fn new(minor: u64, patch: u64) -> Self {
        Self { minor, patch }
    }

    /// The version that constraints are tested with.
    #[must_use]
    pub fn version(self) -> Version {
        Version::new(1, self.minor, self.patch)
    }
}

impl FromStr for Release {
    type Err = UnknownRelease;

    /// `1.10`, which is `1.10.0`, or `1.10.3`; a `v` may stand before it.
    fn from_str(text: &str) -> Result<Self, UnknownRelease> {
        let unknown = || UnknownRelease { text: text.escape_debug().to_string() };
        let bare = text.strip_prefix('v').unwrap_or(text);
        let full = if bare.matches('.').count() == 1 { format!("{bare}.0") } else { bare.to_owned() };
        let version = Version::parse(&full).map_err(|_| unknown())?;
        let known = version.major == 1 && (FIRST..=LAST).contains(&version.minor);
        let released = version.pre.is_empty() && version.build.is_empty();
        (known && released).then(|| Self::new(version.minor, version.patch)).ok_or_else(unknown)
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.version())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases() {
        for (text, expected) in [
            ("1.10", Some((10, 0))),
            ("1.10.3", Some((10, 3))),
            ("v1.14.0", Some((14, 0))),
            ("1.9", None),
            ("1.15", None),
            ("2.10", None),
            ("1", None),
            ("1.10.3-beta.0", None),
            ("1.010", None),
            ("", None),
        ] {
            let expected = expected.map(|(minor, patch)| Release::new(minor, patch));
            assert_eq!(text.parse::<Release>().ok(), expected, "{text}");
        }
        assert!(Release::new(10, 3) < Release::new(12, 0), "they are ordered");
    }
}
