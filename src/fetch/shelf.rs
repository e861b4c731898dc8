//! A mirror in a registry: every blob of pinned content in one repository, which a `FORGE_MIRRORS` file names in
//! `digests`. What a folder has below `sha256/`, a repository has as blobs; the tag `sources` keeps them there.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Mutex;

use super::inventory::{Content, Item};
use super::mirror::{self, Found};
use super::tree::Parts;
use super::{Error, Fetcher, Location, Progress, SharedWatch};
use crate::digest::Digest;
use crate::registry::{Address, Registry, Repository};
use crate::store::{self, Blob};

/// The tag that leads to all that a mirror keeps.
pub const TAG: &str = "sources";

/// A mirror in a registry; used from many threads at once.
pub struct Shelved {
    registry: Registry,
    repository: Repository,
    /// What was found or put there, with what people call it.
    kept: Mutex<BTreeMap<Digest, (u64, String)>>,
}

impl Shelved {
    /// The mirror in `repository`. Nothing need be there.
    #[must_use]
    pub fn new(registry: Registry, repository: Repository) -> Self {
        Self { registry, repository, kept: Mutex::default() }
    }

    /// Asks what the mirror has of `item`. Of a tree that the store does not have, nothing is known.
    ///
    /// # Errors
    /// Where the registry fails.
    pub fn find(&self, fetcher: &Fetcher<'_>, item: &Item) -> Result<Found, Error> {
        let Ok(blobs) = blobs(fetcher, item) else { return Ok(Found::Missing) };
        for blob in &blobs {
            if !self.registry.keeps(&self.repository, blob)? {
                return Ok(Found::Missing);
            }
        }
        self.note(item, &blobs);
        Ok(Found::Sound(blobs.iter().map(|blob| blob.size).sum()))
    }

    /// Copies an item: out of the fetcher's store, which gets it first where it lacks it. How many bytes it has.
    ///
    /// # Errors
    /// When no place has the item; when the registry fails.
    pub fn copy(&self, fetcher: &Fetcher<'_>, item: &Item, watch: &SharedWatch<'_>) -> Result<u64, Error> {
        mirror::repairing(|| self.attempt(fetcher, item, watch))
    }

    fn attempt(&self, fetcher: &Fetcher<'_>, item: &Item, watch: &SharedWatch<'_>) -> Result<u64, Error> {
        mirror::bring(fetcher, item, watch)?;
        let (blobs, mut got) = (blobs(fetcher, item)?, 0);
        let total = blobs.iter().map(|blob| blob.size).sum();
        for blob in &blobs {
            self.registry.put(&self.repository, blob, &|blob| fetcher.store.read(blob))?;
            got += blob.size;
            let address = Address { repository: self.repository.clone(), digest: blob.digest, manifest: false };
            let progress = Progress { name: &item.name, got, total: Some(total), place: &Location::Registry(address) };
            if watch(progress) == ControlFlow::Break(()) {
                return Err(Error::Cancelled(item.name.clone()));
            }
        }
        self.note(item, &blobs);
        Ok(total)
    }

    /// Has the registry keep all that was found or put there.
    ///
    /// # Errors
    /// Where the registry fails.
    pub fn keep(&self) -> Result<(), Error> {
        Ok(self.registry.keep(&self.repository, TAG, &self.kept.lock().expect("BUG: a thread panicked"))?)
    }

    fn note(&self, item: &Item, blobs: &[Blob]) {
        let named = blobs.iter().map(|blob| (blob.digest, (blob.size, item.name.clone())));
        self.kept.lock().expect("BUG: a thread panicked").extend(named);
    }
}

/// What an item is made of; of a tree, out of the store.
fn blobs(fetcher: &Fetcher<'_>, item: &Item) -> Result<Vec<Blob>, store::Error> {
    match &item.content {
        Content::Tree { tree, .. } => {
            Ok(Parts::of(tree, |blob| fetcher.store.directory(&blob.digest))?.blobs().collect())
        }
        Content::File { .. } | Content::Index { .. } => Ok(vec![item.blob()]),
    }
}
