//! UDP: lengths, ports, and the shape of a class at its bounds.

use super::Case;
use super::build::{Ip4, Ip6, extension, udp, udp_of_length};
use super::node::{GOSSIP, GOSSIP_PORT, INITIAL, OPEN, OPEN_PORT, QUIC, QUIC_PORT};
use crate::verdict::Reason::{self, Content, Length, Malformed, SourceLimit, SourcePort, Unclassed, Unknown};

pub(super) fn cases() -> Vec<Case> {
    [lengths(), ports(), gossip(), quic(), reach()].concat()
}

fn frame(datagram: Vec<u8>) -> Vec<u8> {
    Ip4::default().frame(&datagram)
}

fn lengths() -> Vec<Case> {
    let of = |length| frame(udp_of_length(4096, OPEN_PORT, length, b"hello"));
    let passes = |name: &str, length| Case::new(name, of(length), Unknown, OPEN, 0);
    vec![
        Case::bare("UDP, length 0", of(0), Malformed),
        Case::bare("UDP, length 7", of(7), Malformed),
        passes("UDP, length 8 without a payload", 8),
        passes("UDP, length 9", 9),
        passes("UDP, length less than the packet's", 12),
        passes("UDP, length of the packet", 13),
        Case::bare("UDP, length behind the packet", of(14), Malformed),
        Case::bare("UDP, largest length", of(65535), Malformed),
    ]
}

fn ports() -> Vec<Case> {
    let to = |port| frame(udp(4096, port, b"hello"));
    vec![
        Case::bare("UDP, a port without a class", to(53), Unclassed),
        Case::bare("UDP, port 0", to(0), Unclassed),
        Case::bare("UDP, a class's port in the wrong order of bytes", to(GOSSIP_PORT.swap_bytes()), Unclassed),
        Case::bare("UDP, a port of TCP", to(8899), Unclassed),
        Case::new("UDP, the last port", to(65535), Unknown, OPEN, 0),
    ]
}

/// From port 1024 on, 4 to 10 bytes, of which the first is at most 5.
fn gossip() -> Vec<Case> {
    let case = |name: &str, source_port, payload: &[u8], reason: Reason| {
        Case::new(format!("gossip, {name}"), frame(udp(source_port, GOSSIP_PORT, payload)), reason, GOSSIP, 0)
    };
    vec![
        case("first source port", 1024, &[0; 4], Unknown),
        case("last source port", 65535, &[0; 4], Unknown),
        case("source port below the first", 1023, &[0; 4], SourcePort),
        case("source port 0", 0, &[0; 4], SourcePort),
        case("source port 4, which is 1024 in the wrong order", 4, &[0; 4], SourcePort),
        case("no payload", 4096, &[], Length),
        case("too short", 4096, &[0; 3], Length),
        case("longest", 4096, &[5; 10], Unknown),
        case("too long", 4096, &[0; 11], Length),
        case("last first byte", 4096, &[5, 255, 255, 255], Unknown),
        case("another first byte", 4096, &[6, 0, 0, 0], Content),
        case("a first byte with its highest bit", 4096, &[0x80, 0, 0, 0], Content),
        case("wrong in all ways", 1, &[255; 20], SourcePort),
        case("wrong in two ways", 4096, &[255; 20], Length),
    ]
}

/// The bit 0x40 is set; where the first four are 0xc0 the class is another, which is watched only.
fn quic() -> Vec<Case> {
    let case = |first: u8, reason, class| {
        let name = format!("QUIC, first byte {first:#x}");
        Case::new(name, frame(udp(4096, QUIC_PORT, &[first])), reason, class, 0)
    };
    let mut cases = vec![Case::new("QUIC, no payload", frame(udp(4096, QUIC_PORT, &[])), Length, QUIC, 0)];
    for first in [0x40, 0x7f, 0xd0, 0xff, 0x4c] {
        cases.push(case(first, Unknown, QUIC));
    }
    for first in [0x00, 0x3f, 0x80, 0xbf] {
        cases.push(case(first, Content, QUIC));
    }
    for first in [0xc0, 0xcf] {
        cases.push(case(first, SourceLimit, INITIAL));
    }
    cases
}

/// The first byte is loaded where it is not in reach.
fn reach() -> Vec<Case> {
    const PAYLOAD: usize = 14 + 20 + 8;
    let case = |name: &str, first, reach, reason| {
        let frame = frame(udp(4096, GOSSIP_PORT, &[first, 255, 255, 255]));
        Case::new(format!("{name} that is not in reach"), frame, reason, GOSSIP, 0).with_reach(reach)
    };
    let options = Ip4 { ihl: 7, options: 8, ..Ip4::default() }.frame(&udp(4096, GOSSIP_PORT, &[5, 0, 0, 0]));
    let extended =
        Ip6 { extensions: vec![extension(60, 1, 16)], ..Ip6::default() }.frame(&udp(4096, GOSSIP_PORT, &[6, 0, 0, 0]));
    vec![
        case("a first byte", 5, PAYLOAD, Unknown),
        case("a wrong first byte", 6, PAYLOAD, Content),
        case("a second byte", 5, PAYLOAD + 1, Unknown),
        Case::new("a first byte behind options that is not in reach", options, Unknown, GOSSIP, 0)
            .with_reach(PAYLOAD + 8),
        Case::new("a wrong first byte behind an extension that is not in reach", extended, Content, GOSSIP, 0)
            .with_reach(PAYLOAD + 20 + 16),
        Case { verdict: Case::bare("", vec![], Malformed).verdict, ..case("a UDP header", 5, PAYLOAD - 1, Malformed) },
    ]
}
