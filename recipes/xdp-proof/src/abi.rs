//! The values of the maps, as `abi.h` has them. `layout` compares them with an object before anything else is done.

use std::mem::offset_of;

use bytemuck::{Pod, Zeroable};

/// The revision of the layouts that this program knows.
pub const ABI: u32 = 2;
/// A jiffy has 2 to the power of this steps.
pub const STEP_BITS: u32 = 24;
pub const CLASSES: usize = 16;
pub const TIERS: usize = 4;
pub const REASONS: usize = 16;
/// Places for the node's addresses, of each family.
pub const LOCALS: usize = 256;
pub const PORTS: usize = 65536;
/// Of both families, and one that stands for none.
pub const PEERS: usize = 32768;
pub const SLOTS: usize = 65536;
/// Peers that may share a slot.
pub const CHAIN: usize = 8;
pub const CELLS: usize = 65536;
/// Bytes of a frame in a sample.
pub const HEAD_BYTES: usize = 128;

/// Declares structs with the layout of C that can stand in a map.
macro_rules! map_values {
    ($($(#[$doc:meta])* pub struct $name:ident { $($fields:tt)* })*) => {$(
        $(#[$doc])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
        pub struct $name { $($fields)* }

        // SAFETY: bytemuck's derive has shown that every pattern of bits is a value, and that no byte is padding.
        unsafe impl aya::Pod for $name {}
    )*};
}

map_values! {
    /// Packets may come `interval` steps apart, and `burst` steps early; a negative burst lets nothing pass.
    pub struct Limit {
        pub interval: u64,
        pub burst: i64,
    }

    /// What senders of a tier may send of a class: each of them, and all together on a CPU.
    pub struct Tier {
        pub each: Limit,
        pub all: Limit,
    }

    /// What is right for a class.
    pub struct Policy {
        pub tiers: [Tier; TIERS],
        pub source_port_min: u16,
        pub payload_min: u16,
        pub payload_max: u16,
        pub byte_mask: u8,
        pub byte_min: u8,
        pub byte_max: u8,
        pub part_mask: u8,
        pub part_value: u8,
        pub part_class: u8,
        pub enforce: u8,
        pub padding: [u8; 3],
    }

    /// An IPv6 address; an IPv4 address is the last 4 bytes of `network`, behind 4 bytes 0xff.
    pub struct Address6 {
        pub network: u64,
        pub host: u64,
    }

    /// All that an administrator decides.
    pub struct Config {
        pub policies: [Policy; CLASSES],
        pub local6: [Address6; LOCALS],
        pub local4: [u32; LOCALS],
        pub local6_factor: u64,
        pub local4_factor: u32,
        pub drop_fragments: u8,
        pub padding: [u8; 3],
        pub udp_class: [u8; PORTS],
        pub tcp_class: [u8; PORTS],
    }

    /// The section `.bss`: which configuration counts, and both.
    pub struct Memory {
        pub active: u32,
        pub padding: u32,
        pub configs: [Config; 2],
    }

    /// A known sender, and the number of the next one in its slot.
    pub struct Peer {
        pub address: Address6,
        pub next: u16,
        pub tier: u16,
        pub padding: u32,
    }

    /// All known senders by their numbers; the first is none.
    pub struct Peers {
        pub list: [Peer; PEERS],
    }

    /// The number of the first peer of each slot.
    pub struct Slots {
        pub first: [u16; SLOTS],
    }

    /// When the next packets of peers are due.
    pub struct Dues {
        pub of: [[u64; CLASSES]; PEERS],
    }

    /// Packets, and the bytes of their frames.
    pub struct Counter {
        pub packets: u64,
        pub bytes: u64,
    }

    /// What a CPU has for itself.
    pub struct State {
        pub counters: [[Counter; REASONS]; CLASSES],
        pub due: [[u64; TIERS]; CLASSES],
        pub sampled: u64,
    }

    /// When the next packets of unknown senders are due.
    pub struct Sketch {
        pub due: [[u64; CELLS]; 2],
    }

    /// A packet that was dropped, or would have been.
    pub struct Sample {
        pub nanoseconds: u64,
        pub length: u32,
        pub verdict: u32,
        pub enforced: u32,
        pub padding: u32,
        pub head: [u8; HEAD_BYTES],
    }
}

/// Where a struct has its fields: name, size, and name and offset of each field.
pub type Layout = (&'static str, usize, Vec<(&'static str, usize)>);

macro_rules! layout {
    ($name:literal, $type:ident, $($field:ident),*) => {
        ($name, size_of::<$type>(), vec![$((stringify!($field), offset_of!($type, $field))),*])
    };
}

/// A variable that the loader and the program share: its name, its section, where it is in there, and its size.
pub type Variable = (&'static str, &'static str, usize, usize);

/// The variables that are reached without a lookup. Each section is a map with one value, of the section's size.
pub fn variables() -> Vec<Variable> {
    vec![
        ("active", ".bss", offset_of!(Memory, active), size_of::<u32>()),
        ("configs", ".bss", offset_of!(Memory, configs), 2 * size_of::<Config>()),
        ("slots", ".bss.slots", 0, size_of::<Slots>()),
        ("peers", ".bss.peers", 0, size_of::<Peers>()),
        ("dues", ".bss.dues", 0, size_of::<Dues>()),
        ("sketch", ".bss.sketch", 0, size_of::<Sketch>()),
    ]
}

/// The layouts of the structs that are values of maps, by their names in C. A sample is none, so that BTF has nothing of
/// it; its fields are compared one by one wherever the program makes a sample.
pub fn layouts() -> Vec<Layout> {
    vec![
        layout!("limit", Limit, interval, burst),
        layout!("tier", Tier, each, all),
        layout!(
            "policy",
            Policy,
            tiers,
            source_port_min,
            payload_min,
            payload_max,
            byte_mask,
            byte_min,
            byte_max,
            part_mask,
            part_value,
            part_class,
            enforce,
            padding
        ),
        layout!("address6", Address6, network, host),
        layout!(
            "config",
            Config,
            policies,
            local6,
            local4,
            local6_factor,
            local4_factor,
            drop_fragments,
            padding,
            udp_class,
            tcp_class
        ),
        layout!("peer", Peer, address, next, tier, padding),
        layout!("peers", Peers, list),
        layout!("slots", Slots, first),
        layout!("dues", Dues, of),
        layout!("counter", Counter, packets, bytes),
        layout!("state", State, counters, due, sampled),
        layout!("sketch", Sketch, due),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_the_header() {
        assert_eq!(size_of::<Policy>(), 144);
        assert_eq!(size_of::<Peer>(), 24);
        assert_eq!(size_of::<Sample>(), 152);
        assert_eq!(size_of::<Config>(), 16 * 144 + 256 * 16 + 256 * 4 + 16 + 2 * 65536);
    }
}
