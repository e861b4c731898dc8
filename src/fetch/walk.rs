//! Directories of the project as they stand now: read once a run, and shared by all path sources.
//!
//! No file is opened, no symlink followed. Directories are opened beneath the project's, by the
//! kernel's own rule (`openat2`, `RESOLVE_BENEATH`), so that none outside is ever read.

use std::collections::HashMap;
use std::ffi::CStr;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::Error;
use crate::digest::{Digest, Hasher};
use crate::parallel;
use crate::path::{PathError, RelPath};

/// Never part of a source, at any depth: the history, cargo's output and forge's own links.
pub(super) const NEVER: [&str; 3] = [".git", "result", "target"];

/// Below this many directories a thread costs more than it saves.
const MANY: usize = 8;

/// How many directories are read at once; more only wait for the kernel.
const THREADS: usize = 4;

/// By what a file is known to be unchanged. Times are nanoseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) dev: u64,
    pub(super) ino: u64,
    pub(super) size: u64,
    pub(super) mtime: i64,
    pub(super) ctime: i64,
    pub(super) mode: u32,
}

impl Stat {
    /// The fields, in the order in which they are hashed and written.
    pub(super) fn bytes(&self) -> [u8; 44] {
        let Self { dev, ino, size, mtime, ctime, mode } = self;
        let mut bytes = [0; 44];
        for (at, field) in [dev.to_le_bytes(), ino.to_le_bytes(), size.to_le_bytes()].iter().enumerate() {
            bytes[at * 8..][..8].copy_from_slice(field);
        }
        bytes[24..32].copy_from_slice(&mtime.to_le_bytes());
        bytes[32..40].copy_from_slice(&ctime.to_le_bytes());
        bytes[40..].copy_from_slice(&mode.to_le_bytes());
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8; 44]) -> Self {
        let word = |at: usize| <[u8; 8]>::try_from(&bytes[at..at + 8]).expect("BUG: eight bytes");
        Self {
            dev: u64::from_le_bytes(word(0)),
            ino: u64::from_le_bytes(word(8)),
            size: u64::from_le_bytes(word(16)),
            mtime: i64::from_le_bytes(word(24)),
            ctime: i64::from_le_bytes(word(32)),
            mode: u32::from_le_bytes(bytes[40..].try_into().expect("BUG: four bytes")),
        }
    }

    pub(super) fn executable(&self) -> bool {
        self.mode & 0o100 != 0
    }

    pub(super) fn is_file(&self) -> bool {
        FileType::from_raw_mode(self.mode) == FileType::RegularFile
    }
}

impl From<fs::Stat> for Stat {
    fn from(stat: fs::Stat) -> Self {
        // Seconds and nanoseconds have different widths on different architectures.
        #[allow(clippy::unnecessary_cast, clippy::cast_possible_wrap)]
        let time = |seconds, nanoseconds| (seconds as i64).wrapping_mul(1_000_000_000).wrapping_add(nanoseconds as i64);
        #[allow(clippy::unnecessary_cast, clippy::cast_sign_loss)]
        Self {
            dev: stat.st_dev as u64,
            ino: stat.st_ino as u64,
            size: stat.st_size as u64,
            mtime: time(stat.st_mtime, stat.st_mtime_nsec),
            ctime: time(stat.st_ctime, stat.st_ctime_nsec),
            mode: stat.st_mode as u32,
        }
    }
}

/// What stands in a directory.
#[derive(Debug)]
pub(super) enum Kind {
    File(Stat),
    Directory,
    Symlink(String),
    Special,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: RelPath,
    pub(super) kind: Kind,
}

/// The entries of a directory, sorted by name.
pub(super) type Listing = Arc<Vec<Entry>>;

/// What was seen in this run.
pub(super) struct Walk {
    project: PathBuf,
    root: OwnedFd,
    listings: HashMap<RelPath, Listing>,
    states: HashMap<RelPath, Digest>,
}

impl Walk {
    pub(super) fn new(project: &Path) -> Result<Self, Error> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = fs::open(project, flags, Mode::empty())
            .map_err(|error| Error::Io { path: project.to_owned(), source: error.into() })?;
        Ok(Self { project: project.to_owned(), root, listings: HashMap::new(), states: HashMap::new() })
    }

    /// Where a file of the project lies.
    pub(super) fn full(&self, path: &RelPath) -> PathBuf {
        self.project.join(path)
    }

    /// What is there now, past what was seen before.
    pub(super) fn stat(&self, path: &RelPath) -> Result<Stat, Error> {
        let stat = fs::statat(&self.root, path.as_str(), AtFlags::SYMLINK_NOFOLLOW);
        stat.map(Stat::from).map_err(|error| Error::Io { path: self.full(path), source: error.into() })
    }

    /// Whether a file seen in an earlier run is known to be gone.
    pub(super) fn gone(&self, path: &RelPath) -> bool {
        let listing = path.parent().and_then(|parent| self.listings.get(&parent));
        listing
            .is_some_and(|listing| listing.binary_search_by(|entry| entry.name.as_str().cmp(path.file_name())).is_err())
    }

    /// The latest change of a file that was seen, in nanoseconds since 1970.
    pub(super) fn newest(&self) -> i64 {
        let changed = |entry: &Entry| if let Kind::File(stat) = &entry.kind { stat.ctime } else { i64::MIN };
        self.listings.values().flat_map(|listing| listing.iter().map(changed)).max().unwrap_or(i64::MIN)
    }

    /// Whether an entry of the directory, or a `recipe.toml` right below it, is a link.
    pub(super) fn has_linked_recipe(&self, directory: &RelPath) -> bool {
        let link = |entry: &Entry| matches!(entry.kind, Kind::Symlink(_));
        let recipe = |entry: &Entry| entry.name.as_str() == "recipe.toml" && link(entry);
        let below = |entry: &Entry| self.listings.get(&directory.join(&entry.name));
        self.listings.get(directory).is_some_and(|listing| {
            listing.iter().any(|entry| link(entry) || below(entry).is_some_and(|below| below.iter().any(recipe)))
        })
    }

    pub(super) fn list(&mut self, directory: &RelPath) -> Result<Listing, Error> {
        if let Some(listing) = self.listings.get(directory) {
            return Ok(Arc::clone(listing));
        }
        let listing = Arc::new(self.read(directory)?);
        self.listings.insert(directory.clone(), Arc::clone(&listing));
        Ok(listing)
    }

    /// Reads many directories at once, so that [`Walk::list`] finds them read.
    fn list_all(&mut self, mut directories: Vec<RelPath>) -> Result<(), Error> {
        directories.retain(|directory| !self.listings.contains_key(directory));
        let threads = if directories.len() < MANY { 1 } else { THREADS };
        let listings = parallel::each(&directories, threads, |directory| self.read(directory).map(Arc::new))?;
        self.listings.extend(directories.into_iter().zip(listings));
        Ok(())
    }

    /// A digest of all that [`Kind`] says of everything below the directory: equal as long as nothing changes.
    pub(super) fn state(&mut self, directory: &RelPath) -> Result<Digest, Error> {
        if let Some(state) = self.states.get(directory) {
            return Ok(*state);
        }
        let listing = self.list(directory)?;
        let below = listing.iter().filter(|entry| matches!(entry.kind, Kind::Directory));
        self.list_all(below.map(|entry| directory.join(&entry.name)).collect())?;
        let mut hasher = Hasher::default();
        for Entry { name, kind } in listing.iter() {
            hasher.update(name.as_str().as_bytes());
            match kind {
                Kind::File(stat) => {
                    hasher.update(b"\0f");
                    hasher.update(&stat.bytes());
                }
                Kind::Directory => {
                    hasher.update(b"\0d");
                    hasher.update(self.state(&directory.join(name))?.bytes());
                }
                Kind::Symlink(target) => {
                    hasher.update(b"\0l");
                    hasher.update(Digest::of(target.as_bytes()).bytes());
                }
                Kind::Special => hasher.update(b"\0s"),
            }
        }
        let state = hasher.finish().0;
        self.states.insert(directory.clone(), state);
        Ok(state)
    }

    fn read(&self, directory: &RelPath) -> Result<Vec<Entry>, Error> {
        let failed = |error: Errno| match error {
            Errno::XDEV => Error::Outside(directory.clone()),
            error => Error::Io { path: self.full(directory), source: error.into() },
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let folder = fs::openat2(&self.root, directory.as_str(), flags, Mode::empty(), beneath).map_err(failed)?;
        let mut folder = fs::Dir::new(folder).map_err(failed)?;
        let mut entries = Vec::new();
        while let Some(entry) = folder.read() {
            let entry = entry.map_err(failed)?;
            if let Some(name) = wanted(entry.file_name()).map_err(|error| Self::name(directory, error))? {
                let known = entry.file_type() == FileType::Directory;
                let kind =
                    if known { Kind::Directory } else { self.kind(folder.fd().map_err(failed)?, directory, &name)? };
                entries.push(Entry { name, kind });
            }
        }
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn kind(&self, folder: BorrowedFd<'_>, directory: &RelPath, name: &RelPath) -> Result<Kind, Error> {
        let failed = |error: Errno| Error::Io { path: self.full(directory).join(name), source: io::Error::from(error) };
        let stat = fs::statat(folder, name.as_str(), AtFlags::SYMLINK_NOFOLLOW).map_err(failed)?;
        Ok(match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Kind::File(stat.into()),
            FileType::Directory => Kind::Directory,
            FileType::Symlink => {
                let target = fs::readlinkat(folder, name.as_str(), Vec::new()).map_err(failed)?;
                let escaped = |target: &CStr| PathError::NotUtf8(target.to_bytes().escape_ascii().to_string());
                let text = target.to_str().map_err(|_| Self::name(directory, escaped(&target)))?;
                Kind::Symlink(text.to_owned())
            }
            _ => Kind::Special,
        })
    }

    fn name(directory: &RelPath, error: PathError) -> Error {
        Error::Name { directory: directory.clone(), error }
    }
}

fn wanted(name: &CStr) -> Result<Option<RelPath>, PathError> {
    let bytes = name.to_bytes();
    let skipped = matches!(bytes, b"." | b"..") || NEVER.iter().any(|never| never.as_bytes() == bytes);
    if skipped { Ok(None) } else { RelPath::from_bytes(bytes).map(Some) }
}
