//! What stopped a verb, for people: what happened, and what to do next.

use std::fmt::Display;

use super::{Verdict, output};
use crate::path::Name;
use crate::{build, fetch, plan, registry, sandbox, store};

/// Who has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The user's input is wrong: exit code 2.
    User,
    /// Forge or its environment failed: exit code 3.
    Environment,
}

/// An error on its way to stderr.
#[derive(Debug)]
pub struct CliError {
    kind: Kind,
    text: String,
    hints: Vec<String>,
}

impl CliError {
    /// The user's input is wrong.
    pub fn user(text: impl Display) -> Self {
        Self { kind: Kind::User, text: text.to_string(), hints: Vec::new() }
    }

    /// Forge or its environment failed.
    pub fn environment(text: impl Display) -> Self {
        Self { kind: Kind::Environment, text: text.to_string(), hints: Vec::new() }
    }

    /// What a source of a recipe led to.
    pub fn of_source(error: fetch::Error, unit: &Name, source: &Name) -> Self {
        Self::from(error).hint(format!("this is the source `{source}` of the unit `{unit}`"))
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Display) -> Self {
        self.hints.push(hint.to_string());
        self
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        match self.kind {
            Kind::User => 2,
            Kind::Environment => Verdict::Environment.code(),
        }
    }

    /// Prints it. A text that is a drawn diagnostic already starts with `error` and stays as it is.
    pub fn show(&self) {
        let prefix = if self.text.starts_with("error") { "" } else { "error: " };
        output::words(&format!("{prefix}{}", self.text.trim_end()));
        self.hints.iter().for_each(|hint| output::words(&format!("hint: {hint}")));
    }
}

impl From<store::Error> for CliError {
    fn from(error: store::Error) -> Self {
        Self::environment(error)
    }
}

impl From<fetch::Error> for CliError {
    fn from(error: fetch::Error) -> Self {
        match error {
            fetch::Error::Shelf(error) => Self::from(error),
            error if error.is_input() => Self::user(error),
            error => Self::environment(error),
        }
    }
}

impl From<registry::Error> for CliError {
    fn from(error: registry::Error) -> Self {
        let hint = error.hint();
        let error = if error.is_input() { Self::user(error) } else { Self::environment(error) };
        hint.into_iter().fold(error, Self::hint)
    }
}

impl From<sandbox::Error> for CliError {
    fn from(error: sandbox::Error) -> Self {
        Self::environment(error)
    }
}

impl From<plan::Error> for CliError {
    fn from(error: plan::Error) -> Self {
        Self::user(error)
    }
}

impl From<&build::realise::Trouble> for CliError {
    fn from(trouble: &build::realise::Trouble) -> Self {
        Self::environment(trouble)
    }
}

impl Display for CliError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)?;
        self.hints.iter().try_for_each(|hint| write!(f, "; {hint}"))
    }
}
