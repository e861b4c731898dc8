//! Frames that carry no IP, and tags.

use super::Case;
use super::build::{Ip4, Ip6, ethernet, tagged, udp};
use super::node::{OPEN, OPEN_PORT};
use crate::verdict::Reason::{Other, Unknown};

const VLAN: u16 = 0x8100;
const QINQ: u16 = 0x88a8;

pub(super) fn cases() -> Vec<Case> {
    let four = Ip4::default().around(&udp(4096, OPEN_PORT, b"x"));
    let six = Ip6::default().around(&udp(4096, OPEN_PORT, b"x"));
    let passes = |name, frame| Case::new(name, frame, Unknown, OPEN, 0);
    let mut cases = vec![
        Case::bare("only an Ethernet header", ethernet(0x0806, &[]), Other),
        Case::bare("ARP", ethernet(0x0806, &[0; 28]), Other),
        Case::bare("LLDP", ethernet(0x88cc, &[0; 46]), Other),
        Case::bare("a length instead of a type", ethernet(46, &[0; 46]), Other),
        passes("a tag before IPv4", tagged(&[VLAN], 0x0800, &four)),
        passes("a service tag before IPv6", tagged(&[QINQ], 0x86dd, &six)),
        passes("two tags before IPv4", tagged(&[QINQ, VLAN], 0x0800, &four)),
        passes("two tags before IPv6", tagged(&[VLAN, VLAN], 0x86dd, &six)),
        Case::bare("three tags", tagged(&[QINQ, VLAN, VLAN], 0x0800, &four), Other),
        Case::bare("a tag of a type that is none", tagged(&[0x9100], 0x0800, &four), Other),
        Case::bare("ARP behind a tag", tagged(&[VLAN], 0x0806, &[0; 28]), Other),
        Case { in_reach: true, ..Case::bare("a long frame without IP", ethernet(0x88cc, &[0; 8000]), Other) },
    ];
    for length in 14..22 {
        let mut frame = tagged(&[QINQ, VLAN], 0x0800, &four);
        frame.truncate(length);
        cases.push(Case::bare(format!("two tags, cut to {length} bytes"), frame, Other));
    }
    cases
}
