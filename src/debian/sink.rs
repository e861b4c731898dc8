//! Where an unpacked tree is kept: the [`Store`], or a test's memory.

use std::io::{self, Read, Write};

use super::tarball;
use super::unpack::Error;
use crate::path::RelPath;
use crate::store::{self, Blob, Node, Store, TreeBuilder};

/// Where a tree is kept while it is unpacked. Paths are clean, and parents were never links.
pub trait Sink {
    /// A file with its content.
    ///
    /// # Errors
    /// [`tarball::Error::Damaged`] if `content` fails, else what the keeping fails with.
    fn file(&mut self, path: &RelPath, executable: bool, content: &mut dyn Read) -> Result<(), Error>;
    /// The file at `first` a second time, at `path`.
    ///
    /// # Errors
    /// What the keeping fails with.
    fn again(&mut self, path: &RelPath, first: &RelPath) -> Result<(), Error>;
    /// A symlink.
    ///
    /// # Errors
    /// What the keeping fails with.
    fn symlink(&mut self, path: &RelPath, target: &str) -> Result<(), Error>;
    /// A directory, which may have been made before.
    ///
    /// # Errors
    /// What the keeping fails with.
    fn directory(&mut self, path: &RelPath) -> Result<(), Error>;
}
/// Keeps a tree in the [`Store`]: contents at once, the directories at the end.
pub struct StoreSink<'a> {
    store: &'a Store,
    tree: TreeBuilder,
    buffer: Vec<u8>,
}

impl<'a> StoreSink<'a> {
    /// How much is read at once.
    const BUFFER: usize = 256 << 10;

    /// An empty tree.
    #[must_use]
    pub fn new(store: &'a Store) -> Self {
        Self { store, tree: TreeBuilder::new(), buffer: vec![0; Self::BUFFER] }
    }

    /// The tree's root.
    ///
    /// # Errors
    /// What the store fails with.
    pub fn finish(self) -> Result<Blob, Error> {
        Ok(self.tree.finish(self.store)?)
    }

    fn io(&self, source: io::Error) -> store::Error {
        store::Error::Io { path: self.store.root().to_owned(), source }
    }
}

impl Sink for StoreSink<'_> {
    fn file(&mut self, path: &RelPath, executable: bool, content: &mut dyn Read) -> Result<(), Error> {
        let mut writer = self.store.writer()?;
        loop {
            match content.read(&mut self.buffer).map_err(tarball::Error::Damaged)? {
                0 => break,
                count => writer.write_all(&self.buffer[..count]).map_err(|source| self.io(source))?,
            }
        }
        Ok(self.tree.file(path, writer.finish_as(executable)?, executable)?)
    }

    fn again(&mut self, path: &RelPath, first: &RelPath) -> Result<(), Error> {
        match self.tree.get(first)? {
            Some(Node::File { blob, executable }) => Ok(self.tree.file(path, blob, executable)?),
            _ => Err(Error::Target { path: path.clone(), target: first.clone() }),
        }
    }

    fn symlink(&mut self, path: &RelPath, target: &str) -> Result<(), Error> {
        Ok(self.tree.symlink(path, target)?)
    }

    fn directory(&mut self, path: &RelPath) -> Result<(), Error> {
        Ok(self.tree.directory(path)?)
    }
}
