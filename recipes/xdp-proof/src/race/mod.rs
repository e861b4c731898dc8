//! What the guard costs, beside programs that others know: an empty one, and Debian's xdp-filter.
//!
//! All programs are loaded in one process and take turns on one CPU; what counts is the ratio of two of them in the same
//! round. Before and after each turn the guard's counters have to show that the packets went the way that the case names.

pub mod cases;
pub mod contest;
mod entrant;
pub mod field;
mod hardening;
pub mod node;
pub mod picture;
pub mod spread;
pub mod table;
mod warden;

use anyhow::Result;
use serde::Serialize;

use self::cases::{Case, Id, PAIRS, Pair, cases};
use self::contest::Contest;
use self::field::{Field, Objects};
use self::spread::Spread;
use crate::attest;
use crate::machine::Machine;

/// Above this ratio of the empty program's slow rounds to its fast ones nothing can be said.
pub const NOISE_BAR: f64 = 1.25;

/// What a race came to.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub machine: Machine,
    pub rounds: usize,
    /// The empty program's p90 over its p10.
    pub noise: f64,
    pub lines: Vec<Line>,
    pub verified: Vec<Verified>,
}

/// A case against another: nanoseconds a packet, and their ratio.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    pub case: &'static str,
    pub against: &'static str,
    /// Whether the kernel blinds constants, for both.
    pub hardened: bool,
    pub nanoseconds: Spread,
    pub ratio: Spread,
    /// What the ratio may be at most; none: it is only told.
    pub bar: Option<f64>,
}

/// What the verifier had to look at of a program.
#[derive(Clone, Debug, Serialize)]
pub struct Verified {
    pub program: &'static str,
    pub instructions: u32,
    pub bar: u32,
}

impl Line {
    /// Whether the ratio is above its bar.
    pub fn is_missed(&self) -> bool {
        self.bar.is_some_and(|bar| self.ratio.median > bar)
    }

    /// Whether it is xdp-filter that the case is compared with.
    pub fn is_to_filter(&self) -> bool {
        self.against.starts_with("xdp-filter")
    }
}

impl Report {
    /// Whether the machine had too much else to do.
    pub fn is_noisy(&self) -> bool {
        self.noise > NOISE_BAR
    }

    /// Whether a bar is missed.
    pub fn is_missed(&self) -> bool {
        self.lines.iter().any(Line::is_missed) || self.verified.iter().any(|one| one.instructions > one.bar)
    }
}

/// Races the objects on a CPU, on which the thread has to stay.
pub fn run(objects: &Objects, cpu: usize, rounds: usize) -> Result<Report> {
    let [xdp, tcx] = objects.verified(cpu)?;
    let verified = |program, instructions| Verified { program, instructions, bar: attest::MOST };
    let verified = vec![verified("solana-xdp", xdp), verified("solana-tcx", tcx)];
    let (plain, hardened) = (Field::load(objects, 0, cpu)?, Field::load(objects, 2, cpu)?);
    let cases = cases();
    let contest = Contest { plain: &plain, hardened: &hardened, cases: &cases };
    let taken = warden::alone(|| contest.run(rounds))?;
    let taken = Taken { cases: &cases, taken: &taken };
    let noise = Spread::of(taken.of(Id::Empty, false).1).noise();
    let lines = PAIRS.iter().map(|pair| taken.compare(pair)).collect();
    Ok(Report { machine: Machine::this(), rounds, noise, lines, verified })
}

/// What each case took in each round.
struct Taken<'a> {
    cases: &'a [Case],
    taken: &'a [Vec<f64>],
}

impl Taken<'_> {
    fn of(&self, id: Id, hardened: bool) -> (&Case, &[f64]) {
        let place = self.cases.iter().position(|case| case.id == id && case.hardened == hardened);
        let place = place.expect("what is compared is timed");
        (&self.cases[place], &self.taken[place])
    }

    fn compare(&self, pair: &Pair) -> Line {
        let (case, own) = self.of(pair.case, pair.hardened);
        let (against, theirs) = self.of(pair.against, pair.hardened);
        let ratios: Vec<f64> = own.iter().zip(theirs).map(|(own, theirs)| own / theirs).collect();
        Line {
            case: case.name,
            against: against.name,
            hardened: pair.hardened,
            nanoseconds: Spread::of(own),
            ratio: Spread::of(&ratios),
            bar: pair.bar,
        }
    }
}
