//! IPv4: every header length, total lengths, addresses, fragments, and the frame cut at every byte.

use super::Case;
use super::build::{Ip4, ethernet, udp};
use super::node::{NODES, OPEN, OPEN_PORT};
use crate::verdict::Reason::{self, Bogon, Fragment, Malformed, NotLocal, Piece, Unclassed, Unknown};

pub(super) fn cases() -> Vec<Case> {
    [headers(), lengths(), addresses(), fragments(), cuts()].concat()
}

fn datagram() -> Vec<u8> {
    udp(4096, OPEN_PORT, b"hello")
}

fn headers() -> Vec<Case> {
    let mut cases = Vec::new();
    for ihl in 0..16 {
        let header = Ip4 { ihl, options: (usize::from(ihl) * 4).saturating_sub(20), ..Ip4::default() };
        let frame = header.frame(&datagram());
        let name = format!("IPv4, header of {ihl} words");
        cases.push(match ihl {
            0..5 => Case::bare(name, frame, Malformed),
            _ => Case::new(name, frame, Unknown, OPEN, 0),
        });
    }
    for version in [0, 5, 6] {
        let frame = Ip4 { version, ..Ip4::default() }.frame(&datagram());
        cases.push(Case::bare(format!("version {version} as IPv4"), frame, Malformed));
    }
    for protocol in [1, 2, 4, 41, 47, 50, 51, 132, 0, 44] {
        let frame = Ip4 { protocol, ..Ip4::default() }.frame(&[0; 24]);
        cases.push(Case::bare(format!("IPv4, protocol {protocol}"), frame, Unclassed));
    }
    cases
}

fn lengths() -> Vec<Case> {
    let of = |total| Ip4 { total: Some(total), ..Ip4::default() }.frame(&datagram());
    let padded = [Ip4::default().frame(&datagram()), vec![0x55; 13]].concat();
    let long = udp(4096, OPEN_PORT, &[1; 8000]);
    vec![
        Case::bare("IPv4, total length 0", of(0), Malformed),
        Case::bare("IPv4, total length 19", of(19), Malformed),
        Case::bare("IPv4, total length 20, which has no UDP header", of(20), Malformed),
        Case::bare("IPv4, total length in the UDP header", of(27), Malformed),
        Case::bare("IPv4, total length before the datagram's end", of(32), Malformed),
        Case::new("IPv4, total length of the packet", of(33), Unknown, OPEN, 0),
        Case::bare("IPv4, total length behind the frame", of(34), Malformed),
        Case::bare("IPv4, largest total length", of(65535), Malformed),
        Case::new("IPv4, padding behind the packet", padded, Unknown, OPEN, 0),
        Case::bare(
            "IPv4, total length within the options",
            Ip4 { ihl: 15, options: 40, total: Some(59), ..Ip4::default() }.frame(&datagram()),
            Malformed,
        ),
        Case::new("IPv4, a packet that is not all in reach", Ip4::default().frame(&long), Unknown, OPEN, 0),
        Case::bare(
            "IPv4, one byte more than a frame that is not all in reach",
            Ip4 { total: Some(8029), ..Ip4::default() }.frame(&long),
            Malformed,
        ),
    ]
}

fn addresses() -> Vec<Case> {
    let from = |source| Ip4 { source, ..Ip4::default() }.frame(&datagram());
    let to = |destination| Ip4 { destination, ..Ip4::default() }.frame(&datagram());
    let mut cases = vec![
        Case::bare("IPv4, another's address", to([192, 0, 2, NODES + 1]), NotLocal),
        Case::bare("IPv4, an address of another network", to([192, 0, 3, 1]), NotLocal),
        Case::bare("IPv4, to nobody", to([0; 4]), NotLocal),
        Case::bare("IPv4, broadcast", to([255; 4]), NotLocal),
        Case::bare("IPv4, multicast", to([224, 0, 0, 251]), NotLocal),
        Case::bare(
            "DHCP",
            Ip4 { source: [0; 4], destination: [255; 4], ..Ip4::default() }.frame(&udp(68, 67, &[1; 240])),
            NotLocal,
        ),
    ];
    for last in 1..=NODES {
        cases.push(Case::new(format!("IPv4, address {last} of the node"), to([192, 0, 2, last]), Unknown, OPEN, 0));
    }
    for first in [0, 127, 224, 239, 240, 255] {
        let source = [first, 0, 2, 1];
        cases.push(Case::new(format!("IPv4, from {first}.0.2.1"), from(source), Bogon, OPEN, 0));
        let header = Ip4 { source, ..Ip4::default() };
        let unclassed = header.frame(&udp(4096, 53, b"hello"));
        cases.push(Case::bare(format!("IPv4, from {first}.0.2.1 to a port without a class"), unclassed, Unclassed));
        let piece = Ip4 { fragment: 0x2000, ..header }.frame(&datagram());
        cases.push(Case::new(format!("IPv4, a first piece from {first}.0.2.1"), piece, Bogon, OPEN, 0));
        let later = Ip4 { fragment: 1, ..header }.frame(&datagram());
        cases.push(Case::bare(format!("IPv4, a later piece from {first}.0.2.1"), later, Fragment));
    }
    for first in [1, 126, 128, 223] {
        cases.push(Case::new(format!("IPv4, from {first}.0.2.1"), from([first, 0, 2, 1]), Unknown, OPEN, 0));
    }
    cases
}

fn fragments() -> Vec<Case> {
    let piece = |fragment| Ip4 { fragment, ..Ip4::default() }.frame(&datagram());
    let of = |protocol| Ip4 { fragment: 1, protocol, ..Ip4::default() }.frame(&datagram());
    let short = ethernet(0x0800, &Ip4 { fragment: 0x2000, total: Some(24), ..Ip4::default() }.around(&datagram()));
    let mut unclassed = Ip4 { fragment: 0x2000, ..Ip4::default() }.frame(&udp(4096, 53, b"hello"));
    unclassed.truncate(14 + 20 + 8);
    unclassed[16..18].copy_from_slice(&28_u16.to_be_bytes());
    vec![
        Case::new("IPv4, don't fragment", piece(0x4000), Unknown, OPEN, 0),
        Case::new("IPv4, the reserved flag", piece(0x8000), Unknown, OPEN, 0),
        Case::new("IPv4, a first piece", piece(0x2000), Fragment, OPEN, 0),
        Case::new("IPv4, a first piece that is kept", piece(0x2000), Fragment, OPEN, 0).keeping_fragments(),
        Case::bare("IPv4, a first piece for a port without a class", unclassed, Unclassed),
        Case::bare("IPv4, a first piece that has half a UDP header, and ports behind its end", short, Malformed),
        Case::bare("IPv4, a later piece", piece(0x2001), Fragment),
        Case::bare("IPv4, the last piece", piece(0x1fff), Fragment),
        Case::bare("IPv4, a piece at the highest bit", piece(0x1000), Fragment),
        Case::bare("IPv4, a later piece that is kept", piece(0x2001), Piece).keeping_fragments(),
        Case::bare("IPv4, a later piece of TCP", of(6), Piece),
        Case::bare("IPv4, a later piece of GRE", of(47), Piece),
    ]
}

/// What is cut within a header or the packet contradicts the total length.
fn cuts() -> Vec<Case> {
    let whole = Ip4::default().frame(&datagram());
    let cut = |length: usize| {
        let reason: Reason = if length < whole.len() { Malformed } else { Unknown };
        let class = if reason == Unknown { OPEN } else { 0 };
        Case::new(format!("IPv4, cut to {length} bytes"), whole[..length].to_vec(), reason, class, 0)
    };
    (14..=whole.len()).map(cut).collect()
}
