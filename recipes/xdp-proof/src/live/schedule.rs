//! What happens when.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;

use crate::stop;

/// A part of the test, and who sends beside the known peers and the unknown sender.
#[derive(Clone, Copy, Debug)]
pub struct Phase {
    pub name: &'static str,
    pub seconds: f64,
    pub is_heavy: bool,
    pub is_flood: bool,
}

const QUIET: Phase = Phase { name: "quiet", seconds: 2.5, is_heavy: false, is_flood: false };

/// All parts in their order.
pub const PHASES: [Phase; 7] = [
    QUIET,
    Phase { name: "heavy", seconds: 5.0, is_heavy: true, ..QUIET },
    QUIET,
    Phase { name: "flood", seconds: 5.0, is_flood: true, ..QUIET },
    QUIET,
    Phase { name: "flood", seconds: 6.0, is_flood: true, ..QUIET },
    QUIET,
];

/// The parts in which a sender is heavy, a flood comes, and a flood comes while the agent is dead.
pub const HEAVY: usize = 1;
pub const FLOOD: usize = 3;
pub const ORPHANED: usize = 5;

/// What is done to the guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Deed {
    Kill,
    Upgrade,
    Rollback,
}

/// When, in seconds of the part in which the agent dies.
pub const DEEDS: [(f64, Deed); 4] =
    [(1.0, Deed::Kill), (2.5, Deed::Upgrade), (3.8, Deed::Rollback), (5.1, Deed::Upgrade)];

/// When a part begins, in seconds of the test.
pub fn begin(phase: usize) -> f64 {
    PHASES[..phase].iter().map(|phase| phase.seconds).sum()
}

/// When a part ends.
pub fn end(phase: usize) -> f64 {
    begin(phase + 1)
}

/// How long the test takes.
pub fn length() -> f64 {
    begin(PHASES.len())
}

/// The part at a time; none after the last.
pub fn at(seconds: f64) -> Option<&'static Phase> {
    (0..PHASES.len()).find(|phase| seconds < end(*phase)).map(|phase| &PHASES[phase])
}

/// The time of the test.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

/// How long everybody has to get ready, in seconds.
const HEAD_START: f64 = 0.5;

impl Clock {
    /// A test that begins in a moment, when everybody is ready.
    pub fn start() -> Self {
        Clock(Instant::now())
    }

    /// Seconds of the test; negative before it begins.
    pub fn now(self) -> f64 {
        self.0.elapsed().as_secs_f64() - HEAD_START
    }

    /// Sleeps until a time, or until somebody wants the test to end.
    pub fn sleep_until(self, seconds: f64) -> Result<()> {
        while self.now() < seconds {
            stop::check()?;
            std::thread::sleep(Duration::from_secs_f64((seconds - self.now()).clamp(0.0, 0.05)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deeds_are_done_while_a_flood_comes() {
        assert!(PHASES[ORPHANED].is_flood && PHASES[FLOOD].is_flood && PHASES[HEAVY].is_heavy);
        assert!(DEEDS.iter().all(|(at, _)| *at < PHASES[ORPHANED].seconds));
        assert!(at(end(FLOOD) - 0.1).is_some_and(|phase| phase.is_flood));
        assert!(at(end(FLOOD)).is_some_and(|phase| !phase.is_flood));
        assert!(at(length()).is_none());
    }
}
