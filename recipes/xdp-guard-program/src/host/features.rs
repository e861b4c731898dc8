//! What a driver can do with XDP, which kernels tell since 6.3 (`netdev` of generic netlink).

use std::io;

use super::netlink::{Netlink, attribute, attributes};

const CONTROLLER: u16 = 0x10;
const GET_FAMILY: u8 = 3;
const FAMILY_ID: u16 = 1;
const FAMILY_NAME: u16 = 2;
const DEVICE_GET: u8 = 1;
const DEVICE_INTERFACE: u16 = 1;
const DEVICE_XDP_FEATURES: u16 = 3;
const BASIC: u64 = 1;
const RECEIVES_PIECES: u64 = 32;
/// Command, version, and two bytes that are reserved.
const GENERIC_HEADER: usize = 4;

/// What a driver can do with XDP.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Features {
    /// It runs programs itself.
    pub native: bool,
    /// It gives them frames that are longer than a page.
    pub pieces: bool,
}

/// What the driver of an interface can do; none where the kernel does not tell.
pub fn of(interface: u32) -> Option<Features> {
    ask(interface).ok().flatten()
}

fn ask(interface: u32) -> io::Result<Option<Features>> {
    let netlink = Netlink::generic()?;
    let name = attribute(FAMILY_NAME, b"netdev\0");
    let family = netlink.ask(CONTROLLER, &[&[GET_FAMILY, 1, 0, 0], &name[..]].concat())?;
    let body = family.body.get(GENERIC_HEADER..).unwrap_or_default();
    let id = attributes(body).into_iter().find(|(kind, _)| *kind == FAMILY_ID);
    let Some(id) = id.and_then(|(_, id)| id.try_into().ok()).map(u16::from_ne_bytes) else { return Ok(None) };
    let device = attribute(DEVICE_INTERFACE, &interface.to_ne_bytes());
    let answer = netlink.ask(id, &[&[DEVICE_GET, 1, 0, 0], &device[..]].concat())?;
    let body = answer.body.get(GENERIC_HEADER..).unwrap_or_default();
    let bits = attributes(body).into_iter().find(|(kind, _)| *kind == DEVICE_XDP_FEATURES);
    let bits = bits.and_then(|(_, bits)| bits.try_into().ok()).map(u64::from_ne_bytes);
    Ok(bits.map(|bits| Features { native: bits & BASIC != 0, pieces: bits & RECEIVES_PIECES != 0 }))
}
