//! Whether what is written can be done.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use toml::Spanned;

use super::class::{Class, Rate, Rates};
use super::file::{self, File, Limits, Protocol, Socket};
use super::problem::{Problem, nearest};
use super::{Config, Node, ports};
use crate::abi::{CLASSES, LOCALS_MOST};

/// Packets in a second that a limit can count.
const RATE_MAX: u64 = 100_000_000;
/// Milliseconds of a burst. The program counts in jiffies, which are 10 ms where they are longest: less than two of
/// them would drop what is within the rate.
const BURST_MS: RangeInclusive<u64> = 20..=60_000;
const BURST_MS_DEFAULT: u64 = 100;

/// The config of a file, or all that is wrong with it.
pub fn judge(file: File) -> Result<Config, Vec<Problem>> {
    let mut problems = Problems::default();
    problems.addresses(&file);
    problems.classes(&file);
    ports::judge(&file.classes, &mut problems.0);
    let numbers = file.classes.keys().map(|name| name.get_ref().clone()).zip(1..).collect();
    let classes = file.classes.iter().map(|(name, class)| problems.class(name, class, &file, &numbers)).collect();
    let node = file.node.as_ref().map(|node| problems.node(node));
    let config = Config {
        mode: file.mode,
        drop_fragments: file.drop_fragments,
        samples: file.samples,
        addresses: file.addresses.iter().map(|address| *address.get_ref()).collect(),
        node,
        classes,
        peers: file.peers.iter().map(|peer| (*peer.address.get_ref(), peer.tier)).collect(),
    };
    if problems.0.is_empty() { Ok(config) } else { Err(problems.0) }
}

/// The numbers of classes by name.
type Numbers = BTreeMap<String, u8>;

#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, at: Range<usize>, wrong: impl Into<String>, write: impl Into<String>) {
        self.0.push(Problem { at, wrong: wrong.into(), write: write.into() });
    }

    fn range<T: Copy + Into<u64>>(&mut self, number: &Spanned<T>, what: &str, range: RangeInclusive<u64>) {
        let value: u64 = (*number.get_ref()).into();
        if !range.contains(&value) {
            let write = format!("a number from {} to {}", range.start(), range.end());
            self.add(number.span(), format!("{what} is {value}"), write);
        }
    }

    fn addresses(&mut self, file: &File) {
        for family in [IpAddr::is_ipv4, IpAddr::is_ipv6] {
            if let Some(more) = file.addresses.iter().filter(|at| family(at.get_ref())).nth(LOCALS_MOST) {
                self.add(
                    more.span(),
                    format!("{} is one address too many", more.get_ref()),
                    format!("at most {LOCALS_MOST}"),
                );
            }
        }
        for address in file.addresses.iter().filter(|address| address.get_ref().is_unspecified()) {
            self.add(address.span(), format!("no node has the address {}", address.get_ref()), "the address of a host");
        }
        let mut seen = BTreeSet::new();
        for peer in &file.peers {
            let address = peer.address.get_ref();
            if address.is_multicast() || address.is_unspecified() || address.is_loopback() {
                self.add(peer.address.span(), format!("nobody sends from {address}"), "the address of a host");
            }
            if !seen.insert(address) {
                self.add(peer.address.span(), format!("{address} is a peer twice"), "it once");
            }
        }
    }

    fn classes(&mut self, file: &File) {
        if let Some(name) = file.classes.keys().nth(CLASSES - 1) {
            self.add(
                name.span(),
                format!("there are {} classes", file.classes.len()),
                format!("at most {}", CLASSES - 1),
            );
        }
        for name in file.classes.keys() {
            let text = name.get_ref();
            let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
            if text.is_empty() || text.len() > 32 || !text.bytes().all(fits) {
                self.add(name.span(), format!("`{text}` is no name of a class"), "small letters, digits, - and _");
            }
            if text == "none" {
                self.add(name.span(), "`none` is what no class is about", "another name");
            }
        }
    }

    fn class(&mut self, name: &Spanned<String>, class: &file::Class, file: &File, numbers: &Numbers) -> Class {
        self.traffic(name, class, file);
        if class.protocol == Protocol::Tcp {
            self.no_shape(class);
        }
        let bounds = [&class.payload_min, &class.payload_max].map(|bound| bound.as_ref().map(|bound| *bound.get_ref()));
        let (payload_min, payload_max) = (bounds[0].unwrap_or(0), bounds[1].unwrap_or(u16::MAX));
        if let (Some(min), true) = (&class.payload_min, payload_min > payload_max) {
            self.add(min.span(), "payload_min is more than payload_max", format!("at most {payload_max}"));
        }
        Class {
            name: name.get_ref().clone(),
            protocol: class.protocol,
            mode: class.mode.unwrap_or(file.mode),
            ports: class.ports.iter().map(|ports| *ports.get_ref()).collect(),
            discover: class.discover.iter().map(|socket| *socket.get_ref()).collect(),
            source_port_min: class.source_port_min.as_ref().map_or(0, |port| *port.get_ref()),
            payload_min,
            payload_max,
            first_byte: self.first_byte(class),
            part: self.part(name.get_ref(), class, file, numbers),
            tiers: self.tiers(class),
        }
    }

    /// Whether any traffic can be of the class.
    fn traffic(&mut self, name: &Spanned<String>, class: &file::Class, file: &File) {
        let has_ports = !class.ports.is_empty() || !class.discover.is_empty();
        let parts = file.classes.values().filter_map(|class| class.part.as_ref());
        if !has_ports && !parts.into_iter().any(|part| part.get_ref().class.get_ref() == name.get_ref()) {
            let wrong = format!("no traffic is of class `{}`", name.get_ref());
            self.add(name.span(), wrong, "`ports = [...]`, or `discover = [...]`, or name it as a part of another");
        }
        for socket in &class.discover {
            if file.node.is_none() {
                self.add(socket.span(), "no node to discover ports from", "`[node]` with its `rpc`, or `ports`");
            }
            let is_tcp = matches!(socket.get_ref(), Socket::Rpc | Socket::Pubsub);
            let fits = *socket.get_ref() == Socket::Gossip || is_tcp == (class.protocol == Protocol::Tcp);
            if !fits {
                self.add(socket.span(), "the node has this socket for the other protocol", "it in another class");
            }
        }
    }

    /// The program looks into datagrams only.
    fn no_shape(&mut self, class: &file::Class) {
        let fields = [
            ("source_port_min", class.source_port_min.as_ref().map(Spanned::span)),
            ("payload_min", class.payload_min.as_ref().map(Spanned::span)),
            ("payload_max", class.payload_max.as_ref().map(Spanned::span)),
            ("first_byte", class.first_byte.as_ref().map(Spanned::span)),
            ("part", class.part.as_ref().map(Spanned::span)),
        ];
        for (name, at) in fields {
            if let Some(at) = at {
                self.add(at, format!("{name} is about UDP, and the class of TCP"), "nothing of it here");
            }
        }
    }

    fn first_byte(&mut self, class: &file::Class) -> [u8; 3] {
        let Some(byte) = &class.first_byte else { return [0, 0, 0] };
        let file::FirstByte { mask, min, max } = *byte.get_ref();
        if min > max {
            self.add(byte.span(), format!("no byte is from {min} to {max}"), "`min` that is at most `max`");
        } else if min > mask {
            let wrong = format!("no byte masked with {mask:#04x} is {min} or more");
            self.add(byte.span(), wrong, format!("`min` up to {mask}"));
        }
        [mask, min, max]
    }

    fn part(&mut self, name: &str, class: &file::Class, file: &File, numbers: &Numbers) -> [u8; 3] {
        let Some(part) = &class.part else { return [0, 0, 0] };
        let file::Part { mask, value, class: other } = part.get_ref();
        if value & !mask != 0 {
            let wrong = format!("no byte masked with {mask:#04x} is {value}");
            self.add(part.span(), wrong, format!("`value` of bits of `mask`, as {}", value & mask));
        }
        let Some(number) = numbers.get(other.get_ref()) else {
            let near = nearest(other.get_ref(), numbers.keys().map(String::as_str).filter(|other| *other != name));
            let write = near.map_or("a class of the file".into(), |near| format!("`{near}`"));
            self.add(other.span(), format!("no class is called `{}`", other.get_ref()), write);
            return [0, 0, 0];
        };
        let target = file.classes.get(other.get_ref().as_str());
        if target.is_none_or(|target| !target.ports.is_empty() || !target.discover.is_empty()) {
            let wrong = format!("class `{}` can't be part of `{name}`, as it has ports", other.get_ref());
            self.add(other.span(), wrong, "a class without ports");
        }
        [*mask, *value, *number]
    }

    fn tiers(&mut self, class: &file::Class) -> [Rates; 4] {
        let mut below = Rates { each: Rate::Unlimited, all: Rate::Unlimited };
        [&class.unknown, &class.gossip, &class.staked, &class.top].map(|limits| {
            if let Some(limits) = limits {
                below = self.rates(limits);
            }
            below
        })
    }

    fn rates(&mut self, limits: &Limits) -> Rates {
        let Limits { rate, burst_ms, ceiling, ceiling_burst_ms } = limits;
        let each = self.rate(rate.as_ref(), burst_ms.as_ref(), ["rate", "burst_ms"]);
        Rates { each, all: self.rate(ceiling.as_ref(), ceiling_burst_ms.as_ref(), ["ceiling", "ceiling_burst_ms"]) }
    }

    fn rate(&mut self, rate: Option<&Spanned<u64>>, burst: Option<&Spanned<u64>>, names: [&str; 2]) -> Rate {
        let Some(rate) = rate else {
            if let Some(burst) = burst {
                let wrong = format!("{} without {} limits nothing", names[1], names[0]);
                self.add(burst.span(), wrong, format!("`{}` as well", names[0]));
            }
            return Rate::Unlimited;
        };
        let (per_second, burst_ms) = (*rate.get_ref(), burst.map_or(BURST_MS_DEFAULT, |burst| *burst.get_ref()));
        if per_second > RATE_MAX {
            let wrong = format!("a {} of {per_second} is more than can be counted", names[0]);
            self.add(rate.span(), wrong, format!("at most {RATE_MAX}, or nothing for no limit"));
        }
        if let (Some(burst), false) = (burst, BURST_MS.contains(&burst_ms)) {
            let write = format!("from {} to {}", BURST_MS.start(), BURST_MS.end());
            self.add(burst.span(), format!("a burst of {burst_ms} ms can't be counted"), write);
        }
        if per_second == 0 { Rate::Shut } else { Rate::Of { per_second, burst_ms } }
    }

    fn node(&mut self, node: &file::Node) -> Node {
        let rpc = node.rpc.get_ref();
        if !rpc.starts_with("http://") || rpc.len() == "http://".len() {
            self.add(node.rpc.span(), format!("`{rpc}` is no plain HTTP address"), "`rpc = \"http://127.0.0.1:8899\"`");
        }
        if let Some(identity) = &node.identity {
            let key = identity.get_ref();
            if !(32..=44).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                self.add(identity.span(), format!("`{key}` is no public key"), "what `solana-keygen pubkey` prints");
            }
        }
        self.range(&node.interval_seconds, "interval_seconds", 5..=3600);
        self.range(&node.timeout_seconds, "timeout_seconds", 1..=60);
        self.range(&node.top_stake_percent, "top_stake_percent", 1..=100);
        Node {
            rpc: rpc.clone(),
            identity: node.identity.as_ref().map(|identity| identity.get_ref().clone()),
            interval: Duration::from_secs(*node.interval_seconds.get_ref()),
            timeout: Duration::from_secs(*node.timeout_seconds.get_ref()),
            top_stake_percent: *node.top_stake_percent.get_ref(),
            private_addresses: node.private_addresses,
        }
    }
}
