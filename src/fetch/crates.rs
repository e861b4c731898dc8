//! Crates: pinned while locking, and brought into the store.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use super::{Error, Fetcher, Location, Progress, Want, Watch};
use crate::artifact::archive;
use crate::digest::Digest;
use crate::lockfile::{Crate, Locked, Pin, Place};
use crate::recipe::{CARGO_LOCK, Closure, Published};
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
    fn bring(&self, closure: &[Crate], watch: &Watch<'_>) -> Result<(), Error> {
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

    /// Pins all crates that the Cargo.lock of `source` names, once it is patched and updated as the recipe says, with
    /// the features of those that the recipe asks about.
    ///
    /// # Errors
    /// For a Cargo.lock that is missing, does not fit, or names what is in no registry; and what cargo says.
    pub fn pin_crates(
        &self,
        closure: &Closure,
        source: &Output,
        patches: &[PathBuf],
        watch: &Watch<'_>,
    ) -> Result<Locked, Error> {
        let tree = self.store.realise(source)?;
        let scratch = self.store.scratch()?;
        copy_folder(&tree, scratch.path())?;
        self.git.apply(scratch.path(), patches)?;
        let lock = scratch.path().join(CARGO_LOCK);
        if !lock.is_file() {
            return Err(Error::CargoLock("there is no Cargo.lock at its top".to_owned()));
        }
        listed(&lock)?;
        self.cargo.update(self.store, scratch.path(), &closure.updates)?;
        self.cargo.workspace(self.store, scratch.path())?;
        let crates = listed(&lock)?;
        if crates.iter().any(|one| self.cargo.cached(&one.name, &one.version).is_empty()) {
            self.bring(&crates, watch)?;
        }
        let sized = |one: &Crate| self.sized(&one.name, &one.version, Some(one.digest), watch);
        let crates = crates.iter().map(sized).collect::<Result<_, _>>()?;
        let linked = |crossing| self.cargo.linked(self.store, scratch.path(), crossing);
        Ok(Locked::Crates(crates, closure.crossing.as_ref().map(linked).transpose()?.unwrap_or_default()))
    }

    /// The crate with the size of its file, which is in cargo's cache.
    fn sized(&self, name: &str, version: &str, digest: Option<Digest>, watch: &Watch<'_>) -> Result<Crate, Error> {
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
            Locked::Url { pin, unpack: Some(unpack) } => (pin.clone(), unpack.strip),
            _ => return Err(Error::CargoLock("its source `src` is not a folder: add `unpack = true`".to_owned())),
        };
        let blob = self.file(&pin, unit, unit, watch)?;
        let file = Output::File { blob, executable: false };
        archive::unpack(self.store, &file, strip).map_err(|error| Error::CargoLock(error.to_string()))
    }
}

/// Copies a folder of files, which cargo may then change.
fn copy_folder(from: &Path, to: &Path) -> Result<(), Error> {
    let broken = |path: &Path, source| Error::Io { path: path.to_owned(), source };
    for entry in fs::read_dir(from).map_err(|error| broken(from, error))? {
        let entry = entry.map_err(|error| broken(from, error))?;
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(|error| broken(&path, error))?;
        if kind.is_dir() {
            fs::create_dir(&copy).map_err(|error| broken(&copy, error))?;
            copy_folder(&path, &copy)?;
        } else if kind.is_file() {
            fs::copy(&path, &copy).map_err(|error| broken(&path, error))?;
        }
    }
    Ok(())
}

/// What the Cargo.lock at `path` names.
fn listed(path: &Path) -> Result<Vec<Crate>, Error> {
    let broken = |source| Error::Io { path: path.to_owned(), source };
    registry_packages(&fs::read_to_string(path).map_err(broken)?).map_err(Error::CargoLock)
}

/// Each package of a Cargo.lock that is not of its workspace; their sizes, which do not stand there, are 0.
fn registry_packages(text: &str) -> Result<Vec<Crate>, String> {
    let unreadable = |error: cargo_lock::Error| {
        let reason = error.to_string();
        format!("its Cargo.lock can't be read: {}", reason.trim_start_matches("parse error: "))
    };
    let lock = cargo_lock::Lockfile::from_str(text).map_err(unreadable)?;
    let mut packages = Vec::new();
    for package in lock.packages {
        let Some(source) = &package.source else { continue };
        let name = format!("{} {}", package.name, package.version);
        if source.is_git() {
            let pinned = if source.precise().is_some() { "" } else { ", at no commit" };
            return Err(format!(
                "`{name}` is from the git repository {}{pinned}; forge takes crates from the registry \
                 only: depend on a published version, or move it into this repository",
                source.url()
            ));
        }
        if !source.is_default_registry() {
            return Err(format!("`{name}` is from another registry, {}", source.url()));
        }
        let checksum = package.checksum.ok_or_else(|| format!("`{name}` has no checksum"))?;
        let digest = checksum.to_string().parse().map_err(|_| format!("`{name}` has no SHA-256 checksum"))?;
        let (name, version) = (package.name.to_string(), package.version.to_string());
        packages.push(Crate { name, version, size: 0, digest });
    }
    Ok(packages)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUM: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

    fn package(fields: &str) -> String {
        format!(
            "version = 4\n\n[[package]]\nname = \"own\"\nversion = \"0.1.0\"\n\n\
                 [[package]]\nname = \"a\"\nversion = \"1.0.0\"\n{fields}"
        )
    }

    #[test]
    fn packages_of_the_registry() {
        let text = package(&format!("source = \"{REGISTRY}\"\nchecksum = \"{SUM}\"\n"));
        let found = registry_packages(&text).expect("a Cargo.lock");
        let (name, version) = ("a".to_owned(), "1.0.0".to_owned());
        assert_eq!(found, [Crate { name, version, size: 0, digest: SUM.parse().expect("hex") }]);
    }

    #[test]
    fn what_is_refused() {
        let git = "source = \"git+https://host/a?branch=main";
        for (fields, words) in [
            (format!("{git}#{}\"\n", "0a".repeat(20)), "from the git repository https://host/a; forge takes"),
            (format!("{git}\"\n"), "at no commit"),
            (format!("source = \"registry+https://host/index\"\nchecksum = \"{SUM}\"\n"), "from another registry"),
            (format!("source = \"{REGISTRY}\"\n"), "has no checksum"),
            ("source = 1".to_owned(), "TOML parse error"),
        ] {
            let error = registry_packages(&package(&fields)).expect_err(words);
            assert!(error.contains(words), "{error}");
        }
    }
}
