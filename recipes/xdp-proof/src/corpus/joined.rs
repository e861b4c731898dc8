//! Frames that the kernel has put together of several, as it may before tcx.

use super::Case;
use super::build::{Ip4, Ip6, extension, tcp, udp, udp_of_length};
use super::node::{CLOSED, CLOSED_PORT, GOSSIP, GOSSIP_PORT, OPEN, OPEN_PORT, PEER2, RPC, RPC_PORT};
use crate::verdict::Reason::{self, Content, Length, Malformed, Peer, PeerLimit, Unclassed, Unknown};

pub(super) fn cases() -> Vec<Case> {
    [gossip(), senders(), unwritten()].concat()
}

/// Of each packet 4 to 10 bytes are right, of which the first of all is looked at.
fn gossip() -> Vec<Case> {
    let case = |name: &str, payload: &[u8], bytes, reason: Reason| {
        let frame = Ip4::default().frame(&udp(4096, GOSSIP_PORT, payload));
        Case::new(format!("put together, {name}"), frame, reason, GOSSIP, 0).joined(3, bytes, 3)
    };
    vec![
        case("each as long as may be", &[5; 30], 10, Unknown),
        case("the last shorter", &[5; 21], 10, Unknown),
        case("each too long", &[5; 33], 11, Length),
        case("each as short as may be", &[5; 12], 4, Unknown),
        case("each too short", &[5; 9], 3, Length),
        case("all shorter than each is said to be", &[5; 10], 11, Unknown),
        case("no payload", &[], 4, Length),
        case("another first byte", &[6; 30], 10, Content),
    ]
}

fn senders() -> Vec<Case> {
    let frame = |source, port| Ip4 { source, ..Ip4::default() }.frame(&udp(4096, port, &[0; 100]));
    let stranger = frame(Ip4::default().source, OPEN_PORT);
    let six = Ip6::default().frame(&udp(4096, OPEN_PORT, &[0; 100]));
    let length = stranger.len() as u64;
    vec![
        Case::new("put together, from a peer", frame(PEER2, OPEN_PORT), Peer, OPEN, 2).joined(10, 10, 10),
        Case::new("put together, over a peer's limit", frame(PEER2, CLOSED_PORT), PeerLimit, CLOSED, 2)
            .joined(10, 10, 10),
        Case::new("put together, of IPv6", six, Unknown, OPEN, 0).joined(2, 50, 2),
        Case::new("put together, of 65535", stranger.clone(), Unknown, OPEN, 0).joined(65535, 1, 65535),
        Case::new("put together of one", stranger.clone(), Unknown, OPEN, 0).joined(1, 100, 1),
        Case::new("put together, of nobody knows how many", stranger.clone(), Unknown, OPEN, 0).joined(
            0,
            10,
            length / 10 + 1,
        ),
        Case::new("a number of packets without their size", stranger, Unknown, OPEN, 0).joined(3, 0, 3),
    ]
}

/// Lengths that the kernel could not write.
fn unwritten() -> Vec<Case> {
    const ACK: u8 = 16;
    const SYN: u8 = 2;
    let four = |total, segment: &[u8]| Ip4 { total: Some(total), protocol: 6, ..Ip4::default() }.frame(segment);
    let segment = [tcp(RPC_PORT, ACK), vec![7; 200]].concat();
    let datagram = Ip4 { total: Some(0), ..Ip4::default() }.frame(&udp(4096, OPEN_PORT, &[7; 50]));
    let cut = Ip4 { total: Some(0), ..Ip4::default() }.frame(&udp_of_length(4096, OPEN_PORT, 60, &[7; 50]));
    let six = Ip6 { payload: Some(0), protocol: 6, extensions: vec![extension(0, 0, 8)], ..Ip6::default() };
    let bare = Ip6 { payload: Some(0), protocol: 6, ..Ip6::default() };
    let cut_header = four(0, &segment[..12]);
    let options = Ip4 { total: Some(0), ihl: 15, ..Ip4::default() }.frame(&[]);
    vec![
        Case::bare("much of TCP over IPv4", four(0, &segment), Unclassed).joined(4, 50, 4),
        Case::bare("an empty packet of IPv4 that is one", four(0, &segment), Malformed),
        Case::bare("much of TCP over IPv4, with a length", four(20, &segment), Malformed).joined(4, 50, 4),
        Case::bare("a number without a size writes no length", four(0, &segment), Malformed).joined(4, 0, 4),
        Case::new("a connection in much of TCP", four(0, &tcp(RPC_PORT, SYN)), Unknown, RPC, 0).joined(2, 50, 2),
        Case::bare("much of TCP without its header", cut_header, Malformed).joined(4, 50, 4),
        Case::bare("much of TCP over IPv6", six.frame(&segment), Unclassed).joined(4, 50, 4),
        Case::bare("much of TCP over IPv6 without an extension", bare.frame(&segment), Unclassed).joined(4, 50, 4),
        Case::bare("an empty packet of IPv6 that is one", bare.frame(&segment), Malformed),
        Case::new("much of UDP", datagram, Unknown, OPEN, 0).joined(5, 10, 5),
        Case::bare("much of UDP that is cut", cut, Malformed).joined(5, 10, 5),
        Case::bare("options behind the end of much", options, Malformed).joined(5, 10, 5),
    ]
}
