//! The guard in plain Rust: what the design and the comments of `abi.h` say, without a look at how the program does it.
//!
//! `frame` reads what an Ethernet frame carries, `network` the IP packet, `transport` its class and shape, `limits` the
//! rates; `Model::judge` is their order, and counts.

mod frame;
mod limits;
mod network;
mod transport;

use std::collections::{HashMap, VecDeque};

use crate::abi::{Config, Limit, Peer, Sample, State};
use crate::verdict::{Reason, Verdict};

pub use frame::Frame;
pub use limits::{Sketch, admits, hash, network_of, next_due, peer_bit};
pub use network::MAX_EXTENSIONS;

/// The address of a sender, as it is on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Address {
    V4([u8; 4]),
    V6([u8; 16]),
}

impl Address {
    /// The first and the last 8 bytes, as the program keeps them in two numbers; IPv4 has 4 bytes.
    pub fn halves(self) -> (u64, u64) {
        match self {
            Address::V4(bytes) => (u32::from_le_bytes(bytes).into(), 0),
            Address::V6(bytes) => {
                let (network, host) = bytes.split_at(8);
                (number(network), number(host))
            }
        }
    }
}

/// Bytes in memory order as a number of this machine.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// What is known of a packet when its verdict falls; what was not reached is zero.
#[derive(Clone, Copy, Debug, Default)]
struct Facts {
    source: Option<Address>,
    protocol: u8,
    source_port: [u8; 2],
    port: [u8; 2],
    class: u8,
    tier: u8,
    /// The bytes of the frame that were counted: all, or those in reach where nothing asked for the others.
    length: usize,
}

/// The guard's memory, and what it was told.
pub struct Model {
    pub config: Box<Config>,
    pub peers: HashMap<Address, Peer>,
    pub sketch: Sketch,
    pub state: Box<State>,
    /// Samples that the program should have written, but not when.
    pub samples: VecDeque<Sample>,
    sampling: Limit,
}

impl Model {
    /// A guard that knows nobody and lets nothing be classed: all of its configuration is zero.
    pub fn new(seed: u64, sampling: Limit) -> Self {
        Model {
            config: bytemuck::zeroed_box(),
            peers: HashMap::new(),
            sketch: Sketch::new(seed),
            state: bytemuck::zeroed_box(),
            samples: VecDeque::new(),
            sampling,
        }
    }

    /// Judges one frame at a time in steps, counts it, and samples it.
    pub fn judge(&mut self, frame: Frame<'_>, now: u64) -> Verdict {
        let mut facts = Facts { length: frame.reach(), ..Facts::default() };
        let reason = self.reason(frame, &mut facts, now).unwrap_or_else(|reason| reason);
        let counter = &mut self.state.counters[usize::from(facts.class)][reason as usize];
        counter.packets += 1;
        counter.bytes += facts.length as u64;
        let enforced = reason.drops() && self.config.policies[usize::from(facts.class)].enforce != 0;
        let verdict = Verdict { reason, class: facts.class, tier: facts.tier, enforced };
        if reason.drops() {
            self.sample(&facts, verdict, now);
        }
        verdict
    }

    /// From the frame inwards: whatever ends the way is the error, and who gets through is judged by its rate.
    fn reason(&mut self, frame: Frame<'_>, facts: &mut Facts, now: u64) -> Result<Reason, Reason> {
        let packet = network::read(frame, &self.config, facts)?;
        transport::classify(frame, &packet, &self.config, facts)?;
        let source = packet.source;
        let policy = &self.config.policies[usize::from(facts.class)];
        let (network, host) = source.halves();
        let bit = usize::from(peer_bit(network, host));
        let is_marked = self.config.peer_bits[bit / 64] >> (bit % 64) & 1 == 1;
        let together = &mut self.state.due[usize::from(facts.class)];
        match self.peers.get_mut(&source).filter(|_| is_marked) {
            Some(peer) => {
                facts.tier = (peer.tier % 4) as u8;
                let tier = &policy.tiers[usize::from(facts.tier)];
                let due = &mut peer.due[usize::from(facts.class)];
                limits::judge_peer(due, &mut together[usize::from(facts.tier)], tier, now)
            }
            None => self.sketch.judge(network, facts.class, &mut together[0], &policy.tiers[0], now),
        }
    }

    fn sample(&mut self, facts: &Facts, verdict: Verdict, now: u64) {
        if !admits(self.state.sample_due, now, self.sampling.burst) {
            return;
        }
        self.state.sample_due = next_due(self.state.sample_due, now, self.sampling.interval);
        let (network, host) = facts.source.map_or((0, 0), Address::halves);
        self.samples.push_back(Sample {
            nanoseconds: 0,
            source: crate::abi::Address6 { network, host },
            source_port: u16::from_le_bytes(facts.source_port),
            port: u16::from_le_bytes(facts.port),
            length: facts.length as u32,
            version: facts.source.map_or(0, |source| if matches!(source, Address::V4(_)) { 4 } else { 6 }),
            protocol: facts.protocol,
            class: verdict.class,
            tier: verdict.tier,
            reason: verdict.reason as u8,
            enforced: verdict.enforced.into(),
            padding: [0; 2],
        });
    }
}
