//! Workspaces that people may still want to look into: `failed/<key>/` and `shell/<key>/`.
//!
//! ```text
//! failed/<key>/   what the command of that key left when it failed, until it succeeds
//! shell/<key>/    what `forge shell --keep` left of that key
//!     build/ out/     /build and /out
//!     step            what was done there, in the words of whoever kept it
//! ```
//!
//! The newest of a key is kept, and of all at most [`MOST_KEPT`], none longer than [`KEPT_FOR`]
//! after the next one comes; gc takes all of them. Nothing that forge builds is made from them.
//! Whoever works in one holds a lock on its directory, and it is let be meanwhile.

use std::fs::rename;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::error::at;
use super::flock::Flock;
use super::object::Disk;
use super::scratch::{self, Scratch, claim};
use super::{Error, Store};
use crate::digest::Digest;

/// How many workspaces of each kind are kept.
pub const MOST_KEPT: usize = 5;

/// How long.
pub const KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

/// Why a workspace is kept: the folder it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shelf {
    /// Its command failed.
    Failed,
    /// Its user asked for it.
    Shell,
}

impl Shelf {
    /// All of them.
    pub(super) const ALL: [Self; 2] = [Self::Failed, Self::Shell];

    /// The folder below the store.
    pub(super) fn folder(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Shell => "shell",
        }
    }
}

/// A kept workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The key of the command that had it.
    pub key: Digest,
    /// When it was kept.
    pub at: SystemTime,
    /// The folder with `build` and `out`.
    pub path: PathBuf,
    /// What was said of it.
    pub record: Vec<u8>,
}

/// The right to work in a kept workspace; it is not replaced or removed meanwhile.
#[derive(Debug)]
pub struct Hold {
    _directory: Flock,
}

impl Store {
    /// Keeps the folders `build` and `out` of a scratch directory. Says where; `None` if somebody
    /// works in the one that is kept of this key.
    ///
    /// # Errors
    /// If they can't be moved.
    pub fn keep(&self, shelf: Shelf, key: &Digest, from: &Scratch, record: &[u8]) -> Result<Option<PathBuf>, Error> {
        let (aside, old) = (from.path().join("kept"), from.path().join("old"));
        let path = self.disk.shelved(shelf, key);
        std::fs::create_dir(&aside).map_err(at(&aside))?;
        for name in ["build", "out"] {
            rename(from.path().join(name), aside.join(name)).map_err(at(&aside))?;
        }
        std::fs::write(aside.join("step"), record).map_err(at(&aside))?;
        if path.exists() {
            // The old one goes with the scratch directory.
            let Some(_hold) = self.hold(&path)? else { return Ok(None) };
            rename(&path, old).map_err(at(&path))?;
        }
        rename(&aside, &path).map_err(at(&path))?;
        self.tidy(shelf)?;
        Ok(Some(path))
    }

    /// What is kept, the newest first.
    ///
    /// # Errors
    /// If it can't be listed.
    pub fn kept(&self, shelf: Shelf) -> Result<Vec<Kept>, Error> {
        let names = self.disk.names(shelf.folder())?;
        let mut kept: Vec<Kept> = names.iter().filter_map(|name| self.disk.kept(shelf, name)).collect();
        kept.sort_by_key(|kept| (std::cmp::Reverse(kept.at), kept.key));
        Ok(kept)
    }

    /// Takes a kept workspace for oneself; `None` if somebody has it or it has gone.
    ///
    /// # Errors
    /// If its directory can't be opened or locked.
    pub fn hold(&self, path: &Path) -> Result<Option<Hold>, Error> {
        Ok(claim(path)?.map(|directory| Hold { _directory: directory }))
    }

    /// Removes what is kept of a key, unless somebody works in it.
    ///
    /// # Errors
    /// If it can't be removed.
    pub fn discard(&self, shelf: Shelf, key: &Digest) -> Result<(), Error> {
        let path = self.disk.shelved(shelf, key);
        match self.hold(&path)? {
            Some(_hold) => scratch::erase(&path),
            None => Ok(()),
        }
    }

    /// Removes what is beyond the limits.
    fn tidy(&self, shelf: Shelf) -> Result<(), Error> {
        let now = SystemTime::now();
        let old = |kept: &Kept| now.duration_since(kept.at).is_ok_and(|age| age > KEPT_FOR);
        let kept = self.kept(shelf)?.into_iter().enumerate();
        let mut beyond = kept.filter(|(number, kept)| *number >= MOST_KEPT || old(kept));
        beyond.try_for_each(|(_, kept)| self.discard(shelf, &kept.key))
    }
}

impl Disk {
    fn shelved(&self, shelf: Shelf, key: &Digest) -> PathBuf {
        self.path.join(shelf.folder()).join(key.hex())
    }

    /// The workspace of that name; `None` if it is none, or goes this moment.
    fn kept(&self, shelf: Shelf, name: &str) -> Option<Kept> {
        let key = name.parse().ok()?;
        let path = self.shelved(shelf, &key);
        let step = path.join("step");
        let at = step.metadata().and_then(|data| data.modified()).ok()?;
        Some(Kept { key, at, record: std::fs::read(step).ok()?, path })
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::super::{Policy, Why};
    use super::*;
    use std::ops::ControlFlow;

    fn keep(store: &Store, shelf: Shelf, key: &str, text: &str) -> Option<PathBuf> {
        let scratch = store.scratch().expect("scratch");
        for name in ["build", "out"] {
            std::fs::create_dir(scratch.path().join(name)).expect("makes");
        }
        std::fs::write(scratch.path().join("build/file"), text).expect("writes");
        store.keep(shelf, &Digest::of(key.as_bytes()), &scratch, key.as_bytes()).expect("keeps")
    }

    fn names(store: &Store) -> Vec<String> {
        let kept = store.kept(Shelf::Failed).expect("lists");
        kept.into_iter().map(|kept| String::from_utf8(kept.record).expect("text")).collect()
    }

    #[test]
    fn the_newest_of_a_key_until_it_is_discarded() {
        let fixture = Fixture::new();
        let store = &fixture.store;
        keep(store, Shelf::Failed, "a", "old");
        let path = keep(store, Shelf::Failed, "a", "new").expect("nobody is there");
        assert_eq!(std::fs::read_to_string(path.join("build/file")).expect("reads"), "new");
        keep(store, Shelf::Shell, "a", "text");
        store.discard(Shelf::Failed, &Digest::of(b"a")).expect("discards");
        store.discard(Shelf::Failed, &Digest::of(b"never kept")).expect("discards");
        assert_eq!((names(store).len(), store.kept(Shelf::Shell).expect("lists").len()), (0, 1));
    }

    #[test]
    fn whoever_is_there_is_let_be() {
        let fixture = Fixture::new();
        let path = keep(&fixture.store, Shelf::Failed, "a", "old").expect("nobody is there");
        let other = fixture.again("one");
        let hold = other.hold(&path).expect("looks").expect("free");
        assert_eq!(keep(&fixture.store, Shelf::Failed, "a", "new"), None);
        fixture.store.discard(Shelf::Failed, &Digest::of(b"a")).expect("lets it be");
        assert_eq!(std::fs::read_to_string(path.join("build/file")).expect("reads"), "old");
        drop(hold);
        fixture.store.discard(Shelf::Failed, &Digest::of(b"a")).expect("discards");
        assert!(!path.exists());
    }

    #[test]
    fn not_too_many_and_not_too_long() {
        let fixture = Fixture::new();
        let paths: Vec<_> = (0..MOST_KEPT)
            .map(|number| keep(&fixture.store, Shelf::Failed, &number.to_string(), "text").expect("nobody is there"))
            .collect();
        let age = |path: &Path, age| {
            let file = std::fs::File::options().write(true).open(path.join("step")).expect("opens");
            file.set_modified(SystemTime::now() - age).expect("ages");
        };
        age(&paths[1], KEPT_FOR + Duration::from_secs(1));
        age(&paths[0], Duration::from_secs(60));
        keep(&fixture.store, Shelf::Failed, "more", "text");
        keep(&fixture.store, Shelf::Failed, "still more", "text");
        let left = names(&fixture.store);
        assert_eq!(left.len(), MOST_KEPT);
        assert!(!left.contains(&"0".to_owned()) && !left.contains(&"1".to_owned()), "{left:?}");
    }

    #[test]
    fn gc_takes_all() {
        let mut fixture = Fixture::new();
        for (shelf, text) in [(Shelf::Failed, "four"), (Shelf::Shell, "eleven")] {
            keep(&fixture.store, shelf, "a", text);
        }
        let policy = Policy { now: SystemTime::now(), older_than: None, quota: None };
        let sweep = fixture.store.gc(&policy, &|_| ControlFlow::Continue(())).expect("collects");
        assert!(sweep.removals.iter().all(|removal| removal.why == Why::Workspace));
        assert_eq!((sweep.removals.len(), sweep.freed()), (2, 12));
        assert!(sweep.removals.iter().all(|removal| !fixture.store.root().join(&removal.path).exists()));
    }
}
