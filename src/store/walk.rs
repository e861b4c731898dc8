//! Looks over a tree outside the store: what is in it, and whether a stored tree can hold that.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, chmodat, openat, readlinkat, statat};
use rustix::io::Errno;

use super::error::at;
use super::object::DIRECTORY_MODE;
use super::{Blob, Directory, Error, MAX_DEPTH, Node};

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
    pub(super) fn open(&self) -> Result<File, Error> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        openat(CWD, &self.path, flags, Mode::empty()).map(File::from).map_err(at(&self.path))
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
    top: Folder,
}

/// A directory of the tree.
struct Folder(BTreeMap<String, Entry>);

enum Entry {
    /// The place of a [`Leaf`] in its list.
    File(usize),
    Folder(Folder),
    Symlink(String),
}

impl Walk {
    /// Looks over the directory `path`. Links are never followed.
    ///
    /// # Errors
    /// For what a tree can't hold, naming it.
    pub(super) fn new(path: &Path, rights: Rights) -> Result<Self, Error> {
        let mut walker = Walker { rights, leaves: Vec::new() };
        let top = walker.folder(CWD, path, path, 0)?;
        Ok(Self { leaves: walker.leaves, top })
    }

    /// Gives each directory to `put`, children first; `blobs` are the contents of the leaves. The
    /// answer is the top directory's.
    pub(super) fn directories(
        &self,
        blobs: &[Blob],
        mut put: impl FnMut(&Directory) -> Result<Blob, Error>,
    ) -> Result<Blob, Error> {
        self.directory(&self.top, blobs, &mut put)
    }

    fn directory(
        &self,
        folder: &Folder,
        blobs: &[Blob],
        put: &mut impl FnMut(&Directory) -> Result<Blob, Error>,
    ) -> Result<Blob, Error> {
        let mut directory = Directory::default();
        for (name, entry) in &folder.0 {
            let node = match entry {
                Entry::File(index) => Node::File { blob: blobs[*index], executable: self.leaves[*index].executable },
                Entry::Folder(folder) => Node::Directory(self.directory(folder, blobs, put)?),
                Entry::Symlink(target) => Node::Symlink(target.clone()),
            };
            directory.entries.insert(name.clone(), node);
        }
        put(&directory)
    }
}

struct Walker {
    rights: Rights,
    leaves: Vec<Leaf>,
}

impl Walker {
    /// Looks over the directory `name` in `parent`, whose whole path is `path`.
    fn folder(&mut self, parent: impl AsFd, name: &Path, path: &Path, depth: usize) -> Result<Folder, Error> {
        if depth >= MAX_DEPTH {
            return Err(Error::TooDeep(path.to_owned()));
        }
        let directory = self.open(parent, name).map_err(at(path))?;
        let mut folder = BTreeMap::new();
        for entry in Dir::read_from(&directory).map_err(at(path))? {
            let entry = entry.map_err(at(path))?;
            if matches!(entry.file_name().to_bytes(), b"." | b"..") {
                continue;
            }
            let name = utf8(path, entry.file_name().to_bytes())?;
            let node = self.entry(&directory, &name, &path.join(&name), depth)?;
            folder.insert(name, node);
        }
        Ok(Folder(folder))
    }

    fn open(&self, parent: impl AsFd, name: &Path) -> Result<File, Errno> {
        if self.rights == Rights::Take {
            chmodat(&parent, name, DIRECTORY_MODE, AtFlags::empty())?;
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        openat(parent, name, flags, Mode::empty()).map(File::from)
    }

    fn entry(&mut self, parent: &File, name: &str, path: &Path, depth: usize) -> Result<Entry, Error> {
        let stat = statat(parent, name, AtFlags::SYMLINK_NOFOLLOW).map_err(at(path))?;
        match shape(&stat, path)? {
            Shape::Directory => self.folder(parent, name.as_ref(), path, depth + 1).map(Entry::Folder),
            Shape::Symlink => {
                let target = readlinkat(parent, name, Vec::new()).map_err(at(path))?;
                utf8(path, target.to_bytes()).map(Entry::Symlink)
            }
            Shape::File { executable, size } => {
                if self.rights == Rights::Take && stat.st_mode & 0o400 == 0 {
                    chmodat(parent, name, Mode::RUSR, AtFlags::empty()).map_err(at(path))?;
                }
                self.leaves.push(Leaf { path: path.to_owned(), executable, size });
                Ok(Entry::File(self.leaves.len() - 1))
            }
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
