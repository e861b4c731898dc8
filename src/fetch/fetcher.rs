//! Locked sources, brought into the store: what stands there is what was pinned, or it is an error.

use std::io::{self, BufReader, Read};

use tar::EntryType;

use super::{Downloader, Error, Git, Places, Policy, Unusable, Want, Watch};
use crate::debian::deb::Deb as Package;
use crate::debian::decode::{Decoder, Limits};
use crate::debian::unpack::{self, Rules};
use crate::digest::Digest;
use crate::lockfile::{Deb, Pin, Place};
use crate::path::RelPath;
use crate::recipe::Unpack;
use crate::store::{Blob, Output, Store};

/// Fetches sources into a store; used from many threads at once.
pub struct Fetcher<'a> {
    pub(super) store: &'a Store,
    pub(super) places: Places,
    pub(super) downloader: Downloader,
    git: Git,
    offline: bool,
}

impl<'a> Fetcher<'a> {
    /// A fetcher that knows `places`.
    #[must_use]
    pub fn new(store: &'a Store, places: Places, policy: Policy, git: Git) -> Self {
        let offline = policy.offline;
        Self { store, places, downloader: Downloader::new(policy), git, offline }
    }

    /// One pinned file, as it is. `name` is what a person calls it, `unit` whose source it is.
    ///
    /// # Errors
    /// [`Error::Exhausted`] when no place has it.
    pub fn file(&self, pin: &Pin, name: &str, unit: &str, watch: &Watch<'_>) -> Result<Blob, Error> {
        let want = Want { name, unit: Some(unit), digest: Some(pin.digest), size: Some(pin.size), limit: pin.size };
        self.downloader.download(self.store, &want, &self.places.of(pin), watch)
    }

    /// One .deb of a set.
    ///
    /// # Errors
    /// [`Error::Exhausted`] names package and version.
    pub fn deb(&self, deb: &Deb, unit: &str, watch: &Watch<'_>) -> Result<Blob, Error> {
        self.file(&deb.pin, &name(deb), unit, watch)
    }

    /// A file behind a URL, or the tree that it unpacks to.
    ///
    /// # Errors
    /// When no place has it, or it is no archive.
    pub fn url(&self, pin: &Pin, unpack: Option<&Unpack>, unit: &str, watch: &Watch<'_>) -> Result<Output, Error> {
        let name = match &pin.place {
            Place::Url(url) => url.clone(),
            Place::Archive { path, .. } => path.to_string(),
        };
        let blob = self.file(pin, &name, unit, watch)?;
        let Some(unpack) = unpack else { return Ok(Output::File { blob, executable: false }) };
        let tree = self.open(&blob).and_then(|file| tree(self.store, file, unpack));
        tree.map(Output::Tree).map_err(|reason| Error::Unusable { name, reason: Box::new(reason) })
    }

    /// One file of one package, or the tree that it unpacks to; without `member`, all files of the package.
    ///
    /// # Errors
    /// When no place has the package, or it has no such file.
    pub fn deb_member(
        &self,
        deb: &Deb,
        member: Option<&RelPath>,
        unpack: Option<&Unpack>,
        unit: &str,
        watch: &Watch<'_>,
    ) -> Result<Output, Error> {
        let blob = self.deb(deb, unit, watch)?;
        let output = self.open(&blob).and_then(|file| match member {
            Some(member) => self.member(file, member, unpack),
            None => self.package(file),
        });
        output.map_err(|reason| Error::Unusable { name: name(deb), reason: Box::new(reason) })
    }

    /// The tree of a pinned commit.
    ///
    /// # Errors
    /// When no place has the commit, or its tree is not the pinned one.
    pub fn git(&self, url: &str, commit: &str, tree: &Digest) -> Result<Output, Error> {
        self.git.fetch(self.store, url, &self.repositories(url), commit, tree)
    }

    pub(super) fn pin_git(&self, url: &str, rev: &crate::recipe::Rev) -> Result<(String, Digest), Error> {
        self.git.pin(self.store, url, &self.repositories(url), rev)
    }

    fn repositories(&self, url: &str) -> Vec<String> {
        let local = |place: &String| place.starts_with('/') || place.starts_with("file:");
        self.places.git(url).into_iter().filter(|place| !self.offline || local(place)).collect()
    }

    /// Verified while it is read.
    fn open(&self, blob: &Blob) -> Result<BufReader<Box<dyn Read + Send>>, Unusable> {
        Ok(BufReader::with_capacity(128 << 10, self.store.read(blob)?))
    }

    fn package(&self, file: impl Read) -> Result<Output, Unusable> {
        let mut sink = unpack::StoreSink::new(self.store);
        Package::open(file)?.unpack(&Rules::default(), &mut sink)?;
        Ok(Output::Tree(sink.finish()?))
    }

    fn member(&self, file: impl Read, wanted: &RelPath, unpack: Option<&Unpack>) -> Result<Output, Unusable> {
        let mut found = None;
        Package::open(file)?.entries(|member, content| {
            if member.kind == EntryType::Regular && is(&member.name, wanted) {
                found = Some(match unpack {
                    Some(unpack) => Output::Tree(tree(self.store, content, unpack)?),
                    None => self.copy(content, member.mode & 0o100 != 0)?,
                });
            }
            Ok::<_, Unusable>(())
        })?;
        found.ok_or_else(|| Unusable::NoMember(wanted.clone()))
    }

    fn copy(&self, content: &mut dyn Read, executable: bool) -> Result<Output, Unusable> {
        let mut writer = self.store.writer()?;
        io::copy(content, &mut writer)?;
        Ok(Output::File { blob: writer.finish()?, executable })
    }
}

fn tree(store: &Store, archive: impl Read, unpack: &Unpack) -> Result<Blob, Unusable> {
    let mut decoder = Decoder::detect(archive, Limits::ARCHIVE)?;
    let rules = Rules { strip: unpack.strip, ..Rules::default() };
    Ok(unpack::into_store(&mut decoder, &rules, store)?.0)
}

/// tar writes relative names with `./` before them.
fn is(name: &[u8], wanted: &RelPath) -> bool {
    name.strip_prefix(b"./").unwrap_or(name) == wanted.as_str().as_bytes()
}

fn name(deb: &Deb) -> String {
    format!("{} {}", deb.package, deb.version)
}
