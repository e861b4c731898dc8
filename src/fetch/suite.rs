//! Suites of Debian archives, while locking: which InRelease is believed, and the package lists it names.
//!
//! All sources of a suite draw from one InRelease, so that versions never mix. The locked one is
//! used as long as it can be had, from the store at best; only then is a live mirror asked, and its
//! answer judged: a pinned key has signed it, it is of the suite, not expired, not older than before.

use std::collections::BTreeMap;
use std::io::Read;

use super::{Error, Exhausted, Fault, Fetcher, Location, Try, Want, Watch};
use crate::canon;
use crate::debian::date::Date;
use crate::debian::decode::Decoder;
use crate::debian::index::Index;
use crate::debian::limits::Limits;
use crate::debian::openpgp::Key;
use crate::debian::release::{self, Release};
use crate::lockfile::{Pin, Place};
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
    /// The InRelease that the lockfile has, by archive and suite; without one, a live mirror is asked.
    pub locked: BTreeMap<(Name, String), Pin>,
}

/// A suite's package lists for one architecture, verified.
#[derive(Debug)]
pub struct Suite {
    /// As the recipe names it.
    pub archive: Archive,
    /// The InRelease that they were found by.
    pub release: Pin,
    /// The locked InRelease can't be had any more; this is a newer one.
    pub moved: bool,
    packages: String,
}

/// An InRelease that is believed.
#[derive(Clone)]
struct Believed {
    release: Release,
    pin: Pin,
    moved: bool,
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

    /// The date by which the snapshot archive finds what the suite has.
    #[must_use]
    pub fn date(&self) -> &str {
        match &self.release.place {
            Place::Archive { date, .. } => date,
            Place::Url(_) => "",
        }
    }
}

impl Fetcher<'_> {
    /// The suites that `archives` name, each once.
    ///
    /// # Errors
    /// When no place has an InRelease that is believed, or the lists it names.
    pub fn suites<'r>(
        &self,
        archives: impl IntoIterator<Item = &'r Archive>,
        trust: &Trust,
        watch: &Watch<'_>,
    ) -> Result<Vec<Suite>, Error> {
        let mut releases: BTreeMap<(Name, String), Believed> = BTreeMap::new();
        let mut suites: Vec<Suite> = Vec::new();
        for archive in archives {
            if suites.iter().any(|suite| suite.archive == *archive) {
                continue;
            }
            let key = (archive.name.clone(), archive.suite.clone());
            if !releases.contains_key(&key) {
                releases.insert(key.clone(), self.release(archive, trust, watch)?);
            }
            suites.push(self.suite(archive, &releases[&key], watch)?);
        }
        Ok(suites)
    }

    fn release(&self, archive: &Archive, trust: &Trust, watch: &Watch<'_>) -> Result<Believed, Error> {
        let Some(pin) = trust.locked.get(&(archive.name.clone(), archive.suite.clone())) else {
            return self.live(archive, trust, None, watch);
        };
        match self.pinned(pin, &label(archive, "InRelease"), &self.places.of(pin), watch) {
            Ok(blob) => {
                let believed = verify(&self.bytes(&blob)?, archive, trust);
                let release = believed.map_err(|error| Error::Release { name: label(archive, "InRelease"), error })?;
                Ok(Believed { release, pin: pin.clone(), moved: false })
            }
            Err(Error::Exhausted(_)) => Ok(Believed { moved: true, ..self.live(archive, trust, Some(pin), watch)? }),
            Err(error) => Err(error),
        }
    }

    /// The first mirror whose InRelease is believed.
    fn live(
        &self,
        archive: &Archive,
        trust: &Trust,
        locked: Option<&Pin>,
        watch: &Watch<'_>,
    ) -> Result<Believed, Error> {
        let path = release_path(archive)?;
        let mut tries = Vec::new();
        for base in self.places.archive(&archive.name, &trust.now.to_string()) {
            let place = base.join(path.as_str());
            let refused = match self.from(&place, archive, trust, locked, watch) {
                Ok((release, blob)) => return Ok(believed(archive, path, release, blob)),
                Err(Error::Exhausted(exhausted)) => {
                    tries.extend(exhausted.tries);
                    continue;
                }
                Err(error @ (Error::Release { .. } | Error::Stale(_))) => Fault::Refused(error.to_string()),
                Err(error) => return Err(error),
            };
            tries.push(Try { place, fault: refused });
        }
        let name = label(archive, "InRelease");
        Err(Error::Exhausted(Box::new(Exhausted { name, unit: None, digest: None, size: None, tries })))
    }

    fn from(
        &self,
        place: &Location,
        archive: &Archive,
        trust: &Trust,
        locked: Option<&Pin>,
        watch: &Watch<'_>,
    ) -> Result<(Release, Blob), Error> {
        let name = place.to_string();
        let want = Want { name: &name, unit: None, digest: None, size: None, limit: RELEASE_MAX };
        let blob = self.downloader.download(self.store, &want, std::slice::from_ref(place), watch)?;
        let release = verify(&self.bytes(&blob)?, archive, trust)
            .map_err(|error| Error::Release { name: label(archive, "InRelease"), error })?;
        let before = locked.and_then(|pin| match &pin.place {
            Place::Archive { date, .. } => date.parse().ok(),
            Place::Url(_) => None,
        });
        release.freshness(trust.now, before)?;
        self.keep(&blob)?;
        Ok((release, blob))
    }

    fn suite(&self, archive: &Archive, believed: &Believed, watch: &Watch<'_>) -> Result<Suite, Error> {
        let Believed { release, pin, moved } = believed;
        let mut packages = String::new();
        for component in &archive.components {
            packages.push_str(&self.packages(archive, component, release, watch)?);
            packages.push_str("\n\n");
        }
        Ok(Suite { archive: archive.clone(), release: pin.clone(), moved: *moved, packages })
    }

    fn packages(
        &self,
        archive: &Archive,
        component: &str,
        release: &Release,
        watch: &Watch<'_>,
    ) -> Result<String, Error> {
        let folder = format!("{component}/binary-{}", archive.architecture);
        let form = |form: &&str| {
            RelPath::new(format!("{folder}/{form}")).ok().and_then(|path| release.files.get_key_value(&path))
        };
        let name = label(archive, &format!("{folder}/Packages"));
        let (path, file) = FORMS.iter().find_map(form).ok_or_else(|| Error::NoPackages(name.clone()))?;
        let date = release.date.to_string();
        let pin = |path: String| -> Result<Pin, Error> {
            let path = RelPath::new(format!("dists/{}/{path}", archive.suite))?;
            let place = Place::Archive { archive: archive.name.clone(), path, date: date.clone() };
            Ok(Pin { place, size: file.size, digest: file.digest })
        };
        let plain = pin(path.to_string())?;
        let mut places = self.places.of(&plain);
        if release.acquire_by_hash {
            // A mirror may replace the plain file between two requests, never the one named by its digest.
            let by_hash = pin(format!("{folder}/by-hash/SHA256/{}", file.digest.hex()))?;
            places = self.places.of(&by_hash).into_iter().chain(places).collect();
        }
        let blob = self.pinned(&plain, &name, &places, watch)?;
        self.text(&blob).map_err(|source| Error::Packages { name, source })
    }

    /// A pinned file, while locking: there is no unit to lock again.
    fn pinned(&self, pin: &Pin, name: &str, places: &[Location], watch: &Watch<'_>) -> Result<Blob, Error> {
        let want = Want { name, unit: None, digest: Some(pin.digest), size: Some(pin.size), limit: pin.size };
        let blob = self.downloader.download(self.store, &want, places, watch)?;
        self.keep(&blob)?;
        Ok(blob)
    }

    /// Makes the file outlive the next gc, so that the locked index serves again, without a network.
    fn keep(&self, blob: &Blob) -> Result<(), Error> {
        let outputs = BTreeMap::from([(Name::new("out")?, Output::File { blob: *blob, executable: false })]);
        let key = canon::identity("forge index file 1", &blob.digest);
        Ok(self.store.record(&key, &ActionResult { outputs, seconds: 0.0, log: None })?)
    }

    fn bytes(&self, blob: &Blob) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let read = self.store.read(blob)?.read_to_end(&mut bytes);
        read.map_err(|source| Error::Io { path: self.store.root().to_owned(), source })?;
        Ok(bytes)
    }

    fn text(&self, blob: &Blob) -> std::io::Result<String> {
        let file = self.store.read(blob).map_err(std::io::Error::other)?;
        let limits = Limits { bytes: PACKAGES_MAX, ..Limits::ARCHIVE };
        let mut text = String::new();
        Decoder::detect(file, limits)?.read_to_string(&mut text)?;
        Ok(text)
    }
}

fn believed(archive: &Archive, path: RelPath, release: Release, blob: Blob) -> Believed {
    let place = Place::Archive { archive: archive.name.clone(), path, date: release.date.to_string() };
    let pin = Pin { place, size: blob.size, digest: blob.digest };
    Believed { release, pin, moved: false }
}

fn verify(inrelease: &[u8], archive: &Archive, trust: &Trust) -> Result<Release, release::Error> {
    let release = release::verify(inrelease, &trust.keys, &archive.fingerprints)?;
    release.expect_suite(&archive.suite)?;
    Ok(release)
}

fn release_path(archive: &Archive) -> Result<RelPath, Error> {
    Ok(RelPath::new(format!("dists/{}/InRelease", archive.suite))?)
}

fn label(archive: &Archive, file: &str) -> String {
    format!("{} {} {file}", archive.name, archive.suite)
}
