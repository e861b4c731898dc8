//! What the guard is worth: the real agent guards a veth, and the world at its other end sends what it should and what it
//! should not.
//!
//! All packets come in on one CPU, as the guard has a ceiling for each: known peers and others at their rates, and in
//! between as many from invented senders as the CPU can send. The node's socket is read on another. Every packet of a
//! sender with a true address has a number, so what is lost is known one by one.

pub mod agent;
mod findings;
mod flood;
mod network;
mod paced;
pub mod picture;
mod receiver;
pub mod report;
pub mod schedule;
pub mod senders;
pub mod table;
mod traffic;

use std::path::PathBuf;
use std::thread::ScopedJoinHandle;

use anyhow::{Context, Result, bail};
use rustix::process::setpriority_process;
use rustix::thread::{CpuSet, sched_setaffinity};

use self::agent::Agent;
use self::flood::Flood;
use self::network::{Network, Side};
use self::report::Report;
use self::schedule::{Clock, DEEDS, Deed, FLOOD, ORPHANED, begin, end, length};
use self::traffic::{Done, Told, Traffic};

/// The node's port.
pub const PORT: u16 = 8001;
/// What an unknown sender may send.
pub const LIMIT: Limit = Limit { rate: 1000, burst_ms: 200 };
/// What all unknown senders together may send in a second.
pub const CEILING: u32 = 20_000;

/// Packets in a second, and how much of that may come at once.
pub struct Limit {
    pub rate: u32,
    pub burst_ms: u32,
}

/// What the test is made of.
pub struct Parts {
    /// The agent.
    pub agent: PathBuf,
    /// The guard, and another version of it.
    pub object: PathBuf,
    pub next: PathBuf,
    /// The program that sends for invented senders.
    pub flood: Vec<u8>,
    /// Where packets are sent and come in, and where the rest runs.
    pub cpus: [usize; 2],
}

/// The first of priorities: whoever paces or counts packets is not to wait for others.
const FIRST: i32 = -20;

/// What a packet carries: what gossip may begin with, and a number.
fn payload(number: u64) -> [u8; 200] {
    let mut payload = [1; 200];
    payload[8..16].copy_from_slice(&number.to_le_bytes());
    payload
}

/// Runs the test; what was made for it is gone afterwards.
pub fn run(parts: &Parts) -> Result<Report> {
    let network = Network::new()?;
    let link = network.link()?;
    network.enter(Side::Node)?;
    let mut agent = Agent::new(&parts.agent)?;
    agent.start(&parts.object)?;
    let socket = &receiver::open()?;
    let clock = Clock::start();
    let [wire, rest] = parts.cpus;
    let settle = |side, cpu, priority| settle(&network, side, cpu, priority);
    let traffic = std::thread::scope(|scope| {
        let receiver = scope.spawn(move || {
            settle(Side::Node, rest, FIRST)?;
            receiver::receive(socket, clock)
        });
        let paced = scope.spawn(move || {
            settle(Side::Outside, wire, FIRST)?;
            paced::send(clock)
        });
        let flood = scope.spawn(move || {
            settle(Side::Outside, wire, 0)?;
            Flood::new(&parts.flood, link)?.run(clock)
        });
        let told = direct(&mut agent, parts, clock);
        let (sent, bursts) = (join(paced)?, join(flood)?);
        Ok::<_, anyhow::Error>(Traffic { sent, bursts, arrivals: join(receiver)?, told: told?, lost: network.lost()? })
    })?;
    Ok(Report::of(&traffic))
}

/// Puts this thread where it is to be.
fn settle(network: &Network, side: Side, cpu: usize, priority: i32) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu);
    sched_setaffinity(None, &set).with_context(|| format!("there is no CPU {cpu}"))?;
    setpriority_process(None, priority).context("this thread can't come first")?;
    network.enter(side)
}

fn join<T>(thread: ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    thread.join().unwrap_or_else(|_| bail!("a thread of the test panicked"))
}

/// What the guard counts while a flood comes, and then what is done to it in another.
fn direct(agent: &mut Agent, parts: &Parts, clock: Clock) -> Result<Told> {
    clock.sleep_until(begin(FLOOD) - 0.5)?;
    let before = (clock.now(), agent.status()?);
    // A burst that is on its way ends later.
    clock.sleep_until(end(FLOOD) + 0.5)?;
    let after = (clock.now(), agent.status()?);
    let mut tags = vec![after.1.tag.clone()];
    let mut done = Vec::new();
    for (at, deed) in DEEDS {
        clock.sleep_until(begin(ORPHANED) + at)?;
        match deed {
            Deed::Kill => agent.kill()?,
            Deed::Upgrade => agent.replace(&parts.next)?,
            Deed::Rollback => agent.replace(&parts.object)?,
        }
        done.push(Done { deed, at: clock.now() });
        tags.push(agent.status()?.tag);
    }
    clock.sleep_until(length())?;
    Ok(Told { before, after, tags, done })
}
