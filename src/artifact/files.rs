//! What a stored tree holds, as a list.

use std::io::Read as _;

use super::Error;
use crate::digest::Digest;
use crate::path::RelPath;
use crate::store::{Blob, Node, Store};

/// The files and symlinks of a tree.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// Files by their order in the tree.
    pub(super) files: Vec<(RelPath, Blob)>,
    /// Symlinks and their targets.
    pub(super) links: Vec<(RelPath, String)>,
}

impl Files {
    /// Lists all below the directory `top`.
    ///
    /// # Errors
    /// If a directory can't be read.
    pub(super) fn of(store: &Store, top: &Digest) -> Result<Self, Error> {
        let mut files = Self::default();
        files.add(store, None, top)?;
        Ok(files)
    }

    fn add(&mut self, store: &Store, at: Option<&RelPath>, directory: &Digest) -> Result<(), Error> {
        for (name, node) in store.directory(directory)?.entries {
            let path = at.map_or(name.clone(), |folder| format!("{folder}/{name}"));
            let path = self::path(&path)?;
            match node {
                Node::File { blob, .. } => self.files.push((path, blob)),
                Node::Directory(blob) => self.add(store, Some(&path), &blob.digest)?,
                Node::Symlink(target) => self.links.push((path, target)),
            }
        }
        Ok(())
    }
}

/// The bytes of a file.
///
/// # Errors
/// If it can't be read.
pub(super) fn bytes(store: &Store, blob: &Blob) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read = store.read(blob)?.read_to_end(&mut bytes);
    read.map(|_| bytes).map_err(|error| Error::Refused(format!("{}: {error}", blob.digest)))
}

/// The text of a file.
///
/// # Errors
/// If it is not UTF-8, or can't be read.
pub(super) fn text(store: &Store, blob: &Blob) -> Result<String, Error> {
    let mut text = String::new();
    let read = store.read(blob)?.read_to_string(&mut text);
    read.map(|_| text).map_err(|error| Error::Refused(format!("{}: {error}", blob.digest)))
}

/// A path that must be clean.
///
/// # Errors
/// If it is not.
pub(super) fn path(text: &str) -> Result<RelPath, Error> {
    RelPath::new(text).map_err(|error| Error::Refused(error.to_string()))
}

/// A path without `.` and `..`, as far as it has something to go up from.
pub(super) fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Where `to` is as seen from the folder `from`; both are clean, and `` is the top.
pub(super) fn relative(from: &str, to: &str) -> String {
    let parts = |path: &str| path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (from, to) = (parts(from), parts(to));
    let common = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
    let up = from[common..].iter().map(|_| "..".to_owned());
    let steps: Vec<String> = up.chain(to[common..].iter().cloned()).collect();
    if steps.is_empty() { ".".to_owned() } else { steps.join("/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        assert_eq!(clean("a/../b/./c.rs"), "b/c.rs");
        for (from, to, expected) in [
            ("crates/a", "crates/b", "../b"),
            ("crates/a", "", "../.."),
            ("", "crates/a", "crates/a"),
            ("a", "a", "."),
            ("a/b", "a/b/c", "c"),
        ] {
            assert_eq!(relative(from, to), expected, "{from} {to}");
        }
    }
}
