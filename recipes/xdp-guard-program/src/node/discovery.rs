//! Asks the node who the peers are. Whatever is wrong with an answer, what was known before stays.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use super::cluster::{self, Contact, Identity, Votes};
use super::memory::Memory;
use super::rpc::Rpc;
use crate::config::Node;
use crate::failure::Failure;

/// What the node told now, and what is to be said about it.
pub fn ask(node: &Node, locals: &[IpAddr], before: &Memory) -> Result<(Memory, Option<String>), Failure> {
    let rpc = Rpc::new(node);
    let nodes: Vec<Contact> = rpc.ask("getClusterNodes")?;
    let votes: Votes = rpc.ask("getVoteAccounts")?;
    let identity = match &node.identity {
        Some(identity) => identity.clone(),
        None => rpc.ask::<Identity>("getIdentity")?.identity,
    };
    let found = cluster::peers(&nodes, &votes, node.top_stake_percent, node.private_addresses, locals);
    let found = found.map_err(|lie| Failure::Environment(format!("asking {}: {lie}", node.rpc)))?;
    let own = cluster::own_ports(&nodes, &identity);
    let private = (found.private > 0).then(|| format!("{} addresses of nodes are not of the internet", found.private));
    let missing = own.is_empty().then(|| format!("node {identity} is not in gossip; its ports stay as they were"));
    let sockets = if own.is_empty() { before.sockets.clone() } else { own };
    let words: Vec<_> = private.into_iter().chain(missing).collect();
    let said = (!words.is_empty()).then(|| words.join("; "));
    Ok((Memory { at: now(), sockets, peers: found.peers }, said))
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Peers by tier.
pub fn by_tier(tiers: &BTreeMap<IpAddr, u16>) -> [usize; 3] {
    let mut counts = [0; 3];
    for tier in tiers.values() {
        counts[usize::from(*tier).clamp(1, 3) - 1] += 1;
    }
    counts
}
