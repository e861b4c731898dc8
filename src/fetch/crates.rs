//! Crates: one pinned while locking, all brought into the store.

use std::ops::ControlFlow;

use super::{Error, Fetcher, Location, Progress, Want, Watch};
use crate::artifact::archive;
use crate::digest::Digest;
use crate::lockfile::{Crate, Locked, Pin, Place};
use crate::recipe::Published;
use crate::store::{Blob, Output};

/// The largest `.crate` file.
const CRATE_MAX: u64 = 256 << 20;

impl Fetcher<'_> {
    /// Says which crates belong together: cargo is asked once for all of a closure that are missing.
    pub fn expect(&mut self, closures: Vec<Vec<Crate>>) {
        self.closures = closures;
    }

    /// The file of a pinned crate, in the store.
    pub(super) fn crate_file(&self, pin: &Pin, want: &Want<'_>, watch: &Watch<'_>) -> Result<Blob, Error> {
        let Place::Registry { name, version } = &pin.place else { unreachable!("BUG: not a crate") };
        let places = || [self.places.by_digest(&pin.digest), self.cargo.cached(name, version)].concat();
        let first = self.downloader.download(self.store, want, &places(), watch);
        if self.offline || !matches!(first, Err(Error::Exhausted(_))) {
            return first;
        }
        let _one_at_a_time = self.asking.lock().expect("BUG: a thread panicked");
        if self.cargo.cached(name, version).is_empty() {
            self.ask_cargo(name, version, watch)?;
        }
        self.downloader.download(self.store, want, &places(), watch)
    }

    fn ask_cargo(&self, name: &str, version: &str, watch: &Watch<'_>) -> Result<(), Error> {
        let is_it = |one: &Crate| one.name == name && one.version == version;
        match self.closures.iter().find(|closure| closure.iter().any(is_it)) {
            Some(closure) => self.bring(closure, watch),
            None => self.cargo.bring_one(self.store, name, version),
        }
    }

    /// Brings a whole closure into cargo's cache.
    pub(super) fn bring(&self, closure: &[Crate], watch: &Watch<'_>) -> Result<(), Error> {
        let place = Location::Http("the crate registry".to_owned());
        let total = closure.iter().map(|one| one.size).sum();
        let mut got = 0;
        self.cargo.bring(self.store, closure, &mut |reference| {
            got += closure.iter().find(|one| one.reference() == reference).map_or(0, |one| one.size);
            // Cargo goes on in any case: what it downloads stays useful.
            let _: ControlFlow<()> = watch(Progress { name: reference, got, total: Some(total), place: &place });
        })
    }

    /// Pins one published package.
    pub(super) fn pin_crate(&self, published: &Published, watch: &Watch<'_>) -> Result<Crate, Error> {
        let Published { name, version } = published;
        if self.cargo.cached(name, version).is_empty() {
            self.cargo.bring_one(self.store, name, version)?;
        }
        self.sized(name, version, None, watch)
    }

    /// The crate with the size of its file, which is in cargo's cache.
    pub(super) fn sized(
        &self,
        name: &str,
        version: &str,
        digest: Option<Digest>,
        watch: &Watch<'_>,
    ) -> Result<Crate, Error> {
        let reference = format!("{name} {version}");
        let want = Want { name: &reference, unit: None, digest, size: None, limit: CRATE_MAX };
        let blob = self.downloader.download(self.store, &want, &self.cargo.cached(name, version), watch)?;
        Ok(Crate { name: name.to_owned(), version: version.to_owned(), size: blob.size, digest: blob.digest })
    }

    /// The content of a locked source, as a folder.
    ///
    /// # Errors
    /// When it can't be had or unpacked.
    pub fn unpacked(&self, locked: &Locked, unit: &str, watch: &super::SharedWatch<'_>) -> Result<Output, Error> {
        let (pin, strip) = match locked {
            Locked::Git { url, commit, tree } => return self.git(url, commit, tree, watch),
            Locked::Crate(one) => (one.pin(), Crate::STRIP),
            Locked::File { pin, unpack: Some(unpack) } => (pin.clone(), unpack.strip),
            _ => return Err(Error::CargoLock("its source `src` is not a folder: add `unpack = true`".to_owned())),
        };
        let blob = self.file(&pin, unit, unit, watch)?;
        let file = Output::File { blob, executable: false };
        archive::unpack(self.store, &file, strip).map_err(|error| Error::CargoLock(error.to_string()))
    }
}
