//! What an administrator decides, as the program reads it, and how it comes to count.

use std::net::IpAddr;

use super::locals::Locals;
use super::{CLASSES, LOCALS, TIERS};

pub(super) const PORTS: usize = 65536;
pub(super) const POLICY_BYTES: usize = 144;
pub(super) const LOCAL6_AT: usize = CLASSES * POLICY_BYTES;
pub(super) const LOCAL4_AT: usize = LOCAL6_AT + LOCALS * 16;
pub(super) const FACTORS_AT: usize = LOCAL4_AT + LOCALS * 4;
pub(super) const FRAGMENTS_AT: usize = FACTORS_AT + 12;
pub(super) const UDP_AT: usize = FRAGMENTS_AT + 4;
pub(super) const TCP_AT: usize = UDP_AT + PORTS;

/// Bytes of `struct config`.
pub const CONFIG_BYTES: usize = TCP_AT + PORTS;
/// Where the configs are in `.bss`, after `active` and its padding.
pub const CONFIGS_AT: usize = 8;
/// Bytes of `.bss`.
pub const BSS_BYTES: usize = CONFIGS_AT + 2 * CONFIG_BYTES;

/// Rate and burst of a generic cell rate algorithm, in steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// Steps between packets; 0 is no limit.
    pub interval: u64,
    /// Steps that a packet may be early; below 0 nothing passes.
    pub burst: i64,
}

impl Limit {
    /// Everything passes.
    pub const NONE: Self = Self { interval: 0, burst: i64::MAX };
    /// Nothing passes.
    pub const SHUT: Self = Self { interval: 0, burst: -1 };
}

/// What senders of a tier may send of a class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tier {
    /// A sender.
    pub each: Limit,
    /// All of them together, for each CPU.
    pub all: Limit,
}

/// What is right for a class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// By tier of the sender.
    pub tiers: [Tier; TIERS],
    /// The least source port.
    pub source_port_min: u16,
    /// The least bytes after the UDP header.
    pub payload_min: u16,
    /// The most bytes after the UDP header.
    pub payload_max: u16,
    /// Mask, least and greatest value of the payload's first byte.
    pub byte: [u8; 3],
    /// Mask and value of the first byte of what is of another class, and that class.
    pub part: [u8; 3],
    /// Whether what is wrong is dropped, or only counted.
    pub enforce: bool,
}

impl Policy {
    /// Everything passes.
    pub const OPEN: Self = Self {
        tiers: [Tier { each: Limit::NONE, all: Limit::NONE }; TIERS],
        source_port_min: 0,
        payload_min: 0,
        payload_max: u16::MAX,
        byte: [0, 0, 0],
        part: [0, 0, 0],
        enforce: false,
    };

    fn write(&self, to: &mut Vec<u8>) {
        for tier in self.tiers {
            for limit in [tier.each, tier.all] {
                to.extend(limit.interval.to_le_bytes());
                to.extend(limit.burst.to_le_bytes());
            }
        }
        for number in [self.source_port_min, self.payload_min, self.payload_max] {
            to.extend(number.to_le_bytes());
        }
        to.extend(self.byte);
        to.extend(self.part);
        to.push(u8::from(self.enforce));
        to.extend([0; 3]);
    }
}

/// All that an administrator decides.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// By class.
    pub policies: [Policy; CLASSES],
    /// The node's addresses; of each family at most [`super::LOCALS_MOST`] count.
    pub locals: Vec<IpAddr>,
    /// Whether pieces of UDP that tell no port are wrong.
    pub drop_fragments: bool,
    /// Classes of UDP ports; the others are of no class.
    pub udp: Vec<(u16, u8)>,
    /// Classes of TCP ports, for new connections.
    pub tcp: Vec<(u16, u8)>,
}

impl Config {
    /// Nothing is classed, and everything passes.
    pub fn open() -> Self {
        Self {
            policies: [Policy::OPEN; CLASSES],
            locals: Vec::new(),
            drop_fragments: false,
            udp: Vec::new(),
            tcp: Vec::new(),
        }
    }

    /// `struct config`.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(CONFIG_BYTES);
        for policy in &self.policies {
            policy.write(&mut bytes);
        }
        self.write_locals(&mut bytes);
        bytes.push(u8::from(self.drop_fragments));
        bytes.extend([0; 3]);
        for ports in [&self.udp, &self.tcp] {
            bytes.extend(port_table(ports));
        }
        bytes
    }

    /// The node's addresses for which there is no room, so that nothing that is sent to them is looked at.
    pub fn unguarded(&self) -> Vec<IpAddr> {
        Locals::of(&self.locals).left_out
    }

    fn write_locals(&self, to: &mut Vec<u8>) {
        let Locals { six, four, factor6, factor4, left_out: _ } = Locals::of(&self.locals);
        to.extend(six.as_flattened());
        to.extend(four.as_flattened());
        to.extend(factor6.to_le_bytes());
        to.extend(factor4.to_le_bytes());
    }
}

/// The class of each port, by its number in network byte order read as one of this machine.
fn port_table(ports: &[(u16, u8)]) -> Vec<u8> {
    let mut table = vec![0; PORTS];
    for (port, class) in ports {
        table[usize::from(port.to_be())] = *class;
    }
    table
}

/// Makes a config the one that counts: what `.bss` is to be, first with the config that does not count replaced, and
/// then with `active` saying that it counts.
pub fn activate(bss: &[u8], config: &Config) -> [Vec<u8>; 2] {
    let next = 1 - (bss[0] & 1);
    let mut filled = bss.to_vec();
    filled[CONFIGS_AT + usize::from(next) * CONFIG_BYTES..][..CONFIG_BYTES].copy_from_slice(&config.bytes());
    let mut active = filled.clone();
    active[..4].copy_from_slice(&u32::from(next).to_le_bytes());
    [filled, active]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_ports_in_network_order() {
        let bytes = Config { udp: vec![(8001, 3)], tcp: vec![(1, 2)], ..Config::open() }.bytes();
        assert_eq!(bytes[UDP_AT + 0x411f], 3);
        assert_eq!(bytes[TCP_AT + 0x0100], 2);
        assert_eq!(bytes[UDP_AT..].iter().filter(|class| **class != 0).count(), 2);
    }

    #[test]
    fn a_config_is_whole_before_it_counts() {
        let config = Config { drop_fragments: true, ..Config::open() };
        let [filled, active] = activate(&vec![0; BSS_BYTES], &config);
        let config = config.bytes();
        assert!(config.len() == CONFIG_BYTES && filled[..CONFIGS_AT + CONFIG_BYTES].iter().all(|byte| *byte == 0));
        assert_eq!(filled[CONFIGS_AT + CONFIG_BYTES..], config);
        assert_eq!((active[..8].to_vec(), &active[8..]), (vec![1, 0, 0, 0, 0, 0, 0, 0], &filled[8..]));
        let [back, _] = activate(&active, &Config::open());
        assert_eq!((back[0], &back[CONFIGS_AT + CONFIG_BYTES..]), (1, &config[..]));
    }
}
