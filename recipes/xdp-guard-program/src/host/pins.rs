//! What is kept in the BPF file system:
//!
//! ```text
//! /sys/fs/bpf/solana-xdp/<interface>/link            keeps the program attached
//! /sys/fs/bpf/solana-xdp/<interface>/<id>/program    the program of that id,
//! /sys/fs/bpf/solana-xdp/<interface>/<id>/configs …  and its maps
//! ```
//!
//! The link alone says which program counts: the kernel swaps it in one step, so whatever crash leaves a folder of
//! another id leaves rubbish that the next attach sweeps.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use crate::bpf::kernel::{self, Link};
use crate::bpf::maps::Maps;
use crate::failure::{During, Failure};

const BPF_FILE_SYSTEM: i64 = 0xcafe_4a11;

/// The folder of an interface.
pub struct Pins {
    folder: PathBuf,
}

/// What is attached.
pub struct Attached {
    /// Keeps it attached.
    pub link: OwnedFd,
    /// What it is.
    pub info: Link,
    /// Of its program and maps.
    pub folder: PathBuf,
}

impl Attached {
    /// The program; by its id where its pin was removed.
    pub fn program(&self) -> Result<OwnedFd, Failure> {
        let pinned = kernel::open(&self.folder.join("program"));
        pinned.or_else(|_| kernel::open_program(self.info.program)).during(|| "opening the attached program".into())
    }

    /// Its maps.
    pub fn maps(&self) -> Result<Maps, Failure> {
        Maps::open(&self.folder)
    }
}

impl Pins {
    /// The folder of an interface. Names of pins have no dots.
    pub fn new(root: &Path, interface: &str) -> Self {
        Self { folder: root.join(interface.replace('.', "%2e")) }
    }

    /// Makes the folder, which must be in the BPF file system.
    pub fn prepare(&self) -> Result<(), Failure> {
        // Before anything is made: where none is mounted, no folder can be made there, for another reason.
        let there = self.folder.ancestors().find(|folder| folder.exists()).unwrap_or(&self.folder);
        let stat = rustix::fs::statfs(there).during(|| format!("looking at {}", there.display()))?;
        if stat.f_type as i64 & 0xffff_ffff != BPF_FILE_SYSTEM {
            let path = self.folder.display();
            let hint = "mount -t bpf bpf /sys/fs/bpf, or give --pins a folder in it";
            return Err(Failure::Environment(format!("{path} is not in the BPF file system: {hint}")));
        }
        std::fs::create_dir_all(&self.folder).during(|| format!("making {}", self.folder.display()))
    }

    /// What is attached; none also where the pinned link's interface is gone.
    pub fn attached(&self) -> Result<Option<Attached>, Failure> {
        let path = self.link();
        let link = match kernel::open(&path) {
            Ok(link) => link,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).during(|| format!("opening {}", path.display())),
        };
        let info = kernel::link(link.as_fd()).during(|| format!("asking for {}", path.display()))?;
        if info.interface == 0 {
            return Ok(None);
        }
        Ok(Some(Attached { link, info, folder: self.program(info.program) }))
    }

    /// Where the link is pinned.
    pub fn link(&self) -> PathBuf {
        self.folder.join("link")
    }

    /// Where a program and its maps are pinned.
    pub fn program(&self, id: u32) -> PathBuf {
        self.folder.join(id.to_string())
    }

    /// Removes everything but the link and the program that is attached.
    pub fn sweep(&self, keep: Option<&Attached>) -> Result<(), Failure> {
        let sweeping = || format!("sweeping {}", self.folder.display());
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error).during(sweeping),
        };
        for entry in entries {
            let path = entry.during(sweeping)?.path();
            let kept = keep.is_some_and(|attached| path == attached.folder || path == self.link());
            if !kept {
                remove(&path).during(|| format!("removing {}", path.display()))?;
            }
        }
        Ok(())
    }

    /// Removes the folder itself.
    pub fn remove(&self) -> Result<(), Failure> {
        self.sweep(None)?;
        std::fs::remove_dir(&self.folder).during(|| format!("removing {}", self.folder.display()))
    }
}

/// The link goes first where all goes, so that nothing is attached without its maps' pins for longer than it takes.
fn remove(path: &Path) -> io::Result<()> {
    if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }
}
