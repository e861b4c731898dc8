//! Random traffic: configurations, senders, frames and times, mostly right and wrong in one place.

mod draw;
mod ipv4;
mod ipv6;
mod link;
mod rules;
mod senders;
mod transport;

use fastrand::Rng;

use crate::abi::{Config, STEP_BITS};
use crate::model::Joined;
use crate::roster::Known;

use draw::{one_in, pick};
pub use rules::NEVER_DUE;

/// How fast the time of a configuration goes: in single steps, so that packets come exactly when they may, or in
/// jiffies, as it does on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    Steps,
    Jiffies,
}

impl Pace {
    fn unit(self) -> u64 {
        match self {
            Pace::Steps => 1,
            Pace::Jiffies => 1 << STEP_BITS,
        }
    }
}

/// A source of traffic under a configuration of its own.
pub struct Traffic {
    rng: Rng,
    seed: u64,
    pace: Pace,
    pub config: Box<Config>,
    /// Senders that are known, each once.
    pub peers: Vec<Known>,
    senders: senders::Senders,
    ports: rules::Ports,
}

impl Traffic {
    /// Traffic that a seed repeats, against a sketch with the same seed.
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut config = bytemuck::zeroed_box();
        let senders = senders::Senders::draw(&mut rng, seed);
        let ports = rules::draw(&mut rng, &mut config, Pace::Steps, &senders);
        let peers = senders.peers(&mut rng);
        Traffic { rng, seed, pace: Pace::Steps, config, peers, senders, ports }
    }

    /// Draws another configuration, and other senders.
    pub fn turn(&mut self) {
        let rng = &mut self.rng;
        self.pace = pick(rng, &[Pace::Steps, Pace::Jiffies]);
        self.senders = senders::Senders::draw(rng, self.seed);
        self.peers = self.senders.peers(rng);
        self.ports = rules::draw(rng, &mut self.config, self.pace, &self.senders);
    }

    /// How long to wait for the next frame; mostly not at all, as to set the clock costs as much as to judge.
    pub fn wait(&mut self) -> u64 {
        if !one_in(&mut self.rng, 8) {
            return 0;
        }
        let unit = self.pace.unit();
        pick(&mut self.rng, &[1, 1, 2, 3, 10, 60]) * unit + pick(&mut self.rng, &[0, 0, 1]) * (unit - 1)
    }

    /// How long to wait until most debts of a configuration are paid; sometimes they stay.
    pub fn pause(&mut self) -> u64 {
        if one_in(&mut self.rng, 4) { 1 } else { NEVER_DUE }
    }

    /// Whether the kernel has put a frame together of several, as it may before tcx.
    pub fn joined(&mut self) -> Option<Joined> {
        let rng = &mut self.rng;
        one_in(rng, 8)
            .then(|| Joined { segments: pick(rng, &[0, 1, 2, 3, 45]), bytes: pick(rng, &[0, 1, 2, 8, 132, 1200]) })
    }

    /// How many bytes of a frame are in reach: mostly all.
    pub fn reach(&mut self, length: usize) -> usize {
        if one_in(&mut self.rng, 32) { self.rng.usize(14..length + 1) } else { length }
    }

    /// Makes a frame of at least an Ethernet header in `frame`, whatever was in there.
    pub fn frame(&mut self, frame: &mut Vec<u8>) {
        frame.clear();
        let is_ipv4 = self.rng.bool();
        link::header(&mut self.rng, frame, if is_ipv4 { 0x0800 } else { 0x86dd });
        if is_ipv4 {
            ipv4::packet(self, frame);
        } else {
            ipv6::packet(self, frame);
        }
        link::damage(&mut self.rng, frame);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_frames() {
        let frames = |seed| {
            let mut traffic = Traffic::new(seed);
            traffic.turn();
            let mut frame = Vec::new();
            (0..1000)
                .map(|_| {
                    traffic.frame(&mut frame);
                    frame.clone()
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(frames(3), frames(3));
        assert_ne!(frames(3), frames(4));
        assert!(frames(5).iter().all(|frame| frame.len() >= 14));
    }
}
