//! A program in the race that is not the guard.

use std::path::PathBuf;

use anyhow::{Context, Result};
use aya::maps::{MapData, PerCpuHashMap, PerCpuValues};
use aya::programs::TestRunOptions;
use aya::{Ebpf, EbpfLoader};

use crate::program;

/// A loaded XDP program.
pub struct Entrant {
    ebpf: Ebpf,
    name: &'static str,
}

/// What xdp-filter has with an address that it drops as that of a sender.
const LISTED_SENDER: u64 = 1;

impl Entrant {
    /// Loads a program of an object, under its name there.
    pub fn load(object: &[u8], name: &'static str) -> Result<Self> {
        let pins = Pins::new()?;
        let mut ebpf = EbpfLoader::new()
            .default_map_pin_directory(&pins.folder)
            .load(object)
            .with_context(|| format!("the maps of {name} can't be made"))?;
        program::load(&mut ebpf, name)?;
        Ok(Entrant { ebpf, name })
    }

    /// Loads Debian's xdp-filter, for which all may pass but these senders.
    pub fn load_filter(object: &[u8], senders: &[u32]) -> Result<Self> {
        let mut filter = Entrant::load(object, "xdpfilt_alw_all")?;
        let map = filter.ebpf.map_mut("filter_ipv4").context("xdp-filter has no map filter_ipv4")?;
        let mut list: PerCpuHashMap<&mut MapData, u32, u64> = PerCpuHashMap::try_from(map)?;
        let cpus = aya::util::nr_cpus().map_err(|(what, error)| anyhow::Error::new(error).context(what))?;
        for sender in senders {
            let value = PerCpuValues::try_from(vec![LISTED_SENDER; cpus])?;
            list.insert(sender, value, 0).context("xdp-filter's list can't be written")?;
        }
        Ok(filter)
    }

    /// Runs the program on a frame some times; returns the last action.
    pub fn repeat(&self, frame: &[u8], times: u32) -> Result<u32> {
        let options = TestRunOptions { data_in: Some(frame), repeat: times, ..TestRunOptions::new() };
        program::run(&self.ebpf, self.name, options)
    }
}

/// A folder for the pins that xdp-filter's maps ask for; nobody needs them, and they go with this value.
struct Pins {
    folder: PathBuf,
}

impl Pins {
    fn new() -> Result<Self> {
        let folder = PathBuf::from(format!("/sys/fs/bpf/xdp-race-{}", std::process::id()));
        std::fs::create_dir_all(&folder).with_context(|| {
            format!("{} can't be made: `mount -t bpf bpf /sys/fs/bpf`, where that is missing", folder.display())
        })?;
        Ok(Pins { folder })
    }
}

impl Drop for Pins {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).ok();
    }
}
