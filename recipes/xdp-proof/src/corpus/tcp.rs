//! TCP: all flags, and headers that are cut.

use super::Case;
use super::build::{Ip4, Ip6, tcp};
use super::node::{CLOSED, CLOSED_PORT, OPEN_PORT, RPC, RPC_PORT};
use crate::verdict::Reason::{Bogon, Ceiling, Fragment, Malformed, Unclassed, Unknown};

const SYN: u8 = 2;
const ACK: u8 = 16;

pub(super) fn cases() -> Vec<Case> {
    [flags(), others()].concat()
}

fn header() -> Ip4 {
    Ip4 { protocol: 6, ..Ip4::default() }
}

fn flags() -> Vec<Case> {
    let case = |flags: u8| {
        let frame = header().frame(&tcp(RPC_PORT, flags));
        let name = format!("TCP, flags {flags:#x}");
        let opens = flags & (SYN | ACK) == SYN;
        if opens { Case::new(name, frame, Unknown, RPC, 0) } else { Case::bare(name, frame, Unclassed) }
    };
    (0..=255).map(case).collect()
}

fn others() -> Vec<Case> {
    let syn = tcp(RPC_PORT, SYN);
    let short = Ip4 { total: Some(39), ..header() }.frame(&syn);
    let first_piece = Ip4 { fragment: 0x2000, ..header() }.frame(&syn);
    let nobody = Ip4 { source: [0; 4], ..header() };
    let six = Ip6 { protocol: 6, ..Ip6::default() };
    let as_udp = Ip4 { fragment: 1, ..Ip4::default() }.frame(&syn);
    vec![
        Case::bare("TCP, a port without a class", header().frame(&tcp(22, SYN)), Unclassed),
        Case::bare("TCP, a port of UDP", header().frame(&tcp(OPEN_PORT, SYN)), Unclassed),
        Case::new("TCP, a class that is closed", header().frame(&tcp(CLOSED_PORT, SYN)), Ceiling, CLOSED, 0),
        Case::new("TCP, from nobody", nobody.frame(&syn), Bogon, RPC, 0),
        Case::bare("TCP, from nobody, but no new connection", nobody.frame(&tcp(RPC_PORT, ACK)), Unclassed),
        Case::bare("TCP, cut by the total length", short, Malformed),
        Case::bare("TCP, cut by the frame", header().frame(&syn[..19]), Malformed),
        Case::new("TCP, a first piece", first_piece, Unknown, RPC, 0),
        Case::new("TCP over IPv6", six.frame(&syn), Unknown, RPC, 0),
        Case::bare("TCP over IPv6, cut", six.frame(&syn[..19]), Malformed),
        Case::bare("a later piece that says it is UDP", as_udp, Fragment),
    ]
}
