//! Objects: files named by the SHA-256 of their bytes.
//!
//! The executable bit belongs to the inode, and realised trees are hard links to objects; so a
//! file that is used both ways lies here twice. Mode and time are set on the open file before it
//! gets its name and never left to the umask.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags, Stat, Timespec, Timestamps, UTIME_OMIT};
use rustix::fs::{fchmod, fsync, futimens, mkdirat, openat, renameat, renameat_with, statat, unlinkat};
use rustix::io::Errno;
use rustix::path::Arg;

use super::error::at;
use super::open::Setup;
use super::result::RESULT;
use super::scratch::Scratch;
use super::threads::Opened;
use super::{ActionResult, Blob, Directory, Error, fault};
use crate::digest::Digest;

/// The modification time of everything in a store: 1980-01-02T00:00:00Z. Not 0, as zip and some
/// build tools can't write a time before 1980, in no time zone.
pub(crate) const MTIME: i64 = 315_619_200;

/// The mode of every directory of a realised tree.
pub(super) const DIRECTORY_MODE: Mode = Mode::from_raw_mode(0o755);

/// The three kinds of objects, each a folder of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    /// A plain file, 0644.
    File,
    /// An executable file, 0755.
    Exec,
    /// A Directory message, 0644.
    Dir,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::File, Self::Exec, Self::Dir];

    pub(super) fn of(executable: bool) -> Self {
        if executable { Self::Exec } else { Self::File }
    }

    pub(super) fn folder(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Exec => "exec",
            Self::Dir => "dir",
        }
    }

    pub(super) fn mode(self) -> Mode {
        Mode::from_raw_mode(if self == Self::Exec { 0o755 } else { 0o644 })
    }

    /// Where an object lies, relative to the store: `file/ab/abcd…`.
    pub(super) fn path(self, digest: &Digest) -> String {
        shard(self.folder(), digest)
    }
}

/// An object: its kind and its name.
pub(super) type Object = (Kind, Digest);

/// `<folder>/<first two digits>/<all digits>`.
pub(super) fn shard(folder: &str, digest: &Digest) -> String {
    let hex = digest.hex();
    format!("{folder}/{}/{hex}", &hex[..2])
}

/// What every part of the store shares: its directory, and what is known of it in memory.
#[derive(Debug)]
pub(super) struct Disk {
    pub(super) root: OwnedFd,
    pub(super) path: PathBuf,
    /// At most so many links to one object; `None` is as many as the file system allows.
    pub(super) max_links: Option<u64>,
    /// Whether results wait for the disk.
    pub(super) sync: bool,
    /// Results that wait for a commit.
    pub(super) queue: Mutex<BTreeMap<Digest, ActionResult>>,
    /// Realised trees that this process has looked over.
    pub(super) checked: Mutex<HashSet<Digest>>,
    bench: OnceLock<Scratch>,
    next: AtomicU64,
}

impl Disk {
    pub(super) fn new(root: OwnedFd, path: PathBuf, setup: &Setup) -> Self {
        let (queue, checked, bench, next) = Default::default();
        Self { root, path, max_links: setup.max_links, sync: setup.sync, queue, checked, bench, next }
    }

    /// For `map_err`: names the path below the store that a system call failed on.
    pub(super) fn at<E: Into<io::Error>>(&self, path: impl AsRef<Path>) -> impl FnOnce(E) -> Error {
        move |source| Error::Io { path: self.path.join(path), source: source.into() }
    }

    /// The scratch directory of this process for files on their way in.
    pub(super) fn bench(&self) -> Result<&Scratch, Error> {
        if self.bench.get().is_none() {
            // When two threads come here at once, the second directory is erased again.
            let _ = self.bench.set(Scratch::new(&self.path.join("tmp"))?);
        }
        Ok(self.bench.get().expect("BUG: set above"))
    }

    /// A name on the bench that nothing has yet, relative to it.
    pub(super) fn fresh(&self) -> String {
        self.next.fetch_add(1, Ordering::Relaxed).to_string()
    }

    /// A path on the bench that nothing has yet.
    pub(super) fn aside(&self) -> Result<PathBuf, Error> {
        Ok(self.bench()?.path().join(self.fresh()))
    }

    /// Stores bytes, unless they are there.
    pub(super) fn put(&self, kind: Kind, bytes: &[u8]) -> Result<Blob, Error> {
        let blob = Blob { digest: Digest::of(bytes), size: bytes.len() as u64 };
        if !self.intact(kind, &blob)? {
            let mut temp = self.temp()?;
            temp.write_all(bytes)?;
            temp.place(kind, &blob)?;
        }
        Ok(blob)
    }

    /// Whether an object lies there and looks as it was left: type, size, mode and time.
    pub(super) fn intact(&self, kind: Kind, blob: &Blob) -> Result<bool, Error> {
        let path = kind.path(&blob.digest);
        match statat(&self.root, &path, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(looks(&stat, kind.mode(), blob.size)),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(self.at(path)(error)),
        }
    }

    pub(super) fn has(&self, kind: Kind, digest: &Digest) -> bool {
        statat(&self.root, kind.path(digest), AtFlags::SYMLINK_NOFOLLOW).is_ok()
    }

    /// Moves a sealed file to its place. What stands there wins, if it looks intact.
    pub(super) fn place(&self, from: impl AsFd, name: impl Arg + Copy, kind: Kind, blob: &Blob) -> Result<(), Error> {
        let to = kind.path(&blob.digest);
        let from = from.as_fd();
        let mut moved = renameat_with(from, name, &self.root, &to, RenameFlags::NOREPLACE);
        if moved == Err(Errno::NOENT) {
            self.make_folder(&to)?;
            moved = renameat_with(from, name, &self.root, &to, RenameFlags::NOREPLACE);
        }
        if moved == Err(Errno::EXIST) {
            moved = if self.intact(kind, blob)? {
                unlinkat(from, name, AtFlags::empty())
            } else {
                self.replace(from, name, &to)
            };
        }
        moved.map_err(self.at(&to))?;
        fault::point("write.placed");
        Ok(())
    }

    /// Puts a file in place of an object that results may stand on already: synced before, as the
    /// sync that covered those results did not see this file.
    pub(super) fn replace(&self, from: impl AsFd, name: impl Arg + Copy, to: &str) -> Result<(), Errno> {
        let file = openat(&from, name, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
        fsync(file)?;
        renameat(from, name, &self.root, to)
    }

    /// Makes the folder that `path` lies in.
    pub(super) fn make_folder(&self, path: &str) -> Result<(), Error> {
        let folder = path.rsplit_once('/').map_or(path, |(folder, _)| folder);
        match mkdirat(&self.root, folder, DIRECTORY_MODE) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(error) => Err(self.at(folder)(error)),
        }
    }

    /// Opens a file below the store for reading; `None` if it is not there.
    pub(super) fn open(&self, path: &str) -> Result<Option<File>, Error> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match openat(&self.root, path, flags, Mode::empty()) {
            Ok(file) => Ok(Some(file.into())),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(self.at(path)(error)),
        }
    }

    /// Opens an object to be hashed; `None` if it is not there.
    pub(super) fn open_object(&self, (kind, digest): &Object) -> Result<Option<Opened>, Error> {
        let path = kind.path(digest);
        Ok(self.open(&path)?.map(|file| Opened { file, path: self.path.join(path), expected: None }))
    }

    /// Reads a directory, verified. A corrupt one goes to quarantine.
    pub(super) fn directory(&self, digest: &Digest) -> Result<Directory, Error> {
        let Some(bytes) = self.bytes(Kind::Dir, digest)? else { return Err(self.missing(*digest)) };
        if Digest::of(&bytes) != *digest {
            return Err(self.corrupt(&[(Kind::Dir, *digest)]));
        }
        Directory::decode(&bytes).map_err(|why| Error::NotADirectory { digest: *digest, why })
    }

    /// Reads a directory without consequences; `None` if it is not there or not sound.
    pub(super) fn peek(&self, digest: &Digest) -> Result<Option<Directory>, Error> {
        let bytes = self.bytes(Kind::Dir, digest)?;
        let sound = bytes.filter(|bytes| Digest::of(bytes) == *digest);
        Ok(sound.and_then(|bytes| Directory::decode(&bytes).ok()))
    }

    fn bytes(&self, kind: Kind, digest: &Digest) -> Result<Option<Vec<u8>>, Error> {
        let path = kind.path(digest);
        let Some(mut file) = self.open(&path)? else { return Ok(None) };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(self.at(&path))?;
        Ok(Some(bytes))
    }

    /// The objects of a kind.
    pub(super) fn objects(&self, kind: Kind) -> Result<Vec<Digest>, Error> {
        self.sharded(kind.folder())
    }

    /// The keys of the results on disk.
    pub(super) fn keys(&self) -> Result<Vec<Digest>, Error> {
        self.sharded(RESULT)
    }

    /// The realised trees.
    pub(super) fn trees(&self) -> Result<Vec<Digest>, Error> {
        Ok(digests(&self.names("tree")?))
    }

    /// The digests that a folder's folders hold, sorted.
    fn sharded(&self, folder: &str) -> Result<Vec<Digest>, Error> {
        let mut found = Vec::new();
        for shard in self.names(folder)? {
            let mut names = self.names(&format!("{folder}/{shard}"))?;
            names.retain(|name| name.starts_with(&shard));
            found.extend(digests(&names));
        }
        Ok(found)
    }

    /// The names in a folder, sorted.
    pub(super) fn names(&self, folder: &str) -> Result<Vec<String>, Error> {
        let path = self.path.join(folder);
        let name =
            |entry: io::Result<std::fs::DirEntry>| entry.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let names: io::Result<Vec<_>> = path.read_dir().and_then(|entries| entries.map(name).collect());
        let mut names = names.map_err(at(path))?;
        names.sort_unstable();
        Ok(names)
    }
}

/// Names that are digests; others are not the store's and are let be.
fn digests(names: &[String]) -> Vec<Digest> {
    names.iter().filter_map(|name| name.parse().ok()).collect()
}

/// Sets mode and time of an open file or directory.
pub(super) fn seal(file: impl AsFd, mode: Mode) -> Result<(), Errno> {
    fchmod(&file, mode)?;
    futimens(file, &times())
}

/// The constant modification time; the access time stays.
pub(super) fn times() -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: MTIME, tv_nsec: 0 },
    }
}

/// Whether a file looks as the store left it.
pub(super) fn looks(stat: &Stat, mode: Mode, size: u64) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
        && Mode::from_raw_mode(stat.st_mode) == mode
        && u64::try_from(stat.st_size) == Ok(size)
        && stat.st_mtime == MTIME
}
