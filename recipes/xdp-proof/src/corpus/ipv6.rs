//! IPv6: chains of extension headers, fragments, addresses, and the frame cut at every byte.

use super::Case;
use super::build::{Ip6, NODE6, extension, fragment6, udp};
use super::node::{NODES, OPEN, OPEN_PORT};
use crate::verdict::Reason::{Bogon, Fragment, Malformed, NotLocal, Piece, Unclassed, Unknown};

pub(super) fn cases() -> Vec<Case> {
    [headers(), addresses(), chains(), fragments(), reach(), cuts()].concat()
}

fn datagram() -> Vec<u8> {
    udp(4096, OPEN_PORT, b"hello")
}

fn passes(name: impl Into<String>, frame: Vec<u8>) -> Case {
    Case::new(name, frame, Unknown, OPEN, 0)
}

fn headers() -> Vec<Case> {
    let of = |payload| Ip6 { payload: Some(payload), ..Ip6::default() }.frame(&datagram());
    let next = |protocol| Ip6 { protocol, ..Ip6::default() }.frame(&[0; 24]);
    vec![
        passes("IPv6, a datagram", Ip6::default().frame(&datagram())),
        Case::bare("version 4 as IPv6", Ip6 { version: 4, ..Ip6::default() }.frame(&datagram()), Malformed),
        Case::bare("IPv6, payload length 0", of(0), Malformed),
        Case::bare("IPv6, payload length within the UDP header", of(7), Malformed),
        Case::bare("IPv6, payload length before the datagram's end", of(12), Malformed),
        passes("IPv6, payload length of the packet", of(13)),
        Case::bare("IPv6, payload length behind the frame", of(14), Malformed),
        Case::bare("IPv6, largest payload length", of(65535), Malformed),
        passes("IPv6, padding behind the packet", [Ip6::default().frame(&datagram()), vec![0; 9]].concat()),
        Case::bare("ICMPv6", next(58), Unclassed),
        Case::bare("IPv6, no next header", next(59), Unclassed),
        Case::bare("IPv6, GRE", next(47), Unclassed),
        Case::bare("IPv6, ESP", next(50), Unclassed),
    ]
}

fn addresses() -> Vec<Case> {
    let from = |source| Ip6 { source, ..Ip6::default() }.frame(&datagram());
    let to = |destination| Ip6 { destination, ..Ip6::default() }.frame(&datagram());
    let with = |place: usize, byte: u8| {
        let mut address = NODE6;
        address[place] = byte;
        address
    };
    let mut mapped = [0; 16];
    mapped[10..].copy_from_slice(&[255, 255, 203, 0, 113, 1]);
    let own = (1..=NODES).map(|last| passes(format!("IPv6, address {last} of the node"), to(with(15, last))));
    let others = vec![
        Case::bare("IPv6, another host", to(with(15, NODES + 1)), NotLocal),
        Case::bare("IPv6, another network", to(with(7, 1)), NotLocal),
        Case::bare("IPv6, to nobody", to([0; 16]), NotLocal),
        Case::bare("IPv6, loopback", to(1_u128.to_be_bytes()), NotLocal),
        Case::bare("IPv6, multicast", to(with(0, 0xff)), NotLocal),
        Case::new("IPv6, from multicast", from(with(0, 0xff)), Bogon, OPEN, 0),
        passes("IPv6, from below multicast", from(with(0, 0xfe))),
        Case::new("IPv6, from nobody", from([0; 16]), Bogon, OPEN, 0),
        Case::new("IPv6, from loopback", from(1_u128.to_be_bytes()), Bogon, OPEN, 0),
        Case::new("IPv6, from a mapped IPv4 address", from(mapped), Bogon, OPEN, 0),
        Case::bare(
            "neighbour discovery from nobody",
            Ip6 { source: [0; 16], protocol: 58, ..Ip6::default() }.frame(&[135; 24]),
            Unclassed,
        ),
        passes("IPv6, from the first network of all", from(2_u128.pow(64).to_be_bytes())),
    ];
    own.chain(others).collect()
}

fn chain(extensions: Vec<(u8, Vec<u8>)>) -> Vec<u8> {
    Ip6 { extensions, ..Ip6::default() }.frame(&datagram())
}

fn chains() -> Vec<Case> {
    let mut cases = Vec::new();
    for kind in [0, 43, 60] {
        cases.push(passes(format!("IPv6, extension {kind} of 8 bytes"), chain(vec![extension(kind, 0, 8)])));
        cases.push(passes(format!("IPv6, extension {kind} of 24 bytes"), chain(vec![extension(kind, 2, 24)])));
    }
    for count in 1..8 {
        let frame = chain(vec![extension(60, 0, 8); count]);
        let name = format!("IPv6, {count} extensions");
        cases.push(if count > 4 { Case::bare(name, frame, Malformed) } else { passes(name, frame) });
    }
    let mixed = vec![extension(0, 0, 8), extension(43, 1, 16), extension(51, 4, 24), extension(60, 0, 8)];
    let cut = Ip6 { extensions: vec![extension(60, 0, 8)], payload: Some(7), ..Ip6::default() }.frame(&datagram());
    let empty = Ip6 { extensions: vec![extension(60, 0, 8)], protocol: 59, ..Ip6::default() }.frame(&[]);
    let mut missing = Ip6 { protocol: 60, ..Ip6::default() }.frame(&[17, 0, 0, 0, 0, 0, 0]);
    missing[14 + 5] = 7;
    cases.extend([
        passes("IPv6, all kinds of extensions", chain(mixed)),
        passes("IPv6, AH of 8 bytes", chain(vec![extension(51, 0, 8)])),
        passes("IPv6, AH of 12 bytes", chain(vec![extension(51, 1, 12)])),
        passes("IPv6, AH of 24 bytes", chain(vec![extension(51, 4, 24)])),
        Case::bare("IPv6, an extension that ends the packet", empty, Unclassed),
        passes("IPv6, longest AH", chain(vec![extension(51, 255, 257 * 4)])),
        passes("IPv6, longest extension", chain(vec![extension(60, 255, 2048)])),
        passes("IPv6, more than the longest extension", chain(vec![extension(60, 255, 2048), extension(60, 0, 8)])),
        Case::bare("IPv6, an extension that ends behind the packet", chain(vec![extension(60, 2, 8)]), Malformed),
        Case::bare("IPv6, an extension of length 255 in 8 bytes", chain(vec![extension(0, 255, 8)]), Malformed),
        Case::bare("IPv6, an extension cut by the payload length", cut, Malformed),
        Case::bare("IPv6, an extension cut by the frame", missing, Malformed),
    ]);
    cases
}

fn fragments() -> Vec<Case> {
    let piece = |offset| chain(vec![fragment6(offset)]);
    let of = |protocol| Ip6 { extensions: vec![fragment6(8)], protocol, ..Ip6::default() }.frame(&datagram());
    let short = Ip6 { extensions: vec![fragment6(1)], payload: Some(12), ..Ip6::default() }.frame(&datagram());
    let nested = chain(vec![fragment6(1), fragment6(0)]);
    let mut long = fragment6(0);
    long.1[1] = 255;
    vec![
        passes("IPv6, a fragment that is whole", piece(0)),
        passes("IPv6, a whole fragment with reserved bits", piece(6)),
        passes("IPv6, a fragment header has one length whatever it says", chain(vec![long])),
        Case::new("IPv6, a first piece", piece(1), Fragment, OPEN, 0),
        Case::new("IPv6, a whole fragment within a first piece", nested, Fragment, OPEN, 0),
        Case::bare("IPv6, a first piece that has half a UDP header", short, Malformed),
        Case::bare("IPv6, a later piece", piece(9), Fragment),
        Case::bare("IPv6, the last piece", piece(0xfff8), Fragment),
        Case::bare("IPv6, a later piece that is kept", piece(9), Piece).keeping_fragments(),
        Case::bare("IPv6, a later piece of TCP", of(6), Piece),
        Case::bare("IPv6, a later piece of extensions", of(60), Piece),
        Case::bare(
            "IPv6, a later piece within four extensions",
            chain(vec![extension(60, 0, 8), extension(60, 0, 8), extension(60, 0, 8), fragment6(8)]),
            Fragment,
        ),
        Case::bare(
            "IPv6, a later piece behind four extensions",
            chain([vec![extension(60, 0, 8); 4], vec![fragment6(8)]].concat()),
            Malformed,
        ),
        Case::bare("IPv6, a later piece within a first one", chain(vec![fragment6(1), fragment6(8)]), Fragment),
        Case::new(
            "IPv6, a first piece behind extensions of different lengths",
            chain(vec![extension(0, 1, 16), extension(51, 1, 12), fragment6(1), extension(60, 2, 24)]),
            Fragment,
            OPEN,
            0,
        ),
    ]
}

/// Where the bytes in reach end. Headers have to be in reach, a payload only in the frame.
fn reach() -> Vec<Case> {
    const UDP: usize = 14 + 40 + 8;
    let frame = || chain(vec![extension(60, 0, 8)]);
    let reach = |reach: usize| passes(format!("IPv6, {reach} bytes in reach"), frame()).with_reach(reach);
    let short = |reach: usize, counts_all: bool| {
        let case = Case::bare(format!("IPv6, only {reach} bytes in reach"), frame(), Malformed);
        Case { in_reach: !counts_all, ..case.with_reach(reach) }
    };
    let long = udp(4096, OPEN_PORT, &[1; 5000]);
    let longest = vec![extension(60, 255, 2048), extension(60, 255, 2048)];
    vec![
        short(14, false),
        short(14 + 39, false),
        short(14 + 40, true),
        short(14 + 47, true),
        short(UDP, true),
        short(UDP + 7, true),
        reach(UDP + 8),
        reach(UDP + 9),
        Case { in_reach: true, ..reach(UDP + 8 + 5) },
        passes("IPv6, a packet that is not all in reach", Ip6::default().frame(&long)),
        Case::bare(
            "IPv6, a UDP header that is not in reach",
            Ip6 { extensions: longest, ..Ip6::default() }.frame(&long),
            Malformed,
        ),
    ]
}

fn cuts() -> Vec<Case> {
    let whole = chain(vec![extension(0, 0, 8)]);
    let cut = |length: usize| match length < whole.len() {
        true => Case::bare(format!("IPv6, cut to {length} bytes"), whole[..length].to_vec(), Malformed),
        false => passes("IPv6, not cut", whole.clone()),
    };
    (14..=whole.len()).map(cut).collect()
}
