//! Opening a store: making it, sweeping what the dead left, and the locks between processes.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rustix::fs::{CWD, Mode, OFlags, fstat, mkdirat, openat};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::error::at;
use super::flock::Flock;
use super::kept::Shelf;
use super::object::{Disk, Kind};
use super::quarantine::QUARANTINE;
use super::result::RESULT;
use super::{Error, Store, fault, scratch};
use crate::digest::Digest;

/// The line in the file `format`. Another layout gets another number.
const FORMAT: &str = "forge store 1\n";

/// Where Linux tells one boot from another.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// What a store takes from the machine; tests put in their own.
#[derive(Clone, Debug)]
pub struct Setup {
    /// A text that is another one after every boot.
    pub boot: String,
    /// Whether results wait for the disk; without, a power cut may cost the whole store.
    pub sync: bool,
    /// At most so many hard links to one file; `None` is as many as the file system allows.
    pub max_links: Option<u64>,
}

impl Setup {
    /// This machine's.
    ///
    /// # Errors
    /// If the kernel does not tell its boot id.
    pub fn of_machine() -> Result<Self, Error> {
        let boot = std::fs::read_to_string(BOOT_ID).map_err(at(BOOT_ID))?;
        Ok(Self { boot, sync: true, max_links: None })
    }
}

impl Store {
    /// Opens or creates a store. Sweeps what dead processes left, and on the first opening after
    /// a boot, what no result covers.
    ///
    /// # Errors
    /// If the directory is something else or another user's, or can't be written.
    pub fn open(root: &Path) -> Result<Self, Error> {
        Self::open_with(root, &Setup::of_machine()?)
    }

    /// As [`Store::open`], on a given machine.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with(root: &Path, setup: &Setup) -> Result<Self, Error> {
        std::fs::create_dir_all(root).map_err(at(root))?;
        let path = root.canonicalize().map_err(at(root))?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = openat(CWD, &path, flags, Mode::empty()).map_err(at(&path))?;
        let owner = fstat(&directory).map_err(at(&path))?.st_uid;
        if owner != geteuid().as_raw() {
            return Err(Error::Owner { path, want: geteuid().as_raw(), got: owner });
        }
        let disk = Disk::new(directory, path, setup);
        disk.create()?;
        let in_use = disk.lock_file("use")?;
        let store = Self { disk: Arc::new(disk), in_use, gate: Mutex::new(()) };
        store.enter(&setup.boot)?;
        scratch::sweep(&store.disk.path.join("tmp"))?;
        Ok(store)
    }

    /// Takes the shared lock; alone before that, if this is another boot than the last one.
    fn enter(&self, boot: &str) -> Result<(), Error> {
        let path = self.disk.path.join("lock/use");
        if !self.disk.booted(boot)? {
            self.in_use.lock().map_err(at(&path))?;
            if !self.disk.booted(boot)? {
                self.disk.sweep_uncovered()?;
                self.disk.remember_boot(boot)?;
            }
            self.in_use.unlock().map_err(at(&path))?;
        }
        self.in_use.lock_shared().map_err(at(path))
    }

    /// Runs `work` while no other process has the store open.
    pub(super) fn alone<T>(&self, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        let path = self.disk.path.join("lock/use");
        let taken = self.in_use.try_lock();
        let done = match taken {
            Ok(()) => work(),
            Err(TryLockError::WouldBlock) => Err(Error::Busy(self.disk.path.clone())),
            Err(TryLockError::Error(error)) => Err(at(&path)(error)),
        };
        // Changing a lock gives the old one up first, so it is taken anew in every case.
        self.in_use.lock_shared().map_err(at(path))?;
        done
    }

    /// Takes the lock of this action, unless another thread or process holds it: `None` then. The
    /// lock ends with the value, or with the process.
    ///
    /// # Errors
    /// If the lock file can't be opened or locked.
    pub fn try_lock(&self, key: &Digest) -> Result<Option<Lock>, Error> {
        let name = key.hex();
        let file = self.disk.lock_file(&name)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(self.disk.at(Path::new("lock").join(name))(error)),
        }
    }

    /// As [`Store::try_lock`], but waits until it is free.
    ///
    /// # Errors
    /// As there.
    pub fn lock(&self, key: &Digest) -> Result<Lock, Error> {
        let name = key.hex();
        let file = self.disk.lock_file(&name)?;
        file.lock().map_err(self.disk.at(Path::new("lock").join(name)))?;
        Ok(Lock { _file: file })
    }
}

/// The right to make one action's outputs.
#[derive(Debug)]
pub struct Lock {
    _file: Flock,
}

impl Disk {
    fn create(&self) -> Result<(), Error> {
        let format = self.path.join("format");
        match std::fs::read_to_string(&format) {
            Ok(text) if text == FORMAT => {}
            Ok(text) if text.is_empty() => self.write_format()?,
            Ok(text) => return Err(self.not_a_store(text.lines().next().unwrap_or_default())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.create_in_empty()?,
            Err(error) => return Err(at(format)(error)),
        }
        let kinds = Kind::ALL.map(Kind::folder);
        let shelves = Shelf::ALL.map(Shelf::folder);
        for folder in kinds.into_iter().chain(shelves).chain([RESULT, "tree", "roots", "tmp", QUARANTINE, "lock"]) {
            match mkdirat(&self.root, folder, Mode::from_raw_mode(0o755)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(self.at(folder)(error)),
            }
        }
        Ok(())
    }

    fn create_in_empty(&self) -> Result<(), Error> {
        match self.names("")?.iter().find(|name| *name != "format") {
            Some(name) => Err(self.not_a_store(&format!("no `format`, but `{name}` and maybe more"))),
            None => self.write_format(),
        }
    }

    /// An empty file, left by a crash in here, is written by the next process.
    fn write_format(&self) -> Result<(), Error> {
        let path = self.path.join("format");
        let mut file = File::options().create(true).truncate(false).write(true).open(&path).map_err(at(&path))?;
        fault::point("create.format");
        io::Write::write_all(&mut file, FORMAT.as_bytes()).map_err(at(path))
    }

    fn not_a_store(&self, got: &str) -> Error {
        Error::NotAStore { path: self.path.clone(), want: FORMAT.trim_end().to_owned(), got: got.to_owned() }
    }

    fn lock_file(&self, name: &str) -> Result<Flock, Error> {
        let path: PathBuf = self.path.join("lock").join(name);
        let open = File::options().create(true).truncate(false).read(true).write(true).open(&path);
        open.map(Flock::from).map_err(at(path))
    }

    fn booted(&self, boot: &str) -> Result<bool, Error> {
        match std::fs::read_to_string(self.path.join("boot")) {
            Ok(text) => Ok(text == boot),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(self.at("boot")(error)),
        }
    }

    /// Written after the sweep: a crash between the two only sweeps again.
    fn remember_boot(&self, boot: &str) -> Result<(), Error> {
        let mut temp = self.temp()?;
        temp.write_all(boot.as_bytes())?;
        temp.rename("boot")
    }
}

#[cfg(test)]
mod tests {
    use super::super::Output;
    use super::super::fixture::{Fixture, setup};
    use super::*;

    #[test]
    fn makes_a_store_only_where_nothing_is() {
        let fixture = Fixture::new();
        let (full, other) = (fixture.outside("full"), fixture.outside("other"));
        for (path, name, text) in [(&full, "letter", "dear"), (&other, "format", "forge store 0\n")] {
            std::fs::create_dir(path).expect("makes");
            std::fs::write(path.join(name), text).expect("writes");
            let error = Store::open_with(path, &setup("one")).expect_err(name).to_string();
            assert!(error.contains("want:") && error.contains("got:"), "{error}");
        }
        std::fs::write(other.join("format"), "").expect("as a crash leaves it");
        Store::open_with(&other, &setup("one")).expect("opens");
    }

    #[test]
    fn a_boot_sweeps_what_no_result_covers() {
        let fixture = Fixture::new();
        let (covered, lost) = (fixture.tree(&[("a", "covered")]), fixture.tree(&[("a", "lost")]));
        for tree in [covered, lost] {
            fixture.store.checkout(&tree.digest).expect("checks out");
        }
        let key = fixture.commit("key", Output::Tree(covered));
        let root = fixture.store.root().to_owned();
        let Fixture { store, dir: _dir } = fixture;
        drop(store);
        let again = Store::open_with(&root, &setup("one")).expect("opens");
        assert!(again.contains(&lost.digest), "the same boot");
        drop(again);
        let again = Store::open_with(&root, &setup("two")).expect("opens");
        assert!(again.result(&key).expect("looks").is_some());
        again.checkout(&covered.digest).expect("whole");
        assert!(!again.contains(&lost.digest) && !again.contains(&Digest::of(b"lost")));
        assert_eq!(root.join("tree").read_dir().expect("reads").count(), 1);
    }

    #[test]
    fn scratch_goes_with_its_owner() {
        let fixture = Fixture::new();
        let scratch = fixture.store.scratch().expect("scratch");
        let path = scratch.path().to_owned();
        drop(fixture.again("one"));
        assert!(path.is_dir(), "its owner lives");
        drop(scratch);
        assert!(!path.exists());
    }
}
