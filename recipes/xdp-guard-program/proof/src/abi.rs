//! The values of the maps, as `abi.h` has them. `layout` compares them with an object before anything else is done.

use bytemuck::{Pod, Zeroable};

/// The revision of the layouts that this program knows.
pub const ABI: u32 = 1;
/// A jiffy has 2 to the power of this steps.
pub const STEP_BITS: u32 = 24;
pub const CLASSES: usize = 16;
pub const TIERS: usize = 4;
pub const REASONS: usize = 16;
pub const LOCALS: usize = 8;
pub const PORTS: usize = 65536;
pub const PEER_BITS: usize = 65536;
pub const CELLS: usize = 65536;

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

    /// An IPv6 address; an IPv4 address is the first 4 bytes of `network`.
    pub struct Address6 {
        pub network: u64,
        pub host: u64,
    }

    /// All that an administrator decides.
    pub struct Config {
        pub policies: [Policy; CLASSES],
        pub local6: [Address6; LOCALS],
        pub local4: [u32; LOCALS],
        pub drop_fragments: u8,
        pub padding: [u8; 7],
        pub peer_bits: [u64; PEER_BITS / 64],
        pub udp_class: [u8; PORTS],
        pub tcp_class: [u8; PORTS],
    }

    /// A known sender.
    pub struct Peer {
        pub tier: u32,
        pub padding: u32,
        pub due: [u64; CLASSES],
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
        pub sample_due: u64,
    }

    /// When the next packets of unknown senders are due.
    pub struct Sketch {
        pub due: [[u64; CELLS]; 2],
    }

    /// A packet that was dropped, or would have been.
    pub struct Sample {
        pub nanoseconds: u64,
        pub source: Address6,
        pub source_port: u16,
        pub port: u16,
        pub length: u32,
        pub version: u8,
        pub protocol: u8,
        pub class: u8,
        pub tier: u8,
        pub reason: u8,
        pub enforced: u8,
        pub padding: [u8; 2],
    }
}

/// Where a struct has its fields: name, size, and name and offset of each field.
pub type Layout = (&'static str, usize, Vec<(&'static str, usize)>);

macro_rules! layout {
    ($name:literal, $type:ident, $($field:ident),*) => {
        ($name, size_of::<$type>(), vec![$((stringify!($field), std::mem::offset_of!($type, $field))),*])
    };
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
        layout!("config", Config, policies, local6, local4, drop_fragments, padding, peer_bits, udp_class, tcp_class),
        layout!("peer", Peer, tier, padding, due),
        layout!("counter", Counter, packets, bytes),
        layout!("state", State, counters, due, sample_due),
        layout!("sketch", Sketch, due),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_the_header() {
        assert_eq!(size_of::<Policy>(), 144);
        assert_eq!(size_of::<Peer>(), 136);
        assert_eq!(size_of::<Sample>(), 40);
        assert_eq!(size_of::<Config>(), 16 * 144 + 8 * 16 + 8 * 4 + 8 + 8192 + 2 * 65536);
    }
}
