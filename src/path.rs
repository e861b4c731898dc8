//! Names and relative paths that are clean by construction.
//!
//! A [`RelPath`] can be joined to any directory without leaving it: it has no empty, `.` or `..`
//! component, no leading or trailing slash, and no NUL. What is not UTF-8 is refused by name.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

/// Why a text is no path or name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The empty text.
    #[error("a path must not be empty")]
    Empty,
    /// It starts with a slash.
    #[error("`{0}` is absolute; a relative path is needed")]
    Absolute(String),
    /// It has an empty, `.` or `..` component.
    #[error("`{path}` has the component `{component}`, which could lead outside")]
    Unclean {
        /// The whole text.
        path: String,
        /// The component at fault.
        component: String,
    },
    /// It has a NUL byte.
    #[error("`{0}` has a NUL byte")]
    Nul(String),
    /// It is not UTF-8; shown with escapes.
    #[error("`{0}` is not UTF-8")]
    NotUtf8(String),
    /// It is not a name of the form `[a-z0-9.-]+`.
    #[error("`{0}` is not a name: use lower-case letters, digits, `.` and `-`, starting with a letter or digit")]
    NotAName(String),
}

/// A clean relative path, at least one component long.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelPath(String);

impl RelPath {
    /// Takes a text that must be clean already.
    ///
    /// # Errors
    /// Says which component is not.
    pub fn new(text: impl Into<String>) -> Result<Self, PathError> {
        let text = text.into();
        if text.is_empty() {
            return Err(PathError::Empty);
        }
        if text.starts_with('/') {
            return Err(PathError::Absolute(text));
        }
        if text.contains('\0') {
            return Err(PathError::Nul(text));
        }
        match text.split('/').find(|component| matches!(*component, "" | "." | "..")) {
            Some(component) => Err(PathError::Unclean { component: component.to_owned(), path: text }),
            None => Ok(Self(text)),
        }
    }

    /// Takes raw bytes, as they come from an archive or a directory.
    ///
    /// # Errors
    /// As [`RelPath::new`], and for bytes that are not UTF-8.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PathError> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::new(text),
            Err(_) => Err(PathError::NotUtf8(bytes.escape_ascii().to_string())),
        }
    }

    /// A path that stands in the code.
    ///
    /// # Panics
    /// If it is not clean, which is a bug.
    #[must_use]
    pub fn constant(text: &'static str) -> Self {
        Self::new(text).expect("BUG: a constant is not a clean path")
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The components, first to last.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// All but the last component.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once('/').map(|(parent, _)| Self(parent.to_owned()))
    }

    /// The last component.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&self.0, |(_, name)| name)
    }

    /// This path with `other` below it.
    #[must_use]
    pub fn join(&self, other: &RelPath) -> Self {
        Self(format!("{}/{}", self.0, other.0))
    }
}

impl FromStr for RelPath {
    type Err = PathError;
    fn from_str(text: &str) -> Result<Self, PathError> {
        Self::new(text)
    }
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl AsRef<std::path::Path> for RelPath {
    fn as_ref(&self) -> &std::path::Path {
        self.0.as_ref()
    }
}

/// The name of a unit, a source, a dependency or an output: `[a-z0-9][a-z0-9.-]*`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// Takes a text of that form.
    ///
    /// # Errors
    /// For any other text.
    pub fn new(text: impl Into<String>) -> Result<Self, PathError> {
        let text = text.into();
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'.' || byte == b'-';
        let starts_well = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
        if starts_well && text.bytes().all(allowed) { Ok(Self(text)) } else { Err(PathError::NotAName(text)) }
    }

    /// A name that stands in the code.
    ///
    /// # Panics
    /// If it has not that form, which is a bug.
    #[must_use]
    pub fn constant(text: &'static str) -> Self {
        Self::new(text).expect("BUG: a constant is not a name")
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = PathError;
    fn from_str(text: &str) -> Result<Self, PathError> {
        Self::new(text)
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_paths() {
        for text in ["a", "a/b", ".hidden", "a..b", "...", "a b/ü"] {
            assert_eq!(RelPath::new(text).expect(text).as_str(), text);
        }
    }

    #[test]
    fn unclean_paths() {
        for text in ["", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a\0b"] {
            assert!(RelPath::new(text).is_err(), "{text:?}");
        }
        assert_eq!(RelPath::from_bytes(b"a\xff"), Err(PathError::NotUtf8(r"a\xff".to_owned())));
    }

    #[test]
    fn parts() {
        let path = RelPath::new("a/b/c").expect("clean");
        assert_eq!(path.components().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(path.file_name(), "c");
        assert_eq!(path.parent().map(|parent| parent.to_string()), Some("a/b".to_owned()));
    }

    #[test]
    fn names() {
        for text in ["gcc", "agave-4.1", "7zip"] {
            assert!(Name::new(text).is_ok(), "{text}");
        }
        for text in ["", "-x", ".x", "..", "a/b", "A", "a_b", "ü"] {
            assert!(Name::new(text).is_err(), "{text}");
        }
    }
}
