//! More is offered than a limit lets pass, under a clock that only moves when it is told: what passes is known to the
//! packet.

use anyhow::{Result, ensure};

use crate::abi::{Config, Limit, Peer, Policy, Tier};
use crate::corpus::build::{Ip4, ethernet, udp};
use crate::duel::Duel;
use crate::hook::Kind;
use crate::model::{Address, Frame, peer_bit};
use crate::verdict::Reason;

const PORT: u16 = 8001;
const CLASS: u8 = 1;
const PEER: [u8; 4] = [198, 51, 100, 1];
const OTHER: [u8; 4] = [203, 0, 113, 1];
const FREE: Limit = Limit { interval: 0, burst: 0 };

/// A limit, who meets it, and how often they offer a packet.
#[derive(Clone, Copy, Debug)]
struct Offer {
    source: [u8; 4],
    tier: Tier,
    every: u64,
    over: Reason,
}

/// Offers packets to each kind of limit. Returns how many offers were made, and the largest deviation in packets of
/// a thousand from what the rate lets pass.
pub fn run(object: &[u8], kind: Kind, cpu: usize) -> Result<(usize, f64)> {
    let mut worst = 0_f64;
    let offers = offers();
    for offer in &offers {
        worst = worst.max(deviation(object, kind, cpu, offer)?);
    }
    Ok((offers.len(), worst * 1000.0))
}

fn offers() -> Vec<Offer> {
    let mut offers = Vec::new();
    for (interval, burst, every) in [(1000, 0, 40), (1000, 5000, 999), (7, 21, 1), (1 << 24, 1 << 26, 1 << 20)] {
        let limit = Limit { interval, burst };
        let (each, all) = (Tier { each: limit, all: FREE }, Tier { each: FREE, all: limit });
        offers.push(Offer { source: OTHER, tier: each, every, over: Reason::SourceLimit });
        offers.push(Offer { source: OTHER, tier: all, every, over: Reason::Ceiling });
        offers.push(Offer { source: PEER, tier: each, every, over: Reason::PeerLimit });
        offers.push(Offer { source: PEER, tier: all, every, over: Reason::Ceiling });
    }
    offers
}

/// Offers packets for the time of ten thousand; the error is more than the limit has, or 1 % less.
fn deviation(object: &[u8], kind: Kind, cpu: usize, offer: &Offer) -> Result<f64> {
    let limit = if offer.over == Reason::Ceiling { offer.tier.all } else { offer.tier.each };
    let mut duel = Duel::new(object, kind, cpu, 1, Limit { interval: 0, burst: -1 })?;
    duel.apply(&config(offer.tier), &[(Address::V4(PEER), peer())])?;
    duel.wait(1 << 30)?;
    let frame = ethernet(0x0800, &Ip4 { source: offer.source, ..Ip4::default() }.around(&udp(4096, PORT, b"x")));
    let time = limit.interval * 10_000;
    let mut passed = 0_u64;
    for _ in 0..=time / offer.every {
        let reason = duel.judge(Frame::new(&frame, frame.len()))?.reason;
        ensure!(!reason.drops() || reason == offer.over, "{reason:?} where {:?} was due, of {offer:?}", offer.over);
        passed += u64::from(!reason.drops());
        duel.wait(offer.every)?;
    }
    let most = (time + limit.burst as u64) / limit.interval + 1;
    let least = most - most / 100;
    ensure!((least..=most).contains(&passed), "{passed} packets passed, not {least} to {most}, of {offer:?}");
    duel.compare_state()?;
    Ok((most - passed) as f64 / most as f64)
}

fn peer() -> Peer {
    Peer { tier: 1, padding: 0, due: [0; 16] }
}

/// A configuration in which a tier is both that of peers and that of others.
fn config(tier: Tier) -> Box<Config> {
    let mut config: Box<Config> = bytemuck::zeroed_box();
    config.policies[usize::from(CLASS)] =
        Policy { tiers: [tier; 4], payload_max: 9, byte_max: 255, byte_mask: 255, ..bytemuck::Zeroable::zeroed() };
    config.local4 = [u32::from_le_bytes(Ip4::default().destination); 8];
    config.udp_class[usize::from(PORT.to_be())] = CLASS;
    let bit = usize::from(peer_bit(Address::V4(PEER).halves().0, 0));
    config.peer_bits[bit / 64] |= 1 << (bit % 64);
    config
}
