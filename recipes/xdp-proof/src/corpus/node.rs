//! The node that the hand-written frames go to.

use crate::abi::{CHAIN, CLASSES, Config, Limit, Policy, Tier};
use crate::corpus::build::NODE6;
use crate::locals;
use crate::model::Address;
use crate::roster::{Known, network_in, slot_of};

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

/// Known senders of the tiers 1 and 2.
pub const PEER1: [u8; 4] = [198, 51, 100, 1];
pub const PEER2: [u8; 4] = [198, 51, 100, 2];
/// A known sender of tier 3.
pub const PEER3: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3];
/// A known sender with the tier 6, which is 2.
pub const PEER6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6];

/// The node has so many addresses of each family: those that end with 1, 2, and so on.
pub const NODES: u8 = 40;

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
    let four: Vec<[u8; 4]> = (1..=NODES).map(|last| [192, 0, 2, last]).collect();
    let six: Vec<[u8; 16]> = (1..=NODES).map(|last| with_last(NODE6, last)).collect();
    locals::set(&mut config, &four, &six).expect("so many addresses can be parted");
    for (port, class) in
        [(GOSSIP_PORT, GOSSIP), (QUIC_PORT, QUIC), (CLOSED_PORT, CLOSED), (OPEN_PORT, OPEN), (65535, OPEN)]
    {
        config.udp_class[usize::from(port.to_be())] = class;
    }
    config.tcp_class[usize::from(RPC_PORT.to_be())] = RPC;
    config.tcp_class[usize::from(CLOSED_PORT.to_be())] = CLOSED;
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

/// Who is known to the node, with the first and the last number that there may be. All but `PEER2`, `PEER3` and `PEER6`
/// share the slot of `PEER1`, who is the last of their chain.
pub fn peers() -> Vec<Known> {
    let first = [
        Known { address: Address::V4(PEER1), number: 1, tier: 1 },
        Known { address: Address::V4(PEER2), number: 32767, tier: 2 },
        Known { address: Address::V6(PEER3), number: 0x100, tier: 3 },
        Known { address: Address::V6(PEER6), number: 0x4000, tier: 6 },
    ];
    let chained = (1..CHAIN as u16).map(|place| {
        let address = Address::V6(in_chain(place.into()));
        Known { address, number: 0x200 + place, tier: 2 + place % 2 }
    });
    first.into_iter().chain(chained).collect()
}

/// The address with another last byte.
pub fn with_last(address: [u8; 16], last: u8) -> [u8; 16] {
    let mut address = address;
    address[15] = last;
    address
}

/// An address in the slot of `PEER1`: of a peer where `place` is from 1 on and less than `CHAIN`.
pub fn in_chain(place: u64) -> [u8; 16] {
    in_slot(place, place << 60)
}

/// An address in the slot of `PEER1` with a host; for each `rest` it has another network.
pub fn in_slot(host: u64, rest: u64) -> [u8; 16] {
    let slot = slot_of(Address::V4(PEER1).halves());
    (u128::from(host) << 64 | u128::from(network_in(slot, host, rest))).to_le_bytes()
}
