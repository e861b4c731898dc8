//! What the agent and the BPF programs share: the values of the maps, as `bpf/solana-xdp/abi.h` has them.
//!
//! Values cross as bytes, which the functions here write and read field by field; a test holds the offsets against the
//! header. Numbers are little-endian, but ports and addresses, which stay as they are on the wire.

mod config;
mod locals;
mod sample;
mod table;

pub use config::{BSS_BYTES, CONFIG_BYTES, CONFIGS_AT, Config, Limit, Policy, Tier, activate};
pub use locals::LOCALS_MOST;
pub use sample::Sample;
#[cfg(test)]
pub use table::tests::neighbours;
pub use table::{Change, DUES_BYTES, Due, Dues, PEERS_BYTES, SLOTS_BYTES, Table, Write, slot_of};

#[cfg(target_endian = "big")]
compile_error!("the maps' values are little-endian");

/// The layout that this agent knows; an object says its own.
pub const ABI: u32 = 2;
/// A step is 2^-STEP_BITS of a jiffy.
pub const STEP_BITS: u32 = 24;
/// Classes of traffic; 0 is what no rule is about.
pub const CLASSES: usize = 16;
/// Tiers of senders; 0 is anybody.
pub const TIERS: usize = 4;
/// Why a packet passes or not.
pub const REASONS: usize = 16;
/// Places for the node's addresses, of each family.
pub const LOCALS: usize = 256;
/// Peers of both families, and one that stands for none.
pub const PEERS: usize = 32768;
/// Peers that may share a slot.
pub const CHAIN: usize = 8;

/// Bytes of `struct state`.
pub const STATE_BYTES: usize = STATE_DUE_AT + CLASSES * TIERS * 8 + 8;
const STATE_DUE_AT: usize = CLASSES * REASONS * 16;

/// The names of `enum reason`, in its order.
pub const REASON_NAMES: [&str; 15] = [
    "other",
    "not_local",
    "unclassed",
    "piece",
    "peer",
    "unknown",
    "malformed",
    "bogon",
    "fragment",
    "source_port",
    "length",
    "content",
    "ceiling",
    "peer_limit",
    "source_limit",
];

/// From this reason on a packet does not pass.
pub const MALFORMED: usize = 6;

/// `struct state`.
pub type StateBytes = [u8; STATE_BYTES];

/// Packets and bytes of a class with a verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counter {
    /// Frames.
    pub packets: u64,
    /// Of whole frames.
    pub bytes: u64,
}

/// Counters by class and reason.
pub type Counters = [[Counter; REASONS]; CLASSES];

/// The counters of all CPUs together.
pub fn sum<'a>(states: impl IntoIterator<Item = &'a StateBytes>) -> Counters {
    let mut counters = Counters::default();
    for state in states {
        for (at, counter) in counters.as_flattened_mut().iter_mut().enumerate() {
            counter.packets += read_u64(state, at * 16);
            counter.bytes += read_u64(state, at * 16 + 8);
        }
    }
    counters
}

/// The name of a reason.
pub fn reason_name(reason: usize) -> &'static str {
    REASON_NAMES.get(reason).copied().unwrap_or("undecided")
}

fn read_u16(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn read_u32(bytes: &[u8], at: usize) -> u32 {
    let mut number = [0; 4];
    number.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(number)
}

fn read_u64(bytes: &[u8], at: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compiles assertions about the header, so that it and this file cannot part.
    #[test]
    fn has_the_layout_of_the_header() {
        let checks = [
            ("ABI", ABI as usize),
            ("STEP_BITS", STEP_BITS as usize),
            ("CLASSES", CLASSES),
            ("TIERS", TIERS),
            ("REASONS", REASONS),
            ("LOCALS", LOCALS),
            ("PORTS", config::PORTS),
            ("PEERS", PEERS),
            ("CHAIN", CHAIN),
            ("UNDECIDED", REASON_NAMES.len()),
            ("MALFORMED", MALFORMED),
            ("sizeof(struct policy)", config::POLICY_BYTES),
            ("sizeof(struct config)", CONFIG_BYTES),
            ("sizeof(struct peer)", table::PEER_BYTES),
            ("sizeof(struct peers)", PEERS_BYTES),
            ("sizeof(struct slots)", SLOTS_BYTES),
            ("sizeof(struct dues)", DUES_BYTES),
            ("sizeof(struct state)", STATE_BYTES),
            ("sizeof(struct sample)", sample::SAMPLE_BYTES),
            ("__builtin_offsetof(struct policy, source_port_min)", 128),
            ("__builtin_offsetof(struct policy, byte_mask)", 134),
            ("__builtin_offsetof(struct policy, part_mask)", 137),
            ("__builtin_offsetof(struct policy, enforce)", 140),
            ("__builtin_offsetof(struct config, local6)", config::LOCAL6_AT),
            ("__builtin_offsetof(struct config, local4)", config::LOCAL4_AT),
            ("__builtin_offsetof(struct config, local6_factor)", config::FACTORS_AT),
            ("__builtin_offsetof(struct config, local4_factor)", config::FACTORS_AT + 8),
            ("__builtin_offsetof(struct config, drop_fragments)", config::FRAGMENTS_AT),
            ("__builtin_offsetof(struct config, udp_class)", config::UDP_AT),
            ("__builtin_offsetof(struct config, tcp_class)", config::TCP_AT),
            ("__builtin_offsetof(struct peer, next)", 16),
            ("__builtin_offsetof(struct peer, tier)", 18),
            ("__builtin_offsetof(struct state, due)", STATE_DUE_AT),
            ("__builtin_offsetof(struct sample, length)", 8),
            ("__builtin_offsetof(struct sample, verdict)", 12),
            ("__builtin_offsetof(struct sample, enforced)", 16),
            ("__builtin_offsetof(struct sample, head)", sample::HEAD_AT),
        ];
        let mut source = String::from("#include \"abi.h\"\n");
        for (what, value) in checks {
            source += &format!("_Static_assert({what} == {value}, \"{what}\");\n");
        }
        let headers = concat!(env!("CARGO_MANIFEST_DIR"), "/../../bpf/solana-xdp");
        let mut compiler = std::process::Command::new("cc")
            .args(["-fsyntax-only", "-x", "c", "-I", headers, "-"])
            .stdin(std::process::Stdio::piped())
            .spawn()
            .expect("this test needs a C compiler named cc");
        std::io::Write::write_all(&mut compiler.stdin.take().expect("a pipe"), source.as_bytes()).expect("written");
        assert!(compiler.wait().expect("it ran").success());
    }
}
