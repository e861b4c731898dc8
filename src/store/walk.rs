//! Looks over a tree outside the store: what is in it, and whether a stored tree can hold that.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, chmodat, openat, readlinkat, statat};
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
        Ok(Opened { file, path: self.path.clone() })
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

/// A tree that was looked over, level by level: a directory's number is less than those of its own.
pub(super) struct Walk {
    /// Its files.
    pub(super) leaves: Vec<Leaf>,
    /// Its directories, the top one first.
    folders: Vec<BTreeMap<String, Entry>>,
}

enum Entry {
    /// The place of a [`Leaf`] in its list.
    File(usize),
    /// The place of a directory in its list.
    Folder(usize),
    Symlink(String),
}

impl Walk {
    /// Looks over the directory `path`. Links are never followed.
    ///
    /// # Errors
    /// For what a tree can't hold, naming it.
    pub(super) fn new(path: &Path, rights: Rights) -> Result<Self, Error> {
        let mut walk = Self { leaves: Vec::new(), folders: Vec::new() };
        let mut level = vec![path.to_owned()];
        for _ in 0..MAX_DEPTH {
            let listings = parallel::each(&level, threads::worth(level.len(), 0), |path| list(path, rights))?;
            level = walk.descend(&level, listings);
            if level.is_empty() {
                return Ok(walk);
            }
        }
        Err(Error::TooDeep(level.swap_remove(0)))
    }

    /// Takes in the directories of a level; returns those of the next, which will be numbered on.
    fn descend(&mut self, level: &[PathBuf], listings: Vec<Listing>) -> Vec<PathBuf> {
        let (first, mut next) = (self.folders.len() + level.len(), Vec::new());
        for (path, listing) in level.iter().zip(listings) {
            let folder = listing.into_iter().map(|(name, found)| {
                let entry = match found {
                    Found::File { executable, size } => {
                        self.leaves.push(Leaf { path: path.join(&name), executable, size });
                        Entry::File(self.leaves.len() - 1)
                    }
                    Found::Directory => {
                        next.push(path.join(&name));
                        Entry::Folder(first + next.len() - 1)
                    }
                    Found::Symlink(target) => Entry::Symlink(target),
                };
                (name, entry)
            });
            let folder = folder.collect();
            self.folders.push(folder);
        }
        next
    }

    /// Gives each directory to `put`, children first; `blobs` are the contents of the leaves. The
    /// answer is the top directory's.
    pub(super) fn directories(
        &self,
        blobs: &[Blob],
        mut put: impl FnMut(&Directory) -> Result<Blob, Error>,
    ) -> Result<Blob, Error> {
        let mut done = vec![None; self.folders.len()];
        for (number, folder) in self.folders.iter().enumerate().rev() {
            let node = |entry: &Entry| match entry {
                Entry::File(index) => Node::File { blob: blobs[*index], executable: self.leaves[*index].executable },
                Entry::Folder(number) => Node::Directory(done[*number].expect("BUG: a level too early")),
                Entry::Symlink(target) => Node::Symlink(target.clone()),
            };
            let entries = folder.iter().map(|(name, entry)| (name.clone(), node(entry))).collect();
            done[number] = Some(put(&Directory { entries })?);
        }
        Ok(done[0].expect("BUG: there is a top directory"))
    }
}

/// What stands in a directory, by name.
type Listing = Vec<(String, Found)>;

enum Found {
    File { executable: bool, size: u64 },
    Directory,
    Symlink(String),
}

fn list(path: &Path, rights: Rights) -> Result<Listing, Error> {
    let directory = open(path, rights).map_err(at(path))?;
    let mut listing = Listing::new();
    for entry in Dir::read_from(&directory).map_err(at(path))? {
        let entry = entry.map_err(at(path))?;
        if matches!(entry.file_name().to_bytes(), b"." | b"..") {
            continue;
        }
        let name = utf8(path, entry.file_name().to_bytes())?;
        let found = find(&directory, &name, &path.join(&name), rights)?;
        listing.push((name, found));
    }
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
fn find(parent: &File, name: &str, path: &Path, rights: Rights) -> Result<Found, Error> {
    let stat = statat(parent, name, AtFlags::SYMLINK_NOFOLLOW).map_err(at(path))?;
    match shape(&stat, path)? {
        Shape::Directory => Ok(Found::Directory),
        Shape::Symlink => {
            let target = readlinkat(parent, name, Vec::new()).map_err(at(path))?;
            utf8(path, target.to_bytes()).map(Found::Symlink)
        }
        Shape::File { executable, size } => {
            if rights == Rights::Take && stat.st_mode & 0o400 == 0 {
                chmodat(parent, name, Mode::RUSR, AtFlags::empty()).map_err(at(path))?;
            }
            Ok(Found::File { executable, size })
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
