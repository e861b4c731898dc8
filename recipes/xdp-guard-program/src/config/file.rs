//! The config file as it is written.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};
use toml::Spanned;

/// A config.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Of what no class is about, and of classes that say nothing else.
    #[serde(default)]
    pub mode: Mode,
    /// Whether pieces of UDP datagrams that tell no port are wrong.
    #[serde(default = "yes")]
    pub drop_fragments: bool,
    /// Whether there are samples of what is dropped.
    #[serde(default = "yes")]
    pub samples: bool,
    /// The node's addresses; none: all of the interface.
    #[serde(default)]
    pub addresses: Vec<Spanned<IpAddr>>,
    /// The validator to ask for peers and ports.
    pub node: Option<Node>,
    /// Classes of traffic by name.
    #[serde(default, rename = "class")]
    pub classes: BTreeMap<Spanned<String>, Class>,
    /// Senders that are always known.
    #[serde(default, rename = "peer")]
    pub peers: Vec<Peer>,
}

/// What becomes of packets that are wrong.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// They are counted, and pass.
    #[default]
    Observe,
    /// They are counted and dropped.
    Enforce,
}

/// The validator to ask.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Of its RPC, over plain HTTP.
    pub rpc: Spanned<String>,
    /// Its public key; none: what it says itself.
    pub identity: Option<Spanned<String>>,
    /// Between two questions.
    #[serde(default = "interval")]
    pub interval_seconds: Spanned<u64>,
    /// For one question.
    #[serde(default = "timeout")]
    pub timeout_seconds: Spanned<u64>,
    /// How much of all stake those with the most have that are of tier `top`.
    #[serde(default = "top")]
    pub top_stake_percent: Spanned<u64>,
    /// Whether peers may have addresses that are not of the internet.
    #[serde(default)]
    pub private_addresses: bool,
}

/// A sender that is always known.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// Where it sends from.
    pub address: Spanned<IpAddr>,
    /// What it may send.
    pub tier: Tier,
}

/// Tiers of known senders.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// In the cluster's gossip.
    Gossip = 1,
    /// With stake.
    Staked = 2,
    /// With the most stake.
    Top = 3,
}

/// Of what a class is.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// All datagrams.
    #[default]
    Udp,
    /// New connections.
    Tcp,
}

/// A class of traffic.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// Of what it is.
    #[serde(default)]
    pub protocol: Protocol,
    /// None: that of the file.
    pub mode: Option<Mode>,
    /// The node's ports.
    #[serde(default)]
    pub ports: Vec<Spanned<Ports>>,
    /// Sockets of the node whose ports are of the class.
    #[serde(default)]
    pub discover: Vec<Spanned<Socket>>,
    /// The least port that such packets come from.
    pub source_port_min: Option<Spanned<u16>>,
    /// The least bytes after the UDP header.
    pub payload_min: Option<Spanned<u16>>,
    /// The most bytes after the UDP header.
    pub payload_max: Option<Spanned<u16>>,
    /// What the payload's first byte is.
    pub first_byte: Option<Spanned<FirstByte>>,
    /// What of it is of another class.
    pub part: Option<Spanned<Part>>,
    /// What anybody may send.
    pub unknown: Option<Limits>,
    /// What peers may send; none: what the tier below may.
    pub gossip: Option<Limits>,
    /// Likewise.
    pub staked: Option<Limits>,
    /// Likewise.
    pub top: Option<Limits>,
}

/// What the payload's first byte is.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirstByte {
    /// The bits that count.
    #[serde(default = "all_bits")]
    pub mask: u8,
    /// Of the masked byte.
    pub min: u8,
    /// Of the masked byte.
    pub max: u8,
}

/// What of a class is of another.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The bits of the first byte that count.
    pub mask: u8,
    /// Of the masked byte.
    pub value: u8,
    /// The other class.
    pub class: Spanned<String>,
}

/// What senders may send, in packets.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Of one sender in a second; 0: nothing, none: all.
    pub rate: Option<Spanned<u64>>,
    /// How much of that may come at once, in milliseconds of the rate.
    pub burst_ms: Option<Spanned<u64>>,
    /// Of all of them in a second; 0: nothing, none: all.
    pub ceiling: Option<Spanned<u64>>,
    /// How much of that may come at once, in milliseconds of the ceiling.
    pub ceiling_burst_ms: Option<Spanned<u64>>,
}

/// Ports from the first to the last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ports {
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
}

impl<'de> Deserialize<'de> for Ports {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(PortsVisitor)
    }
}

struct PortsVisitor;

impl Visitor<'_> for PortsVisitor {
    type Value = Ports;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a port as 8001, or ports as \"8000-8049\"")
    }

    fn visit_i64<E: de::Error>(self, port: i64) -> Result<Ports, E> {
        let port = u16::try_from(port).ok().filter(|port| *port != 0);
        let port = port.ok_or_else(|| E::custom("a port is from 1 to 65535, expected one such as 8001"))?;
        Ok(Ports { first: port, last: port })
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Ports, E> {
        let ends = text.split_once('-').and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
        match ends {
            Some((first, last)) if first != 0 && first <= last => Ok(Ports { first, last }),
            _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }
}

/// Sockets that a node tells of in `getClusterNodes`, by the name they have there.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub enum Socket {
    Gossip,
    Tvu,
    Tpu,
    TpuQuic,
    TpuForwards,
    TpuForwardsQuic,
    TpuVote,
    ServeRepair,
    Rpc,
    Pubsub,
}

fn yes() -> bool {
    true
}

fn interval() -> Spanned<u64> {
    Spanned::new(0..0, 60)
}

fn timeout() -> Spanned<u64> {
    Spanned::new(0..0, 10)
}

fn top() -> Spanned<u64> {
    Spanned::new(0..0, 33)
}

fn all_bits() -> u8 {
    0xff
}
