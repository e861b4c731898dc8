//! One row of the table.

use super::kind::Kind;
use super::line::{LINES, Line};

/// No line is this new.
const NEVER: Line = Line::new(u64::MAX, 0);

/// An argument, as some lines take it.
#[derive(Debug)]
pub(super) struct Argument {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// Whether it may stand several times.
    pub(super) many: bool,
    /// Whether it may stand without its value.
    pub(super) optional: bool,
    /// The first line that takes it.
    pub(super) since: Line,
    /// The first line that takes it no more, or otherwise.
    pub(super) gone: Line,
    /// The first line in which it should not be used.
    pub(super) deprecated: Line,
    /// What to do where it is deprecated or gone.
    pub(super) instead: &'static str,
    pub(super) requires: &'static [&'static str],
    pub(super) conflicts: &'static [&'static str],
}

/// An argument that all lines take, once.
pub(super) const fn arg(name: &'static str, kind: Kind) -> Argument {
    Argument {
        name,
        kind,
        many: false,
        optional: false,
        since: LINES[0],
        gone: NEVER,
        deprecated: NEVER,
        instead: "",
        requires: &[],
        conflicts: &[],
    }
}

impl Argument {
    pub(super) const fn many(self) -> Self {
        Self { many: true, ..self }
    }

    pub(super) const fn optional(self) -> Self {
        Self { optional: true, ..self }
    }

    pub(super) const fn since(self, major: u64, minor: u64) -> Self {
        Self { since: Line::new(major, minor), ..self }
    }

    /// From that line on another row tells of it.
    pub(super) const fn before(self, major: u64, minor: u64) -> Self {
        Self { gone: Line::new(major, minor), ..self }
    }

    /// From that line on it is refused.
    pub(super) const fn removed(self, major: u64, minor: u64, instead: &'static str) -> Self {
        Self { gone: Line::new(major, minor), instead, ..self }
    }

    /// From that line on it should not be used.
    pub(super) const fn deprecated(self, major: u64, minor: u64, instead: &'static str) -> Self {
        Self { deprecated: Line::new(major, minor), instead, ..self }
    }

    /// From that line on even one that was deprecated is refused.
    pub(super) const fn gone(self, major: u64, minor: u64) -> Self {
        Self { gone: Line::new(major, minor), ..self }
    }

    pub(super) const fn requires(self, names: &'static [&'static str]) -> Self {
        Self { requires: names, ..self }
    }

    pub(super) const fn conflicts(self, names: &'static [&'static str]) -> Self {
        Self { conflicts: names, ..self }
    }

    /// Whether the program takes it in that line.
    pub(super) fn is_taken(&self, line: Line) -> bool {
        self.since <= line && line < self.gone
    }
}
