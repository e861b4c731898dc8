//! Locking: what a source means now, pinned so that it means the same for ever.

use super::{Error, Fetcher, Suite, Want, Watch};
use crate::debian::index::Index;
use crate::debian::package::Package;
use crate::debian::resolve::resolve;
use crate::debian::root::Root;
use crate::lockfile::{Deb, Locked, Pin, Place};
use crate::recipe::{Archive, Source};

/// The largest file behind a URL.
const URL_MAX: u64 = 8 << 30;

/// The suites of a project, parsed once for all sources.
pub struct Indexes<'s>(Vec<(&'s Suite, Index<'s>)>);

impl<'s> Indexes<'s> {
    /// Parses the package lists.
    ///
    /// # Errors
    /// When one makes no sense.
    pub fn new(suites: &'s [Suite]) -> Result<Self, Error> {
        suites.iter().map(|suite| Ok((suite, suite.index()?))).collect::<Result<_, _>>().map(Self)
    }

    fn of(&self, archive: &Archive) -> &(&'s Suite, Index<'s>) {
        self.0
            .iter()
            .find(|(suite, _)| suite.archive == *archive)
            .expect("BUG: the suite of every source is fetched first")
    }
}

impl Fetcher<'_> {
    /// Pins a source. `indexes` has the suite of each archive that sources name.
    ///
    /// # Errors
    /// When the source can't be had, or its packages can't be installed together.
    ///
    /// # Panics
    /// When `indexes` lacks the source's archive.
    pub fn pin(&self, source: &Source, indexes: &Indexes<'_>, watch: &Watch<'_>) -> Result<Locked, Error> {
        Ok(match source {
            Source::Debs { archive, packages, essential } => {
                Locked::Debs(debs(indexes.of(archive), packages, *essential)?)
            }
            Source::DebMember { archive, package, member, unpack } => {
                let deb = candidate(indexes.of(archive), package)?;
                Locked::DebMember { deb, member: member.clone(), unpack: unpack.clone() }
            }
            Source::Url { url, unpack } => Locked::File { pin: self.pin_url(url, watch)?, unpack: unpack.clone() },
            Source::Supplied { name, unpack } => {
                Locked::File { pin: self.pin_supplied(name, watch)?, unpack: unpack.clone() }
            }
            Source::Git { url, rev } => {
                let (commit, tree) = self.pin_git(url, rev)?;
                Locked::Git { url: url.clone(), commit, tree }
            }
            Source::Oci { reference } => self.pin_oci(reference)?,
            Source::Crate(published) => Locked::Crate(self.pin_crate(published, watch)?),
            Source::Crates(_) => unreachable!("BUG: crates are pinned by what their source holds"),
            Source::Path { directory, include, exclude } => {
                Locked::Path { directory: directory.clone(), include: include.clone(), exclude: exclude.clone() }
            }
        })
    }

    fn pin_url(&self, url: &str, watch: &Watch<'_>) -> Result<Pin, Error> {
        let want = Want { name: url, unit: None, digest: None, size: None, limit: URL_MAX };
        let blob = self.downloader.download(self.store, &want, &self.places.url(url), watch)?;
        Ok(Pin { place: Place::Url(url.to_owned()), size: blob.size, digest: blob.digest })
    }
}

/// The closed set that `packages` come to, sorted by name.
fn debs((suite, index): &(&Suite, Index<'_>), packages: &[String], essential: bool) -> Result<Vec<Deb>, Error> {
    let roots = packages.iter().map(|package| package.parse()).collect::<Result<Vec<Root>, _>>()?;
    let set = resolve(index, &roots, essential).map_err(Error::Unresolved)?;
    let mut debs: Vec<Deb> = set.into_iter().map(|package| deb(suite, package)).collect();
    debs.sort_by(|a, b| (&a.package, &a.architecture).cmp(&(&b.package, &b.architecture)));
    Ok(debs)
}

fn candidate((suite, index): &(&Suite, Index<'_>), package: &str) -> Result<Deb, Error> {
    let candidate = index.versions(package).next();
    let missing = || Error::NoPackage { package: package.to_owned(), suite: suite.archive.suite.clone() };
    candidate.map(|found| deb(suite, found)).ok_or_else(missing)
}

fn deb(suite: &Suite, package: &Package<'_>) -> Deb {
    let archive = suite.archive.name.clone();
    let place = Place::Archive { archive, path: package.filename.clone(), date: suite.locked.date.clone() };
    Deb {
        package: package.name.to_owned(),
        version: package.version.as_str().to_owned(),
        architecture: package.architecture.to_owned(),
        pin: Pin { place, size: package.size, digest: package.sha256 },
    }
}
