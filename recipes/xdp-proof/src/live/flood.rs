//! Packets of invented senders: frames that the kernel runs through a program, which changes their sender and sends them
//! out of an interface. They are on the wire as those of a driver, and cost less than any socket's.

use std::net::{Ipv4Addr, UdpSocket};

use anyhow::{Context, Result};
use aya::programs::{TestRunAttrs, TestRunOptions};
use aya::{Ebpf, EbpfLoader};
use rustix::net::netdevice::name_to_index;

use super::network::{Link, NODE, WIRE};
use super::schedule::{Clock, PHASES, begin, end};
use super::{PORT, payload};
use crate::corpus::build::{Ip4, udp};
use crate::program;
use crate::stop;

/// How many frames are on their way at once: the queue of a veth holds 256.
const BATCH: u32 = 64;

/// A source of invented packets.
pub struct Flood {
    ebpf: Ebpf,
    frame: Vec<u8>,
}

impl Flood {
    /// Loads the program, to send out of this thread's namespace.
    pub fn new(object: &[u8], link: Link) -> Result<Self> {
        let interface = name_to_index(UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?, WIRE)?;
        let mut ebpf = EbpfLoader::new().override_global("interface", &interface, true).load(object)?;
        program::load(&mut ebpf, "flood")?;
        let source = Ipv4Addr::new(16, 0, 0, 1).octets();
        let mut frame =
            Ip4 { source, destination: NODE.octets(), ..Ip4::default() }.frame(&udp(8001, PORT, &payload(0)));
        frame[..6].copy_from_slice(&link.node);
        frame[6..12].copy_from_slice(&link.outside);
        Ok(Flood { ebpf, frame })
    }

    /// Sends some packets.
    pub fn send(&self, packets: u32) -> Result<()> {
        let attrs = TestRunAttrs::new().xdp_live_frames(BATCH);
        let options = TestRunOptions { data_in: Some(&self.frame), repeat: packets, attrs, ..TestRunOptions::new() };
        program::run(&self.ebpf, "flood", options).context("the kernel runs no live frames; Linux 5.18 does")?;
        Ok(())
    }
}

/// Packets that were sent evenly between two times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Burst {
    pub from: f64,
    pub to: f64,
    pub packets: u32,
}

/// How long a burst takes: each call costs the kernel some milliseconds beside its packets.
const BURST_SECONDS: f64 = 0.2;
const FIRST_BURST: u32 = 100_000;

impl Flood {
    /// Sends as fast as it can whenever the test wants a flood.
    pub fn run(&self, clock: Clock) -> Result<Vec<Burst>> {
        let mut bursts = Vec::new();
        let mut packets = FIRST_BURST;
        for phase in (0..PHASES.len()).filter(|phase| PHASES[*phase].is_flood) {
            clock.sleep_until(begin(phase))?;
            while clock.now() < end(phase) {
                stop::check()?;
                let from = clock.now();
                self.send(packets)?;
                let to = clock.now();
                bursts.push(Burst { from, to, packets });
                let left = (end(phase) - to).clamp(0.01, BURST_SECONDS);
                packets = (f64::from(packets) / (to - from) * left) as u32 + 1;
            }
        }
        Ok(bursts)
    }
}
