//! The maps of a loaded program. What a running program reads is never half of something: a config is written to the
//! half that does not count, and `active` then says that it does; how peers come and go is in [`crate::abi`].

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::path::Path;

use aya::maps::{Map, MapData, PerCpuArray, RingBuf};

use super::kernel;
use crate::abi::{
    self, BSS_BYTES, Change, Config, Counters, DUES_BYTES, Due, Dues, PEERS_BYTES, SLOTS_BYTES, StateBytes, Table,
    Write, sum,
};
use crate::failure::{During, Failure};

/// Their names in the object, and as pins, which have no dots.
const NAMES: [(&str, &str); 6] = [
    (".bss", "configs"),
    (".bss.slots", "slots"),
    (".bss.peers", "peers"),
    (".bss.dues", "dues"),
    ("states", "states"),
    ("samples", "samples"),
];

/// A known sender.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peer {
    /// From 1 on.
    pub tier: u16,
    /// What it owes.
    pub due: Due,
}

/// The maps that the agent uses.
pub struct Maps {
    configs: Section,
    slots: Section,
    peers: Section,
    dues: Section,
    states: PerCpuArray<MapData, StateBytes>,
}

/// A section of the object's variables: an array map with one value.
struct Section {
    name: &'static str,
    map: MapData,
    bytes: usize,
}

impl Section {
    fn of(map: Map, name: &'static str, bytes: usize) -> Result<Self, Failure> {
        match map {
            Map::Array(map) => Ok(Self { name, map, bytes }),
            _ => Err(Failure::Environment(format!("the map {name} is no array"))),
        }
    }

    fn read(&self) -> Result<Vec<u8>, Failure> {
        kernel::read_value(self.map.fd().as_fd(), self.bytes).during(|| format!("reading {}", self.name))
    }

    fn write(&self, value: &[u8]) -> Result<(), Failure> {
        kernel::write_value(self.map.fd().as_fd(), value).during(|| format!("writing {}", self.name))
    }
}

impl Maps {
    /// The maps of an object that was just loaded.
    pub fn take(loaded: &mut aya::Ebpf) -> Result<Self, Failure> {
        Self::of(|name| {
            loaded.take_map(name).ok_or_else(|| Failure::Environment(format!("the object has no map {name}")))
        })
    }

    /// The maps pinned in a folder.
    pub fn open(folder: &Path) -> Result<Self, Failure> {
        Self::of(|name| open(folder, name))
    }

    fn of(mut map: impl FnMut(&str) -> Result<Map, Failure>) -> Result<Self, Failure> {
        let mut section = |name, bytes| Section::of(map(name)?, name, bytes);
        Ok(Self {
            configs: section(".bss", BSS_BYTES)?,
            slots: section(".bss.slots", SLOTS_BYTES)?,
            peers: section(".bss.peers", PEERS_BYTES)?,
            dues: section(".bss.dues", DUES_BYTES)?,
            states: map("states")?.try_into().during(|| "opening the counters".into())?,
        })
    }

    /// Makes a config the one that counts.
    pub fn set_config(&mut self, config: &Config) -> Result<(), Failure> {
        let steps = abi::activate(&self.configs.read()?, config);
        steps.iter().try_for_each(|step| self.configs.write(step))
    }

    /// Fills the maps of a program that is not attached with the peers there are. Each has a number from 1 on, in the
    /// order of the addresses.
    pub fn fill(&mut self, peers: &BTreeMap<IpAddr, Peer>) -> Result<(), Failure> {
        let mut table = Table::empty();
        let mut dues = Dues::none();
        for (address, peer) in peers {
            table.add(*address, peer.tier);
            if let Some(number) = table.numbers().get(address) {
                dues.set(*number, &peer.due);
            }
        }
        self.peers.write(table.peers())?;
        self.slots.write(table.slots())?;
        self.dues.write(dues.bytes())
    }

    /// Changes the peers of a program that may be attached. What they owe is the program's to write; who gets the number
    /// of a former peer gets that, too, so that it gets one whose debt is long paid, as long as there is one.
    pub fn change(&mut self, change: &Change) -> Result<(), Failure> {
        for write in self.table()?.change(change) {
            match write {
                Write::Peers(value) => self.peers.write(&value)?,
                Write::Slots(value) => self.slots.write(&value)?,
            }
        }
        Ok(())
    }

    fn table(&self) -> Result<Table, Failure> {
        Ok(Table::of(self.peers.read()?, self.slots.read()?, self.dues()?))
    }

    /// The tiers of all peers.
    pub fn tiers(&self) -> Result<BTreeMap<IpAddr, u16>, Failure> {
        Ok(self.table()?.tiers())
    }

    /// All peers.
    pub fn peers(&self) -> Result<BTreeMap<IpAddr, Peer>, Failure> {
        let table = self.table()?;
        let (tiers, dues) = (table.tiers(), table.dues());
        let peers = tiers.into_iter().zip(table.numbers().values());
        Ok(peers.map(|((address, tier), number)| (address, Peer { tier, due: dues.get(*number) })).collect())
    }

    /// What peers owe, by number.
    pub fn dues(&self) -> Result<Dues, Failure> {
        self.dues.read().map(Dues::of)
    }

    /// What all CPUs counted.
    pub fn counters(&self) -> Result<Counters, Failure> {
        let states = self.states.get(&0, 0).during(|| "reading the counters".into())?;
        Ok(sum(states.iter()))
    }
}

/// Pins the maps of an object that was just loaded.
pub fn pin(loaded: &aya::Ebpf, folder: &Path) -> Result<(), Failure> {
    for (name, pin) in NAMES {
        let map = loaded.map(name).ok_or_else(|| Failure::Environment(format!("the object has no map {name}")))?;
        map.pin(folder.join(pin)).during(|| format!("pinning {name}"))?;
    }
    Ok(())
}

/// The ring buffer pinned in a folder.
pub fn samples(folder: &Path) -> Result<RingBuf<MapData>, Failure> {
    open(folder, "samples")?.try_into().during(|| "opening the samples".into())
}

fn open(folder: &Path, name: &str) -> Result<Map, Failure> {
    let pin = NAMES.iter().find(|(map, _)| *map == name).map_or(name, |(_, pin)| pin);
    let path = folder.join(pin);
    MapData::from_pin(&path).and_then(Map::from_map_data).during(|| format!("opening {}", path.display()))
}
