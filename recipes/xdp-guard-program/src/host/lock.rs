//! One agent for an interface at a time.

use std::fs::{File, OpenOptions};
use std::path::Path;

use rustix::fs::FlockOperation;

use crate::failure::{During, Failure};

/// Held until it is dropped, or the process ends in any way.
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of an interface, or says that another has it.
    pub fn take(folder: &Path, interface: &str) -> Result<Self, Failure> {
        std::fs::create_dir_all(folder).during(|| format!("making {}", folder.display()))?;
        let path = folder.join(format!("{interface}.lock"));
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let file = file.during(|| format!("opening {}", path.display()))?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _file: file }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(Failure::Environment(format!(
                "another xdp-guard is at work on {interface}: stop it first; what is attached stays\n  lock {}",
                path.display()
            ))),
            Err(error) => Err(error).during(|| format!("locking {}", path.display())),
        }
    }
}
