//! Where cpuid stands in files, found once for each.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::rc::Rc;

use rustix::fs::{Mode, OFlags, open};

use super::code;

/// Places in a file, in order.
pub(super) type Places = Rc<BTreeSet<u64>>;

/// How many files are known at most; then all are forgotten.
const MOST_FILES: usize = 10_000;

/// What is known of files.
#[derive(Default)]
pub(super) struct Known(HashMap<Identity, Places>);

/// A file as it is: another number where it is written again.
#[derive(PartialEq, Eq, Hash)]
struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Known {
    /// Where cpuid stands in a file; `None` where that cannot be read, or is none that programs are made of.
    pub(super) fn places(&mut self, path: &Path) -> Option<Places> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = File::from(open(path, flags, Mode::empty()).ok()?);
        let identity = identity(&file)?;
        if self.0.len() >= MOST_FILES {
            self.0.clear();
        }
        Some(self.0.entry(identity).or_insert_with(|| Rc::new(code::cpuids(&file))).clone())
    }
}

fn identity(file: &File) -> Option<Identity> {
    let facts = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
    Some(Identity {
        device: facts.dev(),
        inode: facts.ino(),
        size: facts.size(),
        modified: (facts.mtime(), facts.mtime_nsec()),
        changed: (facts.ctime(), facts.ctime_nsec()),
    })
}
