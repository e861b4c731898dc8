//! IPv6 packets with 0 to 6 extension headers.

use fastrand::Rng;

use super::Traffic;
use super::draw::{near, one_in, pick};
use super::transport;

const HEADER: usize = 40;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;

/// Puts a packet behind what is in the frame.
pub(super) fn packet(traffic: &mut Traffic, frame: &mut Vec<u8>) {
    let start = frame.len();
    frame.extend([0; HEADER]);
    let (source, destination) =
        (traffic.senders.source6(&mut traffic.rng), traffic.senders.destination6(&mut traffic.rng));
    let protocol = transport::protocol(&mut traffic.rng);
    let first = extensions(&mut traffic.rng, frame, protocol);
    transport::append(traffic, frame, protocol);
    let rng = &mut traffic.rng;
    let payload = payload_length(rng, frame.len() - start - HEADER);
    let version = if one_in(rng, 64) { rng.u8(..16) } else { 6 };
    let header = &mut frame[start..start + HEADER];
    header[0] = version << 4;
    header[4..6].copy_from_slice(&payload.to_be_bytes());
    header[6] = first;
    header[7] = 64;
    header[8..24].copy_from_slice(&source);
    header[24..40].copy_from_slice(&destination);
}

/// Puts a chain of extension headers before `protocol` and returns the kind of the first header.
fn extensions(rng: &mut Rng, frame: &mut Vec<u8>, protocol: u8) -> u8 {
    let count = if one_in(rng, 3) { rng.usize(1..7) } else { 0 };
    let mut kinds = [protocol; 7];
    for kind in &mut kinds[..count] {
        *kind = pick(rng, &[0, 43, 60, 51, 44, 60]);
    }
    for place in 0..count {
        extension(rng, frame, kinds[place], kinds[place + 1]);
    }
    kinds[0]
}

/// One extension header; rarely it is longer than it says, or shorter.
fn extension(rng: &mut Rng, frame: &mut Vec<u8>, kind: u8, next: u8) {
    let length = if one_in(rng, 64) { pick(rng, &[254, 255]) } else { pick(rng, &[0, 0, 0, 1, 2, 4]) };
    let start = frame.len();
    match kind {
        FRAGMENT => {
            let offset = if one_in(rng, 2) { 0 } else { pick(rng, &[0, 1, 1, 8, 9, 0xfff8, 0xffff, 6, 0x100]) };
            frame.extend([next, length]);
            frame.extend(u16::to_be_bytes(offset));
            frame.extend([0; 4]);
            return;
        }
        AUTHENTICATION => frame.resize(start + (usize::from(length) + 2) * 4, 0),
        _ => frame.resize(start + (usize::from(length) + 1) * 8, 1),
    }
    frame[start] = next;
    frame[start + 1] = if one_in(rng, 64) { length.wrapping_add(pick(rng, &[1, 255])) } else { length };
}

/// Mostly as long as the payload is.
fn payload_length(rng: &mut Rng, exact: usize) -> u16 {
    let exact = exact as u16;
    match rng.u8(..48) {
        0 => pick(rng, &[0, 1, 7, 8, 9]),
        1 | 2 => near(rng, exact),
        3 => rng.u16(..),
        _ => exact,
    }
}
