//! An interface: its addresses, its queues, and which XDP program it has.

use std::net::IpAddr;

use super::netlink::{Message, Netlink, attributes, number};
use crate::config::nearest;
use crate::failure::{During, Failure};

const GET_LINK: u16 = 18;
const GET_ADDRESS: u16 = 22;
const LINK_BODY: usize = 16;
const LINK_NAME: u16 = 3;
const LINK_MTU: u16 = 4;
const LINK_RX_QUEUES: u16 = 32;
const LINK_XDP: u16 = 43;
const XDP_ATTACHED: u16 = 2;
const XDP_PROGRAM: u16 = 4;
const XDP_PROGRAM_OF: [(u16, Place); 3] = [(5, Place::Driver), (6, Place::Generic), (7, Place::Hardware)];
const ADDRESS_BODY: usize = 8;
const ADDRESS: u16 = 1;
const ADDRESS_LOCAL: u16 = 2;
const SCOPE_UNIVERSE: u8 = 0;

/// An interface of this network namespace.
#[derive(Clone, Debug, PartialEq)]
pub struct Interface {
    /// Its number.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// The longest packet.
    pub mtu: u32,
    /// For receiving.
    pub queues: u32,
    /// XDP programs by place, as ids.
    pub xdp: Vec<(Place, u32)>,
}

/// Where an XDP program runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    /// In the driver.
    Driver,
    /// After the kernel has made a socket buffer, which is what XDP is there to avoid.
    Generic,
    /// On the card.
    Hardware,
}

/// The interface of a name.
pub fn find(name: &str) -> Result<Interface, Failure> {
    let body = [0; LINK_BODY];
    let answer = Netlink::route().and_then(|netlink| netlink.dump(GET_LINK, &body));
    let all: Vec<_> = answer.during(|| "asking for the interfaces".into())?.iter().filter_map(read).collect();
    all.iter().find(|interface| interface.name == name).cloned().ok_or_else(|| missing(name, &all))
}

fn missing(name: &str, all: &[Interface]) -> Failure {
    let names = all.iter().map(|interface| interface.name.as_str());
    let hint = match nearest(name, names.clone()) {
        Some(near) => format!("is it {near}?"),
        None => format!("there are {}", names.collect::<Vec<_>>().join(", ")),
    };
    Failure::Input(format!("no interface {name}: {hint}"))
}

fn read(message: &Message) -> Option<Interface> {
    let index = number(message.body.get(4..8)?);
    let mut interface = Interface { index, name: String::new(), mtu: 0, queues: 1, xdp: Vec::new() };
    for (kind, value) in attributes(message.body.get(LINK_BODY..)?) {
        match kind {
            LINK_NAME => interface.name = String::from_utf8_lossy(value).trim_end_matches('\0').into(),
            LINK_MTU => interface.mtu = number(value),
            LINK_RX_QUEUES => interface.queues = number(value).max(1),
            LINK_XDP => interface.xdp = programs(value),
            _ => {}
        }
    }
    Some(interface)
}

/// Programs by place; kernels that tell no place tell how the one program is attached.
fn programs(xdp: &[u8]) -> Vec<(Place, u32)> {
    let all = attributes(xdp);
    let by_place = XDP_PROGRAM_OF.iter().flat_map(|(kind, place)| {
        all.iter().filter(move |(other, _)| other == kind).map(move |(_, id)| (*place, number(id)))
    });
    let mut programs: Vec<_> = by_place.collect();
    if programs.is_empty() {
        let attached = all.iter().find(|(kind, _)| *kind == XDP_ATTACHED).and_then(|(_, how)| how.first());
        let place = match attached {
            Some(2) => Place::Generic,
            Some(3) => Place::Hardware,
            _ => Place::Driver,
        };
        programs.extend(all.iter().filter(|(kind, _)| *kind == XDP_PROGRAM).map(|(_, id)| (place, number(id))));
    }
    programs
}

/// The addresses of an interface that others can send to.
pub fn addresses(interface: u32) -> Result<Vec<IpAddr>, Failure> {
    let answer = Netlink::route().and_then(|netlink| netlink.dump(GET_ADDRESS, &[0; ADDRESS_BODY]));
    let messages = answer.during(|| "asking for the addresses".into())?;
    Ok(messages.iter().filter_map(|message| address(message, interface)).collect())
}

fn address(message: &Message, interface: u32) -> Option<IpAddr> {
    let body = message.body.get(..ADDRESS_BODY)?;
    if number(&body[4..8]) != interface || body[3] != SCOPE_UNIVERSE {
        return None;
    }
    // On links with two ends the address is the other end's, and the local one is the node's.
    let all = attributes(message.body.get(ADDRESS_BODY..)?);
    let find = |kind| all.iter().find(|(other, _)| *other == kind).map(|(_, value)| *value);
    let value = find(ADDRESS_LOCAL).or_else(|| find(ADDRESS))?;
    match value.len() {
        4 => <[u8; 4]>::try_from(value).ok().map(IpAddr::from),
        _ => <[u8; 16]>::try_from(value).ok().map(IpAddr::from),
    }
}
