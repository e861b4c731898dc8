//! The known senders, as the program finds them: a list of peers, and for each slot the number of the first peer of its
//! chain. A peer keeps its number for as long as it is one, as what it owes is kept by number.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::{CHAIN, CLASSES, PEERS, read_u16, read_u64};

const SLOTS: usize = 65536;
const NEXT_AT: usize = 16;
const TIER_AT: usize = 18;
/// Bytes of `struct peer`.
pub(super) const PEER_BYTES: usize = 24;
/// Bytes of `struct peers`.
pub const PEERS_BYTES: usize = PEERS * PEER_BYTES;
/// Bytes of `struct slots`.
pub const SLOTS_BYTES: usize = SLOTS * 2;
/// Bytes of `struct dues`.
pub const DUES_BYTES: usize = PEERS * CLASSES * 8;

/// Stands before an IPv4 address; nobody sends from an IPv6 address with these bytes, as all such are of multicast.
const MARK: [u8; 4] = [0xff; 4];

/// The address in the program's terms.
fn key(address: &IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => {
            let mut key = [0; 16];
            key[..4].copy_from_slice(&MARK);
            key[4..8].copy_from_slice(&address.octets());
            key
        }
        IpAddr::V6(address) => address.octets(),
    }
}

fn address(key: &[u8]) -> IpAddr {
    let mut octets = [0; 16];
    octets.copy_from_slice(key);
    match octets {
        [0xff, 0xff, 0xff, 0xff, a, b, c, d, ..] => IpAddr::from([a, b, c, d]),
        _ => IpAddr::from(octets),
    }
}

/// `slot_of` of the program.
fn slot(key: &[u8]) -> usize {
    let (network, host) = (read_u64(key, 0), read_u64(key, 8));
    ((network ^ (host << 1)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48) as usize
}

/// The slot of a peer.
pub fn slot_of(address: &IpAddr) -> usize {
    slot(&key(address))
}

/// What makes one set of peers of another.
#[derive(Debug, Default, PartialEq)]
pub struct Change {
    /// New ones, and their tiers.
    pub add: Vec<(IpAddr, u16)>,
    /// Those of another tier.
    pub move_to: Vec<(IpAddr, u16)>,
    /// Those that are no longer.
    pub remove: Vec<IpAddr>,
}

/// A value that replaces the one of its map.
pub enum Write {
    /// `struct peers`.
    Peers(Vec<u8>),
    /// `struct slots`.
    Slots(Vec<u8>),
}

/// `struct peers` and `struct slots`.
pub struct Table {
    peers: Vec<u8>,
    slots: Vec<u8>,
    numbers: BTreeMap<IpAddr, u16>,
    /// Numbers that nobody has, after when all that their last peers sent is due: who comes gets the one whose debt is
    /// oldest, as it inherits it.
    free: BTreeSet<(u64, u16)>,
    dues: Dues,
}

impl Table {
    /// Nobody is known.
    pub fn empty() -> Self {
        Self::of(vec![0; PEERS_BYTES], vec![0; SLOTS_BYTES], Dues::none())
    }

    /// The table of the values of the maps, which have these sizes.
    pub fn of(peers: Vec<u8>, slots: Vec<u8>, dues: Dues) -> Self {
        let free = (1..PEERS as u16).map(|number| (dues.last(number), number)).collect();
        let mut table = Self { peers, slots, numbers: BTreeMap::new(), free, dues };
        for slot in 0..SLOTS {
            for number in table.chain(slot) {
                table.free.remove(&(table.dues.last(number), number));
                table.numbers.insert(address(table.key(number)), number);
            }
        }
        table
    }

    /// `struct peers`.
    pub fn peers(&self) -> &[u8] {
        &self.peers
    }

    /// `struct slots`.
    pub fn slots(&self) -> &[u8] {
        &self.slots
    }

    /// `struct dues`.
    pub fn dues(&self) -> &Dues {
        &self.dues
    }

    /// The numbers of all peers.
    pub fn numbers(&self) -> &BTreeMap<IpAddr, u16> {
        &self.numbers
    }

    /// The tiers of all peers.
    pub fn tiers(&self) -> BTreeMap<IpAddr, u16> {
        self.numbers.iter().map(|(address, number)| (*address, read_u16(&self.peers, at(*number) + TIER_AT))).collect()
    }

    /// Makes a change, in steps that may meet packets, whole or half done: who stays a peer is one all the time. Who leaves
    /// is taken out of the slots and then out of the chains, and its entry stays until nothing leads to it; who comes has
    /// an entry before its slot leads to it.
    pub fn change(mut self, change: &Change) -> Vec<Write> {
        let mut writes = Vec::new();
        if !change.remove.is_empty() {
            change.remove.iter().for_each(|address| self.remove(address));
            writes.extend([Write::Slots(self.slots.clone()), Write::Peers(self.peers.clone())]);
        }
        for (address, tier) in &change.move_to {
            self.set_tier(address, *tier);
        }
        for (address, tier) in &change.add {
            self.add(*address, *tier);
        }
        writes.extend([Write::Peers(self.peers), Write::Slots(self.slots)]);
        writes
    }

    /// Adds a peer before those of its chain, so that nothing leads to it but its slot; whether there was room.
    pub fn add(&mut self, address: IpAddr, tier: u16) -> bool {
        let key = key(&address);
        let slot = slot(&key);
        if self.numbers.contains_key(&address) || self.chain(slot).len() >= CHAIN {
            return false;
        }
        let Some((_, number)) = self.free.pop_first() else { return false };
        self.numbers.insert(address, number);
        let entry = &mut self.peers[at(number)..][..PEER_BYTES];
        entry[..NEXT_AT].copy_from_slice(&key);
        entry[NEXT_AT..TIER_AT].copy_from_slice(&self.slots[slot * 2..][..2]);
        entry[TIER_AT..].fill(0);
        self.set_first(slot, number);
        self.set_tier(&address, tier)
    }

    /// Gives a peer another tier; whether it is one.
    pub fn set_tier(&mut self, address: &IpAddr, tier: u16) -> bool {
        let Some(number) = self.numbers.get(address) else { return false };
        self.peers[at(*number) + TIER_AT..][..2].copy_from_slice(&tier.to_le_bytes());
        true
    }

    /// Takes a peer out of its chain. Its entry stays, for packets that are on their way through the chain.
    pub fn remove(&mut self, address: &IpAddr) {
        let Some(number) = self.numbers.remove(address) else { return };
        self.free.insert((self.dues.last(number), number));
        let slot = slot(self.key(number));
        let next = self.next(number);
        match self.chain(slot).into_iter().find(|before| self.next(*before) == number) {
            Some(before) => self.peers[at(before) + NEXT_AT..][..2].copy_from_slice(&next.to_le_bytes()),
            None => self.set_first(slot, next),
        }
    }

    /// The peers of a slot, as the program passes them. What is not of the slot was written by nobody who knows it.
    fn chain(&self, of: usize) -> Vec<u16> {
        let mut chain = Vec::new();
        let mut number = read_u16(&self.slots, of * 2);
        while number != 0 && usize::from(number) < PEERS && chain.len() < CHAIN && slot(self.key(number)) == of {
            chain.push(number);
            number = self.next(number);
        }
        chain
    }

    fn key(&self, number: u16) -> &[u8] {
        &self.peers[at(number)..][..NEXT_AT]
    }

    fn next(&self, number: u16) -> u16 {
        read_u16(&self.peers, at(number) + NEXT_AT)
    }

    fn set_first(&mut self, slot: usize, number: u16) {
        self.slots[slot * 2..][..2].copy_from_slice(&number.to_le_bytes());
    }
}

fn at(number: u16) -> usize {
    usize::from(number) * PEER_BYTES
}

/// When the next packets of a peer are due, by class, in steps.
pub type Due = [u64; CLASSES];

/// `struct dues`.
pub struct Dues(Vec<u8>);

impl Dues {
    /// Nobody owes anything.
    pub fn none() -> Self {
        Self(vec![0; DUES_BYTES])
    }

    /// The dues of the value of the map, which has this size.
    pub fn of(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// `struct dues`.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Of the peer of a number.
    pub fn get(&self, number: u16) -> Due {
        std::array::from_fn(|class| read_u64(&self.0, (usize::from(number) * CLASSES + class) * 8))
    }

    /// When the last of a number's next packets is due.
    fn last(&self, number: u16) -> u64 {
        self.get(number).into_iter().max().unwrap_or_default()
    }

    /// Sets those of the peer of a number.
    pub fn set(&mut self, number: u16, due: &Due) {
        for (class, due) in due.iter().enumerate() {
            self.0[(usize::from(number) * CLASSES + class) * 8..][..8].copy_from_slice(&due.to_le_bytes());
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Addresses that share a slot.
    pub fn neighbours(count: usize) -> Vec<IpAddr> {
        let address = |number: u32| IpAddr::from((0x0800_0000 + number).to_be_bytes());
        let slot = slot_of(&address(1));
        (1..).map(address).filter(|address| slot_of(address) == slot).take(count).collect()
    }

    fn reread(table: &Table) -> Table {
        Table::of(table.peers.clone(), table.slots.clone(), Dues::none())
    }

    #[test]
    fn reads_what_it_wrote() {
        let mut table = Table::empty();
        // The bytes of one are the first of another, which is not the same.
        let addresses = ["32.1.13.184", "2001:db8::", "2001:db8::1"].map(|at| at.parse().expect(at));
        for (address, tier) in addresses.iter().zip(1..) {
            assert!(table.add(*address, tier));
        }
        let read = reread(&table);
        assert_eq!(read.numbers, table.numbers);
        assert_eq!(read.tiers(), addresses.into_iter().zip(1..).collect());
    }

    #[test]
    fn a_chain_ends_where_the_program_stops() {
        let addresses = neighbours(CHAIN + 1);
        let mut table = Table::empty();
        let added: Vec<_> = addresses.iter().map(|address| table.add(*address, 1)).collect();
        assert_eq!(added.iter().filter(|added| **added).count(), CHAIN);
        table.remove(&addresses[3]);
        assert!(table.add(addresses[CHAIN], 1));
        assert_eq!(reread(&table).numbers, table.numbers);
    }

    #[test]
    fn a_peer_keeps_its_number_wherever_it_is_in_the_chain() {
        let addresses = neighbours(3);
        for gone in 0..3 {
            let mut table = Table::empty();
            for address in &addresses {
                table.add(*address, 2);
            }
            let mut expect = table.numbers.clone();
            let old = table.peers.clone();
            table.remove(&addresses[gone]);
            let number = expect.remove(&addresses[gone]).expect("its number");
            assert_eq!(reread(&table).numbers, expect);
            assert_eq!(table.peers[at(number)..][..PEER_BYTES], old[at(number)..][..PEER_BYTES], "it was rewritten");
        }
    }

    /// `find_peer` of the program.
    fn find(peers: &[u8], slots: &[u8], address: &IpAddr) -> u16 {
        let key = key(address);
        let mut number = read_u16(slots, slot(&key) * 2);
        for _ in 0..CHAIN {
            if number == 0 || peers[at(number)..][..NEXT_AT] == key {
                return number;
            }
            number = read_u16(peers, at(number) + NEXT_AT);
        }
        0
    }

    /// All that a packet may find while `old` becomes `new`, word by word.
    fn states(old: &[u8], new: &[u8]) -> Vec<Vec<u8>> {
        let words = (0..old.len()).step_by(8).filter(|at| old[*at..at + 8] != new[*at..at + 8]);
        words.map(|at| [&new[..at + 8], &old[at + 8..]].concat()).collect()
    }

    #[test]
    fn who_stays_is_found_at_any_time() {
        let addresses = neighbours(2 * CHAIN - 1);
        let (others, stays) = addresses.split_at(2 * CHAIN - 2);
        let strangers = neighbours(2 * CHAIN + 1).split_off(2 * CHAIN - 1);
        let elsewhere: Vec<_> = (1..CHAIN as u8).map(|last| IpAddr::from([192, 0, 2, last])).collect();
        for (place, comers) in (0..CHAIN).flat_map(|place| [(place, &others[CHAIN - 1..]), (place, &elsewhere[..])]) {
            // Those around it leave, and as many come, to its chain or others, which get their numbers.
            let mut table = Table::empty();
            let mut first: Vec<_> = others[..CHAIN - 1].to_vec();
            first.insert(place, stays[0]);
            first.iter().for_each(|address| assert!(table.add(*address, 1)));
            let number = table.numbers[&stays[0]];
            let change = Change {
                add: comers.iter().map(|address| (*address, 2)).collect(),
                move_to: vec![(stays[0], 3)],
                remove: others[..CHAIN - 1].to_vec(),
            };
            let (mut peers, mut slots) = (table.peers.clone(), table.slots.clone());
            for write in table.change(&change) {
                let (old, new) = match &write {
                    Write::Peers(new) => (&mut peers, new),
                    Write::Slots(new) => (&mut slots, new),
                };
                let states = states(old, new);
                old.clone_from(new);
                for state in states {
                    let (peers, slots) = match &write {
                        Write::Peers(_) => (&state, &slots),
                        Write::Slots(_) => (&peers, &state),
                    };
                    assert_eq!(find(peers, slots, &stays[0]), number, "place {place}");
                    assert!(strangers.iter().all(|address| find(peers, slots, address) == 0));
                }
            }
            let expect = change.add.iter().copied().chain(change.move_to).collect();
            assert_eq!(Table::of(peers, slots, Dues::none()).tiers(), expect);
        }
    }

    #[test]
    fn who_comes_gets_the_number_with_the_oldest_debt() {
        let [one, two, three] = [1, 2, 3].map(|last| IpAddr::from([192, 0, 2, last]));
        let mut table = Table::empty();
        assert!(table.add(one, 1) && table.add(two, 1));
        let mut dues = Dues::none();
        (1..PEERS as u16).for_each(|number| dues.set(number, &[5; CLASSES]));
        dues.set(7, &[3; CLASSES]);
        dues.set(1, &[9; CLASSES]);
        let mut table = Table::of(table.peers, table.slots, dues);
        table.remove(&one);
        assert!(table.add(three, 1) && table.add(one, 1));
        assert_eq!((table.numbers[&three], table.numbers[&two], table.numbers[&one]), (7, 2, 3));
    }

    #[test]
    fn dues_are_by_number() {
        let mut dues = Dues::none();
        let due = std::array::from_fn(|class| class as u64 * 7);
        dues.set(3, &due);
        assert_eq!((dues.get(3), dues.get(2), dues.get(4)), (due, [0; CLASSES], [0; CLASSES]));
    }
}
