//! The node's socket.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::net::sockopt::set_socket_recv_buffer_size_force;

use super::PORT;
use super::schedule::{Clock, length};
use super::senders::Sender;

/// Room for all that comes while this program is kept from reading.
const BUFFER: usize = 256 << 20;
/// After the last packet was sent, in seconds.
const LINGER: f64 = 0.5;

/// What arrived.
#[derive(Debug, Default)]
pub struct Arrivals {
    /// Of each sender: which numbers.
    pub numbers: Vec<Vec<u64>>,
    /// When packets of invented senders did.
    pub spoofed: Vec<f64>,
    /// Packets for which the socket had no room.
    pub overrun: u64,
}

/// The node's socket, in this thread's namespace.
pub fn open() -> Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, PORT)).context("the node's port can't be opened")?;
    set_socket_recv_buffer_size_force(&socket, BUFFER).context("the socket can't have a large buffer")?;
    socket.set_read_timeout(Some(Duration::from_millis(100)))?;
    Ok(socket)
}

/// Takes what arrives until the test ends.
pub fn receive(socket: &UdpSocket, clock: Clock) -> Result<Arrivals> {
    let mut arrivals = Arrivals { numbers: vec![Vec::new(); Sender::ALL.len()], ..Arrivals::default() };
    let mut packet = [0; 2048];
    while clock.now() < length() + LINGER {
        match socket.recv_from(&mut packet) {
            Ok((length, from)) => arrivals.note(&packet[..length], from.ip(), clock),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error).context("the node's socket"),
        }
    }
    arrivals.overrun = overrun()?;
    Ok(arrivals)
}

impl Arrivals {
    fn note(&mut self, packet: &[u8], from: IpAddr, clock: Clock) {
        let sender = match from {
            IpAddr::V4(address) => Sender::of(address),
            IpAddr::V6(_) => None,
        };
        let number = packet.get(8..16).and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes);
        match (sender, number) {
            (Some(sender), Some(number)) => self.numbers[sender].push(number),
            _ => self.spoofed.push(clock.now()),
        }
    }
}

/// The last column of the socket's line in `/proc/net/udp`.
fn overrun() -> Result<u64> {
    let table = std::fs::read_to_string("/proc/thread-self/net/udp")?;
    let port = format!(":{PORT:04X}");
    let line = table.lines().find(|line| line.split_whitespace().nth(1).is_some_and(|local| local.ends_with(&port)));
    let drops = line.and_then(|line| line.split_whitespace().last()).context("the node's socket is in no table")?;
    Ok(drops.parse()?)
}
