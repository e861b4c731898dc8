//! Senders whose addresses are true, each at its rate.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use anyhow::{Context, Result};

use super::network::NODE;
use super::schedule::{self, Clock, HEAVY, Phase, begin};
use super::senders::{Kind, Sender};
use super::{PORT, payload};
use crate::stop;

/// How far a sender that was kept from sending catches up, in seconds.
const BACKLOG: f64 = 0.05;
/// Between two looks at who is due.
const PAUSE: Duration = Duration::from_micros(100);

/// A sender at work.
struct Stream {
    sender: Sender,
    socket: UdpSocket,
    due: f64,
    sent: Vec<f64>,
}

/// Sends until the test ends. Returns when each packet of each sender was sent; its place is the number that it carries.
pub fn send(clock: Clock) -> Result<Vec<Vec<f64>>> {
    let mut streams = Sender::ALL.map(open).into_iter().collect::<Result<Vec<Stream>>>()?;
    clock.sleep_until(0.0)?;
    while let Some(phase) = schedule::at(clock.now()) {
        for stream in streams.iter_mut().filter(|stream| stream.is_active(phase)) {
            stream.catch_up(clock)?;
        }
        stop::check()?;
        std::thread::sleep(PAUSE);
    }
    Ok(streams.into_iter().map(|stream| stream.sent).collect())
}

fn open(sender: Sender) -> Result<Stream> {
    let address = SocketAddr::from((sender.address(), PORT));
    let socket = UdpSocket::bind(address).with_context(|| format!("{address} can't be sent from"))?;
    let due = if sender.kind == Kind::Heavy { begin(HEAVY) } else { 0.0 };
    Ok(Stream { sender, socket, due, sent: Vec::new() })
}

impl Stream {
    fn is_active(&self, phase: &Phase) -> bool {
        self.sender.kind != Kind::Heavy || phase.is_heavy
    }

    fn catch_up(&mut self, clock: Clock) -> Result<()> {
        let now = clock.now();
        self.due = self.due.max(now - BACKLOG);
        while self.due <= now {
            let number = self.sent.len() as u64;
            self.socket.send_to(&payload(number), (NODE, PORT)).context("a packet can't be sent")?;
            self.sent.push(now);
            self.due += 1.0 / self.sender.rate;
        }
        Ok(())
    }
}
