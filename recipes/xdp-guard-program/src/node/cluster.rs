//! What the answers of a node mean: whose addresses are peers of which tier, and which ports are its own.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use serde::Deserialize;

use crate::abi::PEERS;
use crate::config::{Socket, Tier};
use crate::guard::peers::Peers;

/// More nodes than any cluster has.
const NODES_MAX: usize = 2 * PEERS;
/// Ports that no node is given; a class there would be about another service.
const PORT_MIN: u16 = 1024;

/// A node in `getClusterNodes`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Contact {
    pubkey: String,
    gossip: Option<String>,
    tvu: Option<String>,
    tpu: Option<String>,
    tpu_quic: Option<String>,
    tpu_forwards: Option<String>,
    tpu_forwards_quic: Option<String>,
    tpu_vote: Option<String>,
    serve_repair: Option<String>,
    rpc: Option<String>,
    pubsub: Option<String>,
}

/// `getVoteAccounts`.
#[derive(Debug, Default, Deserialize)]
pub struct Votes {
    current: Vec<Vote>,
    delinquent: Vec<Vote>,
}

/// An account that votes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Vote {
    node_pubkey: String,
    activated_stake: u64,
}

/// `getIdentity`.
#[derive(Debug, Deserialize)]
pub struct Identity {
    /// The node's public key.
    pub identity: String,
}

/// Who are peers, and whose addresses were not taken.
#[derive(Debug, Default, PartialEq)]
pub struct Found {
    /// Senders and their tiers.
    pub peers: Peers,
    /// How many addresses nobody on the internet has.
    pub private: usize,
}

impl Contact {
    fn sockets(&self) -> [(Socket, Option<SocketAddr>); 10] {
        let parse = |text: &Option<String>| text.as_ref().and_then(|text| text.parse().ok());
        [
            (Socket::Gossip, parse(&self.gossip)),
            (Socket::Tvu, parse(&self.tvu)),
            (Socket::Tpu, parse(&self.tpu)),
            (Socket::TpuQuic, parse(&self.tpu_quic)),
            (Socket::TpuForwards, parse(&self.tpu_forwards)),
            (Socket::TpuForwardsQuic, parse(&self.tpu_forwards_quic)),
            (Socket::TpuVote, parse(&self.tpu_vote)),
            (Socket::ServeRepair, parse(&self.serve_repair)),
            (Socket::Rpc, parse(&self.rpc)),
            (Socket::Pubsub, parse(&self.pubsub)),
        ]
    }
}

/// The ports of the node's own sockets.
pub fn own_ports(nodes: &[Contact], identity: &str) -> BTreeMap<Socket, u16> {
    let own = nodes.iter().filter(|node| node.pubkey == identity).take(1);
    let sockets = own.flat_map(Contact::sockets);
    sockets.filter_map(|(socket, at)| Some((socket, at?.port()))).filter(|(_, port)| *port >= PORT_MIN).collect()
}

/// The senders among the nodes, or why the answer can't be true.
pub fn peers(
    nodes: &[Contact],
    votes: &Votes,
    top_percent: u64,
    private: bool,
    locals: &[IpAddr],
) -> Result<Found, String> {
    if nodes.len() > NODES_MAX {
        return Err(format!("it tells of {} nodes, more than any cluster has", nodes.len()));
    }
    let stakes = stakes(votes);
    let top = top(&stakes, top_percent);
    let mut found = Found::default();
    for node in nodes {
        let tier = match (top.contains(&*node.pubkey), stakes.contains_key(&*node.pubkey)) {
            (true, _) => Tier::Top,
            (false, true) => Tier::Staked,
            (false, false) => Tier::Gossip,
        };
        let addresses: BTreeSet<IpAddr> = node.sockets().into_iter().filter_map(|(_, at)| Some(at?.ip())).collect();
        for address in addresses.into_iter().filter(|address| !locals.contains(address)) {
            if !can_send(&address) || !(private || is_public(&address)) {
                found.private += 1;
                continue;
            }
            let known = found.peers.entry(address).or_insert(tier);
            *known = tier.max(*known);
        }
    }
    if found.peers.is_empty() { Err("it tells of no peer".into()) } else { Ok(found) }
}

/// Stake by node; those without any are left out.
fn stakes(votes: &Votes) -> BTreeMap<&str, u128> {
    let mut stakes = BTreeMap::new();
    for vote in votes.current.iter().chain(&votes.delinquent).filter(|vote| vote.activated_stake > 0) {
        *stakes.entry(&*vote.node_pubkey).or_insert(0) += u128::from(vote.activated_stake);
    }
    stakes
}

/// The fewest nodes that together have this part of all stake.
fn top<'a>(stakes: &BTreeMap<&'a str, u128>, percent: u64) -> BTreeSet<&'a str> {
    let total: u128 = stakes.values().sum();
    let mut order: Vec<_> = stakes.iter().collect();
    order.sort_by_key(|(node, stake)| (std::cmp::Reverse(**stake), **node));
    let mut sum = 0;
    let until = order.into_iter().take_while(|(_, stake)| {
        let more = sum * 100 < total * u128::from(percent);
        sum += **stake;
        more
    });
    until.map(|(node, _)| *node).collect()
}

/// Whether a host can have the address.
fn can_send(address: &IpAddr) -> bool {
    !(address.is_unspecified() || address.is_loopback() || address.is_multicast())
}

/// Whether an address is one of the internet.
fn is_public(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            let shared = a == 100 && (64..128).contains(&b);
            let benchmark = a == 198 && (b == 18 || b == 19);
            let protocol = (a, b, c) == (192, 0, 0);
            let other = address.is_private() || address.is_link_local() || address.is_documentation();
            !(other || shared || benchmark || protocol || a == 0 || a >= 240)
        }
        IpAddr::V6(address) => {
            let [a, b, ..] = address.segments();
            let documentation = a == 0x2001 && b == 0xdb8;
            is_global_unicast(address) && !documentation
        }
    }
}

fn is_global_unicast(address: &Ipv6Addr) -> bool {
    address.segments()[0] & 0xe000 == 0x2000
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn nodes(value: serde_json::Value) -> Vec<Contact> {
        serde_json::from_value(value).expect("nodes")
    }

    fn votes(stakes: &[(&str, u64)]) -> Votes {
        let vote = |(node, stake): &(&str, u64)| Vote { node_pubkey: (*node).into(), activated_stake: *stake };
        Votes { current: stakes.iter().map(vote).collect(), delinquent: Vec::new() }
    }

    #[test]
    fn knows_which_addresses_are_of_the_internet() {
        for (address, expect) in [
            ("8.8.8.8", true),
            ("10.0.0.1", false),
            ("172.16.0.1", false),
            ("192.168.0.1", false),
            ("100.64.0.1", false),
            ("100.128.0.1", true),
            ("169.254.1.1", false),
            ("198.18.0.1", false),
            ("203.0.113.1", false),
            ("0.1.2.3", false),
            ("255.255.255.255", false),
            ("2606:4700::1", true),
            ("2001:db8::1", false),
            ("fd00::1", false),
            ("fe80::1", false),
            ("::ffff:8.8.8.8", false),
        ] {
            assert_eq!(is_public(&address.parse().expect(address)), expect, "{address}");
        }
    }

    #[test]
    fn sorts_senders_into_tiers() {
        let nodes = nodes(json!([
            { "pubkey": "a", "gossip": "8.8.8.1:8001", "tpu": "8.8.8.2:8003", "version": "9", "more": [1] },
            { "pubkey": "b", "gossip": "8.8.8.3:8001", "tvu": null },
            { "pubkey": "c", "gossip": "8.8.8.3:9001" },
            { "pubkey": "d", "gossip": "8.8.8.4:8001" },
            { "pubkey": "e", "gossip": "10.0.0.1:8001", "tvu": "nonsense" },
            { "pubkey": "f", "gossip": "8.8.8.9:8001" },
        ]));
        let votes = votes(&[("a", 50), ("b", 30), ("d", 20), ("f", 0)]);
        let local = "8.8.8.9".parse().expect("an address");
        let found = peers(&nodes, &votes, 33, false, &[local]).expect("peers");
        let tiers: Vec<_> = found.peers.iter().map(|(address, tier)| (address.to_string(), *tier)).collect();
        let expect =
            [("8.8.8.1", Tier::Top), ("8.8.8.2", Tier::Top), ("8.8.8.3", Tier::Staked), ("8.8.8.4", Tier::Staked)];
        assert_eq!(tiers, expect.map(|(address, tier)| (address.to_owned(), tier)));
        assert_eq!(found.private, 1);
    }

    #[test]
    fn takes_no_answer_that_cant_be_true() {
        let votes = Votes::default();
        assert!(peers(&[], &votes, 33, false, &[]).is_err());
        assert!(peers(&nodes(json!([{ "pubkey": "a", "gossip": "127.0.0.1:1" }])), &votes, 33, true, &[]).is_err());
        let many = vec![Contact { gossip: Some("8.8.8.8:1".into()), ..Contact::default() }; NODES_MAX + 1];
        assert!(peers(&many, &votes, 33, false, &[]).expect_err("too many").contains("more than any cluster"));
    }

    #[test]
    fn finds_the_ports_of_the_node_itself() {
        let nodes = nodes(json!([
            { "pubkey": "a", "gossip": "8.8.8.1:8001", "tpuQuic": "8.8.8.1:8009", "rpc": "8.8.8.1:80" },
            { "pubkey": "b", "gossip": "8.8.8.2:9001" },
        ]));
        assert_eq!(own_ports(&nodes, "a"), [(Socket::Gossip, 8001), (Socket::TpuQuic, 8009)].into());
        assert!(own_ports(&nodes, "c").is_empty());
    }

    #[test]
    fn the_top_is_the_fewest_with_that_part_of_the_stake() {
        let stakes = [("a", 40), ("b", 35), ("c", 25)].into();
        for (percent, expect) in [(33, vec!["a"]), (40, vec!["a"]), (41, vec!["a", "b"]), (100, vec!["a", "b", "c"])] {
            assert_eq!(top(&stakes, percent).into_iter().collect::<Vec<_>>(), expect, "{percent}");
        }
    }
}
