//! Scratch directories: `tmp/<pid>-<n>/`, held by a lock that dies with its process.
//!
//! The lock is on the directory itself, so there is nothing to unlock by hand: whoever can take
//! it finds the directory of a dead process and erases it.

use std::ffi::CStr;
use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{
    AtFlags, CWD, Dir, Mode, OFlags, RenameFlags, chmodat, fstat, mkdirat, openat, renameat_with, unlinkat,
};
use rustix::io::Errno;
use rustix::path::Arg;

use super::error::at;
use super::flock::Flock;
use super::{Error, fault};

/// A directory in the store's file system for a build; erased on drop, or by whoever opens the
/// store after its process died.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    lock: Flock,
}

impl Scratch {
    /// The directory: absolute, empty at first, mode 0700.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The open directory.
    pub(super) fn directory(&self) -> &File {
        &self.lock
    }

    /// Makes a fresh one below `tmp`.
    pub(super) fn new(tmp: &Path) -> Result<Self, Error> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = tmp.join(format!("{}-{number}", std::process::id()));
            match mkdirat(CWD, &path, Mode::RWXU) {
                Ok(()) => {}
                Err(Errno::EXIST) => continue,
                Err(error) => return Err(at(path)(error)),
            }
            fault::point("scratch.made");
            if let Some(lock) = claim(&path)? {
                return Ok(Self { path, lock });
            }
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What can't be erased now is erased by the next process that opens the store.
        let _ = erase(&self.path);
    }
}

/// Locks a directory; `None` if another thread or process holds it or has just erased it.
pub(super) fn claim(path: &Path) -> Result<Option<Flock>, Error> {
    let directory = match File::open(path) {
        Ok(directory) => Flock::from(directory),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(at(path)(error)),
    };
    let gone = || fstat(&*directory).map(|stat| stat.st_nlink == 0).map_err(at(path));
    match directory.try_lock() {
        Ok(()) if gone()? => Ok(None),
        Ok(()) => Ok(Some(directory)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(at(path)(error)),
    }
}

/// Erases the scratch directories of dead processes.
pub(super) fn sweep(tmp: &Path) -> Result<(), Error> {
    for entry in tmp.read_dir().map_err(at(tmp))? {
        let path = entry.map_err(at(tmp))?.path();
        if let Some(_lock) = claim(&path)? {
            match erase(&path) {
                // A sandbox of the dead process is still being killed: the next opening sweeps it.
                Err(Error::Io { source, .. }) if source.kind() == ErrorKind::DirectoryNotEmpty => {}
                erased => erased?,
            }
        }
    }
    Ok(())
}

/// Erases a file or a whole directory, whatever the modes in it, following no link. Nothing
/// there is fine.
///
/// Directories are moved to the top and emptied one by one, so that no depth of nesting uses up
/// descriptors or the stack.
pub(super) fn erase(path: &Path) -> Result<(), Error> {
    match unlinkat(CWD, path, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR) => {}
        Err(error) => return Err(at(path)(error)),
    }
    erase_directory(path).map_err(at(path))
}

fn erase_directory(path: &Path) -> Result<(), Errno> {
    chmodat(CWD, path, Mode::RWXU, AtFlags::empty())?;
    let top = open(CWD, path)?;
    let mut raised = Raised::default();
    empty(&top, &top, &mut raised)?;
    while let Some(name) = raised.names.pop() {
        empty(&open(&top, &name)?, &top, &mut raised)?;
        unlinkat(&top, &name, AtFlags::REMOVEDIR)?;
    }
    unlinkat(CWD, path, AtFlags::REMOVEDIR)
}

/// Directories that were moved to the top and are to be emptied.
#[derive(Default)]
struct Raised {
    names: Vec<String>,
    next: u64,
}

/// Removes the files of `directory` and moves its directories to `top`.
fn empty(directory: &File, top: &File, raised: &mut Raised) -> Result<(), Errno> {
    let entries: Vec<_> = Dir::read_from(directory)?.collect::<Result<_, _>>()?;
    for entry in entries.iter().filter(|entry| !matches!(entry.file_name().to_bytes(), b"." | b"..")) {
        match unlinkat(directory, entry.file_name(), AtFlags::empty()) {
            Ok(()) => {}
            Err(Errno::ISDIR) => raised.raise(directory, entry.file_name(), top)?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

impl Raised {
    fn raise(&mut self, from: &File, name: &CStr, top: &File) -> Result<(), Errno> {
        chmodat(from, name, Mode::RWXU, AtFlags::empty())?;
        loop {
            let new = format!(".erase-{}", self.next);
            self.next += 1;
            match renameat_with(from, name, top, &new, RenameFlags::NOREPLACE) {
                // A tree may hold any name, and an interrupted erasure leaves these.
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error),
                Ok(()) => {
                    self.names.push(new);
                    return Ok(());
                }
            }
        }
    }
}

fn open(directory: impl AsFd, name: impl Arg) -> Result<File, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(directory, name, flags, Mode::empty()).map(File::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_while_alive_and_swept_when_dead() {
        let tmp = tempfile::tempdir().expect("a directory");
        let scratch = Scratch::new(tmp.path()).expect("scratch");
        std::fs::create_dir_all(tmp.path().join("999999-0/a/b")).expect("the dead");
        sweep(tmp.path()).expect("sweeps");
        let left: Vec<_> = tmp.path().read_dir().expect("reads").map(|entry| entry.expect("entry").path()).collect();
        assert_eq!(left, [scratch.path()]);
        drop(scratch);
        assert_eq!(tmp.path().read_dir().expect("reads").count(), 0);
    }

    #[test]
    fn erases_deep_locked_and_oddly_named_trees_and_follows_no_link() {
        let tmp = tempfile::tempdir().expect("a directory");
        let (tree, outside) = (tmp.path().join("tree"), tmp.path().join("outside"));
        std::fs::write(&outside, "kept").expect("writes");
        let mut deep = tree.clone();
        for _ in 0..300 {
            deep.push("d");
        }
        std::fs::create_dir_all(&deep).expect("deep");
        for name in [".erase-0", ".erase-1", "locked"] {
            std::fs::create_dir_all(tree.join(name).join("x")).expect("odd");
        }
        std::os::unix::fs::symlink(&outside, tree.join("link")).expect("link");
        chmodat(CWD, tree.join("locked"), Mode::empty(), AtFlags::empty()).expect("locks");
        erase(&tree).expect("erases");
        assert!(!tree.exists());
        assert_eq!(std::fs::read(outside).expect("reads"), b"kept");
    }
}
