//! Ethernet around a packet, and what a wire does to it.

use fastrand::Rng;

use super::draw::{one_in, pick};

const HEADER: usize = 14;

/// An Ethernet header with 0 to 3 tags before a packet of `kind`.
pub(super) fn header(rng: &mut Rng, frame: &mut Vec<u8>, kind: u16) {
    frame.extend([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]);
    let tags = if one_in(rng, 6) { rng.usize(1..4) } else { 0 };
    for _ in 0..tags {
        frame.extend(pick(rng, &[0x8100_u16, 0x88a8, 0x8100, 0x9100]).to_be_bytes());
        frame.extend(rng.u16(..).to_be_bytes());
    }
    let others = [0x0806, 0x88cc, 0x0800, 0x86dd, 0x8100, 0x88a8, 0x0008, 0xdd86];
    let kind = if one_in(rng, 32) { pick(rng, &others) } else { kind };
    frame.extend(kind.to_be_bytes());
}

/// Pads a frame, cuts it anywhere behind its Ethernet header, or turns a bit of it.
pub(super) fn damage(rng: &mut Rng, frame: &mut Vec<u8>) {
    match rng.u8(..64) {
        0..=7 => frame.resize(frame.len() + rng.usize(1..47), pick(rng, &[0, 0, 0x1f, 0xff])),
        8..=10 => frame.truncate(rng.usize(HEADER..frame.len() + 1)),
        11 => {
            let place = rng.usize(HEADER..frame.len().max(HEADER + 1));
            if let Some(byte) = frame.get_mut(place) {
                *byte ^= 1 << rng.u8(..8);
            }
        }
        _ => {}
    }
}
