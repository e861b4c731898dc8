//! A class of traffic, judged.

use super::file::{Mode, Ports, Protocol, Socket};
use crate::abi::TIERS;

/// A class of traffic.
#[derive(Clone, Debug, PartialEq)]
pub struct Class {
    /// Of metrics and samples.
    pub name: String,
    /// Of what it is.
    pub protocol: Protocol,
    /// What becomes of packets that are wrong.
    pub mode: Mode,
    /// The node's ports.
    pub ports: Vec<Ports>,
    /// Sockets of the node whose ports are of the class.
    pub discover: Vec<Socket>,
    /// The least source port.
    pub source_port_min: u16,
    /// The least bytes after the UDP header.
    pub payload_min: u16,
    /// The most bytes after the UDP header.
    pub payload_max: u16,
    /// Mask, least and greatest value of the payload's first byte.
    pub first_byte: [u8; 3],
    /// Mask and value of the first byte of what is of another class, and its number.
    pub part: [u8; 3],
    /// What senders of each tier may send.
    pub tiers: [Rates; TIERS],
}

/// What senders of a tier may send.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// A sender.
    pub each: Rate,
    /// All of them together.
    pub all: Rate,
}

/// How many packets may come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rate {
    /// All.
    Unlimited,
    /// None.
    Shut,
    /// So many.
    Of {
        /// Packets.
        per_second: u64,
        /// How much of that may come at once.
        burst_ms: u64,
    },
}
