//! All programs of the race, loaded and told the same.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::entrant::Entrant;
use super::hardening::Hardening;
use super::node;
use crate::hook::{Hook, Kind, Settings};
use crate::roster::Roster;

/// The objects, as they are in their files.
pub struct Objects {
    guard: Vec<u8>,
    tcx: Vec<u8>,
    guard_mut: Vec<u8>,
    empty: Vec<u8>,
    empty_mut: Vec<u8>,
    filter: Vec<u8>,
}

impl Objects {
    /// Reads the guard's objects, those of the yardsticks, and Debian's xdp-filter.
    pub fn read(guard: &Path, yardsticks: &Path, filter: Option<&Path>) -> Result<Self> {
        let read = |folder: &Path, name: &str| {
            let path = folder.join(name);
            std::fs::read(&path).with_context(|| format!("{} can't be read", path.display()))
        };
        let filter = filter.map_or_else(debian_filter, PathBuf::from);
        Ok(Objects {
            guard: read(guard, "solana-xdp.o")?,
            tcx: read(guard, "solana-tcx.o")?,
            guard_mut: read(yardsticks, "guard-mut.o")?,
            empty: read(yardsticks, "empty.o")?,
            empty_mut: read(yardsticks, "empty-mut.o")?,
            filter: std::fs::read(&filter)
                .with_context(|| format!("{}: `apt install xdp-tools`, or name it by --filter", filter.display()))?,
        })
    }

    /// How many instructions the verifier looks at, in the guard for XDP and in that for tcx.
    pub fn verified(&self, cpu: usize) -> Result<[u32; 2]> {
        let verified =
            |object, kind| -> Result<u32> { Ok(Hook::load(object, kind, SETTINGS, cpu)?.loaded()?.verified) };
        Ok([verified(&self.guard, Kind::Xdp)?, verified(&self.tcx, Kind::Tcx)?])
    }
}

/// Where Debian has xdp-filter for all that it can look at, which passes what is not listed.
fn debian_filter() -> PathBuf {
    format!("/usr/lib/{}-linux-gnu/bpf/xdpfilt_alw_all.o", std::env::consts::ARCH).into()
}

/// As on a node with the default configuration: there are samples.
const SETTINGS: Settings = Settings { seed: 0x5eed, sampling: true, testing: false };

/// All programs.
pub struct Field {
    pub empty: Entrant,
    pub empty_mut: Entrant,
    pub filter: Entrant,
    pub guard: Hook,
    pub guard_mut: Hook,
}

impl Field {
    /// Loads all with the kernel's hardening as it is to be.
    pub fn load(objects: &Objects, hardening: u8, cpu: usize) -> Result<Self> {
        let _hardening = Hardening::set(hardening)?;
        Ok(Field {
            empty: Entrant::load(&objects.empty, "empty")?,
            empty_mut: Entrant::load(&objects.empty_mut, "empty_mut")?,
            filter: Entrant::load_filter(&objects.filter, &node::senders())?,
            guard: load_guard(&objects.guard, cpu)?,
            guard_mut: load_guard(&objects.guard_mut, cpu)?,
        })
    }
}

fn load_guard(object: &[u8], cpu: usize) -> Result<Hook> {
    let mut hook = Hook::load(object, Kind::Xdp, SETTINGS, cpu)?;
    let mut roster = Roster::new();
    roster.set(&node::peers())?;
    hook.set_peers(&roster)?;
    hook.set_config(node::config()?.as_ref())?;
    Ok(hook)
}
