//! The node that the hand-written frames go to.

use crate::abi::{Address6, CLASSES, Config, Limit, Peer, Policy, Tier};
use crate::corpus::build::{Ip4, NODE6};
use crate::model::{Address, peer_bit};

/// Classes, each with a port of its own.
pub const GOSSIP: u8 = 1;
pub const QUIC: u8 = 2;
pub const INITIAL: u8 = 3;
pub const CLOSED: u8 = 4;
pub const RPC: u8 = 5;
pub const OPEN: u8 = 6;

pub const GOSSIP_PORT: u16 = 8001;
pub const QUIC_PORT: u16 = 8003;
pub const CLOSED_PORT: u16 = 8004;
pub const OPEN_PORT: u16 = 8006;
pub const RPC_PORT: u16 = 8899;

/// Known senders of the tiers 1 and 2, and one whose bit is not set.
pub const PEER1: [u8; 4] = [198, 51, 100, 1];
pub const PEER2: [u8; 4] = [198, 51, 100, 2];
pub const UNMARKED: [u8; 4] = [198, 51, 100, 3];
/// One whose bit is set, but who is no peer.
pub const MARKED: [u8; 4] = [198, 51, 100, 4];
/// A known sender of tier 3.
pub const PEER3: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3];
/// A known sender with the tier 6, which is 2.
pub const PEER6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6];

const FREE: Limit = Limit { interval: 0, burst: 0 };
const NOTHING: Limit = Limit { interval: 0, burst: -1 };
const OPEN_TIER: Tier = Tier { each: FREE, all: FREE };
const ANY: Policy = Policy {
    tiers: [OPEN_TIER; 4],
    source_port_min: 0,
    payload_min: 0,
    payload_max: 65535,
    byte_mask: 255,
    byte_min: 0,
    byte_max: 255,
    part_mask: 0,
    part_value: 0,
    part_class: 0,
    enforce: 1,
    padding: [0; 3],
};

/// The node's configuration.
pub fn config(drop_fragments: bool) -> Box<Config> {
    let mut config: Box<Config> = bytemuck::zeroed_box();
    config.policies = policies();
    config.drop_fragments = drop_fragments.into();
    config.local4 = [u32::from_le_bytes(Ip4::default().destination); 8];
    config.local4[7] = u32::from_le_bytes([192, 0, 2, 8]);
    let (network, host) = Address::V6(NODE6).halves();
    config.local6 = [Address6 { network, host }; 8];
    config.local6[7].host = 8_u64.to_be();
    for (port, class) in
        [(GOSSIP_PORT, GOSSIP), (QUIC_PORT, QUIC), (CLOSED_PORT, CLOSED), (OPEN_PORT, OPEN), (65535, OPEN)]
    {
        config.udp_class[usize::from(port.to_be())] = class;
    }
    config.tcp_class[usize::from(RPC_PORT.to_be())] = RPC;
    config.tcp_class[usize::from(CLOSED_PORT.to_be())] = CLOSED;
    let four = [PEER1, PEER2, MARKED].map(Address::V4);
    for address in four.into_iter().chain([PEER3, PEER6].map(Address::V6)) {
        let (network, host) = address.halves();
        let bit = usize::from(peer_bit(network, host));
        config.peer_bits[bit / 64] |= 1 << (bit % 64);
    }
    config
}

/// QUIC's first packets are a class of their own, which is watched only and has nothing left for tier 0; of the closed
/// class the lower tiers have nothing left at all, and a peer of tier 2 has nothing left.
fn policies() -> [Policy; CLASSES] {
    let mut policies = [ANY; CLASSES];
    let set = |class: u8| usize::from(class);
    policies[set(GOSSIP)] = Policy { source_port_min: 1024, payload_min: 4, payload_max: 10, byte_max: 5, ..ANY };
    policies[set(QUIC)] = Policy {
        payload_min: 1,
        byte_mask: 0x40,
        byte_min: 0x40,
        part_mask: 0xf0,
        part_value: 0xc0,
        part_class: INITIAL,
        ..ANY
    };
    policies[set(INITIAL)] = Policy { enforce: 0, ..ANY };
    policies[set(INITIAL)].tiers[0].each = NOTHING;
    policies[set(CLOSED)].tiers[0] = Tier { each: NOTHING, all: NOTHING };
    policies[set(CLOSED)].tiers[1] = Tier { each: NOTHING, all: NOTHING };
    policies[set(CLOSED)].tiers[2].each = NOTHING;
    policies
}

/// Who is known to the node.
pub fn peers() -> Vec<(Address, Peer)> {
    let peer = |tier| Peer { tier, padding: 0, due: [0; CLASSES] };
    vec![
        (Address::V4(PEER1), peer(1)),
        (Address::V4(PEER2), peer(2)),
        (Address::V4(UNMARKED), peer(1)),
        (Address::V6(PEER3), peer(3)),
        (Address::V6(PEER6), peer(6)),
    ]
}
