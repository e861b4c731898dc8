//! What a pinned source is.

use std::collections::BTreeMap;

use super::Linked;
use super::repository::GitCrate;
use crate::digest::Digest;
use crate::path::{Name, RelPath};
use crate::recipe::Unpack;
use crate::registry::Repository;
use crate::store::Blob;

/// A pinned file: where archives keep it, and what it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// Where it is to be had.
    pub place: Place,
    /// In bytes.
    pub size: u64,
    /// Of its content.
    pub digest: Digest,
}

/// Where a pinned file is to be had; hosts are configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Below any base of an archive.
    Archive {
        /// The archive.
        archive: Name,
        /// Where in it.
        path: RelPath,
        /// The locked state (`20260912T075541Z`), by which the permanent snapshot knows it.
        date: String,
    },
    /// At one address.
    Url(String),
    /// With the user, who has to say where; this is what recipes call it.
    Supplied(String),
    /// In a repository of an OCI registry.
    Oci {
        /// Which.
        repository: Repository,
        /// Whether it is a manifest, which registries keep apart from blobs.
        manifest: bool,
    },
    /// In the crate registry, as cargo is configured.
    Registry {
        /// The package.
        name: String,
        /// Its version.
        version: String,
    },
}

/// A package of the crate registry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Crate {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Of the `.crate` file, in bytes.
    pub size: u64,
    /// Of the `.crate` file, as Cargo.lock has it.
    pub digest: Digest,
}

impl Crate {
    /// How many leading folders a `.crate` file has: `<name>-<version>/`.
    pub const STRIP: u32 = 1;

    /// The file.
    #[must_use]
    pub fn pin(&self) -> Pin {
        let place = Place::Registry { name: self.name.clone(), version: self.version.clone() };
        Pin { place, size: self.size, digest: self.digest }
    }

    /// What it is known by in the lockfile: `serde 1.0.200`.
    #[must_use]
    pub fn reference(&self) -> String {
        format!("{} {}", self.name, self.version)
    }
}

/// A .deb of a locked set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deb {
    /// Its name.
    pub package: String,
    /// With epoch and revision.
    pub version: String,
    /// The package's own: `amd64` or `all`.
    pub architecture: String,
    /// The file.
    pub pin: Pin,
}

impl Deb {
    /// The archive it is from.
    #[must_use]
    pub fn archive(&self) -> Option<&Name> {
        self.state().map(|(archive, _)| archive)
    }

    /// The archive it is from, and that archive's state.
    pub(super) fn state(&self) -> Option<(&Name, &str)> {
        match &self.pin.place {
            Place::Archive { archive, date, .. } => Some((archive, date)),
            Place::Url(_) | Place::Supplied(_) | Place::Oci { .. } | Place::Registry { .. } => None,
        }
    }

    /// What it is known by in the lockfile; only one version of it may be there.
    pub(super) fn key(&self) -> (Option<&Name>, &str, &str) {
        (self.state().map(|(archive, _)| archive), &self.package, &self.architecture)
    }

    /// The key in words: `debian/gcc:amd64`.
    #[must_use]
    pub fn reference(&self) -> String {
        let archive = self.state().map_or("", |(archive, _)| archive.as_str());
        format!("{archive}/{}:{}", self.package, self.architecture)
    }

    pub(super) fn brief(&self) -> String {
        format!("{} {}", self.version, self.pin.digest)
    }

    /// Whether it can be written as one line of words.
    fn is_plain(&self) -> bool {
        let word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
        let key = |text: &str| word(text) && !text.contains([':', '/']);
        key(&self.package) && key(&self.architecture) && word(&self.version) && self.state().is_some()
    }
}

/// A source, pinned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Locked {
    /// A closed set of packages, sorted.
    Debs(Vec<Deb>),
    /// One package, or one file in it.
    DebMember {
        /// The package.
        deb: Deb,
        /// The file in it; its whole data tree if there is none.
        member: Option<RelPath>,
        /// Whether to unpack that file.
        unpack: Option<Unpack>,
    },
    /// A file, from an address or from the user.
    File {
        /// The file.
        pin: Pin,
        /// Whether to unpack it.
        unpack: Option<Unpack>,
    },
    /// One state of a git repository.
    Git {
        /// The repository.
        url: String,
        /// 40 hex digits.
        commit: String,
        /// The root of the checked-out tree, as the store names it.
        tree: Blob,
    },
    /// An image of a registry.
    Oci {
        /// Its repository.
        repository: Repository,
        /// What its name led to: the index of an image for many platforms, else the manifest.
        index: Digest,
        /// Its manifest.
        manifest: Blob,
        /// Its configuration, then its layers.
        blobs: Vec<Blob>,
    },
    /// A package of the crate registry, unpacked.
    Crate(Crate),
    /// The packages that a Cargo.lock names, all sorted.
    Crates {
        /// Those of the crate registry.
        published: Vec<Crate>,
        /// Those of git repositories.
        git: Vec<GitCrate>,
        /// The features of those that cross between a program and its plugins.
        features: Vec<Linked>,
    },
    /// Files of this repository; not pinned, but hashed when they are read.
    Path {
        /// The recipe's directory, relative to the project.
        directory: RelPath,
        /// Globs of the files.
        include: Vec<String>,
        /// Globs of files to leave out.
        exclude: Vec<String>,
    },
}

impl Locked {
    /// Its packages.
    #[must_use]
    pub fn debs(&self) -> &[Deb] {
        match self {
            Self::Debs(debs) => debs,
            Self::DebMember { deb, .. } => std::slice::from_ref(deb),
            _ => &[],
        }
    }

    /// Its packages of the crate registry.
    #[must_use]
    pub fn crates(&self) -> &[Crate] {
        match self {
            Self::Crate(one) => std::slice::from_ref(one),
            Self::Crates { published, .. } => published,
            _ => &[],
        }
    }

    /// The files of an image: its manifest, then its blobs.
    #[must_use]
    pub fn image(&self) -> Vec<Pin> {
        let Self::Oci { repository, manifest, blobs, .. } = self else { return Vec::new() };
        let pin = |blob: &Blob, manifest: bool| {
            let place = Place::Oci { repository: repository.clone(), manifest };
            Pin { place, size: blob.size, digest: blob.digest }
        };
        std::iter::once(pin(manifest, true)).chain(blobs.iter().map(|blob| pin(blob, false))).collect()
    }

    /// Its packages of git repositories.
    #[must_use]
    pub fn git_crates(&self) -> &[GitCrate] {
        if let Self::Crates { git, .. } = self { git } else { &[] }
    }

    /// Those of its packages whose features are known.
    #[must_use]
    pub fn linked(&self) -> &[Linked] {
        if let Self::Crates { features, .. } = self { features } else { &[] }
    }
}

/// A pinned source, and what it was pinned for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// [`crate::recipe::Source::specification`] of what the recipe said.
    pub spec: Digest,
    /// What it is.
    pub locked: Locked,
}

impl Entry {
    /// Its packages.
    #[must_use]
    pub fn debs(&self) -> &[Deb] {
        self.locked.debs()
    }

    /// The archives of its packages.
    pub(super) fn archives(&self) -> impl Iterator<Item = &Name> {
        self.debs().iter().filter_map(Deb::state).map(|(archive, _)| archive)
    }

    /// With its packages in the lockfile's order, each once.
    pub(super) fn sorted(mut self) -> Self {
        match &mut self.locked {
            Locked::Debs(debs) => {
                debs.sort_by(|a, b| a.key().cmp(&b.key()));
                debs.dedup();
            }
            Locked::Crates { published, git, features } => {
                published.sort();
                published.dedup();
                git.sort_by_cached_key(GitCrate::reference);
                git.dedup();
                features.sort();
            }
            _ => {}
        }
        self
    }

    /// What of it the lockfile has no words for.
    pub(super) fn unwritable(&self) -> Option<String> {
        let mut first = BTreeMap::new();
        for deb in self.debs() {
            if !deb.is_plain() {
                return Some(format!("the package {deb:?} is not from an archive, or has odd characters"));
            }
            let other = first.insert(deb.key(), deb).filter(|other| *other != deb);
            if let Some(other) = other {
                return Some(format!("`{}` is there twice\nhave {}\n got {}", deb.package, other.brief(), deb.brief()));
            }
        }
        match &self.locked {
            Locked::File { pin, .. } if !matches!(pin.place, Place::Url(_) | Place::Supplied(_)) => {
                Some("a `url` or `supplied` source can't be pinned to an archive or a registry".to_owned())
            }
            Locked::Path { .. } => Some("a `path` source is never locked".to_owned()),
            Locked::Crates { git, .. } => {
                let odd = git.iter().find(|one| !one.is_plain())?;
                Some(format!("the package {odd:?} has odd characters"))
            }
            _ => None,
        }
    }
}

/// The locked state of a Debian archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suite {
    /// The archive recipe's name.
    pub archive: Name,
    /// Such as `trixie`.
    pub suite: String,
    /// The time (`20260912T075541Z`) by which the permanent snapshot knows this state.
    pub date: String,
    /// The InRelease file.
    pub inrelease: Digest,
    /// The package indexes it names, by path.
    pub indexes: Vec<Index>,
}

/// A package index, as InRelease names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Index {
    /// Below `dists/<suite>/`.
    pub path: RelPath,
    /// In bytes.
    pub size: u64,
    /// Of the file as it is transferred.
    pub digest: Digest,
}
