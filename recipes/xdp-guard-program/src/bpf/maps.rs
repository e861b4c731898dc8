//! The maps of a loaded program. What a running program reads is never half of something: a config is written to the
//! entry that does not count, and `active` then says that it does. A peer is known where both its entry and its bit are
//! there, and anybody else's limits hold for it where only one is.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

use aya::maps::{Array, HashMap, Map, MapData, MapError, PerCpuArray, RingBuf};

use crate::abi::{Config, ConfigBytes, Counters, Peer, PeerBytes, StateBytes, sum};
use crate::failure::{During, Failure};

/// Their names in the object, and as pins, which have no dots.
const NAMES: [(&str, &str); 6] = [
    (".bss", "bss"),
    ("configs", "configs"),
    ("peers4", "peers4"),
    ("peers6", "peers6"),
    ("states", "states"),
    ("samples", "samples"),
];

/// The maps that the agent uses.
pub struct Maps {
    active: Array<MapData, u32>,
    configs: Array<MapData, ConfigBytes>,
    peers4: HashMap<MapData, [u8; 4], PeerBytes>,
    peers6: HashMap<MapData, [u8; 16], PeerBytes>,
    states: PerCpuArray<MapData, StateBytes>,
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
        let opening = || "opening the maps".to_owned();
        Ok(Self {
            active: map(".bss")?.try_into().during(opening)?,
            configs: map("configs")?.try_into().during(opening)?,
            peers4: map("peers4")?.try_into().during(opening)?,
            peers6: map("peers6")?.try_into().during(opening)?,
            states: map("states")?.try_into().during(opening)?,
        })
    }

    /// Makes a config the one that counts.
    pub fn set_config(&mut self, config: &Config) -> Result<(), Failure> {
        let writing = || "writing the config".to_owned();
        let next = 1 - (self.active.get(&0, 0).during(writing)? & 1);
        self.configs.set(next, config.bytes(), 0).during(writing)?;
        self.active.set(0, next, 0).during(writing)
    }

    /// All peers.
    pub fn peers(&self) -> Result<BTreeMap<IpAddr, Peer>, Failure> {
        let four = self.peers4.iter().map(|entry| entry.map(|(at, peer)| (IpAddr::from(at), Peer::of(&peer))));
        let six = self.peers6.iter().map(|entry| entry.map(|(at, peer)| (IpAddr::from(at), Peer::of(&peer))));
        four.chain(six).collect::<Result<_, MapError>>().during(|| "reading the peers".into())
    }

    /// One peer.
    pub fn peer(&self, address: IpAddr) -> Result<Option<Peer>, Failure> {
        let found = match address {
            IpAddr::V4(address) => self.peers4.get(&address.octets(), 0),
            IpAddr::V6(address) => self.peers6.get(&address.octets(), 0),
        };
        match found {
            Ok(bytes) => Ok(Some(Peer::of(&bytes))),
            Err(MapError::KeyNotFound) => Ok(None),
            Err(error) => Err(error).during(|| format!("reading peer {address}")),
        }
    }

    /// Adds a peer, or replaces all that is known of it.
    pub fn set_peer(&mut self, address: IpAddr, peer: &Peer) -> Result<(), Failure> {
        match address {
            IpAddr::V4(address) => self.peers4.insert(address.octets(), peer.bytes(), 0),
            IpAddr::V6(address) => self.peers6.insert(address.octets(), peer.bytes(), 0),
        }
        .during(|| format!("adding peer {address}"))
    }

    /// Forgets a peer.
    pub fn remove_peer(&mut self, address: IpAddr) -> Result<(), Failure> {
        match address {
            IpAddr::V4(address) => self.peers4.remove(&address.octets()),
            IpAddr::V6(address) => self.peers6.remove(&address.octets()),
        }
        .during(|| format!("removing peer {address}"))
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
