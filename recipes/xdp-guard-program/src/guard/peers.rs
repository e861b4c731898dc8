//! Which senders are known, and what is to change for that.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::abi::{CHAIN, CLASSES, Change, PEERS, slot_of};
use crate::bpf::maps::Peer;
use crate::config::Tier;

/// Known senders.
pub type Peers = BTreeMap<IpAddr, Tier>;

/// Known senders for which there is room, and how many there are besides.
#[derive(Debug, Default, PartialEq)]
pub struct Joined {
    /// Those that the maps are to hold.
    pub peers: Peers,
    /// How many they do not hold, for which the limits of anybody else hold.
    pub left_out: usize,
}

impl Joined {
    /// What to say of those that are left out.
    pub fn warning(&self) -> Option<String> {
        (self.left_out > 0).then(|| format!("there is no room for {} peers, which are as anybody else", self.left_out))
    }
}

/// What makes `new` of tiers as they are in the maps.
pub fn difference(old: &BTreeMap<IpAddr, u16>, new: &Peers) -> Change {
    let mut change = Change::default();
    for (address, tier) in new {
        match old.get(address) {
            None => change.add.push((*address, *tier as u16)),
            Some(old) if *old != *tier as u16 => change.move_to.push((*address, *tier as u16)),
            Some(_) => {}
        }
    }
    change.remove = old.keys().filter(|address| !new.contains_key(address)).copied().collect();
    change
}

/// `found` and, before them, `fixed`: at most as many as the maps and their chains hold, the highest tiers first.
pub fn join(fixed: &Peers, found: &Peers) -> Joined {
    let by_tier = |peers: &Peers| {
        let mut peers: Vec<_> = peers.iter().map(|(address, tier)| (*address, *tier)).collect();
        peers.sort_by_key(|(address, tier)| (std::cmp::Reverse(*tier), *address));
        peers
    };
    let found = by_tier(found).into_iter().filter(|(address, _)| !fixed.contains_key(address));
    let mut chains = BTreeMap::new();
    let mut joined = Joined::default();
    for (address, tier) in by_tier(fixed).into_iter().chain(found) {
        let length = chains.entry(slot_of(&address)).or_insert(0);
        if *length < CHAIN && joined.peers.len() < PEERS - 1 {
            *length += 1;
            joined.peers.insert(address, tier);
        } else {
            joined.left_out += 1;
        }
    }
    joined
}

/// A peer in new maps: when its packets were due by the names of the classes in the old ones.
pub fn carry(tier: Tier, old: Option<&Peer>, old_classes: &[String], classes: &[String]) -> Peer {
    let mut peer = Peer { tier: tier as u16, due: [0; CLASSES] };
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
    use crate::abi::neighbours;

    fn at(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn changes_only_what_differs() {
        let old = [(at(1), 1), (at(2), 1), (at(3), 3)].into();
        let new = [(at(1), Tier::Gossip), (at(2), Tier::Staked), (at(4), Tier::Top)].into();
        let change = difference(&old, &new);
        assert_eq!(change.add, [(at(4), 3)]);
        assert_eq!(change.move_to, [(at(2), 2)]);
        assert_eq!(change.remove, [at(3)]);
    }

    #[test]
    fn keeps_the_highest_tiers_where_there_are_too_many() {
        let address = |n: u32| IpAddr::from((0x0800_0000 + n).to_be_bytes());
        let mut found: Peers = (0..PEERS as u32 + 5).map(|n| (address(n), Tier::Gossip)).collect();
        found.insert(address(PEERS as u32 + 4), Tier::Top);
        let fixed = [(at(1), Tier::Gossip)].into();
        let joined = join(&fixed, &found);
        assert_eq!(joined.peers.len() + joined.left_out, PEERS + 6);
        assert!(joined.peers.len() < PEERS);
        assert!(joined.peers.contains_key(&at(1)) && joined.peers.contains_key(&address(PEERS as u32 + 4)));
    }

    #[test]
    fn leaves_out_who_finds_no_room_in_a_chain() {
        let addresses = neighbours(CHAIN + 3);
        let mut found: Peers = addresses.iter().map(|address| (*address, Tier::Gossip)).collect();
        found.insert(addresses[CHAIN + 1], Tier::Staked);
        let fixed = [(addresses[CHAIN + 2], Tier::Gossip)].into();
        let joined = join(&fixed, &found);
        assert_eq!((joined.peers.len(), joined.left_out), (CHAIN, 3));
        assert!(addresses[CHAIN + 1..].iter().all(|address| joined.peers.contains_key(address)));
        assert!(joined.warning().is_some_and(|words| words.contains("no room for 3 peers")));
        assert_eq!(join(&fixed, &Peers::new()).warning(), None);
    }

    #[test]
    fn a_static_peer_keeps_its_tier() {
        let joined = join(&[(at(1), Tier::Top)].into(), &[(at(1), Tier::Gossip)].into());
        assert_eq!(joined, Joined { peers: [(at(1), Tier::Top)].into(), left_out: 0 });
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
