//! Locked sources, brought into the store: what stands there is what was pinned, or it is an error.

use std::sync::Mutex;

use super::git::Refs;
use super::{Cargo, Downloader, Error, Exhausted, Fault, Git, Places, Policy, SharedWatch, Want, Watch};
use crate::lockfile::{Crate, Pin, Place};
use crate::store::{Blob, Output, Store};

/// Fetches sources into a store; used from many threads at once.
pub struct Fetcher<'a> {
    pub(super) store: &'a Store,
    pub(super) places: Places,
    pub(super) downloader: Downloader,
    pub(super) git: Git,
    pub(super) cargo: Cargo,
    /// The crates of each Cargo.lock.
    pub(super) closures: Vec<Vec<Crate>>,
    /// Held while cargo is asked.
    pub(super) asking: Mutex<()>,
    pub(super) offline: bool,
}

impl<'a> Fetcher<'a> {
    /// A fetcher that knows `places`.
    #[must_use]
    pub fn new(store: &'a Store, places: Places, policy: Policy, git: Git, cargo: Cargo) -> Self {
        let offline = policy.offline;
        let downloader = Downloader::new(policy);
        Self { store, places, downloader, git, cargo, closures: Vec::new(), asking: Mutex::default(), offline }
    }

    /// One pinned file, as it is. `name` is what a person calls it, `unit` whose source it is.
    ///
    /// # Errors
    /// [`Error::Exhausted`], or [`Error::Unsupplied`], when no place has it.
    pub fn file(&self, pin: &Pin, name: &str, unit: &str, watch: &Watch<'_>) -> Result<Blob, Error> {
        let want = Want { name, unit: Some(unit), digest: Some(pin.digest), size: Some(pin.size), limit: pin.size };
        match &pin.place {
            Place::Supplied(called) => self.supplied(called, pin, &want, watch),
            Place::Registry { .. } => self.crate_file(pin, &want, watch),
            _ => self.downloader.download(self.store, &want, &self.places.of(pin), watch),
        }
    }

    /// The tree of a pinned commit: from a content mirror, or from a repository.
    ///
    /// # Errors
    /// When no place has the commit, or its tree is not the pinned one.
    pub fn git(&self, url: &str, commit: &str, tree: &Blob, watch: &SharedWatch<'_>) -> Result<Output, Error> {
        if self.is_whole(tree) {
            return Ok(Output::Tree(*tree));
        }
        let missed = match self.tree(url, tree, watch) {
            Ok(()) => return Ok(Output::Tree(*tree)),
            Err(Error::Exhausted(missed)) => missed,
            Err(error) => return Err(error),
        };
        let fetched = self.git.fetch(self.store, url, &self.repositories(url), commit, tree);
        fetched.map_err(|error| also(*missed, error))
    }

    /// The tags and branches that a repository has now.
    ///
    /// # Errors
    /// When no place answers.
    pub fn refs(&self, url: &str) -> Result<Refs, Error> {
        self.git.refs(self.store, url, &self.repositories(url))
    }

    pub(super) fn pin_git(&self, url: &str, rev: &crate::recipe::Rev) -> Result<(String, Blob), Error> {
        self.git.pin(self.store, url, &self.repositories(url), rev)
    }

    fn repositories(&self, url: &str) -> Vec<String> {
        let local = |place: &String| place.starts_with('/') || place.starts_with("file:");
        self.places.git(url).into_iter().filter(|place| !self.offline || local(place)).collect()
    }
}

/// What git said, with what the content mirrors had said before.
fn also(missed: Exhausted, error: Error) -> Error {
    let Error::Git { url, wanted, mut tries } = error else { return error };
    if tries.is_empty() && !missed.tries.is_empty() {
        tries.push((url.clone(), Fault::Offline.to_string()));
    }
    let missed = missed.tries.into_iter().map(|missed| (missed.place.to_string(), missed.fault.to_string()));
    Error::Git { url, wanted, tries: missed.chain(tries).collect() }
}
