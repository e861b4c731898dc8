//! What a test came to.

use serde::Serialize;

use super::findings::{Finding, findings};
use super::schedule::{PHASES, begin, end};
use super::senders::Kind;
use super::traffic::{BINS, Done, Traffic};
use crate::machine::Machine;

/// What a test came to.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub machine: Machine,
    /// Name, begin and end in seconds.
    pub phases: Vec<(&'static str, f64, f64)>,
    pub done: Vec<Done>,
    pub findings: Vec<Finding>,
    /// Of a second, as long as one number of a lane stands for.
    pub part: f64,
    pub lanes: Vec<Lane>,
}

/// Packets a second by time.
#[derive(Clone, Debug, Serialize)]
pub struct Lane {
    pub kind: Kind,
    pub offered: Vec<f64>,
    pub delivered: Vec<f64>,
}

impl Report {
    pub(super) fn of(traffic: &Traffic) -> Self {
        let lane = |kind| Lane { kind, offered: traffic.offered(kind), delivered: traffic.delivered(kind) };
        Report {
            machine: Machine::this(),
            phases: PHASES.iter().enumerate().map(|(n, phase)| (phase.name, begin(n), end(n))).collect(),
            done: traffic.told.done.clone(),
            findings: findings(traffic),
            part: 1.0 / BINS,
            lanes: Kind::ALL.into_iter().map(lane).collect(),
        }
    }

    /// Whether all holds.
    pub fn holds(&self) -> bool {
        self.findings.iter().all(|finding| finding.holds)
    }
}
