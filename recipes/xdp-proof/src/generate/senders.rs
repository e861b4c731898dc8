//! Who sends, and to whom: addresses of peers, of others, and such that nobody has.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;

use super::draw::{one_in, pick};
use crate::abi::{CHAIN, CLASSES, PEERS};
use crate::model::{Address, hash, network_of};
use crate::roster::{Known, network_in, slot_of};

/// Senders of each kind.
const SENDERS: usize = 12;
/// The most addresses of the node, of each family.
const LOCALS: usize = 20;

/// The addresses of some traffic.
pub(super) struct Senders {
    peers4: Vec<[u8; 4]>,
    peers6: Vec<[u8; 16]>,
    others4: Vec<[u8; 4]>,
    others6: Vec<[u8; 16]>,
    pub locals4: Vec<[u8; 4]>,
    pub locals6: Vec<[u8; 16]>,
}

impl Senders {
    /// Draws addresses: few, so that each of them sends often enough to meet its limit.
    /// Some strangers share a cell of the sketch that has this seed; some peers, and strangers, share a slot.
    pub(super) fn draw(rng: &mut Rng, seed: u64) -> Self {
        let mut four = |count: usize| (0..count).map(|_| address4(rng)).collect::<Vec<_>>();
        let (peers4, others4, locals4) = (four(SENDERS), four(SENDERS), four(LOCALS));
        let mut six = |count: usize| (0..count).map(|_| address6(rng)).collect::<Vec<_>>();
        let (mut peers6, mut others6, locals6) = (six(SENDERS), six(SENDERS), six(LOCALS));
        // Neighbours: the same network, other hosts.
        let first = peers6[0];
        peers6[1][..8].copy_from_slice(&first[..8]);
        peers6[2][..8].copy_from_slice(&others6[0][..8]);
        for place in 1..5 {
            others6[place] = sharing(rng, seed, others6[0]);
        }
        let slot = slot_of(Address::V4(peers4[0]).halves());
        for address in &mut peers6[3..2 + CHAIN] {
            *address = in_slot(rng, slot);
        }
        others6[5] = in_slot(rng, slot);
        others6[6..9].copy_from_slice(&peers6[3..6]);
        // Hosts in the slot of a peer: the slot does not depend on the highest bit.
        others6[6][15] ^= 0x80;
        // Another network, the same host; and the same network, another host.
        let network = network_in(slot, halves(others6[7]).1, rng.u64(..));
        others6[7][..8].copy_from_slice(&network.to_le_bytes());
        others6[8][8] ^= 1;
        let (count4, count6) = (rng.usize(..LOCALS + 1), rng.usize(..LOCALS + 1));
        let (locals4, locals6) = (locals4[..count4].to_vec(), locals6[..count6].to_vec());
        Senders { peers4, peers6, others4, others6, locals4, locals6 }
    }

    /// The peers in any order, with tiers that the program takes modulo their number. Their numbers are few, so that
    /// one inherits debts of another.
    pub(super) fn peers(&self, rng: &mut Rng) -> Vec<Known> {
        let four = self.peers4.iter().map(|&bytes| Address::V4(bytes));
        let six = self.peers6.iter().map(|&bytes| Address::V6(bytes));
        let mut addresses: Vec<Address> = four.chain(six).collect::<BTreeSet<_>>().into_iter().collect();
        rng.shuffle(&mut addresses);
        let mut numbers: Vec<u16> = (1..30).chain([255, 256, 257, 16384, 32766, PEERS as u16 - 1]).collect();
        rng.shuffle(&mut numbers);
        let mut chains = BTreeMap::<u16, usize>::new();
        addresses.retain(|address| {
            let chain = chains.entry(slot_of(address.halves())).or_default();
            *chain += 1;
            *chain <= CHAIN
        });
        let known = addresses.into_iter().zip(numbers);
        known.map(|(address, number)| Known { address, number, tier: rng.u16(..6) }).collect()
    }

    pub(super) fn source4(&self, rng: &mut Rng) -> [u8; 4] {
        match rng.u8(..16) {
            0..=6 => pick(rng, &self.peers4),
            7..=13 => pick(rng, &self.others4),
            14 => rng.u32(..).to_le_bytes(),
            _ => [pick(rng, &[0, 1, 126, 127, 128, 223, 224, 225, 239, 240, 255]), rng.u8(..), rng.u8(..), 0],
        }
    }

    pub(super) fn destination4(&self, rng: &mut Rng) -> [u8; 4] {
        if self.locals4.is_empty() || one_in(rng, 24) {
            return pick(rng, &[[0; 4], [255; 4], [224, 0, 0, 1], [10, 0, 0, 1]]);
        }
        let mut address = pick(rng, &self.locals4);
        if one_in(rng, 64) {
            address[rng.usize(..4)] ^= 1;
        }
        address
    }

    pub(super) fn source6(&self, rng: &mut Rng) -> [u8; 16] {
        match rng.u8(..16) {
            0..=6 => pick(rng, &self.peers6),
            7..=13 => pick(rng, &self.others6),
            14 if rng.bool() => neighbour(rng, &self.others6),
            // What the program keeps of IPv4 addresses is not to be taken for these.
            14 => mapped(pick(rng, &self.peers4), pick(rng, &[0, 0xffff_ffff])),
            _ => {
                let mut address = rng.u128(..).to_le_bytes();
                let fill = pick(rng, &[0, 0, 1, 7, 8]);
                address[..fill].fill(0);
                address[0] = if fill == 0 { pick(rng, &[0xff, 0xfe, 0x20]) } else { 0 };
                if fill == 8 { address } else { with_first(address, address[0]) }
            }
        }
    }

    pub(super) fn destination6(&self, rng: &mut Rng) -> [u8; 16] {
        if self.locals6.is_empty() || one_in(rng, 24) {
            return pick(rng, &[[0; 16], 1_u128.to_be_bytes(), [0xff; 16]]);
        }
        let mut address = pick(rng, &self.locals6);
        if one_in(rng, 32) {
            address[rng.usize(..16)] ^= 1;
        }
        address
    }
}

/// Another host of a network.
fn neighbour(rng: &mut Rng, addresses: &[[u8; 16]]) -> [u8; 16] {
    let mut address = pick(rng, addresses);
    address[15] ^= rng.u8(..);
    address
}

/// A network that shares with another one of both cells, in some class.
fn sharing(rng: &mut Rng, seed: u64, address: [u8; 16]) -> [u8; 16] {
    let class = rng.u8(1..CLASSES as u8);
    let hash = hash(seed, halves(address).0, class);
    let kept = pick(rng, &[0xffff << 48, 0xffff << 32]);
    loop {
        let network = network_of(seed, hash & kept | rng.u64(..) & !kept, class).to_le_bytes();
        if network[0] != 0xff {
            return std::array::from_fn(|place| network.get(place).copied().unwrap_or(1));
        }
    }
}

/// Any address in a slot.
fn in_slot(rng: &mut Rng, slot: u16) -> [u8; 16] {
    loop {
        let host = if rng.bool() { 1 } else { rng.u64(..) };
        let network = network_in(slot, host, rng.u64(..));
        if network.to_le_bytes()[0] != 0xff {
            return (u128::from(host) << 64 | u128::from(network)).to_le_bytes();
        }
    }
}

/// An IPv6 address of which an IPv4 address is the first or the second quarter, and zeros the other half.
fn mapped(four: [u8; 4], other: u32) -> [u8; 16] {
    let four = u64::from(u32::from_le_bytes(four));
    let network = if other == 0 { four } else { four << 32 | u64::from(other) };
    u128::from(network).to_le_bytes()
}

fn halves(address: [u8; 16]) -> (u64, u64) {
    Address::V6(address).halves()
}

fn with_first(mut address: [u8; 16], first: u8) -> [u8; 16] {
    address[0] = first;
    address
}

fn address4(rng: &mut Rng) -> [u8; 4] {
    [pick(rng, &[1, 9, 126, 128, 223]), rng.u8(..), rng.u8(..), rng.u8(..)]
}

fn address6(rng: &mut Rng) -> [u8; 16] {
    with_first(rng.u128(..).to_le_bytes(), 0x20)
}
