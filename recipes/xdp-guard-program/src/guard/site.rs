//! Where a guard is, and where what it needs is kept.

use std::path::PathBuf;

use crate::failure::{During, Failure};
use crate::host::lock::Lock;
use crate::host::pins::Pins;

// Folders that tests and containers have elsewhere. No doc comment: clap would take it for the verb's.
#[allow(missing_docs)]
#[derive(clap::Args, Clone, Debug)]
#[group(skip)]
pub struct Folders {
    /// Where links, programs and maps are pinned, in the BPF file system
    #[arg(long, env = "XDP_GUARD_PINS", default_value = "/sys/fs/bpf/solana-xdp", value_name = "FOLDER")]
    pub pins: PathBuf,
    /// Where locks are, and what is lost with the pins
    #[arg(long, env = "XDP_GUARD_RUN", default_value = "/run/xdp-guard", value_name = "FOLDER")]
    pub run: PathBuf,
    /// Where the last peers are kept for the next start
    #[arg(long, env = "XDP_GUARD_STATE", default_value = "/var/lib/xdp-guard", value_name = "FOLDER")]
    pub state: PathBuf,
}

impl Folders {
    /// The pins of an interface.
    pub fn pins(&self, interface: &str) -> Pins {
        Pins::new(&self.pins, interface)
    }

    /// The lock of an interface.
    pub fn lock(&self, interface: &str) -> Result<Lock, Failure> {
        Lock::take(&self.run, interface)
    }

    /// The interfaces that have pins.
    pub fn interfaces(&self) -> Result<Vec<String>, Failure> {
        let entries = match std::fs::read_dir(&self.pins) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).during(|| format!("reading {}", self.pins.display())),
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names: Vec<_> = names.map(|name| name.replace("%2e", ".")).collect();
        names.sort();
        Ok(names)
    }
}
