//! What is timed, and what is compared.

use super::node::{CEILED, CEILED_PORT, NARROW, NARROW_PORT, RPC_PORT, WIDE, WIDE_PORT, peer};
use crate::corpus::build::{Ip4, Ip6, tagged, tcp, udp};
use crate::verdict::Reason;

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Id {
    Empty,
    EmptyMut,
    Peer,
    Unknown,
    Unknown6,
    Tagged,
    Syn,
    OverLimit,
    Length,
    Unclassed,
    TcpData,
    Ceiling,
    Accepted,
    AcceptedLong,
    Filter,
    FilterDrop,
}

/// A program of the race.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runner {
    Empty,
    EmptyMut,
    Filter,
    Guard,
    GuardMut,
}

/// A frame, who runs on it, and what has to become of it.
pub struct Case {
    pub id: Id,
    pub hardened: bool,
    pub name: &'static str,
    pub runner: Runner,
    pub frame: Vec<u8>,
    /// How long it runs in a round, in milliseconds. The kernel sleeps between turns, and others use the caches.
    pub turn_ms: u32,
    /// Whether the program passes the frame.
    pub passes: bool,
    /// Class and reason of the guard's counter.
    pub counter: Option<(u8, Reason)>,
}

/// Two cases that are compared: how many times the second the first may take at most.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    pub case: Id,
    pub against: Id,
    pub hardened: bool,
    pub bar: Option<f64>,
}

/// All comparisons.
pub const PAIRS: [Pair; 17] = [
    pair(Id::Peer, Id::Empty, Some(3.3)),
    pair(Id::Unknown, Id::Empty, Some(3.3)),
    pair(Id::OverLimit, Id::Empty, Some(2.5)),
    pair(Id::Unclassed, Id::Empty, Some(1.8)),
    pair(Id::TcpData, Id::Empty, Some(1.8)),
    pair(Id::Ceiling, Id::EmptyMut, Some(4.3)),
    pair(Id::Accepted, Id::EmptyMut, Some(7.0)),
    pair(Id::AcceptedLong, Id::EmptyMut, None),
    pair(Id::Syn, Id::Empty, None),
    pair(Id::Unknown6, Id::Empty, None),
    pair(Id::Tagged, Id::Empty, None),
    pair(Id::Length, Id::Empty, None),
    pair(Id::Unknown, Id::Filter, Some(0.68)),
    pair(Id::Peer, Id::Filter, None),
    pair(Id::OverLimit, Id::FilterDrop, None),
    Pair { hardened: true, ..pair(Id::Unknown, Id::Empty, Some(4.7)) },
    Pair { hardened: true, ..pair(Id::Unknown, Id::Filter, Some(0.87)) },
];

const fn pair(case: Id, against: Id, bar: Option<f64>) -> Pair {
    Pair { case, against, hardened: false, bar }
}

/// All that is timed: once as most machines load programs, and what is compared also as hardened ones do.
pub fn cases() -> Vec<Case> {
    let hardened = [empty(), unknown(), filter()].map(|case| Case { hardened: true, ..case });
    let cases = [vec![empty(), empty_mut()], conforming(), dropped(), unlimited(), flood(), vec![filter(), listed()]];
    cases.into_iter().flatten().chain(hardened).collect()
}

const TURN_MS: u32 = 4;
const PAYLOAD: [u8; 200] = [1; 200];

fn datagram(port: u16) -> Vec<u8> {
    udp(8001, port, &PAYLOAD)
}

fn stranger(port: u16) -> Vec<u8> {
    Ip4::default().frame(&datagram(port))
}

fn other(id: Id, name: &'static str, runner: Runner, frame: Vec<u8>, passes: bool) -> Case {
    Case { id, hardened: false, name, runner, frame, turn_ms: TURN_MS, passes, counter: None }
}

fn guarded(id: Id, name: &'static str, frame: Vec<u8>, class: u8, reason: Reason) -> Case {
    Case { counter: Some((class, reason)), ..other(id, name, Runner::Guard, frame, !reason.drops()) }
}

fn empty() -> Case {
    other(Id::Empty, "empty program", Runner::Empty, stranger(WIDE_PORT), true)
}

fn empty_mut() -> Case {
    other(Id::EmptyMut, "empty program, invented senders", Runner::EmptyMut, stranger(WIDE_PORT), true)
}

fn unknown() -> Case {
    guarded(Id::Unknown, "unknown sender", stranger(WIDE_PORT), WIDE, Reason::Unknown)
}

fn filter() -> Case {
    other(Id::Filter, "xdp-filter", Runner::Filter, stranger(WIDE_PORT), true)
}

fn listed() -> Case {
    let frame = Ip4 { source: peer(), ..Ip4::default() }.frame(&datagram(WIDE_PORT));
    other(Id::FilterDrop, "xdp-filter, drop", Runner::Filter, frame, false)
}

fn conforming() -> Vec<Case> {
    let known = Ip4 { source: peer(), ..Ip4::default() }.frame(&datagram(WIDE_PORT));
    let six = Ip6::default().frame(&datagram(WIDE_PORT));
    let tag = tagged(&[0x8100], 0x0800, &Ip4::default().around(&datagram(WIDE_PORT)));
    let syn = Ip4 { protocol: 6, ..Ip4::default() }.frame(&tcp(RPC_PORT, 0x02));
    vec![
        guarded(Id::Peer, "known peer", known, WIDE, Reason::Peer),
        unknown(),
        guarded(Id::Unknown6, "unknown sender, IPv6", six, WIDE, Reason::Unknown),
        guarded(Id::Tagged, "unknown sender, VLAN", tag, WIDE, Reason::Unknown),
        guarded(Id::Syn, "new TCP connection", syn, WIDE, Reason::Unknown),
    ]
}

fn dropped() -> Vec<Case> {
    let short = Ip4::default().frame(&udp(8001, WIDE_PORT, &[1; 100]));
    vec![
        guarded(Id::OverLimit, "over its limit, drop", stranger(NARROW_PORT), NARROW, Reason::SourceLimit),
        guarded(Id::Length, "wrong length, drop", short, WIDE, Reason::Length),
    ]
}

fn unlimited() -> Vec<Case> {
    let data = Ip4 { protocol: 6, ..Ip4::default() }.frame(&tcp(RPC_PORT, 0x10));
    vec![
        guarded(Id::Unclassed, "port without a class", stranger(9999), 0, Reason::Unclassed),
        guarded(Id::TcpData, "data on TCP", data, 0, Reason::Unclassed),
    ]
}

fn flood() -> Vec<Case> {
    let mutating = |case| Case { runner: Runner::GuardMut, ..case };
    let within = |id, name| mutating(guarded(id, name, stranger(WIDE_PORT), WIDE, Reason::Unknown));
    vec![
        mutating(guarded(Id::Ceiling, "spoofed flood, drop", stranger(CEILED_PORT), CEILED, Reason::Ceiling)),
        within(Id::Accepted, "spoofed flood, all pass"),
        Case { turn_ms: 10 * TURN_MS, ..within(Id::AcceptedLong, "the same, 40 ms at a time") },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compared_is_timed() {
        let cases = cases();
        for Pair { case, against, hardened, .. } in PAIRS {
            for id in [case, against] {
                assert_eq!(cases.iter().filter(|case| case.id == id && case.hardened == hardened).count(), 1, "{id:?}");
            }
        }
    }

    #[test]
    fn the_model_goes_the_ways_that_are_named() {
        let mut model = crate::model::Model::new(7, true);
        *model.config = *super::super::node::config().unwrap();
        model.peers.extend(super::super::node::peers().iter().map(|known| (known.address.halves(), *known)));
        for case in cases() {
            let Some((class, reason)) = case.counter else { continue };
            let frame = || crate::model::Frame::new(&case.frame, case.frame.len());
            let verdict = (0..1000).map(|_| model.judge(frame(), 1 << 40)).last().expect("there is a last one");
            assert_eq!((verdict.class, verdict.reason), (class, reason), "{}", case.name);
        }
    }
}
