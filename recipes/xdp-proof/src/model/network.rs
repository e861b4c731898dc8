//! IP: headers, fragments, and the extension headers of IPv6.

use super::frame::{Carried, Frame, be16};
use super::{Address, Facts};
use crate::abi::Config;
use crate::verdict::Reason;

/// How many extension headers may stand before the transport header.
pub const MAX_EXTENSIONS: usize = 4;

const HOP_BY_HOP: u8 = 0;
pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION: u8 = 60;

/// An IP packet for this node, whole or the first piece of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packet {
    pub source: Address,
    pub protocol: u8,
    /// Where its transport header is in the frame.
    pub at: usize,
    /// The bytes from there to the end of the IP packet.
    pub rest: usize,
    pub in_pieces: bool,
}

/// The IP packet in a frame; the error is the reason why there is nothing to class in it.
pub(super) fn read(frame: Frame<'_>, config: &Config, facts: &mut Facts) -> Result<Packet, Reason> {
    match frame.carried().ok_or(Reason::Other)? {
        (Carried::Ipv4, at) => read4(frame, at, config, facts),
        (Carried::Ipv6, at) => read6(frame, at, config, facts),
    }
}

fn read4(frame: Frame<'_>, at: usize, config: &Config, facts: &mut Facts) -> Result<Packet, Reason> {
    let header: [u8; 20] = frame.header(at).ok_or(Reason::Malformed)?;
    let own = usize::from(header[0] & 15) * 4;
    let total = written(frame, be16([header[2], header[3]]), at, facts);
    if header[0] >> 4 != 4 || own < 20 || total < own {
        return Err(Reason::Malformed);
    }
    reach_end(frame, at + total, facts)?;
    let [source, destination] = [12, 16].map(|at| [header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let is_local = config.local4.iter().any(|local| local.to_le_bytes() == destination);
    if !is_local {
        return Err(Reason::NotLocal);
    }
    let fragment = be16([header[6], header[7]]);
    if fragment & 0x1fff != 0 {
        return Err(later_piece(header[9], config));
    }
    let in_pieces = fragment & 0x2000 != 0;
    Ok(Packet { source: Address::V4(source), protocol: header[9], at: at + own, rest: total - own, in_pieces })
}

fn read6(frame: Frame<'_>, at: usize, config: &Config, facts: &mut Facts) -> Result<Packet, Reason> {
    let header: [u8; 40] = frame.header(at).ok_or(Reason::Malformed)?;
    let rest = written(frame, be16([header[4], header[5]]), at + 40, facts);
    if header[0] >> 4 != 6 {
        return Err(Reason::Malformed);
    }
    reach_end(frame, at + 40 + rest, facts)?;
    let [source, destination] = [8, 24].map(|at| Address::V6(std::array::from_fn(|index| header[at + index])));
    let is_local = config.local6.iter().any(|local| (local.network, local.host) == destination.halves());
    if !is_local {
        return Err(Reason::NotLocal);
    }
    walk(frame, Packet { source, protocol: header[6], at: at + 40, rest, in_pieces: false }, config)
}

/// The length of what begins at `at`. What was put together may be longer than can be written, which is written as 0.
fn written(frame: Frame<'_>, length: u16, at: usize, facts: &mut Facts) -> usize {
    if length != 0 || frame.segment_bytes().is_none() {
        return length.into();
    }
    facts.length = frame.bytes().len();
    frame.bytes().len() - at
}

/// Whether the frame has all of a packet that ends at `end`. What is not in reach is counted only where one asks so.
fn reach_end(frame: Frame<'_>, end: usize, facts: &mut Facts) -> Result<(), Reason> {
    if end > frame.reach() {
        facts.length = frame.bytes().len();
    }
    if end <= frame.bytes().len() { Ok(()) } else { Err(Reason::Malformed) }
}

/// Passes over the extension headers of IPv6.
fn walk(frame: Frame<'_>, mut packet: Packet, config: &Config) -> Result<Packet, Reason> {
    let mut passed = 0;
    while is_extension(packet.protocol) {
        if passed == MAX_EXTENSIONS {
            return Err(Reason::Malformed);
        }
        let header: [u8; 8] = frame.header(packet.at).ok_or(Reason::Malformed)?;
        let length = extension_length(packet.protocol, header[1]);
        if length > packet.rest {
            return Err(Reason::Malformed);
        }
        let is_fragment = packet.protocol == FRAGMENT;
        packet = Packet { protocol: header[0], at: packet.at + length, rest: packet.rest - length, ..packet };
        if is_fragment && be16([header[2], header[3]]) & 0xfff8 != 0 {
            return Err(later_piece(header[0], config));
        }
        packet.in_pieces |= is_fragment && header[3] & 1 == 1;
        passed += 1;
    }
    Ok(packet)
}

fn is_extension(protocol: u8) -> bool {
    matches!(protocol, HOP_BY_HOP | ROUTING | FRAGMENT | AUTHENTICATION | DESTINATION)
}

/// The bytes of an extension header from its second byte.
fn extension_length(protocol: u8, length: u8) -> usize {
    match protocol {
        FRAGMENT => 8,
        AUTHENTICATION => (usize::from(length) + 2) * 4,
        _ => (usize::from(length) + 1) * 8,
    }
}

/// The reason for a piece that is not the first of its datagram.
fn later_piece(protocol: u8, config: &Config) -> Reason {
    if protocol == UDP && config.drop_fragments != 0 { Reason::Fragment } else { Reason::Piece }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_have_their_own_units() {
        assert_eq!(extension_length(FRAGMENT, 255), 8);
        assert_eq!(extension_length(AUTHENTICATION, 4), 24);
        assert_eq!(extension_length(HOP_BY_HOP, 0), 8);
        assert_eq!(extension_length(DESTINATION, 255), 2048);
    }

    #[test]
    fn later_pieces_of_udp_go_where_they_are_not_wanted() {
        let mut config: Box<Config> = bytemuck::zeroed_box();
        assert_eq!(later_piece(UDP, &config), Reason::Piece);
        config.drop_fragments = 1;
        assert_eq!(later_piece(UDP, &config), Reason::Fragment);
        assert_eq!(later_piece(TCP, &config), Reason::Piece);
    }
}
