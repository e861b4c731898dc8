//! The race itself: cases take turns, so that whatever the machine does meanwhile hits all of them.

use anyhow::{Context, Result, ensure};
use rustix::time::{ClockId, clock_gettime};

use super::cases::{Case, Runner};
use super::field::Field;
use crate::hook::{Hook, Kind};
use crate::stop;

/// What the first look at a case's speed is made of: too few to judge by, as a limit lets the first ones pass.
const GLANCE: u32 = 10_000;
/// So many packets warm up the cells of a flood.
const WARM_UP: u32 = 3_000_000;
/// How much of a turn may go another way: what a limit lets pass of a flood.
const ASTRAY: f64 = 0.01;

/// The programs, and a case for each turn.
pub struct Contest<'a> {
    pub plain: &'a Field,
    pub hardened: &'a Field,
    pub cases: &'a [Case],
}

impl Contest<'_> {
    /// Nanoseconds a packet took, by case and round.
    pub fn run(&self, rounds: usize) -> Result<Vec<Vec<f64>>> {
        let mut times = Vec::new();
        for case in self.cases {
            times.push(self.calibrate(case).with_context(|| case.name)?);
        }
        let mut taken = vec![Vec::with_capacity(rounds); self.cases.len()];
        for _ in 0..rounds {
            for ((case, times), taken) in self.cases.iter().zip(&times).zip(&mut taken) {
                taken.push(self.turn(case, *times).with_context(|| case.name)?);
            }
            stop::check()?;
        }
        Ok(taken)
    }

    /// Warms a case up; returns how often it runs in a turn.
    fn calibrate(&self, case: &Case) -> Result<u32> {
        self.turn(case, 1)?;
        if case.runner == Runner::GuardMut {
            self.turn(case, WARM_UP)?;
        }
        let fit = |nanoseconds: f64| (f64::from(case.turn_ms) * 1e6 / nanoseconds).max(1.0) as u32;
        let glance = fit(self.turn(case, GLANCE)?);
        Ok(fit(self.turn(case, glance)?))
    }

    /// Runs a case so many times; returns the nanoseconds of one, as this thread's clock has them: the kernel's own
    /// answer is in whole ones.
    fn turn(&self, case: &Case, times: u32) -> Result<f64> {
        let before = self.counted(case)?;
        let start = thread_ns();
        let action = self.repeat(case, times)?;
        let taken = thread_ns() - start;
        if times > GLANCE {
            judge(case, times, action, self.counted(case)? - before)?;
        }
        Ok(taken / f64::from(times))
    }

    fn repeat(&self, case: &Case, times: u32) -> Result<u32> {
        let field = self.field(case);
        match case.runner {
            Runner::Empty => field.empty.repeat(&case.frame, times),
            Runner::EmptyMut => field.empty_mut.repeat(&case.frame, times),
            Runner::Filter => field.filter.repeat(&case.frame, times),
            Runner::Guard => field.guard.repeat(&case.frame, times),
            Runner::GuardMut => field.guard_mut.repeat(&case.frame, times),
        }
    }

    /// The packets that went the case's way so far; 0 where nobody counts.
    fn counted(&self, case: &Case) -> Result<u64> {
        let Some((class, reason)) = case.counter else { return Ok(0) };
        let field = self.field(case);
        let hook: &Hook = if case.runner == Runner::GuardMut { &field.guard_mut } else { &field.guard };
        Ok(hook.state()?.counters[usize::from(class)][reason as usize].packets)
    }

    fn field(&self, case: &Case) -> &Field {
        if case.hardened { self.hardened } else { self.plain }
    }
}

/// Whether packets went the way that a case names: by the last one's action, and by the guard's counter.
fn judge(case: &Case, times: u32, action: u32, counted: u64) -> Result<()> {
    let expected = Kind::Xdp.action(!case.passes);
    // Of a flood the last packet may be one of the few that pass.
    let may_differ = case.runner == Runner::GuardMut;
    ensure!(may_differ || action == expected, "the program returns {action}, not {expected}");
    let astray = f64::from(times) - counted as f64;
    let is_right = case.counter.is_none() || astray <= f64::from(times) * ASTRAY;
    ensure!(is_right, "{astray} of {times} packets go another way than {:?}", case.counter);
    Ok(())
}

fn thread_ns() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}
