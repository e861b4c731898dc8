//! Looks over a tree outside the store: what is in it, and whether a stored tree can hold that.

use std::ffi::CStr;
use std::fs::File;
use std::mem::MaybeUninit;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir, Stat, chmodat, openat, readlinkat, statat};
use rustix::io::Errno;

use super::error::at;
use super::object::DIRECTORY_MODE;
use super::threads::Opened;
use super::{Blob, Directory, Error, MAX_DEPTH, Node, threads};
use crate::parallel;

/// What a stored tree can hold, and the top of a tree.
pub(super) enum Shape {
    File { executable: bool, size: u64 },
    Directory,
    Symlink,
}

impl Shape {
    /// Looks at `path` itself, not at what it links to.
    ///
    /// # Errors
    /// For what a tree can't hold, and if it can't be looked at.
    pub(super) fn of(path: &Path) -> Result<Self, Error> {
        shape(&statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW).map_err(at(path))?, path)
    }
}

/// A file of the tree.
pub(super) struct Leaf {
    pub(super) path: PathBuf,
    pub(super) executable: bool,
    pub(super) size: u64,
}

impl Leaf {
    /// Opens the file, which must not have become a link meanwhile.
    pub(super) fn open(&self) -> Result<Opened, Error> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(CWD, &self.path, flags, Mode::empty()).map_err(at(&self.path))?.into();
        Ok(Opened { file, path: self.path.clone(), expected: Some(self.size) })
    }
}

/// Whether modes that keep us out are made right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rights {
    /// The tree is ours, and its entries will be moved: a build may have taken our own rights away.
    Take,
    /// The tree is someone's, and is only read.
    Keep,
}

/// A tree that was looked over.
pub(super) struct Walk {
    /// Its files.
    pub(super) leaves: Vec<Leaf>,
    /// Its directories by depth; the top one is alone in the first level.
    levels: Vec<Vec<Folder>>,
}

/// What stands in a directory, sorted by name.
type Folder = Vec<(String, Entry)>;

enum Entry {
    /// The place of a [`Leaf`] in its list.
    File(usize),
    /// The place of a directory in the next level.
    Folder(usize),
    Symlink(String),
}

impl Walk {
    /// Looks over the directory `path`. Links are never followed.
    ///
    /// # Errors
    /// For what a tree can't hold, naming it.
    pub(super) fn new(path: &Path, rights: Rights) -> Result<Self, Error> {
        let mut walk = Self { leaves: Vec::new(), levels: Vec::new() };
        let mut level = vec![path.to_owned()];
        for _ in 0..MAX_DEPTH {
            let listings = parallel::each(&level, threads::worth(level.len(), 0), |path| list(path, rights))?;
            level = walk.descend(listings);
            if level.is_empty() {
                return Ok(walk);
            }
        }
        Err(Error::TooDeep(level.swap_remove(0)))
    }

    /// Takes in the directories of a level; returns those of the next.
    fn descend(&mut self, listings: Vec<Listing>) -> Vec<PathBuf> {
        let (leaves, mut next) = (&mut self.leaves, Vec::new());
        let mut entry = |found| match found {
            Found::File(leaf) => {
                leaves.push(leaf);
                Entry::File(leaves.len() - 1)
            }
            Found::Directory(path) => {
                next.push(path);
                Entry::Folder(next.len() - 1)
            }
            Found::Symlink(target) => Entry::Symlink(target),
        };
        let mut folder = |listing: Listing| listing.into_iter().map(|(name, found)| (name, entry(found))).collect();
        self.levels.push(listings.into_iter().map(&mut folder).collect());
        next
    }

    /// Gives each directory to `put`, the deepest first, several at a time; `blobs` are the contents
    /// of the leaves. The answer is the top directory's.
    pub(super) fn directories(
        &self,
        blobs: &[Blob],
        put: impl Fn(&Directory) -> Result<Blob, Error> + Sync,
    ) -> Result<Blob, Error> {
        let mut below = Vec::new();
        for level in self.levels.iter().rev() {
            let put = |folder: &Folder| put(&self.directory(folder, blobs, &below));
            below = parallel::each(level, threads::worth(level.len(), 0), put)?;
        }
        Ok(below[0])
    }

    /// A directory, of which all directories are `below`.
    fn directory(&self, folder: &Folder, blobs: &[Blob], below: &[Blob]) -> Directory {
        let node = |entry: &Entry| match entry {
            Entry::File(index) => Node::File { blob: blobs[*index], executable: self.leaves[*index].executable },
            Entry::Folder(index) => Node::Directory(below[*index]),
            Entry::Symlink(target) => Node::Symlink(target.clone()),
        };
        Directory { entries: folder.iter().map(|(name, entry)| (name.clone(), node(entry))).collect() }
    }
}

/// What was found in a directory, sorted by name.
type Listing = Vec<(String, Found)>;

enum Found {
    File(Leaf),
    Directory(PathBuf),
    Symlink(String),
}

/// Bytes of names that are read at a time: many, as the longest takes some 300.
const NAMES: usize = 8 << 10;

fn list(path: &Path, rights: Rights) -> Result<Listing, Error> {
    let directory = open(path, rights).map_err(at(path))?;
    let mut buffer = [MaybeUninit::uninit(); NAMES];
    let (mut entries, mut listing) = (RawDir::new(&directory, &mut buffer), Listing::new());
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(at(path))?;
        if matches!(entry.file_name().to_bytes(), b"." | b"..") {
            continue;
        }
        let name = utf8(path, entry.file_name().to_bytes())?;
        let found = find(&directory, entry.file_name(), path.join(&name), rights)?;
        listing.push((name, found));
    }
    listing.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    Ok(listing)
}

fn open(path: &Path, rights: Rights) -> Result<File, Errno> {
    if rights == Rights::Take {
        chmodat(CWD, path, DIRECTORY_MODE, AtFlags::empty())?;
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(CWD, path, flags, Mode::empty()).map(File::from)
}

/// Looks at the entry `name` of `parent`, whose whole path is `path`.
fn find(parent: &File, name: &CStr, path: PathBuf, rights: Rights) -> Result<Found, Error> {
    let stat = statat(parent, name, AtFlags::SYMLINK_NOFOLLOW).map_err(at(&path))?;
    match shape(&stat, &path)? {
        Shape::Directory => Ok(Found::Directory(path)),
        Shape::Symlink => {
            let target = readlinkat(parent, name, Vec::new()).map_err(at(&path))?;
            utf8(&path, target.to_bytes()).map(Found::Symlink)
        }
        Shape::File { executable, size } => {
            if rights == Rights::Take && stat.st_mode & 0o400 == 0 {
                chmodat(parent, name, Mode::RUSR, AtFlags::empty()).map_err(at(&path))?;
            }
            Ok(Found::File(Leaf { path, executable, size }))
        }
    }
}

/// What a tree can hold. A directory's setgid bit is let pass: it is inherited from the place
/// where the build ran.
fn shape(stat: &Stat, path: &Path) -> Result<Shape, Error> {
    let unsupported = |what| Err(Error::Unsupported { path: path.to_owned(), what });
    let (special, shape) = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {
            let size = u64::try_from(stat.st_size).unwrap_or_default();
            (0o7000, Shape::File { executable: stat.st_mode & 0o100 != 0, size })
        }
        FileType::Directory => (0o5000, Shape::Directory),
        FileType::Symlink => (0, Shape::Symlink),
        FileType::Fifo => return unsupported("a fifo"),
        FileType::Socket => return unsupported("a socket"),
        _ => return unsupported("a device"),
    };
    if stat.st_mode & special != 0 {
        return Err(Error::Permissions { path: path.to_owned(), mode: stat.st_mode & 0o7777 });
    }
    Ok(shape)
}

fn utf8(path: &Path, bytes: &[u8]) -> Result<String, Error> {
    let escaped = || format!("{}/{}", path.display(), bytes.escape_ascii());
    str::from_utf8(bytes).map(str::to_owned).map_err(|_| Error::NotUtf8(escaped()))
}
