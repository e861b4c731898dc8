//! How big outputs are: read from the Directory messages in the store, no file is opened.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::digest::Digest;
use crate::graph::{Folder, Size};
use crate::store::{Node, Output, Store};

/// Measures outputs. Folders that several outputs have in common are read once.
pub struct Scale<'a> {
    store: &'a Store,
    sizes: RefCell<HashMap<Digest, Option<Size>>>,
}

impl<'a> Scale<'a> {
    pub fn new(store: &'a Store) -> Self {
        Self { store, sizes: RefCell::default() }
    }

    /// How big an output is; `None` if a part of it is not in the store.
    pub fn size(&self, output: &Output) -> Option<Size> {
        match output {
            Output::File { blob, .. } => Some(Size { bytes: blob.size, files: 1 }),
            Output::Tree(blob) => self.tree(&blob.digest),
        }
    }

    fn tree(&self, digest: &Digest) -> Option<Size> {
        if let Some(known) = self.sizes.borrow().get(digest) {
            return *known;
        }
        let size = self.read(digest);
        self.sizes.borrow_mut().insert(*digest, size);
        size
    }

    fn read(&self, digest: &Digest) -> Option<Size> {
        let directory = self.store.directory(digest).ok()?;
        let size = |node: &Node| match node {
            Node::File { blob, .. } => Some(Size { bytes: blob.size, files: 1 }),
            Node::Directory(blob) => self.tree(&blob.digest),
            Node::Symlink(_) => Some(Size::default()),
        };
        directory.entries.values().map(size).sum()
    }

    /// What an output is made of; `None` if a part of it is not in the store.
    pub fn folder(&self, output: &Output) -> Option<Folder> {
        match output {
            Output::File { blob, .. } => Some(Folder::file("", blob.size)),
            Output::Tree(blob) => self.contents(String::new(), &blob.digest),
        }
    }

    fn contents(&self, name: String, digest: &Digest) -> Option<Folder> {
        let directory = self.store.directory(digest).ok()?;
        let inside = directory.entries.into_iter().filter_map(|(name, node)| match node {
            Node::File { blob, .. } => Some(Some(Folder::file(name, blob.size))),
            Node::Directory(blob) => Some(self.contents(name, &blob.digest)),
            Node::Symlink(_) => None,
        });
        Some(Folder::holding(name, inside.collect::<Option<_>>()?))
    }
}
