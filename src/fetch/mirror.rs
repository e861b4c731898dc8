//! A mirror: a folder of pinned content by digest, which a `FORGE_MIRRORS` file names in `digests`.
//!
//! ```text
//! <folder>/
//! ├── sha256/<64 hex>   content by the SHA-256 of its bytes: packages, package lists, files behind
//! │                     URLs; of a git tree each file, and each directory as its canonical REAPI
//! │                     message (store/directory.rs)
//! └── .forge/           `lock`, held by who writes, and what is being written
//! ```
//!
//! What the content means stands in the lockfile, so there is no index: a mirror may hold the
//! sources of many projects and states, be merged with another by copying, and be served by any web
//! server. Nobody trusts it: who reads compares digests. A file gets its name when it is whole and
//! was compared; whatever stands there in its place is replaced.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::inventory::{Content, Item};
use super::tree::Parts;
use super::{Error, Fetcher, Location, Progress, SharedWatch};
use crate::digest::{HashingReader, HashingWriter};
use crate::store::flock::Flock;
use crate::store::{self, Blob, Directory};

/// How often an item is fetched again because the store's copy turned out to be damaged.
const REPAIRS: usize = 2;

/// The permission bit without which even the owner can't read a file.
const OWNER_READS: u32 = 0o400;

/// A mirror to look at.
#[derive(Clone, Debug)]
pub struct Mirror {
    folder: PathBuf,
}

/// What a mirror has of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// All of it, so many bytes; every one was hashed.
    Sound(u64),
    /// Not all of it.
    Missing,
    /// Something else stands in its place.
    Damaged(String),
}

impl Mirror {
    /// The mirror at `folder`, an absolute path. Nothing need be there.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Reads what the mirror has of `item`.
    #[must_use]
    pub fn find(&self, item: &Item) -> Found {
        match item.content {
            Content::Tree { tree, .. } => self.find_tree(&tree).unwrap_or_else(|found| found),
            Content::File { .. } | Content::Index { .. } => self.look(&item.blob()),
        }
    }

    /// Takes the mirror for writing, and clears away what a dead writer left.
    ///
    /// # Errors
    /// [`Error::MirrorInUse`]; or if the folder can't be written.
    pub fn writer(&self) -> Result<Writer, Error> {
        let aside = self.folder.join(".forge");
        for folder in [&self.folder.join("sha256"), &aside] {
            fs::create_dir_all(folder).map_err(at(folder))?;
        }
        let path = aside.join("lock");
        let lock = File::options().write(true).create(true).truncate(false).open(&path);
        let lock = Flock::from(lock.map_err(at(&path))?);
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::MirrorInUse(self.folder.clone())),
            Err(TryLockError::Error(error)) => return Err(at(&path)(error)),
        }
        clear(&aside, &path)?;
        Ok(Writer { mirror: self.clone(), aside, number: AtomicU64::new(0), _lock: lock })
    }

    fn path(&self, blob: &Blob) -> PathBuf {
        self.folder.join("sha256").join(blob.digest.hex())
    }

    /// `Err` is the first part that is not as it must be.
    fn find_tree(&self, tree: &Blob) -> Result<Found, Found> {
        let parts = Parts::of(tree, |blob| self.directory(blob))?;
        let faulty = parts.files().map(|blob| self.look(&blob)).find(|found| !matches!(found, Found::Sound(_)));
        faulty.map_or(Ok(Found::Sound(parts.bytes())), Err)
    }

    fn directory(&self, blob: &Blob) -> Result<Directory, Found> {
        let damaged = |why: String| Found::Damaged(format!("{}: {why}", self.path(blob).display()));
        match self.look(blob) {
            Found::Sound(_) => {}
            found => return Err(found),
        }
        let bytes = fs::read(self.path(blob)).map_err(|error| damaged(error.to_string()))?;
        Directory::decode(&bytes).map_err(|error| damaged(error.to_string()))
    }

    fn look(&self, blob: &Blob) -> Found {
        let path = self.path(blob);
        match hash(&path) {
            Ok(found) if found == *blob => Found::Sound(blob.size),
            Ok(_) => Found::Damaged(format!("{}: other bytes than its name says", path.display())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Found::Missing,
            Err(error) => Found::Damaged(format!("{}: {error}", path.display())),
        }
    }
}

/// What the file holds. No symlink is followed and no pipe waited for: in a mirror stand files.
fn hash(path: &Path) -> io::Result<Blob> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = match File::options().read(true).custom_flags(flags).open(path) {
        Err(error) if error.raw_os_error() == Some(libc::ELOOP) => return Err(io::Error::other("a symlink")),
        file => file?,
    };
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::Error::other("not a file"));
    }
    if meta.mode() & OWNER_READS == 0 {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let mut reader = HashingReader::new(file);
    io::copy(&mut reader, &mut io::sink())?;
    let (digest, size) = reader.finish();
    Ok(Blob { digest, size })
}

/// Empties the folder but for the lock.
fn clear(folder: &Path, lock: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let path = entry.map_err(at(folder))?.path();
        if path != lock {
            fs::remove_file(&path).map_err(at(&path))?;
        }
    }
    Ok(())
}

/// A mirror that nobody else writes to; used from many threads at once.
#[derive(Debug)]
pub struct Writer {
    mirror: Mirror,
    aside: PathBuf,
    number: AtomicU64,
    _lock: Flock,
}

impl Writer {
    /// Copies an item: out of the fetcher's store, which gets it first where it lacks it. How many bytes it has.
    ///
    /// # Errors
    /// When no place has the item; when the mirror or the store can't be written.
    pub fn copy(&self, fetcher: &Fetcher<'_>, item: &Item, watch: &SharedWatch<'_>) -> Result<u64, Error> {
        repairing(|| self.attempt(fetcher, item, watch))
    }

    fn attempt(&self, fetcher: &Fetcher<'_>, item: &Item, watch: &SharedWatch<'_>) -> Result<u64, Error> {
        bring(fetcher, item, watch)?;
        if let Content::Tree { tree, .. } = &item.content {
            return self.tree(fetcher, &item.name, tree, watch);
        }
        self.place(fetcher, &item.blob())?;
        Ok(item.blob().size)
    }

    /// Writes what the mirror lacks of a tree.
    fn tree(&self, fetcher: &Fetcher<'_>, name: &str, tree: &Blob, watch: &SharedWatch<'_>) -> Result<u64, Error> {
        let parts = Parts::of(tree, |blob| fetcher.store.directory(&blob.digest))?;
        let (mut got, total) = (0, Some(parts.bytes()));
        for blob in parts.blobs() {
            if !matches!(self.mirror.look(&blob), Found::Sound(_)) {
                self.place(fetcher, &blob)?;
            }
            got += blob.size;
            let place = &Location::File(self.mirror.path(&blob));
            if watch(Progress { name, got, total, place }) == ControlFlow::Break(()) {
                return Err(Error::Cancelled(name.to_owned()));
            }
        }
        Ok(got)
    }

    /// Copies a blob aside, and gives it its name.
    fn place(&self, fetcher: &Fetcher<'_>, blob: &Blob) -> Result<(), Error> {
        let mut bytes = fetcher.store.read(blob)?;
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let aside = self.aside.join(format!("{}.{number}", blob.digest.hex()));
        let path = self.mirror.path(blob);
        let placed = write(&mut bytes, blob, &aside).and_then(|()| fs::rename(&aside, &path).map_err(at(&path)));
        if placed.is_err() {
            // The next writer clears what stays.
            let _ = fs::remove_file(&aside);
        }
        placed
    }

    /// Waits until all that was copied is on the disk.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn sync(&self) -> Result<(), Error> {
        let folder = &self.mirror.folder;
        let sync = |folder: File| rustix::fs::syncfs(folder).map_err(io::Error::from);
        File::open(folder).and_then(sync).map_err(at(folder))
    }
}

/// Brings an item into the fetcher's store.
pub(super) fn bring(fetcher: &Fetcher<'_>, item: &Item, watch: &SharedWatch<'_>) -> Result<(), Error> {
    match &item.content {
        Content::File { pin, unit } => drop(fetcher.file(pin, &item.name, unit.as_str(), &watch)?),
        Content::Index { suite, index } => drop(fetcher.index(suite, index, &watch)?),
        Content::Tree { url, commit, tree } => drop(fetcher.git(url, commit, tree, watch)?),
    }
    Ok(())
}

/// Copies again what the store turned out to have a damaged copy of.
pub(super) fn repairing<T>(copy: impl Fn() -> Result<T, Error>) -> Result<T, Error> {
    let mut repairs = 0;
    loop {
        match copy() {
            // The store has put the damaged object aside, and will not have it now.
            Err(Error::Store(error)) if error.is_damage() && repairs < REPAIRS => repairs += 1,
            end => return end,
        }
    }
}

fn write(bytes: &mut dyn Read, blob: &Blob, path: &Path) -> Result<(), Error> {
    let mut writer = HashingWriter::new(File::create_new(path).map_err(at(path))?);
    io::copy(bytes, &mut writer).map_err(|error| blame(error, path))?;
    let (_, digest, size) = writer.finish();
    if (Blob { digest, size }) == *blob { Ok(()) } else { Err(Error::Store(store::Error::Missing(blob.digest))) }
}

/// Whose fault it is that a copy failed: reading the store says what is wrong with it itself.
fn blame(error: io::Error, path: &Path) -> Error {
    match error.downcast::<store::Error>() {
        Ok(error) => Error::Store(error),
        Err(error) => at(path)(error),
    }
}

/// For `map_err`: names the path.
fn at(path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Io { path: path.to_owned(), source }
}
