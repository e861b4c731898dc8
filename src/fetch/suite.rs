//! Suites of Debian archives, while locking: which InRelease is believed, and the package lists it names.
//!
//! All sources of an archive draw from one state of it, so that versions never mix. The locked one is
//! used as long as its lists can be had, from the store at best; only then is a live mirror asked, and
//! its answer judged: a pinned key has signed it, it is of the suite, not expired, not older than before.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use super::{Error, Exhausted, Fault, Fetcher, Location, Try, Want, Watch};
use crate::canon;
use crate::debian::date::Date;
use crate::debian::decode::Decoder;
use crate::debian::index::Index;
use crate::debian::limits::Limits;
use crate::debian::openpgp::Key;
use crate::debian::release::{self, Release};
use crate::lockfile::{self, Pin, Place};
use crate::path::{Name, RelPath};
use crate::recipe::Archive;
use crate::store::{ActionResult, Blob, Output};

/// A real InRelease has 150 kB.
const RELEASE_MAX: u64 = 16 << 20;
/// A package list; the one of Debian's unstable main has 60 MB.
const PACKAGES_MAX: u64 = 1 << 30;
/// The forms of a package list, smallest first.
const FORMS: [&str; 3] = ["Packages.xz", "Packages.gz", "Packages"];

/// What locking believes.
pub struct Trust {
    /// The keys that the project pins.
    pub keys: Vec<Key>,
    /// The moment of locking.
    pub now: Date,
    /// The states that are locked, as [`lockfile::Lockfile::suites`] has them; for other archives a live mirror is asked.
    pub locked: BTreeMap<Name, lockfile::Suite>,
    /// The archives to ask a live mirror for all the same; it may not go back behind the locked state.
    pub update: BTreeSet<Name>,
}

/// A state of an archive, with its package lists for one architecture.
#[derive(Debug)]
pub struct Suite {
    /// As the recipe names it.
    pub archive: Archive,
    /// The state, for the lockfile.
    pub locked: lockfile::Suite,
    /// The locked state can't be had any more; this is a newer one.
    pub moved: bool,
    packages: String,
}

impl Suite {
    /// The packages, to resolve in; takes a tenth of a second, so do it once.
    ///
    /// # Errors
    /// When the list makes no sense.
    pub fn index(&self) -> Result<Index<'_>, Error> {
        let suite = self.archive.suite.clone();
        Index::parse(&self.packages, &self.archive.architecture).map_err(|error| Error::Index { suite, error })
    }
}

impl Fetcher<'_> {
    /// The suites of `archives`, each once.
    ///
    /// # Errors
    /// When no place has an InRelease that is believed, or the lists it names.
    pub fn suites<'r>(
        &self,
        archives: impl IntoIterator<Item = &'r Archive>,
        trust: &Trust,
        watch: &Watch<'_>,
    ) -> Result<Vec<Suite>, Error> {
        let mut suites: Vec<Suite> = Vec::new();
        for archive in archives {
            if suites.iter().all(|suite| suite.archive != *archive) {
                suites.push(self.suite(archive, trust, watch)?);
            }
        }
        Ok(suites)
    }

    fn suite(&self, archive: &Archive, trust: &Trust, watch: &Watch<'_>) -> Result<Suite, Error> {
        let old = trust.locked.get(&archive.name).filter(|old| old.suite == archive.suite);
        let stay = old.filter(|_| !trust.update.contains(&archive.name));
        let (found, moved) = match stay.map(|old| self.again(archive, old, trust, watch)) {
            Some(Err(Error::Exhausted(_))) => (self.live(archive, trust, old, watch)?, true),
            Some(found) => (found?, false),
            None => (self.live(archive, trust, old, watch)?, false),
        };
        let (locked, packages) = found;
        Ok(Suite { archive: archive.clone(), locked, moved, packages })
    }

    /// The locked state and its lists. The InRelease is needed only for a list that was not locked yet.
    fn again(
        &self,
        archive: &Archive,
        old: &lockfile::Suite,
        trust: &Trust,
        watch: &Watch<'_>,
    ) -> Result<(lockfile::Suite, String), Error> {
        let has = |folder: &String| old.indexes.iter().any(|index| is_in(index, folder));
        let mut locked = old.clone();
        if !folders(archive).iter().all(has) {
            let name = label(archive, "InRelease");
            let bases = self.places.archive(&archive.name, &old.date);
            let path = release_path(archive)?;
            let below = bases.iter().map(|base| base.join(path.as_str()));
            let places: Vec<Location> = self.places.by_digest(&old.inrelease).into_iter().chain(below).collect();
            let want = Want { digest: Some(old.inrelease), ..release_want(&name) };
            let blob = self.downloader.download(self.store, &want, &places, watch)?;
            locked.indexes = lists(archive, &self.verify(&blob, archive, trust)?)?;
        }
        let packages = self.packages(archive, &locked, watch)?;
        Ok((locked, packages))
    }

    /// The state of the first mirror whose InRelease is believed.
    fn live(
        &self,
        archive: &Archive,
        trust: &Trust,
        old: Option<&lockfile::Suite>,
        watch: &Watch<'_>,
    ) -> Result<(lockfile::Suite, String), Error> {
        let path = release_path(archive)?;
        let mut tries = Vec::new();
        for base in self.places.archive(&archive.name, &trust.now.to_string()) {
            let place = base.join(path.as_str());
            let fault = match self.believe(&place, archive, trust, old, watch) {
                Ok(locked) => {
                    let packages = self.packages(archive, &locked, watch)?;
                    return Ok((locked, packages));
                }
                Err(Error::Exhausted(exhausted)) => {
                    tries.extend(exhausted.tries);
                    continue;
                }
                Err(error @ (Error::Release { .. } | Error::Stale(_))) => Fault::Refused(error.to_string()),
                Err(error) => return Err(error),
            };
            tries.push(Try { place, fault });
        }
        let name = label(archive, "InRelease");
        Err(Error::Exhausted(Box::new(Exhausted { name, unit: None, digest: None, size: None, tries })))
    }

    fn believe(
        &self,
        place: &Location,
        archive: &Archive,
        trust: &Trust,
        old: Option<&lockfile::Suite>,
        watch: &Watch<'_>,
    ) -> Result<lockfile::Suite, Error> {
        let name = place.to_string();
        let want = release_want(&name);
        let blob = self.downloader.download(self.store, &want, std::slice::from_ref(place), watch)?;
        let release = self.verify(&blob, archive, trust)?;
        release.freshness(trust.now, old.and_then(|old| old.date.parse().ok()))?;
        Ok(lockfile::Suite {
            archive: archive.name.clone(),
            suite: archive.suite.clone(),
            date: release.date.to_string(),
            inrelease: blob.digest,
            indexes: lists(archive, &release)?,
        })
    }

    fn verify(&self, blob: &Blob, archive: &Archive, trust: &Trust) -> Result<Release, Error> {
        let mut bytes = Vec::new();
        let read = self.store.read(blob)?.read_to_end(&mut bytes);
        read.map_err(|source| Error::Io { path: self.store.root().to_owned(), source })?;
        let release = release::verify(&bytes, &trust.keys, &archive.fingerprints);
        let release = release.and_then(|release| release.expect_suite(&archive.suite).map(|()| release));
        release.map_err(|error| Error::Release { name: label(archive, "InRelease"), error: Box::new(error) })
    }

    /// The package lists of all components, as one.
    pub(super) fn packages(
        &self,
        archive: &Archive,
        state: &lockfile::Suite,
        watch: &Watch<'_>,
    ) -> Result<String, Error> {
        let mut packages = String::new();
        for folder in folders(archive) {
            let index = state.indexes.iter().find(|index| is_in(index, &folder));
            let index = index.ok_or_else(|| Error::NoPackages(label(archive, &folder)))?;
            packages.push_str(&self.list(state, index, watch)?);
            packages.push_str("\n\n");
        }
        Ok(packages)
    }

    fn list(&self, state: &lockfile::Suite, index: &lockfile::Index, watch: &Watch<'_>) -> Result<String, Error> {
        let blob = self.index(state, index, watch)?;
        let name = format!("{} {} {}", state.archive, state.suite, index.path);
        self.keep(&name, &blob)?;
        self.text(&blob).map_err(|source| Error::Packages { name, source })
    }

    /// A locked package list, as it is transferred.
    ///
    /// # Errors
    /// [`Error::Exhausted`] when no place has it.
    pub fn index(&self, state: &lockfile::Suite, index: &lockfile::Index, watch: &Watch<'_>) -> Result<Blob, Error> {
        let (size, digest) = (index.size, index.digest);
        let places = |path: &str| -> Result<Vec<Location>, Error> {
            let path = RelPath::new(format!("dists/{}/{path}", state.suite))?;
            let place = Place::Archive { archive: state.archive.clone(), path, date: state.date.clone() };
            Ok(self.places.of(&Pin { place, size, digest }))
        };
        // A mirror may replace the plain file between two requests, never the one named by its digest.
        let folder = index.path.parent().map(|folder| format!("{folder}/")).unwrap_or_default();
        let by_hash = places(&format!("{folder}by-hash/SHA256/{}", digest.hex()))?;
        let places: Vec<Location> = by_hash.into_iter().chain(places(index.path.as_str())?).collect();
        let name = format!("{} {} {}", state.archive, state.suite, index.path);
        let want = Want { name: &name, unit: None, digest: Some(digest), size: Some(size), limit: size };
        self.downloader.download(self.store, &want, &places, watch)
    }

    /// Makes the list outlive the next gc, so that the locked state serves again, without a network.
    fn keep(&self, name: &str, blob: &Blob) -> Result<(), Error> {
        let outputs = BTreeMap::from([(Name::new("out")?, Output::File { blob: *blob, executable: false })]);
        let key = canon::identity("forge package list 1", &blob.digest);
        let label = format!("package lists: {name}");
        Ok(self.store.record(&key, &ActionResult { label, outputs, ..ActionResult::default() })?)
    }

    fn text(&self, blob: &Blob) -> std::io::Result<String> {
        let file = self.store.read(blob).map_err(std::io::Error::other)?;
        let limits = Limits { bytes: PACKAGES_MAX, ..Limits::ARCHIVE };
        let mut text = String::new();
        Decoder::detect(file, limits)?.read_to_string(&mut text)?;
        Ok(text)
    }
}

/// Where the lists of an archive's components lie, below `dists/<suite>`.
fn folders(archive: &Archive) -> Vec<String> {
    archive.components.iter().map(|component| format!("{component}/binary-{}", archive.architecture)).collect()
}

fn is_in(index: &lockfile::Index, folder: &str) -> bool {
    index.path.parent().is_some_and(|parent| parent.as_str() == folder)
}

/// The lists that a release names for an archive's components, each in its smallest form.
fn lists(archive: &Archive, release: &Release) -> Result<Vec<lockfile::Index>, Error> {
    let list = |folder: &String| {
        let path = |form: &&str| RelPath::new(format!("{folder}/{form}")).ok();
        let found = FORMS.iter().filter_map(|form| release.files.get_key_value(&path(form)?)).next();
        let (path, file) = found.ok_or_else(|| Error::NoPackages(label(archive, folder)))?;
        Ok(lockfile::Index { path: path.clone(), size: file.size, digest: file.digest })
    };
    folders(archive).iter().map(list).collect()
}

fn release_want(name: &str) -> Want<'_> {
    Want { name, unit: None, digest: None, size: None, limit: RELEASE_MAX }
}

fn release_path(archive: &Archive) -> Result<RelPath, Error> {
    Ok(RelPath::new(format!("dists/{}/InRelease", archive.suite))?)
}

fn label(archive: &Archive, file: &str) -> String {
    format!("{} {} {file}", archive.name, archive.suite)
}
