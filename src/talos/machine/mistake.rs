//! What is wrong with an inventory or a configuration.

use crate::yaml::{self, Place};

/// A mistake, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where it stands.
    pub at: Place,
    /// What is wrong, in one line.
    pub title: String,
    /// A second place that has to do with it, and what it is.
    pub also: Option<(Place, &'static str)>,
    /// What to do.
    pub help: Help,
}

/// What to do about a mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Help {
    /// This.
    Do(String),
    /// Write the nearest of these names to the word, if one is near.
    Name(String, Vec<String>),
}

impl Mistake {
    pub(super) fn new(at: Place, title: impl Into<String>, help: impl Into<String>) -> Self {
        Self { at, title: title.into(), also: None, help: Help::Do(help.into()) }
    }

    /// That an inventory is not one document.
    #[must_use]
    pub fn inventory() -> Self {
        Self::new(
            Place::default(),
            "an inventory is one document",
            "write it as the example in `talos::machine::inventory` has it",
        )
    }

    /// That `word` is not among the names that may stand there.
    pub(super) fn name<'a>(
        at: Place,
        title: impl Into<String>,
        word: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let known = known.into_iter().map(str::to_owned).collect();
        Self { at, title: title.into(), also: None, help: Help::Name(word.to_owned(), known) }
    }

    pub(super) fn also(self, at: Place, what: &'static str) -> Self {
        Self { also: Some((at, what)), ..self }
    }
}

impl From<yaml::Error> for Mistake {
    fn from(error: yaml::Error) -> Self {
        Self::new(error.at, error.title, error.help)
    }
}
