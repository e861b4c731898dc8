//! Who sends to the node, and how they are told apart when their packets arrive.

use std::net::Ipv4Addr;

use serde::Serialize;

/// A kind of sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Known,
    Unknown,
    Heavy,
    Spoofed,
}

impl Kind {
    /// All, in the order of their numbers.
    pub const ALL: [Kind; 4] = [Kind::Known, Kind::Unknown, Kind::Heavy, Kind::Spoofed];

    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Kind::Known => "Known peers",
            Kind::Unknown => "An unknown sender",
            Kind::Heavy => "A heavy sender",
            Kind::Spoofed => "Invented senders",
        }
    }

    /// Its colour in pictures.
    pub fn tone(self) -> &'static str {
        match self {
            Kind::Known => "known",
            Kind::Unknown => "unknown",
            Kind::Heavy => "heavy",
            Kind::Spoofed => "spoofed",
        }
    }
}

/// A sender with an address of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sender {
    pub kind: Kind,
    host: u8,
    /// Packets a second.
    pub rate: f64,
}

impl Sender {
    /// All whose addresses are true.
    pub const ALL: [Sender; 4] = [
        Sender { kind: Kind::Known, host: 1, rate: 300.0 },
        Sender { kind: Kind::Known, host: 2, rate: 300.0 },
        Sender { kind: Kind::Unknown, host: 3, rate: 300.0 },
        Sender { kind: Kind::Heavy, host: 4, rate: 20_000.0 },
    ];

    /// Where it sends from.
    pub fn address(self) -> Ipv4Addr {
        Ipv4Addr::new(198, 51, 100, self.host)
    }

    /// The place in `ALL` of the one with an address; none where that is invented.
    pub fn of(address: Ipv4Addr) -> Option<usize> {
        Sender::ALL.iter().position(|sender| sender.address() == address)
    }
}
