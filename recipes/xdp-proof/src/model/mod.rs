//! The guard in plain Rust: what the design and the comments of `abi.h` say, without a look at how the program does it.
//!
//! `frame` reads what an Ethernet frame carries, `network` the IP packet, `transport` its class and shape, `limits` the
//! rates; `Model::judge` is their order, and counts.

mod frame;
mod limits;
mod network;
mod transport;

use std::collections::{HashMap, VecDeque};

use crate::abi::{Config, Dues, HEAD_BYTES, Sample, State};
use crate::roster::Known;
use crate::verdict::{Reason, Verdict};

pub use frame::{Frame, Joined};
pub use limits::{Sketch, admits, hash, inverse, network_of, next_due};
pub use network::MAX_EXTENSIONS;

/// The address of a sender, as it is on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Address {
    V4([u8; 4]),
    V6([u8; 16]),
}

impl Address {
    /// The first and the last 8 bytes, as the program keeps them in two numbers; IPv4 has 4 bytes, behind 4 that say so.
    pub fn halves(self) -> (u64, u64) {
        match self {
            Address::V4(bytes) => (u64::from(u32::from_le_bytes(bytes)) << 32 | 0xffff_ffff, 0),
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
    class: u8,
    tier: u8,
    /// The bytes of the frame that were counted: all, or those in reach where nothing asked for the others.
    length: usize,
}

/// The guard's memory, and what it was told.
pub struct Model {
    pub config: Box<Config>,
    /// Who is known, by the halves of the address.
    pub peers: HashMap<(u64, u64), Known>,
    /// What peers owe, by their numbers.
    pub dues: Box<Dues>,
    pub sketch: Sketch,
    pub state: Box<State>,
    /// Samples that the program should have written, but not when.
    pub samples: VecDeque<Sample>,
    sampling: bool,
}

impl Model {
    /// A guard that knows nobody and lets nothing be classed: all of its configuration is zero.
    pub fn new(seed: u64, sampling: bool) -> Self {
        Model {
            config: bytemuck::zeroed_box(),
            peers: HashMap::new(),
            dues: bytemuck::zeroed_box(),
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
        counter.packets += frame.segments();
        counter.bytes += facts.length as u64;
        let enforced = reason.drops() && self.config.policies[usize::from(facts.class)].enforce != 0;
        let verdict = Verdict { reason, class: facts.class, tier: facts.tier, enforced };
        if reason.drops() {
            self.sample(frame, &facts, verdict, now);
        }
        verdict
    }

    /// From the frame inwards: whatever ends the way is the error, and who gets through is judged by its rate.
    fn reason(&mut self, frame: Frame<'_>, facts: &mut Facts, now: u64) -> Result<Reason, Reason> {
        let packet = network::read(frame, &self.config, facts)?;
        transport::classify(frame, &packet, &self.config, facts)?;
        let (network, host) = packet.source.halves();
        let policy = &self.config.policies[usize::from(facts.class)];
        let together = &mut self.state.due[usize::from(facts.class)];
        match self.peers.get(&(network, host)) {
            Some(known) => {
                facts.tier = (known.tier % 4) as u8;
                let tier = &policy.tiers[usize::from(facts.tier)];
                let due = &mut self.dues.of[usize::from(known.number)][usize::from(facts.class)];
                limits::judge_peer(due, &mut together[usize::from(facts.tier)], &tier.times(frame.segments()), now)
            }
            None => {
                let tier = policy.tiers[0].times(frame.segments());
                self.sketch.judge(network, facts.class, &mut together[0], &tier, now)
            }
        }
    }

    /// One sample a moment.
    fn sample(&mut self, frame: Frame<'_>, facts: &Facts, verdict: Verdict, now: u64) {
        if !self.sampling || self.state.sampled == now {
            return;
        }
        self.state.sampled = now;
        let bytes = &frame.bytes()[..facts.length];
        self.samples.push_back(Sample {
            nanoseconds: 0,
            length: facts.length as u32,
            verdict: Verdict { enforced: false, ..verdict }.report(),
            enforced: verdict.enforced.into(),
            padding: 0,
            head: std::array::from_fn::<u8, HEAD_BYTES, _>(|place| bytes.get(place).copied().unwrap_or(0)),
        });
    }
}
