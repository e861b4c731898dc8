//! Rates: the generic cell rate algorithm (ITU-T I.371), for peers, for all of a tier, and for unknown senders.

use crate::abi::{CELLS, Limit, Tier};
use crate::verdict::Reason;

impl Tier {
    /// What is due after so many packets at once, which pass or not as the first of them.
    pub(super) fn times(self, packets: u64) -> Self {
        let times = |limit: Limit| Limit { interval: limit.interval * packets, ..limit };
        Tier { each: times(self.each), all: times(self.all) }
    }
}

/// Whether a packet may come now that is due at `due` and may come `burst` early.
pub fn admits(due: u64, now: u64, burst: i64) -> bool {
    i128::from(due.saturating_sub(now)) <= i128::from(burst)
}

/// When the packet after one that came now is due.
pub fn next_due(due: u64, now: u64, interval: u64) -> u64 {
    due.max(now) + interval
}

/// Judges a peer by what all of its tier sent on this CPU, then by what it sent itself. Both pay only if it passes.
pub(super) fn judge_peer(own: &mut u64, together: &mut u64, tier: &Tier, now: u64) -> Result<Reason, Reason> {
    within(*together, now, &tier.all, Reason::Ceiling)?;
    within(*own, now, &tier.each, Reason::PeerLimit)?;
    *own = next_due(*own, now, tier.each.interval);
    *together = next_due(*together, now, tier.all.interval);
    Ok(Reason::Peer)
}

fn within(due: u64, now: u64, limit: &Limit, otherwise: Reason) -> Result<(), Reason> {
    if admits(due, now, limit.burst) { Ok(()) } else { Err(otherwise) }
}

const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

/// What a sender of a class is hashed to; the cells are its upper bits.
pub fn hash(seed: u64, network: u64, class: u8) -> u64 {
    let sum = (network ^ seed).wrapping_mul(MIX).wrapping_add(class.into());
    (sum ^ (sum >> 32)).wrapping_mul(MIX)
}

/// The network that is hashed to this: to find senders that share a cell.
pub fn network_of(seed: u64, hash: u64, class: u8) -> u64 {
    let mixed = hash.wrapping_mul(inverse(MIX));
    let sum = mixed ^ (mixed >> 32);
    sum.wrapping_sub(class.into()).wrapping_mul(inverse(MIX)) ^ seed
}

/// What undoes the multiplication by an odd number: Newton's iteration doubles the bits that are right.
pub fn inverse(odd: u64) -> u64 {
    (0..6).fold(odd, |inverse, _| inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse))))
}

/// Debts of unknown senders: each has a cell in both rows, and owes what the smaller one says.
pub struct Sketch {
    pub rows: [Vec<u64>; 2],
    seed: u64,
}

impl Sketch {
    /// A sketch in which nobody owes anything.
    pub fn new(seed: u64) -> Self {
        Sketch { rows: [vec![0; CELLS], vec![0; CELLS]], seed }
    }

    /// The cells of a sender of a class, one in each row.
    pub fn cells(&self, network: u64, class: u8) -> [usize; 2] {
        let hash = hash(self.seed, network, class);
        let [.., low2, high2, low1, high1] = hash.to_le_bytes();
        [u16::from_le_bytes([low1, high1]).into(), u16::from_le_bytes([low2, high2]).into()]
    }

    /// Judges an unknown sender by what all such sent on this CPU, then by its own debt.
    pub(super) fn judge(
        &mut self,
        network: u64,
        class: u8,
        together: &mut u64,
        tier: &Tier,
        now: u64,
    ) -> Result<Reason, Reason> {
        within(*together, now, &tier.all, Reason::Ceiling)?;
        let places = self.cells(network, class);
        let [first, second] = &mut self.rows;
        let [first, second] = [&mut first[places[0]], &mut second[places[1]]];
        let debt = (*first).min(*second);
        within(debt, now, &tier.each, Reason::SourceLimit)?;
        let debt = next_due(debt, now, tier.each.interval);
        *first = debt.max(*first);
        *second = debt.max(*second);
        *together = next_due(*together, now, tier.all.interval);
        Ok(Reason::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_how_early_a_packet_may_come() {
        assert!(admits(5, 5, 0) && admits(0, 5, 0));
        assert!(!admits(6, 5, 0) && admits(6, 5, 1));
        assert!(!admits(0, 5, -1));
    }

    #[test]
    fn cells_depend_on_class_and_seed() {
        let sketch = Sketch::new(7);
        assert_ne!(sketch.cells(1, 1), sketch.cells(1, 2));
        assert_ne!(sketch.cells(1, 1), Sketch::new(8).cells(1, 1));
    }

    #[test]
    fn a_network_is_found_by_its_hash() {
        for network in [0, 1, 0x2001_0db8, u64::MAX] {
            assert_eq!(network_of(7, hash(7, network, 3), 3), network);
        }
    }

    #[test]
    fn who_is_dropped_pays_nothing() {
        let tier = Tier { each: Limit { interval: 10, burst: 0 }, all: Limit { interval: 1, burst: 100 } };
        let (mut own, mut together) = (0, 0);
        assert_eq!(judge_peer(&mut own, &mut together, &tier, 50), Ok(Reason::Peer));
        assert_eq!(judge_peer(&mut own, &mut together, &tier, 50), Err(Reason::PeerLimit));
        assert_eq!((own, together), (60, 51));
    }
}
