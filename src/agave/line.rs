//! Lines of versions.

use std::fmt;

/// A minor version: all of its patch releases take the same arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    major: u64,
    minor: u64,
}

/// The lines that the table has.
pub const LINES: [Line; 12] = [
    Line::new(1, 18),
    Line::new(2, 0),
    Line::new(2, 1),
    Line::new(2, 2),
    Line::new(2, 3),
    Line::new(3, 0),
    Line::new(3, 1),
    Line::new(4, 0),
    Line::new(4, 1),
    Line::new(4, 2),
    Line::new(4, 3),
    Line::new(4, 4),
];

impl Line {
    /// The line `major.minor`.
    #[must_use]
    pub const fn new(major: u64, minor: u64) -> Self {
        Self { major, minor }
    }

    /// The line that a version belongs to, if the table has it.
    #[must_use]
    pub fn of(version: &semver::Version) -> Option<Self> {
        let line = Self::new(version.major, version.minor);
        LINES.contains(&line).then_some(line)
    }

    /// How many ports `--dynamic-port-range` must have at least.
    pub(super) fn ports(self) -> u16 {
        match self {
            line if line < Self::new(2, 3) => 14,
            line if line < Self::new(3, 0) => 17,
            line if line < Self::new(4, 1) => 25,
            _ => 26,
        }
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
        for (version, line) in
            [("1.18.23", Some("1.18")), ("4.1.2", Some("4.1")), ("4.5.0-alpha.4", None), ("1.17.0", None)]
        {
            let found = Line::of(&semver::Version::parse(version).expect("a version"));
            assert_eq!(found.map(|line| line.to_string()).as_deref(), line, "{version}");
        }
        assert!(LINES.is_sorted());
    }

    #[test]
    fn least_ports() {
        assert_eq!(LINES.map(Line::ports), [14, 14, 14, 14, 17, 25, 25, 25, 26, 26, 26, 26]);
    }
}
