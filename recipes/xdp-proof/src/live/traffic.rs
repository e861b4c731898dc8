//! All that was sent and what arrived of it.

use std::collections::HashSet;

use serde::Serialize;

use super::agent::Status;
use super::flood::Burst;
use super::receiver::Arrivals;
use super::schedule::{Deed, length};
use super::senders::{Kind, Sender};

/// What everybody noted.
pub struct Traffic {
    /// When each packet of each sender was sent.
    pub sent: Vec<Vec<f64>>,
    pub bursts: Vec<Burst>,
    pub arrivals: Arrivals,
    pub told: Told,
    /// Packets for which there was no room on their way to the node.
    pub lost: u64,
}

/// What the guard told, and what was done to it.
pub struct Told {
    /// Before and after the first flood, and when.
    pub before: (f64, Status),
    pub after: (f64, Status),
    /// Of the programs that were attached, one after the other.
    pub tags: Vec<String>,
    pub done: Vec<Done>,
}

/// When something was done.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Done {
    pub deed: Deed,
    pub at: f64,
}

/// How many parts of a second a lane of the report has.
pub const BINS: f64 = 4.0;

impl Traffic {
    /// When packets of a kind of sender with true addresses were sent that are lost, and that are not.
    pub fn sent(&self, kind: Kind) -> (Vec<f64>, Vec<f64>) {
        let (mut lost, mut arrived) = (Vec::new(), Vec::new());
        for ((sender, sent), numbers) in Sender::ALL.iter().zip(&self.sent).zip(&self.arrivals.numbers) {
            let numbers: HashSet<u64> = numbers.iter().copied().collect();
            for (number, at) in sent.iter().enumerate().filter(|_| sender.kind == kind) {
                if numbers.contains(&(number as u64)) { &mut arrived } else { &mut lost }.push(*at);
            }
        }
        (lost, arrived)
    }

    /// Packets a second that a kind of sender sent, by time.
    pub fn offered(&self, kind: Kind) -> Vec<f64> {
        if kind == Kind::Spoofed {
            return spread(&self.bursts);
        }
        let (lost, arrived) = self.sent(kind);
        count(lost.iter().chain(&arrived))
    }

    /// Packets a second that arrived; those with a number stand at the time when they were sent.
    pub fn delivered(&self, kind: Kind) -> Vec<f64> {
        if kind == Kind::Spoofed { count(&self.arrivals.spoofed) } else { count(&self.sent(kind).1) }
    }
}

fn empty() -> Vec<f64> {
    vec![0.0; (length() * BINS) as usize]
}

fn count<'a>(times: impl IntoIterator<Item = &'a f64>) -> Vec<f64> {
    let mut bins = empty();
    for time in times {
        // What arrives after the end was sent before.
        let bin = ((time * BINS) as usize).min(bins.len() - 1);
        bins[bin] += BINS;
    }
    bins
}

fn spread(bursts: &[Burst]) -> Vec<f64> {
    let mut bins = empty();
    for Burst { from, to, packets } in bursts {
        for (number, bin) in bins.iter_mut().enumerate() {
            let (begin, end) = (number as f64 / BINS, (number + 1) as f64 / BINS);
            let overlap = (to.min(end) - from.max(begin)).max(0.0);
            *bin += f64::from(*packets) * overlap / (to - from) * BINS;
        }
    }
    bins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_spread_over_its_time() {
        let bins = spread(&[Burst { from: 0.1, to: 0.3, packets: 100 }]);
        assert!((bins[0] - 300.0).abs() < 1e-6 && (bins[1] - 100.0).abs() < 1e-6 && bins[2] == 0.0, "{bins:?}");
    }

    #[test]
    fn packets_are_counted_where_they_were_sent() {
        let bins = count(&[0.0, 0.05, 0.25, 1e9]);
        assert_eq!((bins[0], bins[1], bins.last()), (8.0, 4.0, Some(&4.0)));
    }
}
