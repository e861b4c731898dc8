//! UDP and TCP at the bounds of the class that a port has.

use fastrand::Rng;

use super::Traffic;
use super::draw::{near, near_byte, one_in, pick};
use crate::abi::Policy;

const TCP: u8 = 6;
const UDP: u8 = 17;

/// Mostly UDP; GRE, ICMP and headers that no IPv4 packet has as well.
pub(super) fn protocol(rng: &mut Rng) -> u8 {
    match rng.u8(..16) {
        0..=10 => UDP,
        11..=13 => TCP,
        _ => pick(rng, &[1, 47, 58, 59, 50, 132, 0, 43, 44, 51, 60, 16, 18, 7, 5]),
    }
}

/// Puts a segment of a protocol behind what is in the frame.
pub(super) fn append(traffic: &mut Traffic, frame: &mut Vec<u8>, protocol: u8) {
    match protocol {
        UDP => udp(traffic, frame),
        TCP => tcp(traffic, frame),
        _ => frame.resize(frame.len() + traffic.rng.usize(..40), 0x1f),
    }
}

fn udp(traffic: &mut Traffic, frame: &mut Vec<u8>) {
    let port = traffic.ports.udp(&mut traffic.rng);
    let class = traffic.config.udp_class[usize::from(port.to_be())];
    let policy = &traffic.config.policies[usize::from(class)];
    let rng = &mut traffic.rng;
    let payload = payload(rng, policy);
    frame.extend(source_port(rng, policy).to_be_bytes());
    frame.extend(port.to_be_bytes());
    frame.extend(datagram_length(rng, payload).to_be_bytes());
    frame.extend([0; 2]);
    let first = frame.len();
    frame.resize(first + usize::from(payload), 0x40);
    if payload > 0 {
        frame[first] = first_byte(rng, policy);
    }
}

fn source_port(rng: &mut Rng, policy: &Policy) -> u16 {
    match rng.u8(..16) {
        0 => near(rng, policy.source_port_min),
        1 => rng.u16(..),
        2 => policy.source_port_min,
        _ => rng.u16(policy.source_port_min..),
    }
}

/// Bytes of payload, mostly few, as to copy them is most of a run's time.
fn payload(rng: &mut Rng, policy: &Policy) -> u16 {
    let most = policy.payload_max.min(1400);
    match rng.u8(..16) {
        0 => near(rng, policy.payload_min),
        1 => near(rng, most),
        2 => rng.u16(..40),
        3 => 0,
        _ => policy.payload_min.saturating_add(rng.u16(..3)).min(most),
    }
}

/// The length in the UDP header: mostly right.
fn datagram_length(rng: &mut Rng, payload: u16) -> u16 {
    match rng.u8(..32) {
        0 => pick(rng, &[0, 7, 8, 9, 0xffff]),
        1 => near(rng, payload + 8),
        _ => payload + 8,
    }
}

fn first_byte(rng: &mut Rng, policy: &Policy) -> u8 {
    match rng.u8(..8) {
        0 => near_byte(rng, policy.byte_min),
        1 => near_byte(rng, policy.byte_max),
        2 => policy.part_value | rng.u8(..) & !policy.part_mask,
        3 => rng.u8(..),
        _ => policy.byte_min,
    }
}

fn tcp(traffic: &mut Traffic, frame: &mut Vec<u8>) {
    let rng = &mut traffic.rng;
    let port = traffic.ports.tcp(rng);
    let flags = if rng.bool() { 2 } else { rng.u8(..) };
    frame.extend(rng.u16(..).to_be_bytes());
    frame.extend(port.to_be_bytes());
    frame.extend([0, 0, 0, 1, 0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    if one_in(rng, 16) {
        frame.truncate(frame.len() - rng.usize(..20));
    }
}
