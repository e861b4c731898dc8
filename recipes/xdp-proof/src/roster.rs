//! Known senders as the program finds them: in a list by number, chained by the slot of their address.

use anyhow::{Result, ensure};

use crate::abi::{Address6, CHAIN, PEERS, Peer, Peers, Slots};
use crate::model::{Address, inverse};

/// A known sender. Its number, which is not 0, is also where its debts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    pub address: Address,
    pub number: u16,
    pub tier: u16,
}

/// The tables of all known senders. Who is known no longer stays in the list, but is in no chain.
pub struct Roster {
    pub peers: Box<Peers>,
    pub slots: Box<Slots>,
}

const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

/// The slot of an address.
pub fn slot_of((network, host): (u64, u64)) -> u16 {
    ((network ^ (host << 1)).wrapping_mul(MIX) >> 48) as u16
}

/// The network that has a slot together with a host: one for each value of `rest`.
pub fn network_in(slot: u16, host: u64, rest: u64) -> u64 {
    (u64::from(slot) << 48 | rest >> 16).wrapping_mul(inverse(MIX)) ^ (host << 1)
}

impl Roster {
    /// Tables in which nobody is known.
    pub fn new() -> Self {
        Roster { peers: bytemuck::zeroed_box(), slots: bytemuck::zeroed_box() }
    }

    /// Makes these senders known, and no others. The later of two in a chain comes first.
    pub fn set(&mut self, known: &[Known]) -> Result<()> {
        self.slots.first.fill(0);
        for Known { address, number, tier } in known {
            let (network, host) = address.halves();
            ensure!((1..PEERS).contains(&usize::from(*number)), "{address:?} can't be number {number}");
            let first = &mut self.slots.first[usize::from(slot_of((network, host)))];
            let peer = Peer { address: Address6 { network, host }, next: *first, tier: *tier, padding: 0 };
            self.peers.list[usize::from(*number)] = peer;
            *first = *number;
        }
        let longest = known.iter().map(|known| self.chain(known.address).len()).max().unwrap_or(0);
        ensure!(longest <= CHAIN, "a slot has {longest} peers, not {CHAIN}");
        Ok(())
    }

    /// The numbers of the peers in the slot of an address.
    fn chain(&self, address: Address) -> Vec<u16> {
        let mut chain = Vec::new();
        let mut number = self.slots.first[usize::from(slot_of(address.halves()))];
        while number != 0 {
            chain.push(number);
            number = self.peers.list[usize::from(number)].next;
        }
        chain
    }
}

impl Default for Roster {
    fn default() -> Self {
        Roster::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(number: u16) -> Known {
        let host = u64::from(number) * 77;
        let network = network_in(9, host, u64::from(number) << 40);
        let bytes: Vec<u8> = [network, host].into_iter().flat_map(u64::to_le_bytes).collect();
        Known { address: Address::V6(bytes.try_into().unwrap()), number, tier: 1 }
    }

    #[test]
    fn a_network_is_found_for_each_slot() {
        for slot in [0, 1, 0x8000, u16::MAX] {
            assert_eq!(slot_of((network_in(slot, 77, u64::MAX), 77)), slot);
        }
    }

    #[test]
    fn the_last_is_the_first_of_its_chain() {
        let mut roster = Roster::new();
        roster.set(&[known(5), known(1), known(32767)]).unwrap();
        assert_eq!(roster.chain(known(1).address), [32767, 1, 5]);
        roster.set(&[known(2)]).unwrap();
        assert_eq!(roster.chain(known(1).address), [2]);
    }

    #[test]
    fn a_chain_has_an_end() {
        let chain: Vec<Known> = (1..10).map(known).collect();
        assert!(Roster::new().set(&chain[..8]).is_ok());
        assert!(Roster::new().set(&chain).is_err());
        assert!(Roster::new().set(&[known(0)]).is_err());
    }
}
