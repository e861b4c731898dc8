//! What happens to bad objects: they are set aside, and nothing that was made of them is trusted.
//!
//! The order matters for a crash between the steps: results go first, then realised trees, then
//! the objects. So no result ever stands over an object that is gone, and an object made again
//! later, not yet synced, is covered by no old result.

use std::collections::HashSet;

use rustix::fs::{AtFlags, Mode, renameat, statat};
use rustix::io::Errno;

use super::object::{Disk, MTIME, Object};
use super::reach::Soundness;
use super::{ActionResult, Cause, Error};
use crate::digest::Digest;

/// The folder of bad objects and damaged trees; gc empties it.
pub(super) const QUARANTINE: &str = "quarantine";

impl Disk {
    /// Sets bad objects aside and says so.
    pub(super) fn corrupt(&self, bad: &[Object]) -> Error {
        let written = bad.iter().any(|object| self.cause(object) == Cause::Written);
        match self.condemn(bad) {
            Err(error) => error,
            Ok(_) => Error::Corrupt {
                digests: bad.iter().map(|(_, digest)| *digest).collect(),
                cause: if written { Cause::Written } else { Cause::Decayed },
                quarantine: self.path.join(QUARANTINE),
            },
        }
    }

    /// How an object that is bad came to be so, by its looks.
    pub(super) fn cause(&self, (kind, digest): &Object) -> Cause {
        match statat(&self.root, kind.path(digest), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if stat.st_mtime == MTIME && Mode::from_raw_mode(stat.st_mode) == kind.mode() => Cause::Decayed,
            _ => Cause::Written,
        }
    }

    /// Forgets what needs an object that is not there and says so.
    pub(super) fn missing(&self, digest: Digest) -> Error {
        self.condemn(&[]).err().unwrap_or(Error::Missing(digest))
    }

    /// Forgets the results and sets aside the realised trees that need one of these objects, or
    /// one that is not there; then sets the objects aside. Answers with what was forgotten.
    pub(super) fn condemn(&self, bad: &[Object]) -> Result<Condemned, Error> {
        let bad: HashSet<_> = bad.iter().copied().collect();
        let mut sound = Soundness::new(self, |kind, digest| self.has(kind, digest) && !bad.contains(&(kind, *digest)));
        let mut condemned = Condemned::default();
        self.queue.lock().expect("BUG: a thread panicked").retain(|_, result| sound.result(result));
        for key in self.keys()? {
            if let Some(result) = self.line(&key)?.filter(|result| !sound.result(result)) {
                self.unlink_result(&key)?;
                condemned.results.push((key, result));
            }
        }
        for tree in self.trees()? {
            if !sound.tree(&tree) {
                self.set_tree_aside(&tree)?;
                condemned.trees.push(tree);
            }
        }
        for (kind, digest) in bad {
            self.set_aside(&kind.path(&digest), &format!("{}-{}", kind.folder(), digest.hex()))?;
        }
        Ok(condemned)
    }

    /// A realised tree goes away by one rename; a sandbox that has it mounted keeps it.
    pub(super) fn set_tree_aside(&self, tree: &Digest) -> Result<(), Error> {
        self.checked.lock().expect("BUG: a thread panicked").remove(tree);
        let name = (0u32..).map(|number| format!("tree-{}-{number}", tree.hex()));
        let mut free = name.filter(|name| !self.path.join(QUARANTINE).join(name).exists());
        let name = free.next().expect("BUG: more trees in quarantine than numbers");
        self.set_aside(&format!("tree/{}", tree.hex()), &name)
    }

    fn set_aside(&self, path: &str, name: &str) -> Result<(), Error> {
        match renameat(&self.root, path, &self.root, format!("{QUARANTINE}/{name}")) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(self.at(path)(error)),
        }
    }
}

/// What fell with bad objects.
#[derive(Debug, Default)]
pub(super) struct Condemned {
    pub(super) results: Vec<(Digest, ActionResult)>,
    pub(super) trees: Vec<Digest>,
}
