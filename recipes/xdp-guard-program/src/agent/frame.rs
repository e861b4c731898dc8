//! Who sent a frame to whom, as far as its first bytes say.

use std::net::IpAddr;

const TAGS: [[u8; 2]; 2] = [[0x81, 0x00], [0x88, 0xa8]];
const TAGS_MAX: usize = 2;
const EXTENSIONS_MAX: usize = 4;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
/// Hop-by-hop options, routing, fragment, authentication, and destination options.
const EXTENSIONS: [u8; 5] = [0, 43, FRAGMENT, AUTHENTICATION, 60];
const TCP: u8 = 6;
const UDP: u8 = 17;

/// What a frame's first bytes say; none of what they don't.
#[derive(Debug, Default, PartialEq)]
pub struct Flow {
    /// Who sent it.
    pub source: Option<IpAddr>,
    /// To whom.
    pub destination: Option<IpAddr>,
    /// Of IP.
    pub protocol: Option<u8>,
    /// The sender's port.
    pub source_port: Option<u16>,
    /// The node's port.
    pub port: Option<u16>,
}

impl Flow {
    /// Of a frame.
    pub fn of(frame: &[u8]) -> Self {
        let mut flow = Self::default();
        // Whatever was read before the frame ended stays.
        let _end = flow.read(frame);
        flow
    }

    fn read(&mut self, frame: &[u8]) -> Option<()> {
        let mut at = 12;
        let mut tags = 0;
        while tags < TAGS_MAX && TAGS.contains(&bytes(frame, at)?) {
            at += 4;
            tags += 1;
        }
        let packet = frame.get(at + 2..)?;
        match bytes(frame, at)? {
            [0x08, 0x00] => self.ipv4(packet),
            [0x86, 0xdd] => self.ipv6(packet),
            _ => None,
        }
    }

    fn ipv4(&mut self, packet: &[u8]) -> Option<()> {
        self.source = Some(bytes::<4>(packet, 12)?.into());
        self.destination = Some(bytes::<4>(packet, 16)?.into());
        self.protocol = Some(*packet.get(9)?);
        let is_later = u16::from_be_bytes(bytes(packet, 6)?) & 0x1fff != 0;
        let header = usize::from(packet[0] & 15) * 4;
        if is_later { None } else { self.ports(packet.get(header..)?) }
    }

    fn ipv6(&mut self, packet: &[u8]) -> Option<()> {
        self.source = Some(bytes::<16>(packet, 8)?.into());
        self.destination = Some(bytes::<16>(packet, 24)?.into());
        let mut protocol = *packet.get(6)?;
        let mut rest = packet.get(40..)?;
        self.protocol = Some(protocol);
        for _ in 0..EXTENSIONS_MAX {
            if !EXTENSIONS.contains(&protocol) {
                break;
            }
            let [next, length] = bytes(rest, 0)?;
            let is_later = protocol == FRAGMENT && u16::from_be_bytes(bytes(rest, 2)?) & 0xfff8 != 0;
            let length = match protocol {
                FRAGMENT => 8,
                AUTHENTICATION => (usize::from(length) + 2) * 4,
                _ => (usize::from(length) + 1) * 8,
            };
            protocol = next;
            self.protocol = Some(protocol);
            if is_later {
                return None;
            }
            rest = rest.get(length..)?;
        }
        self.ports(rest)
    }

    fn ports(&mut self, header: &[u8]) -> Option<()> {
        if ![Some(TCP), Some(UDP)].contains(&self.protocol) {
            return None;
        }
        self.source_port = Some(u16::from_be_bytes(bytes(header, 0)?));
        self.port = Some(u16::from_be_bytes(bytes(header, 2)?));
        Some(())
    }
}

fn bytes<const N: usize>(from: &[u8], at: usize) -> Option<[u8; N]> {
    from.get(at..at + N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::packet::Datagram;

    fn datagram() -> Vec<u8> {
        Datagram { source: ([192, 0, 2, 9], 53), to: ([192, 0, 2, 1], 8001), payload: b"hello" }.frame()
    }

    fn told(frame: &[u8]) -> (Option<IpAddr>, Option<u8>, Option<u16>, Option<u16>) {
        let Flow { source, protocol, source_port, port, .. } = Flow::of(frame);
        (source, protocol, source_port, port)
    }

    #[test]
    fn tells_addresses_and_ports() {
        let source = Some(IpAddr::from([192, 0, 2, 9]));
        let frame = datagram();
        assert_eq!(told(&frame), (source, Some(UDP), Some(53), Some(8001)));
        assert_eq!(Flow::of(&frame).destination, Some(IpAddr::from([192, 0, 2, 1])));
        let tagged = [&frame[..12], &[0x88, 0xa8, 0, 1, 0x81, 0, 0, 2], &frame[12..]].concat();
        assert_eq!(told(&tagged), (source, Some(UDP), Some(53), Some(8001)));
        let mut later = frame.clone();
        later[21] = 1;
        assert_eq!(told(&later), (source, Some(UDP), None, None));
    }

    #[test]
    fn passes_the_extensions_of_ipv6() {
        let mut frame = datagram()[..12].to_vec();
        frame.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, 24, 0, 64]);
        let source: std::net::Ipv6Addr = "2001:db8::9".parse().expect("an address");
        frame.extend(source.octets());
        frame.extend([0; 16]);
        frame.extend([FRAGMENT, 0, 1, 4, 0, 0, 0, 0]);
        let whole = [&frame[..], &[UDP, 0, 0, 1, 0, 0, 0, 1, 0, 53, 31, 65, 0, 8, 0, 0]].concat();
        assert_eq!(told(&whole), (Some(source.into()), Some(UDP), Some(53), Some(8001)));
        let later = [&frame[..], &[UDP, 0, 0, 8, 0, 0, 0, 1, 0, 53, 31, 65, 0, 8, 0, 0]].concat();
        assert_eq!(told(&later), (Some(source.into()), Some(UDP), None, None));
    }

    #[test]
    fn takes_any_cut() {
        let frame = datagram();
        for length in 0..frame.len() {
            Flow::of(&frame[..length]);
        }
        assert_eq!(told(&frame[..13]), (None, None, None, None));
        assert_eq!(told(&[&[0; 12][..], &[0x08, 0x06], &[0; 40]].concat()), (None, None, None, None));
    }
}
