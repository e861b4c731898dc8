//! IPv4 packets: header lengths, options, total lengths and fragments of all kinds.

use super::Traffic;
use super::draw::{near, one_in, pick};
use super::transport;

const HEADER: usize = 20;

/// Puts a packet behind what is in the frame.
pub(super) fn packet(traffic: &mut Traffic, frame: &mut Vec<u8>) {
    let start = frame.len();
    frame.extend([0; HEADER]);
    let (source, destination) =
        (traffic.senders.source4(&mut traffic.rng), traffic.senders.destination4(&mut traffic.rng));
    let rng = &mut traffic.rng;
    let words = if one_in(rng, 6) { rng.u8(..16) } else { 5 };
    let has_options = words > 5 && !one_in(rng, 16);
    if has_options {
        frame.resize(start + usize::from(words) * 4, rng.u8(..));
    }
    let protocol = transport::protocol(rng);
    let fragment = fragment(rng);
    transport::append(traffic, frame, protocol);
    let total = total_length(traffic, frame.len() - start, usize::from(words) * 4);
    let version = if one_in(&mut traffic.rng, 64) { traffic.rng.u8(..16) } else { 4 };
    let header = &mut frame[start..start + HEADER];
    header[0] = version << 4 | words;
    header[2..4].copy_from_slice(&total.to_be_bytes());
    header[6..8].copy_from_slice(&fragment.to_be_bytes());
    header[8] = 64;
    header[9] = protocol;
    header[12..16].copy_from_slice(&source);
    header[16..20].copy_from_slice(&destination);
}

/// Offset and flags: mostly a whole packet.
fn fragment(rng: &mut fastrand::Rng) -> u16 {
    if !one_in(rng, 8) {
        return pick(rng, &[0, 0x4000]);
    }
    pick(rng, &[0x2000, 0x2001, 0x0001, 0x1fff, 0x3fff, 0x8000, 0x6000, 0x1000, 0x0100, 0xe000])
}

/// Mostly as long as the packet is.
fn total_length(traffic: &mut Traffic, exact: usize, own: usize) -> u16 {
    let rng = &mut traffic.rng;
    let exact = exact as u16;
    match rng.u8(..48) {
        0 => 0,
        1 => near(rng, own as u16),
        2 | 3 => near(rng, exact),
        4 => near(rng, own as u16 + 8),
        5 => rng.u16(..),
        _ => exact,
    }
}
