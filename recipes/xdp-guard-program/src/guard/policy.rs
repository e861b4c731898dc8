//! A config in the program's terms: rates become intervals of jiffies, names become numbers, ports become tables.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::abi::{self, CLASSES, Limit, Policy, STEP_BITS};
use crate::config::{Class, Config, Mode, Protocol, Rate, Rates, Socket};

/// What the config does not say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scene {
    /// Jiffies in a second.
    pub hertz: u64,
    /// CPUs that receive: each has its share of a ceiling.
    pub cpus: u64,
    /// Addresses of the interface.
    pub addresses: Vec<IpAddr>,
    /// Ports of the node's sockets, as far as they are known.
    pub sockets: BTreeMap<Socket, u16>,
}

/// What the program is to know of the config.
pub fn compile(config: &Config, scene: &Scene) -> abi::Config {
    let mut policies = [Policy::OPEN; CLASSES];
    policies[0].enforce = config.mode == Mode::Enforce;
    for (class, policy) in config.classes.iter().zip(&mut policies[1..]) {
        *policy = self::policy(class, scene);
    }
    let locals = if config.addresses.is_empty() { scene.addresses.clone() } else { config.addresses.clone() };
    abi::Config {
        policies,
        locals,
        drop_fragments: config.drop_fragments,
        udp: ports(config, scene, Protocol::Udp),
        tcp: ports(config, scene, Protocol::Tcp),
    }
}

/// What to say of addresses of the node for which there is no room.
pub fn warning(unguarded: &[IpAddr]) -> Option<String> {
    let names: Vec<String> = unguarded.iter().map(IpAddr::to_string).collect();
    let words = "not guarded, as there is no room for more addresses; name those that matter by `addresses`";
    (!names.is_empty()).then(|| format!("{words}: {}", names.join(", ")))
}

fn policy(class: &Class, scene: &Scene) -> Policy {
    Policy {
        tiers: class.tiers.map(|rates| tier(&rates, scene)),
        source_port_min: class.source_port_min,
        payload_min: class.payload_min,
        payload_max: class.payload_max,
        byte: class.first_byte,
        part: class.part,
        enforce: class.mode == Mode::Enforce,
    }
}

fn tier(rates: &Rates, scene: &Scene) -> abi::Tier {
    abi::Tier { each: limit(rates.each, scene.hertz, 1), all: limit(rates.all, scene.hertz, scene.cpus) }
}

/// The limit of one of `shares` that together have a rate.
fn limit(rate: Rate, hertz: u64, shares: u64) -> Limit {
    let second = hertz << STEP_BITS;
    match rate {
        Rate::Unlimited => Limit::NONE,
        Rate::Shut => Limit::SHUT,
        Rate::Of { per_second, burst_ms } => {
            Limit { interval: second * shares / per_second, burst: (second / 1000 * burst_ms) as i64 }
        }
    }
}

/// Ranges first, then single ports, then what the node says: the later counts.
fn ports(config: &Config, scene: &Scene, protocol: Protocol) -> Vec<(u16, u8)> {
    let classes = || config.classes.iter().zip(1..).filter(|(class, _)| class.protocol == protocol);
    let mut table = BTreeMap::new();
    for single in [false, true] {
        for (class, number) in classes() {
            let ports = class.ports.iter().filter(|ports| (ports.first == ports.last) == single);
            table.extend(ports.flat_map(|ports| ports.first..=ports.last).map(|port| (port, number)));
        }
    }
    for (class, number) in classes() {
        let found = class.discover.iter().filter_map(|socket| scene.sockets.get(socket));
        table.extend(found.map(|port| (*port, number)));
    }
    table.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn config(text: &str) -> Config {
        Config::of(Path::new("f"), text).expect("a config")
    }

    fn scene() -> Scene {
        Scene { hertz: 250, cpus: 4, ..Scene::default() }
    }

    #[test]
    fn rates_become_steps() {
        for (rate, shares, expect) in [
            (Rate::Unlimited, 1, Limit::NONE),
            (Rate::Shut, 4, Limit::SHUT),
            // 250 packets in a second are one in a jiffy.
            (Rate::Of { per_second: 250, burst_ms: 20 }, 1, Limit { interval: 1 << 24, burst: 5 * ((1 << 24) - 4) }),
            (Rate::Of { per_second: 1000, burst_ms: 20 }, 4, Limit { interval: 1 << 24, burst: 5 * ((1 << 24) - 4) }),
        ] {
            let got = limit(rate, 250, shares);
            let near = (got.burst - expect.burst).abs() <= 100;
            assert!(got.interval == expect.interval && near, "{rate:?}: {got:?}");
        }
    }

    #[test]
    fn a_single_port_counts_before_a_range_and_a_discovered_one_before_both() {
        let config = config(
            "[node]\nrpc = 'http://x'\n[class.a]\nports = ['8000-8003']\n[class.b]\nports = [8001]\n\
             [class.c]\ndiscover = ['gossip', 'tvu']\n[class.d]\nprotocol = 'tcp'\nports = [8001]",
        );
        let sockets = [(Socket::Gossip, 8002)].into();
        let compiled = compile(&config, &Scene { sockets, ..scene() });
        assert_eq!(compiled.udp, [(8000, 1), (8001, 2), (8002, 3), (8003, 1)]);
        assert_eq!(compiled.tcp, [(8001, 4)]);
    }

    #[test]
    fn the_mode_of_the_file_is_that_of_no_class() {
        let config = config("mode = 'enforce'\n[class.a]\nports = [1]\nmode = 'observe'");
        let policies = compile(&config, &scene()).policies;
        assert_eq!((policies[0].enforce, policies[1].enforce), (true, false));
    }

    #[test]
    fn addresses_without_room_are_named() {
        let addresses: Vec<_> = (0..70).map(|last| IpAddr::from([192, 0, 2, last])).collect();
        let compiled = compile(&config(""), &Scene { addresses, ..scene() });
        let words = warning(&compiled.unguarded()).expect("six too many");
        assert!(words.ends_with(": 192.0.2.64, 192.0.2.65, 192.0.2.66, 192.0.2.67, 192.0.2.68, 192.0.2.69"), "{words}");
        assert_eq!(warning(&[]), None);
    }

    #[test]
    fn configured_addresses_replace_those_of_the_interface() {
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        let scene = Scene { addresses: vec![address("192.0.2.1")], ..scene() };
        assert_eq!(compile(&config(""), &scene).locals, scene.addresses);
        let compiled = compile(&config("addresses = ['192.0.2.2']"), &scene);
        assert_eq!(compiled.locals, [address("192.0.2.2")]);
    }
}
