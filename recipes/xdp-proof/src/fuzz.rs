//! Random traffic for both, until they disagree or enough was seen.

use std::error::Error;
use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Result;
use rustix::time::{ClockId, clock_gettime};

use crate::duel::Duel;
use crate::generate::Traffic;
use crate::hook::Kind;
use crate::model::Frame;
use crate::verdict::REASONS;

/// Packets under one configuration.
const TURN: u64 = 4096;
/// Packets after which samples are compared; the ring has room for more.
const SAMPLES: u64 = 1024;
/// Turns after which counters are compared, and what all senders owe.
const STATE: u64 = 8;
const DEBTS: u64 = 16;

/// How much traffic, and which.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub packets: u64,
    pub seed: u64,
    /// Whether to tell how far it is.
    pub progress: bool,
}

/// What was seen.
#[derive(Clone, Debug)]
pub struct Seen {
    pub packets: u64,
    pub elapsed: Duration,
    /// The thread's own time: what it would have taken on a machine that does nothing else.
    pub busy: Duration,
    /// Verdicts by reason.
    pub reasons: [u64; REASONS.len()],
}

/// Where both disagree.
#[derive(Debug)]
pub struct Difference {
    /// How many frames were judged alike before.
    pub packet: u64,
    pub seed: u64,
    pub text: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference { packet, seed, text } = self;
        write!(out, "at packet {packet}: {text}\n  to repeat it: --seed {seed} --packets {}", packet + 1)
    }
}

impl Error for Difference {}

impl Seen {
    /// Packets in a second of the thread's own time.
    pub fn rate(&self) -> f64 {
        self.packets as f64 / self.busy.as_secs_f64().max(1e-9)
    }
}

/// Runs a plan. A disagreement is an error that names the packet and the seed that repeats it.
pub fn run(object: &[u8], kind: Kind, cpu: usize, plan: Plan) -> Result<Seen> {
    let mut duel = Duel::new(object, kind, cpu, plan.seed, true)?;
    let mut traffic = Traffic::new(plan.seed);
    let (begin, begin_busy) = (Instant::now(), busy());
    let mut done = 0;
    while done < plan.packets {
        let count = TURN.min(plan.packets - done);
        if let Err(error) = turn(&mut duel, &mut traffic, count, &mut done) {
            return Err(Difference { packet: done, seed: plan.seed, text: format!("{error:#}") }.into());
        }
        if plan.progress && done / (1 << 20) != (done - count) / (1 << 20) {
            println!("fuzz: {done} packets, {:.0} a second", done as f64 / begin.elapsed().as_secs_f64());
        }
    }
    duel.compare_state()?;
    duel.compare_debts()?;
    let (elapsed, busy) = (begin.elapsed(), busy() - begin_busy);
    Ok(Seen { packets: done, elapsed, busy, reasons: reasons(&duel) })
}

/// Some packets under a new configuration.
fn turn(duel: &mut Duel, traffic: &mut Traffic, count: u64, done: &mut u64) -> Result<()> {
    traffic.turn();
    duel.wait(traffic.pause())?;
    duel.apply(&traffic.config, &traffic.peers)?;
    let mut frame = Vec::with_capacity(8192);
    for packet in 0..count {
        traffic.frame(&mut frame);
        while !duel.hook.takes(&frame) {
            traffic.frame(&mut frame);
        }
        duel.wait(traffic.wait())?;
        let reach = if duel.hook.splits() { traffic.reach(frame.len()) } else { frame.len() };
        let reach = duel.hook.frame(&frame).reach().min(reach);
        let joined = if duel.hook.joins() { traffic.joined() } else { None };
        duel.judge(Frame::new(&frame, reach).joined(joined))?;
        *done += 1;
        if packet % SAMPLES == SAMPLES - 1 {
            duel.compare_samples()?;
        }
    }
    duel.compare_samples()?;
    if (*done / TURN).is_multiple_of(STATE) {
        duel.compare_state()?;
    }
    if (*done / TURN).is_multiple_of(DEBTS) { duel.compare_debts() } else { Ok(()) }
}

fn reasons(duel: &Duel) -> [u64; REASONS.len()] {
    let counters = &duel.model.state.counters;
    REASONS.map(|reason| counters.iter().map(|class| class[reason as usize].packets).sum())
}

fn busy() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
