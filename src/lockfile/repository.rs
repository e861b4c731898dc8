//! Packages that a Cargo.lock names from git repositories.

use std::fmt;
use std::str::FromStr;

use crate::store::Blob;

/// One state of a git repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// Where it is known to be.
    pub url: String,
    /// 40 hex digits.
    pub commit: String,
    /// The root of the checked-out tree, as the store names it.
    pub tree: Blob,
}

impl Repository {
    /// What it is known by in the lockfile: `https://example.org/a.git 0a0a…`.
    #[must_use]
    pub fn reference(&self) -> String {
        format!("{} {}", self.url, self.commit)
    }
}

/// What a manifest asks of a repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asked {
    /// Its default branch.
    Default,
    /// A branch.
    Branch(String),
    /// A tag.
    Tag(String),
    /// What git calls a revision.
    Rev(String),
}

impl Asked {
    /// The field of a manifest, and its value.
    #[must_use]
    pub fn field(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Default => None,
            Self::Branch(name) => Some(("branch", name)),
            Self::Tag(name) => Some(("tag", name)),
            Self::Rev(name) => Some(("rev", name)),
        }
    }
}

/// `branch=main`; of the default branch nothing.
impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.field().map_or(Ok(()), |(field, value)| write!(f, "{field}={value}"))
    }
}

/// A text that is not as [`Asked`] is written.
#[derive(Debug, thiserror::Error)]
#[error("not `branch=…`, `tag=…` or `rev=…`")]
pub struct NotAsked;

impl FromStr for Asked {
    type Err = NotAsked;

    fn from_str(text: &str) -> Result<Self, NotAsked> {
        match text.split_once('=').map(|(field, value)| (field, value.to_owned())) {
            Some(("branch", name)) => Ok(Self::Branch(name)),
            Some(("tag", name)) => Ok(Self::Tag(name)),
            Some(("rev", name)) => Ok(Self::Rev(name)),
            _ => Err(NotAsked),
        }
    }
}

/// A package of a git repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitCrate {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it is from.
    pub repository: Repository,
    /// What led there.
    pub asked: Asked,
}

impl GitCrate {
    /// What it is known by in the lockfile: `name version url [asked] commit`.
    #[must_use]
    pub fn reference(&self) -> String {
        let Self { name, version, repository: Repository { url, commit, tree: _ }, asked } = self;
        match asked {
            Asked::Default => format!("{name} {version} {url} {commit}"),
            asked => format!("{name} {version} {url} {asked} {commit}"),
        }
    }

    /// Whether it can be written as one line of words.
    pub(super) fn is_plain(&self) -> bool {
        let asked = self.asked.field().map_or("-", |(_, value)| value);
        let words = [&self.name, &self.version, &self.repository.url, &self.repository.commit, asked];
        words.into_iter().all(is_word)
    }
}

/// Whether a text has no character that parts words or that one can't see.
#[must_use]
pub fn is_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(|char: char| char.is_whitespace() || char.is_control())
}
