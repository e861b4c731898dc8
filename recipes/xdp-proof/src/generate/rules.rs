//! Random configurations, whose numbers are those at which something changes.

use fastrand::Rng;

use super::Pace;
use super::draw::{near_byte, one_in, pick};
use super::senders::Senders;
use crate::abi::{CLASSES, Config, Limit, Policy, Tier};
use crate::locals;

const POOL: usize = 12;

/// More than anybody can owe under a configuration from here.
pub const NEVER_DUE: u64 = 1 << 38;

/// Ports that a configuration has rules for, and some more.
pub(super) struct Ports {
    udp: [u16; POOL],
    tcp: [u16; POOL],
}

impl Ports {
    pub(super) fn udp(&self, rng: &mut Rng) -> u16 {
        if one_in(rng, 64) { rng.u16(..) } else { pick(rng, &self.udp) }
    }

    pub(super) fn tcp(&self, rng: &mut Rng) -> u16 {
        if one_in(rng, 64) { rng.u16(..) } else { pick(rng, &self.tcp) }
    }
}

/// Draws a configuration over another, for these senders; returns the ports that it is about.
pub(super) fn draw(rng: &mut Rng, config: &mut Config, pace: Pace, senders: &Senders) -> Ports {
    config.policies = std::array::from_fn(|_| policy(rng, pace));
    config.drop_fragments = rng.u8(..2);
    locals::set(config, &senders.locals4, &senders.locals6).expect("few addresses can be parted");
    let udp = table(rng, &mut config.udp_class);
    let tcp = table(rng, &mut config.tcp_class);
    Ports { udp, tcp }
}

fn policy(rng: &mut Rng, pace: Pace) -> Policy {
    let payload_min = pick(rng, &[0, 0, 1, 2, 8, 32, 132]);
    let payload_max = pick(rng, &[0, 1, 5, 30, 1200, 65535 - payload_min]) + payload_min;
    let [byte_min, byte_max] = if rng.bool() { [0, 255] } else { bytes(rng) };
    let [any, other, another] = [rng.u8(..), rng.u8(..), rng.u8(..)];
    let part_mask = pick(rng, &[0xf0, 0xff, 0xc0, 0, any]);
    Policy {
        tiers: std::array::from_fn(|_| tier(rng, pace)),
        source_port_min: pick(rng, &[0, 1, 1023, 1024, 1024, 65535]),
        payload_min,
        payload_max: if one_in(rng, 32) { payload_min.saturating_sub(1) } else { payload_max },
        byte_mask: pick(rng, &[0xff, 0xff, 0xf0, 0x40, 0, other]),
        byte_min,
        byte_max,
        part_mask,
        part_value: pick(rng, &[part_mask, byte_min & part_mask, another & part_mask, 0]),
        part_class: if rng.bool() { 0 } else { rng.u8(1..CLASSES as u8) },
        enforce: rng.u8(..2),
        padding: [0; 3],
    }
}

fn bytes(rng: &mut Rng) -> [u8; 2] {
    let min = pick(rng, &[0, 1, 0x40, 0x80, 6]);
    [min, near_byte(rng, min).saturating_add(pick(rng, &[1, 1, 5, 0x40]))]
}

/// Limits of a tier; that of all is mostly none, as otherwise little gets past it.
fn tier(rng: &mut Rng, pace: Pace) -> Tier {
    let all = if one_in(rng, 3) { limit(rng, pace) } else { Limit { interval: 0, burst: 0 } };
    Tier { each: limit(rng, pace), all }
}

fn limit(rng: &mut Rng, pace: Pace) -> Limit {
    let interval = pick(rng, &[0, 1, 1, 2, 3, 7, 50]) * pace.unit();
    let due = interval as i64;
    let burst = pick(rng, &[0, 1, due - 1, due, due + 1, 3 * due, 3 * due + 1, 20 * due, 1 << 36]);
    Limit { interval, burst: if one_in(rng, 16) { -1 } else { burst } }
}

/// Classes of ports: of few ports, or sometimes of all. The table is by the bytes of a port on the wire.
fn table(rng: &mut Rng, classes: &mut [u8]) -> [u16; POOL] {
    classes.fill(0);
    if one_in(rng, 8) {
        rng.fill(classes);
        classes.iter_mut().for_each(|class| *class %= CLASSES as u8);
    }
    std::array::from_fn(|_| {
        let [any, other] = [rng.u16(..), rng.u16(..)];
        let port = pick(rng, &[0, 1, 255, 256, 8000, 8001, 65535, any, other]);
        let class = if one_in(rng, 8) { 0 } else { rng.u8(1..CLASSES as u8) };
        classes[usize::from(port.to_be())] = class;
        port
    })
}
