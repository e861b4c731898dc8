//! Where in the recipes something is written, for verbs that explain.

use std::collections::BTreeMap;
use std::fmt;

use super::text::{Span, Texts};
use crate::path::{Name, RelPath};

/// What a unit names in its recipe.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// The unit it is built in.
    Toolroot,
    /// A unit it reads, by the name under which it sees it.
    Dep(Name),
    /// A source, by name.
    Source(Name),
    /// A Debian package, as it is asked for.
    Package(String),
}

/// A line of a recipe; with `extends` it may be another recipe than the unit's own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, relative to the project.
    pub file: RelPath,
    /// From 1.
    pub line: usize,
}

/// The place of everything that a unit names.
pub type Places = BTreeMap<Item, Place>;

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// The places of what stands at `spans`.
pub(super) fn places(spans: BTreeMap<Item, Span>, texts: &Texts) -> Places {
    let place = |(item, span): (Item, Span)| {
        let (file, within) = texts.locate(&span);
        let before = &file.text.as_bytes()[..within.start.min(file.text.len())];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        (item, Place { file: file.path.clone(), line })
    };
    spans.into_iter().map(place).collect()
}
