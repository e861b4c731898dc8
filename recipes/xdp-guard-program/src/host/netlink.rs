//! Questions to the kernel by netlink: requests with a header each, answers as lists of attributes.

use std::io;
use std::os::fd::OwnedFd;

use rustix::net::netlink::{self, SocketAddrNetlink};
use rustix::net::{AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType};

const HEADER: usize = 16;
const REQUEST: u16 = 0x1;
const DUMP: u16 = 0x300;
const ERROR: u16 = 2;
const DONE: u16 = 3;
const NESTED: u16 = 0x8000;
const BUFFER: usize = 1 << 17;
/// Messages of one answer.
const ANSWERS_MAX: usize = 1 << 16;

/// A socket to a part of the kernel.
pub struct Netlink(OwnedFd);

/// One message of an answer.
#[derive(Debug)]
pub struct Message {
    /// What it is.
    pub kind: u16,
    /// After the header.
    pub body: Vec<u8>,
}

impl Netlink {
    /// Interfaces and addresses.
    pub fn route() -> io::Result<Self> {
        // The first of netlink's protocols, 0, is none for rustix.
        Self::open(None)
    }

    /// Families that are found by name.
    pub fn generic() -> io::Result<Self> {
        Self::open(Some(netlink::GENERIC))
    }

    fn open(protocol: Option<Protocol>) -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC;
        let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, protocol)?;
        rustix::net::bind(&socket, &SocketAddrNetlink::new(0, 0))?;
        Ok(Self(socket))
    }

    /// All messages of an answer to a question about everything.
    pub fn dump(&self, kind: u16, body: &[u8]) -> io::Result<Vec<Message>> {
        self.send(kind, REQUEST | DUMP, body)?;
        let mut answer = Vec::new();
        while answer.len() < ANSWERS_MAX {
            for message in self.receive()? {
                match message.kind {
                    DONE => return Ok(answer),
                    ERROR => return Err(error(&message)),
                    _ => answer.push(message),
                }
            }
        }
        Err(io::Error::other("the answer does not end"))
    }

    /// The answer to a question about one thing.
    pub fn ask(&self, kind: u16, body: &[u8]) -> io::Result<Message> {
        self.send(kind, REQUEST, body)?;
        let message = self.receive()?.into_iter().next().ok_or(io::ErrorKind::UnexpectedEof)?;
        if message.kind == ERROR { Err(error(&message)) } else { Ok(message) }
    }

    fn send(&self, kind: u16, flags: u16, body: &[u8]) -> io::Result<()> {
        let mut message = Vec::with_capacity(HEADER + body.len());
        message.extend(((HEADER + body.len()) as u32).to_ne_bytes());
        message.extend(kind.to_ne_bytes());
        message.extend(flags.to_ne_bytes());
        message.extend([0; 8]);
        message.extend(body);
        rustix::net::send(&self.0, &message, SendFlags::empty())?;
        Ok(())
    }

    fn receive(&self) -> io::Result<Vec<Message>> {
        let mut buffer = vec![0; BUFFER];
        let (length, _) = rustix::net::recv(&self.0, &mut buffer[..], RecvFlags::empty())?;
        Ok(messages(&buffer[..length]))
    }
}

fn error(message: &Message) -> io::Error {
    let code = message.body.get(..4).map_or(0, |code| i32::from_ne_bytes([code[0], code[1], code[2], code[3]]));
    io::Error::from_raw_os_error(-code)
}

fn messages(mut bytes: &[u8]) -> Vec<Message> {
    let mut messages = Vec::new();
    while let Some(header) = bytes.get(..HEADER) {
        let length = u32::from_ne_bytes([header[0], header[1], header[2], header[3]]) as usize;
        let kind = u16::from_ne_bytes([header[4], header[5]]);
        let Some(body) = bytes.get(HEADER..length) else { break };
        messages.push(Message { kind, body: body.to_vec() });
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    messages
}

/// The attributes of a message or of an attribute that holds others.
pub fn attributes(mut bytes: &[u8]) -> Vec<(u16, &[u8])> {
    let mut attributes = Vec::new();
    while let Some(header) = bytes.get(..4) {
        let length = usize::from(u16::from_ne_bytes([header[0], header[1]]));
        let kind = u16::from_ne_bytes([header[2], header[3]]) & !NESTED;
        let Some(value) = bytes.get(4..length) else { break };
        attributes.push((kind, value));
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    attributes
}

/// An attribute of a request.
pub fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = 4 + value.len();
    let mut bytes = Vec::with_capacity(length.next_multiple_of(4));
    bytes.extend((length as u16).to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(length.next_multiple_of(4), 0);
    bytes
}

/// A number of 4 bytes; 0 where it is of another size.
pub fn number(value: &[u8]) -> u32 {
    value.try_into().map_or(0, u32::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_attributes_it_wrote() {
        let bytes = [attribute(3, b"eth0\0"), attribute(4 | NESTED, &9000u32.to_ne_bytes())].concat();
        assert_eq!(bytes.len(), 20);
        let read = attributes(&bytes);
        assert_eq!((read[0], read[1].0, number(read[1].1)), ((3, &b"eth0\0"[..]), 4, 9000));
    }

    #[test]
    fn stops_where_a_length_lies() {
        for bytes in [&[0u8, 0, 0, 0][..], &[3, 0, 1, 0], &[200, 0, 1, 0, 1], &[1]] {
            assert!(attributes(bytes).is_empty(), "{bytes:?}");
            assert!(messages(bytes).is_empty(), "{bytes:?}");
        }
    }
}
