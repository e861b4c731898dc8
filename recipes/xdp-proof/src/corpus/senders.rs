//! Peers of all tiers, others, and limits that let nothing pass.

use super::Case;
use super::build::{Ip4, Ip6, udp};
use super::node::{
    CLOSED, CLOSED_PORT, INITIAL, OPEN, OPEN_PORT, PEER1, PEER2, PEER3, PEER6, QUIC_PORT, in_chain, in_slot,
};
use crate::abi::CHAIN;
use crate::model::Address;
use crate::verdict::Reason::{self, Bogon, Ceiling, Fragment, Peer, PeerLimit, SourceLimit, Unknown};

pub(super) fn cases() -> Vec<Case> {
    [four(), six(), chain()].concat()
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
        case4("the ceiling of others", stranger, CLOSED_PORT, Ceiling, CLOSED, 0),
        case4("the ceiling of a tier", PEER1, CLOSED_PORT, Ceiling, CLOSED, 1),
        case4("the limit of a peer", PEER2, CLOSED_PORT, PeerLimit, CLOSED, 2),
        case4("the limit of another", stranger, QUIC_PORT, SourceLimit, INITIAL, 0),
        case4("a peer in the class of a part", PEER1, QUIC_PORT, Peer, INITIAL, 1),
        Case::new("a peer's first piece", piece, Fragment, OPEN, 0),
    ]
}

/// What a stranger sends to a class that is closed.
pub(super) fn beyond_ceiling() -> Vec<u8> {
    Ip4::default().frame(&udp(4096, CLOSED_PORT, b"x"))
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

/// Peers that share a slot, and who is in that slot but none of them.
fn chain() -> Vec<Case> {
    let from = |source| Ip6 { source, ..Ip6::default() }.frame(&udp(4096, OPEN_PORT, b"x"));
    let stranger = |name: &str, source| Case::new(name, from(source), Unknown, OPEN, 0);
    let mut cases: Vec<Case> = (1..CHAIN as u8)
        .map(|place| {
            let name = format!("peer {place} of a slot");
            Case::new(name, from(in_chain(place.into())), Peer, OPEN, 2 + place % 2)
        })
        .collect();
    let mut other_host = in_chain(1);
    other_host[15] ^= 0x80;
    let mut four = [0; 16];
    four[..4].copy_from_slice(&PEER2);
    let mut kept = [0; 16];
    kept[..8].copy_from_slice(&Address::V4(PEER2).halves().0.to_le_bytes());
    cases.extend([
        stranger("nobody known in a slot of peers", in_chain(CHAIN as u64)),
        stranger("another host of a peer's network in its slot", other_host),
        stranger("the host of a peer in another network in its slot", in_slot(2, 9 << 60)),
        stranger("the bytes of a peer's IPv4 address, and zeros", four),
        Case::new("a peer's IPv4 address as the program keeps it", from(kept), Bogon, OPEN, 0),
    ]);
    cases
}
