//! SKELETON of the store: the API its users compile against. Replace the bodies, keep the shape.
#![allow(missing_docs, clippy::todo, unused_variables, clippy::missing_errors_doc, dead_code)]
mod tree;
pub use tree::{Directory, Node, TreeBuilder};

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::digest::Digest;
use crate::path::{Name, RelPath};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    // … one variant a kind of failure, each with the path/name/digest in it
}

/// A file of the store: its content and size. Whether it is executable stands in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blob { pub digest: Digest, pub size: u64 }

/// One output of a derivation (also: what a source is once it is in the store).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output { File { blob: Blob, executable: bool }, Tree(Blob) } // Tree: blob of its root Directory message

impl Output { pub fn digest(&self) -> Digest { todo!() } }

/// What an action made; written as a line that later runs trust.
#[derive(Clone, Debug, PartialEq)]
pub struct ActionResult { pub outputs: BTreeMap<Name, Output>, pub seconds: f64, pub log: Option<Blob> }

pub struct Store { root: PathBuf }

impl Store {
    /// Opens or creates; first open after a boot sweeps what no result covers.
    pub fn open(root: &Path) -> Result<Self, Error> { todo!() }
    pub fn root(&self) -> &Path { &self.root }

    // blobs
    pub fn put(&self, bytes: &[u8]) -> Result<Blob, Error> { todo!() }
    /// A file being written; hashed on the way in, enters the store at `finish`.
    pub fn writer(&self) -> Result<Writer<'_>, Error> { todo!() }
    /// Verified while it is read; a corrupt blob is quarantined and the read fails.
    pub fn read(&self, blob: &Blob) -> Result<Box<dyn Read + Send>, Error> { todo!() }
    pub fn contains(&self, digest: &Digest) -> bool { todo!() }
    /// Where the plain file lies (0644 or 0755 flavour); made on demand.
    pub fn file(&self, blob: &Blob, executable: bool) -> Result<PathBuf, Error> { todo!() }

    // trees
    pub fn put_directory(&self, directory: &Directory) -> Result<Blob, Error> { todo!() }
    pub fn directory(&self, digest: &Digest) -> Result<Directory, Error> { todo!() }
    /// Moves what stands at `path` (same file system, e.g. `/out/<output>` of a sandbox) into the store.
    pub fn import(&self, path: &Path) -> Result<Output, Error> { todo!() }
    /// Copies one file in, leaving the original alone (path sources).
    pub fn copy_file(&self, path: &Path) -> Result<Blob, Error> { todo!() }
    /// The tree as a real directory that can be bind-mounted; made once, checked on first use in a process.
    pub fn checkout(&self, tree: &Digest) -> Result<PathBuf, Error> { todo!() }
    /// The real path of an output: `checkout` of a tree, `file` of a file.
    pub fn realise(&self, output: &Output) -> Result<PathBuf, Error> { todo!() }

    // results
    pub fn result(&self, key: &Digest) -> Result<Option<ActionResult>, Error> { todo!() }
    /// Queues a result; trusted by this process at once, by others after `commit`.
    pub fn record(&self, key: &Digest, result: &ActionResult) -> Result<(), Error> { todo!() }
    /// Syncs all that was written, then writes the queued result lines durably. Group commit; call from any thread.
    pub fn commit(&self) -> Result<(), Error> { todo!() }
    /// One process at a time builds an action; blocks until it may, and says so by `waiting`.
    pub fn lock(&self, key: &Digest, waiting: &dyn Fn()) -> Result<Lock, Error> { todo!() }

    /// A directory in the store's file system for a build; removed on drop, swept when its process is dead.
    pub fn scratch(&self) -> Result<Scratch, Error> { todo!() }

    // upkeep
    /// A root: the symlink `link` outside the store points to `outputs`; gc keeps them while the link stands.
    pub fn add_root(&self, link: &Path, outputs: &[Output]) -> Result<(), Error> { todo!() }
}

pub struct Writer<'a> { store: &'a Store }
impl Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> { todo!() }
    fn flush(&mut self) -> io::Result<()> { todo!() }
}
impl Writer<'_> { pub fn finish(self) -> Result<Blob, Error> { todo!() } }

pub struct Lock {}
pub struct Scratch { path: PathBuf }
impl Scratch { pub fn path(&self) -> &Path { &self.path } }
