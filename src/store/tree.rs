#![allow(missing_docs, clippy::todo, unused_variables, clippy::missing_errors_doc, dead_code)]
use std::collections::BTreeMap;
use super::{Blob, Error, Store};
use crate::digest::Digest;
use crate::path::RelPath;

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node { File { blob: Blob, executable: bool }, Directory(Blob), Symlink(String) }

/// A directory, written as the canonical REAPI v2 `Directory` message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory { pub entries: BTreeMap<String, Node> }

impl Directory {
    pub fn encode(&self) -> Vec<u8> { todo!() }
    /// Refuses what is not canonical (so that one tree has one digest).
    pub fn decode(bytes: &[u8]) -> Result<Self, String> { todo!() }
}

/// A tree being put together in memory.
#[derive(Default)]
pub struct TreeBuilder {}

impl TreeBuilder {
    pub fn new() -> Self { Self::default() }
    // Each creates parents, and fails on a clash (file over directory, different content), naming the path.
    pub fn file(&mut self, path: &RelPath, blob: Blob, executable: bool) -> Result<(), Error> { todo!() }
    pub fn symlink(&mut self, path: &RelPath, target: &str) -> Result<(), Error> { todo!() }
    pub fn directory(&mut self, path: &RelPath) -> Result<(), Error> { todo!() }
    /// Merges a stored tree at `path` (`None`: at the top). Equal entries are fine, others clash.
    pub fn graft(&mut self, store: &Store, path: Option<&RelPath>, tree: &Digest) -> Result<(), Error> { todo!() }
    pub fn get(&self, path: &RelPath) -> Option<Node> { todo!() }
    pub fn remove(&mut self, path: &RelPath) { todo!() }
    pub fn finish(self, store: &Store) -> Result<Blob, Error> { todo!() }
}
