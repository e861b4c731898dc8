//! The node in the race: classes as its configuration for mainnet has them, but with limits far above or below what a
//! race offers, so that it is known which way a packet goes; and 5,000 peers.

use anyhow::Result;

use crate::abi::{Config, Limit, Policy, STEP_BITS, Tier};
use crate::corpus::build::{Ip4, NODE6};
use crate::locals;
use crate::model::Address;
use crate::roster::Known;

/// Classes, each with a port: what all senders offer is within the limits; each offers too much; all together do.
pub const WIDE: u8 = 1;
pub const NARROW: u8 = 2;
pub const CEILED: u8 = 3;

pub const WIDE_PORT: u16 = 8001;
pub const NARROW_PORT: u16 = 8002;
pub const CEILED_PORT: u16 = 8003;
pub const RPC_PORT: u16 = 8899;

const PEERS: u16 = 5000;
const JIFFY: u64 = 1 << STEP_BITS;

/// A million packets a jiffy: more than any machine offers.
const FREE: Limit = per_jiffy(1 << 20, 2);
/// 1,000 packets a second, where 250 jiffies are one: next to nothing of what a race offers.
const FEW: Limit = per_jiffy(4, 2);

const fn per_jiffy(packets: u64, burst: u64) -> Limit {
    Limit { interval: JIFFY / packets, burst: (burst * JIFFY) as i64 }
}

/// The configuration.
pub fn config() -> Result<Box<Config>> {
    let mut config: Box<Config> = bytemuck::zeroed_box();
    let tiers = |each, all| [Tier { each, all }; 4];
    config.policies[0].enforce = 1;
    config.policies[usize::from(WIDE)] = gossip(tiers(FREE, FREE));
    config.policies[usize::from(NARROW)] = gossip(tiers(FEW, FREE));
    config.policies[usize::from(CEILED)] = gossip(tiers(FREE, FEW));
    locals::set(&mut config, &[Ip4::default().destination], &[NODE6])?;
    config.drop_fragments = 1;
    for (port, class) in [(WIDE_PORT, WIDE), (NARROW_PORT, NARROW), (CEILED_PORT, CEILED)] {
        config.udp_class[usize::from(port.to_be())] = class;
    }
    config.tcp_class[usize::from(RPC_PORT.to_be())] = WIDE;
    Ok(config)
}

/// What is right for gossip, with these limits.
fn gossip(tiers: [Tier; 4]) -> Policy {
    Policy {
        tiers,
        source_port_min: 1024,
        payload_min: 132,
        payload_max: 1232,
        byte_mask: 255,
        byte_max: 5,
        enforce: 1,
        ..bytemuck::Zeroable::zeroed()
    }
}

/// The peers.
pub fn peers() -> Vec<Known> {
    let known = |(number, address)| Known { address: Address::V4(address), number, tier: 1 + number % 3 };
    (1..).zip(addresses()).map(known).collect()
}

/// Their addresses; none of them is among the senders of a flood.
fn addresses() -> Vec<[u8; 4]> {
    let mut random = fastrand::Rng::with_seed(1);
    let mut address = |[high, low]: [u8; 2]| [random.u8(40..60), random.u8(..), high, low];
    (0..PEERS).map(|number| address(number.to_be_bytes())).collect()
}

/// The address of a peer in the middle.
pub fn peer() -> [u8; 4] {
    addresses()[usize::from(PEERS / 2)]
}

/// The addresses of the peers as xdp-filter lists them.
pub fn senders() -> Vec<u32> {
    addresses().into_iter().map(u32::from_le_bytes).collect()
}
