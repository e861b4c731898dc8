//! The store: content-addressed files and trees, and the results of actions.
//!
//! ```text
//! <root>/
//! ├── format              "forge store 1"
//! ├── boot                id of the boot in which the store was last opened
//! ├── file/ab/abcd…       plain files, 0644, named by the SHA-256 of their bytes
//! ├── exec/ab/abcd…       executable files, 0755; the bit belongs to the inode
//! ├── dir/ab/abcd…        directories: canonical REAPI v2 `Directory` messages (directory.rs)
//! ├── tree/abcd…/         realised trees: hard links to file/ and exec/; can be mounted
//! ├── result/ab/<key>     what an action made: one line of JSON (result.rs)
//! ├── roots/<digest>      links outside the store whose targets gc keeps (root.rs)
//! ├── tmp/<pid>-<n>/      scratch directories of living processes (scratch.rs)
//! ├── failed/<key>/       /build and /out as a failed command left them (kept.rs)
//! ├── shell/<key>/        /build and /out as a shell left them
//! ├── quarantine/         corrupt objects and damaged trees, until the next gc
//! ├── check/              what rebuilds came to, until the next gc (`check::verdict`)
//! ├── partial/ index/ log/ times last-build last-test last/   what `fetch` and `build` keep here (auxiliary.rs)
//! └── lock/               `use`, and a file an action being made
//! ```
//!
//! Plain files are the truth; there is no index. What holds:
//!
//! 1. An object's name is the digest of its bytes. It is written aside, hashed, given its mode
//!    (never left to the umask) and the one constant time (1980-01-02), and renamed.
//! 2. A result gets its name only after a sync that covers its objects. An object that no result
//!    covers may have been cut short by a power failure; so whoever first opens the store in
//!    another boot removes all of those.
//! 3. No result stands over an object that is missing or known to be bad: results are removed
//!    first, objects last.
//! 4. Everything a dead process leaves is a file without a lock. Nothing is ever unlocked by hand.
//! 5. Every open store holds `lock/use` shared. gc and fsck, which take things away, hold it alone.
//!
//! A store belongs to one uid on one machine.

mod auxiliary;
mod checkout;
mod content;
#[cfg(test)]
mod crash;
mod directory;
mod error;
pub mod fault;
pub(crate) mod flock;
#[cfg(test)]
mod fixture;
mod fsck;
mod gc;
mod import;
mod kept;
mod mark;
mod object;
mod open;
mod quarantine;
mod reach;
mod result;
mod root;
mod scratch;
mod temp;
mod threads;
mod tree;
mod usage;
mod walk;
mod watch;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use rustix::fs::fstatvfs;
use rustix::io::Errno;

pub use content::{Opened, Writer};
pub use directory::{Directory, Node, NotCanonical};
pub use error::{Cause, Error};
pub use fsck::{Damage, Finding, Report};
pub use gc::{Age, Policy, Removal, Sweep, Why};
pub use import::survey;
pub use kept::{Hold, KEPT_FOR, Kept, MOST_KEPT, Shelf};
pub(crate) use object::MTIME;
pub use open::{Lock, Setup};
pub(crate) use result::OutputLine;
pub use scratch::Scratch;
pub use tree::TreeBuilder;
pub use usage::{RootUsage, Usage};
pub use watch::{Progress, Stage, Watch};

use crate::digest::Digest;
use crate::path::Name;
use error::at;
use object::{Disk, Kind};

/// The folder of what `forge check` found out.
pub const CHECK: &str = "check";

/// How deep directories may be nested, far from what a stack or a path of the kernel can bear.
pub const MAX_DEPTH: usize = 128;

/// With less than this a disk counts as full: file systems keep a last bit for themselves.
const LEAST_ROOM_BYTES: u64 = 1 << 20;

/// A file of the store: its content and size. Whether it is executable stands in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blob {
    /// The SHA-256 of the bytes.
    pub digest: Digest,
    /// How many bytes.
    pub size: u64,
}

/// One output of an action; also what a source is once it is in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// A single file.
    File {
        /// Its content.
        blob: Blob,
        /// Whether its mode is 0755 (else 0644).
        executable: bool,
    },
    /// A tree: the blob of its top Directory message.
    Tree(Blob),
}

impl Output {
    /// The file, or the tree's top Directory message.
    #[must_use]
    pub fn blob(&self) -> Blob {
        match self {
            Self::File { blob, .. } | Self::Tree(blob) => *blob,
        }
    }

    /// The digest of the file, or of the tree's top Directory message.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.blob().digest
    }
}

/// What an action made; written as a line that later runs trust.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ActionResult {
    /// What people call the action, as `hello: compile`: its unit, then more. For words alone.
    pub label: String,
    /// The outputs by name.
    pub outputs: BTreeMap<Name, Output>,
    /// How long it took: the scheduler's guess for the next time.
    pub seconds: f64,
    /// What it printed.
    pub log: Option<Blob>,
    /// What was downloaded for it: a [`Directory`] of that by name. The result stands without it;
    /// gc keeps it as long as the result, where there is room.
    pub downloads: Option<Blob>,
}

/// An open store. All of its work may be done from many threads; upkeep wants it alone.
#[derive(Debug)]
pub struct Store {
    disk: Arc<Disk>,
    /// Held shared while the store is open.
    in_use: flock::Flock,
    /// One commit at a time.
    gate: Mutex<()>,
}

impl Store {
    /// The store's directory, absolute and without links.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.disk.path
    }

    /// Stores one directory. The blobs it names should be in the store, or come there before a
    /// result names it.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn put_directory(&self, directory: &Directory) -> Result<Blob, Error> {
        self.disk.put(Kind::Dir, &directory.encode())
    }

    /// Reads one directory, verified.
    ///
    /// # Errors
    /// [`Error::is_damage`] if it is missing or corrupt.
    pub fn directory(&self, digest: &Digest) -> Result<Directory, Error> {
        self.disk.directory(digest)
    }

    /// An error if the disk has no room left for what a build writes, such as one that just failed.
    ///
    /// # Errors
    /// [`Error::is_full`]; or if the disk can't be asked.
    pub fn has_room(&self) -> Result<(), Error> {
        let disk = fstatvfs(&self.disk.root).map_err(at(self.root()))?;
        // Some file systems don't count files, and say 0 of 0.
        let files = disk.f_files == 0 || disk.f_favail > 0;
        if files && disk.f_bavail.saturating_mul(disk.f_frsize) >= LEAST_ROOM_BYTES {
            return Ok(());
        }
        Err(at(self.root())(Errno::NOSPC))
    }

    /// A directory in the store's file system for a build; erased on drop, or when its process
    /// is found dead.
    ///
    /// # Errors
    /// If it can't be made.
    pub fn scratch(&self) -> Result<Scratch, Error> {
        Scratch::new(&self.disk.path.join("tmp"))
    }
}
