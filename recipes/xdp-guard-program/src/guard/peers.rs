//! Which senders are known, and how the maps come to know them. An entry that stays is not written again: it holds
//! when the sender's next packets are due, and would give it a fresh burst.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::abi::{CLASSES, Config, PEERS, Peer};
use crate::bpf::maps::Maps;
use crate::config::Tier;
use crate::failure::Failure;

/// Known senders.
pub type Peers = BTreeMap<IpAddr, Tier>;

/// What makes one set of peers of another.
#[derive(Debug, Default, PartialEq)]
pub struct Change {
    /// New ones.
    pub add: Vec<(IpAddr, Tier)>,
    /// Those of another tier.
    pub move_to: Vec<(IpAddr, Tier)>,
    /// Those that are no longer.
    pub remove: Vec<IpAddr>,
}

impl Change {
    /// From tiers as they are in the maps.
    pub fn between(old: &BTreeMap<IpAddr, u32>, new: &Peers) -> Self {
        let mut change = Self::default();
        for (address, tier) in new {
            match old.get(address) {
                None => change.add.push((*address, *tier)),
                Some(old) if *old != *tier as u32 => change.move_to.push((*address, *tier)),
                Some(_) => {}
            }
        }
        change.remove = old.keys().filter(|address| !new.contains_key(address)).copied().collect();
        change
    }

    /// Makes it, and the config count whose bits are of the new peers.
    pub fn apply(&self, maps: &mut Maps, config: &Config) -> Result<(), Failure> {
        // First, as full maps take no more.
        self.remove.iter().try_for_each(|address| maps.remove_peer(*address))?;
        for (address, tier) in &self.add {
            maps.set_peer(*address, &Peer { tier: *tier as u32, due: [0; CLASSES] })?;
        }
        for (address, tier) in &self.move_to {
            if let Some(peer) = maps.peer(*address)? {
                maps.set_peer(*address, &Peer { tier: *tier as u32, ..peer })?;
            }
        }
        maps.set_config(config)
    }
}

/// `found` and, before them, `fixed`: at most as many of each family as the maps hold, the highest tiers first.
pub fn join(fixed: &Peers, found: &Peers) -> Peers {
    let mut all: Vec<_> = found.iter().filter(|(address, _)| !fixed.contains_key(address)).collect();
    all.sort_by_key(|(address, tier)| (std::cmp::Reverse(**tier), **address));
    let mut room = [PEERS, PEERS];
    fixed
        .iter()
        .chain(all)
        .filter(|(address, _)| {
            let room = &mut room[usize::from(address.is_ipv6())];
            let fits = *room > 0;
            *room = room.saturating_sub(1);
            fits
        })
        .map(|(address, tier)| (*address, *tier))
        .collect()
}

/// The entry of a peer in new maps: when its packets were due by the names of the classes in the old ones.
pub fn carry(tier: Tier, old: Option<&Peer>, old_classes: &[String], classes: &[String]) -> Peer {
    let mut peer = Peer { tier: tier as u32, due: [0; CLASSES] };
    let Some(old) = old else { return peer };
    for (due, name) in peer.due.iter_mut().zip(classes) {
        let before = old_classes.iter().position(|old| old == name).and_then(|number| old.due.get(number));
        *due = before.copied().unwrap_or_default();
    }
    peer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn changes_only_what_differs() {
        let old = [(at(1), 1), (at(2), 1), (at(3), 3)].into();
        let new = [(at(1), Tier::Gossip), (at(2), Tier::Staked), (at(4), Tier::Top)].into();
        let change = Change::between(&old, &new);
        assert_eq!(change.add, [(at(4), Tier::Top)]);
        assert_eq!(change.move_to, [(at(2), Tier::Staked)]);
        assert_eq!(change.remove, [at(3)]);
    }

    #[test]
    fn keeps_the_highest_tiers_where_there_are_too_many() {
        let address = |n: u32| IpAddr::from(n.to_be_bytes());
        let mut found: Peers = (0..PEERS as u32 + 5).map(|n| (address(n), Tier::Gossip)).collect();
        found.insert(address(PEERS as u32 + 4), Tier::Top);
        let fixed = [(at(1), Tier::Gossip)].into();
        let joined = join(&fixed, &found);
        assert_eq!(joined.len(), PEERS);
        assert!(joined.contains_key(&at(1)) && joined.contains_key(&address(PEERS as u32 + 4)));
    }

    #[test]
    fn a_static_peer_keeps_its_tier() {
        let joined = join(&[(at(1), Tier::Top)].into(), &[(at(1), Tier::Gossip)].into());
        assert_eq!(joined, [(at(1), Tier::Top)].into());
    }

    #[test]
    fn carries_what_is_due_by_the_names_of_classes() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let mut old = Peer { tier: 1, due: [0; CLASSES] };
        (old.due[1], old.due[2]) = (10, 20);
        let new = carry(Tier::Top, Some(&old), &names(&["none", "a", "b"]), &names(&["none", "b", "c"]));
        assert_eq!((new.tier, new.due[1], new.due[2]), (3, 20, 0));
    }
}
