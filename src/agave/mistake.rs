//! What is wrong with a list of arguments.

/// A mistake, with its place in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where it stands.
    pub at: At,
    /// What is wrong, in one line.
    pub title: String,
    /// A second argument that has to do with it.
    pub also: Option<usize>,
    /// What to do.
    pub help: Help,
}

/// A place in a list of arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// The list as a whole.
    List,
    /// The name of an argument, by its place.
    Name(usize),
    /// One of its values, by the place of both.
    Value(usize, usize),
}

/// What to do about a mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Help {
    /// This.
    Do(String),
    /// Write the nearest of these names, if one is near.
    Name(Vec<&'static str>),
}

impl Mistake {
    pub(super) fn new(at: At, title: impl Into<String>, help: impl Into<String>) -> Self {
        Self { at, title: title.into(), also: None, help: Help::Do(help.into()) }
    }

    pub(super) fn also(self, argument: usize) -> Self {
        Self { also: Some(argument), ..self }
    }
}
