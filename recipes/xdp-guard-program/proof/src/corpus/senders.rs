//! Peers of all tiers, others, and limits that let nothing pass.

use super::Case;
use super::build::{Ip4, Ip6, udp};
use super::node::{
    CLOSED, CLOSED_PORT, INITIAL, MARKED, OPEN, OPEN_PORT, PEER1, PEER2, PEER3, PEER6, QUIC_PORT, UNMARKED,
};
use crate::verdict::Reason::{self, Ceiling, Fragment, Peer, PeerLimit, SourceLimit, Unknown};

pub(super) fn cases() -> Vec<Case> {
    [four(), six()].concat()
}

fn case4(name: &str, source: [u8; 4], port: u16, reason: Reason, class: u8, tier: u8) -> Case {
    Case::new(name, Ip4 { source, ..Ip4::default() }.frame(&udp(4096, port, &[0xc0])), reason, class, tier)
}

fn four() -> Vec<Case> {
    let stranger = Ip4::default().source;
    let piece = Ip4 { source: PEER1, fragment: 0x2000, ..Ip4::default() }.frame(&udp(4096, OPEN_PORT, b"x"));
    vec![
        case4("a peer of tier 1", PEER1, OPEN_PORT, Peer, OPEN, 1),
        case4("a peer of tier 2", PEER2, OPEN_PORT, Peer, OPEN, 2),
        case4("a peer without a bit is none", UNMARKED, OPEN_PORT, Unknown, OPEN, 0),
        case4("a bit alone makes no peer", MARKED, OPEN_PORT, Unknown, OPEN, 0),
        case4("the ceiling of others", stranger, CLOSED_PORT, Ceiling, CLOSED, 0),
        case4("the ceiling of a tier", PEER1, CLOSED_PORT, Ceiling, CLOSED, 1),
        case4("the limit of a peer", PEER2, CLOSED_PORT, PeerLimit, CLOSED, 2),
        case4("the limit of another", stranger, QUIC_PORT, SourceLimit, INITIAL, 0),
        case4("a peer in the class of a part", PEER1, QUIC_PORT, Peer, INITIAL, 1),
        Case::new("a peer's first piece", piece, Fragment, OPEN, 0),
    ]
}

fn six() -> Vec<Case> {
    let from = |source| Ip6 { source, ..Ip6::default() };
    let datagram = |port| udp(4096, port, &[1]);
    let mut neighbour = PEER3;
    neighbour[15] = 4;
    vec![
        Case::new("a peer of tier 3", from(PEER3).frame(&datagram(OPEN_PORT)), Peer, OPEN, 3),
        Case::new("tier 3 is not closed", from(PEER3).frame(&datagram(CLOSED_PORT)), Peer, CLOSED, 3),
        Case::new("a peer of tier 6, which is 2", from(PEER6).frame(&datagram(CLOSED_PORT)), PeerLimit, CLOSED, 2),
        Case::new("a peer's neighbour is none", from(neighbour).frame(&datagram(OPEN_PORT)), Unknown, OPEN, 0),
    ]
}
