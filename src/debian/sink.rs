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
    /// Files up to this size are read whole before they are put into the store.
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

    fn keep(&mut self, content: &mut dyn Read) -> Result<Blob, Error> {
        let count = fill(content, &mut self.buffer)?;
        if count < self.buffer.len() {
            return Ok(self.store.put(&self.buffer[..count])?);
        }
        let mut writer = self.store.writer()?;
        let mut filled = count;
        while filled > 0 {
            writer.write_all(&self.buffer[..filled]).map_err(|source| self.io(source))?;
            filled = fill(content, &mut self.buffer)?;
        }
        Ok(writer.finish()?)
    }

    fn io(&self, source: io::Error) -> store::Error {
        store::Error::Io { path: self.store.root().to_owned(), source }
    }
}

/// Reads until the buffer is full or the content ends.
fn fill(content: &mut dyn Read, buffer: &mut [u8]) -> Result<usize, tarball::Error> {
    let mut filled = 0;
    while filled < buffer.len() {
        match content.read(&mut buffer[filled..]).map_err(tarball::Error::Damaged)? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

impl Sink for StoreSink<'_> {
    fn file(&mut self, path: &RelPath, executable: bool, content: &mut dyn Read) -> Result<(), Error> {
        let blob = self.keep(content)?;
        Ok(self.tree.file(path, blob, executable)?)
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
