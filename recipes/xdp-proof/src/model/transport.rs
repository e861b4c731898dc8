//! UDP and TCP: the class of a packet, and whether it has the shape of its class.

use super::frame::{Frame, be16};
use super::network::{Packet, TCP, UDP};
use super::{Address, Facts};
use crate::abi::{Config, PORTS, Policy};
use crate::verdict::Reason;

/// Finds the class of a packet that is to be judged by its rate; the error is the reason why it is not.
pub(super) fn classify(frame: Frame<'_>, packet: &Packet, config: &Config, facts: &mut Facts) -> Result<(), Reason> {
    match packet.protocol {
        UDP => udp(frame, packet, config, facts),
        TCP => tcp(frame, packet, config, facts),
        _ => Err(Reason::Unclassed),
    }
}

fn udp(frame: Frame<'_>, packet: &Packet, config: &Config, facts: &mut Facts) -> Result<(), Reason> {
    let header: [u8; 8] = frame.header(packet.at).ok_or(Reason::Malformed)?;
    let length = usize::from(be16([header[4], header[5]]));
    let is_cut = packet.rest < 8 || length > packet.rest && !packet.in_pieces;
    if is_cut || length < 8 {
        return Err(Reason::Malformed);
    }
    class(&config.udp_class, [header[2], header[3]], packet, facts)?;
    if packet.in_pieces {
        return Err(Reason::Fragment);
    }
    let policy = &config.policies[usize::from(facts.class)];
    let first = if length > 8 { Some(frame.byte(packet.at + 8).ok_or(Reason::Malformed)?) } else { None };
    let each = frame.segment_bytes().unwrap_or(usize::MAX).min(length - 8);
    shape(policy, be16([header[0], header[1]]), each, first)?;
    if first.is_some_and(|first| policy.part_class != 0 && first & policy.part_mask == policy.part_value) {
        facts.class = policy.part_class;
    }
    Ok(())
}

/// Whether a datagram looks as its class does: from which port, how long, and with which first byte, if it has one.
fn shape(policy: &Policy, source_port: u16, payload: usize, first: Option<u8>) -> Result<(), Reason> {
    if source_port < policy.source_port_min {
        return Err(Reason::SourcePort);
    }
    if !(usize::from(policy.payload_min)..=usize::from(policy.payload_max)).contains(&payload) {
        return Err(Reason::Length);
    }
    let fits = |byte: u8| (policy.byte_min..=policy.byte_max).contains(&(byte & policy.byte_mask));
    if first.is_none_or(fits) { Ok(()) } else { Err(Reason::Content) }
}

/// Only what opens a connection has a class: SYN without ACK.
fn tcp(frame: Frame<'_>, packet: &Packet, config: &Config, facts: &mut Facts) -> Result<(), Reason> {
    let header: [u8; 20] = frame.header(packet.at).filter(|_| packet.rest >= 20).ok_or(Reason::Malformed)?;
    const SYN: u8 = 2;
    const ACK: u8 = 16;
    if header[13] & (SYN | ACK) != SYN {
        return Err(Reason::Unclassed);
    }
    class(&config.tcp_class, [header[2], header[3]], packet, facts)
}

/// Finds the class of a port. Only where there is one does it matter whether anybody can have sent the packet.
fn class(classes: &[u8; PORTS], port: [u8; 2], packet: &Packet, facts: &mut Facts) -> Result<(), Reason> {
    facts.class = classes[table_index(port)];
    if facts.class == 0 {
        return Err(Reason::Unclassed);
    }
    if is_bogon(packet.source) { Err(Reason::Bogon) } else { Ok(()) }
}

/// Whether nobody can have an address: of this network, loopback, multicast or reserved (RFC 6890), or in the first /64
/// of IPv6, where all special addresses are that are not multicast.
fn is_bogon(address: Address) -> bool {
    match address {
        Address::V4([first, ..]) => matches!(first, 0 | 127 | 224..),
        Address::V6(bytes) => bytes[0] == 0xff || bytes[..8] == [0; 8],
    }
}

/// Where a port stands in the tables of classes: by its bytes on the wire, read as a number of this machine.
fn table_index(port: [u8; 2]) -> usize {
    u16::from_le_bytes(port).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        Policy {
            source_port_min: 1024,
            payload_min: 2,
            payload_max: 9,
            byte_mask: 0xf0,
            byte_min: 0x40,
            byte_max: 0x70,
            ..bytemuck::Zeroable::zeroed()
        }
    }

    #[test]
    fn nobody_has_a_special_address() {
        for first in [0, 127, 224, 255] {
            assert!(is_bogon(Address::V4([first, 1, 1, 1])));
        }
        for first in [1, 126, 128, 223] {
            assert!(!is_bogon(Address::V4([first, 0, 0, 0])));
        }
        assert!(is_bogon(Address::V6(1_u128.to_be_bytes())));
        assert!(!is_bogon(Address::V6((1_u128 << 64).to_be_bytes())));
        assert!(is_bogon(Address::V6([0xff; 16])));
    }

    #[test]
    fn shapes_have_inclusive_bounds() {
        assert_eq!(shape(&policy(), 1024, 2, Some(0x4f)), Ok(()));
        assert_eq!(shape(&policy(), 1024, 9, Some(0x7f)), Ok(()));
        assert_eq!(shape(&policy(), 1023, 9, Some(0x7f)), Err(Reason::SourcePort));
        assert_eq!(shape(&policy(), 1024, 1, Some(0x7f)), Err(Reason::Length));
        assert_eq!(shape(&policy(), 1024, 10, Some(0x7f)), Err(Reason::Length));
        assert_eq!(shape(&policy(), 1024, 9, Some(0x3f)), Err(Reason::Content));
        assert_eq!(shape(&policy(), 1024, 9, Some(0x80)), Err(Reason::Content));
    }
}
