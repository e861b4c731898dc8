//! What the ELF files of a layer say of themselves, kept in its result: an image is judged anew whenever one of its layers
//! changes, and need not read the others again.
//!
//! A JSON object: the digest of each file, `paths` where it stands, and `elf` ([`Elf`], or why it can't be read).

use std::collections::BTreeMap;

use object::ReadCache;
use serde::{Deserialize, Serialize};

use super::super::Error;
use super::super::elf::{self, Elf};
use super::failed;
use crate::digest::Digest;
use crate::store::{Blob, Output, Store};

/// The ELF files of a tree, by the digits of their digests.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Linkage(BTreeMap<String, File>);

/// An ELF file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct File {
    /// Where in the tree it stands.
    pub(super) paths: Vec<String>,
    /// What it says, or why it can't be read.
    pub(super) elf: Result<Elf, String>,
}

impl Linkage {
    /// Reads the ELF files of a tree.
    ///
    /// # Errors
    /// Where the store fails.
    pub(super) fn of(store: &Store, tree: &Blob) -> Result<Self, Error> {
        let mut found = BTreeMap::<String, File>::new();
        elf::each(store, &Output::Tree(*tree), &mut |elf::File { path, blob, content }| {
            // Few bytes of a large program say how it is linked.
            let new = || File { paths: Vec::new(), elf: Elf::read(&ReadCache::new(content)) };
            found.entry(blob.digest.hex()).or_insert_with(new).paths.push(path);
            Ok(())
        })?;
        Ok(Self(found))
    }

    /// Writes it down.
    ///
    /// # Errors
    /// Where the store fails.
    pub(super) fn put(&self, store: &Store) -> Result<Blob, Error> {
        let bytes = serde_json::to_vec(self).map_err(|error| Error::Refused(error.to_string()))?;
        Ok(store.put(&bytes)?)
    }

    /// Reads what [`Linkage::put`] wrote.
    ///
    /// # Errors
    /// Where the store fails.
    pub(super) fn get(store: &Store, blob: &Blob) -> Result<Self, Error> {
        let mut bytes = Vec::new();
        store.read(blob)?.read_to_end(&mut bytes).map_err(failed(store))?;
        serde_json::from_slice(&bytes).map_err(|error| Error::Refused(error.to_string()))
    }

    /// All of its files.
    pub(super) fn files(&self) -> impl Iterator<Item = &File> {
        self.0.values()
    }

    /// What the file with that content says.
    pub(super) fn file(&self, digest: &Digest) -> Option<&File> {
        self.0.get(&digest.hex())
    }
}
