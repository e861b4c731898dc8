//! More is offered than a limit lets pass, under a clock that only moves when it is told: what passes is known to the
//! packet.

use anyhow::{Result, ensure};

use crate::abi::{Config, Limit, Policy, Tier};
use crate::corpus::build::{Ip4, ethernet, udp};
use crate::duel::Duel;
use crate::hook::Kind;
use crate::locals;
use crate::model::{Address, Frame, Joined};
use crate::roster::Known;
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
    /// How many packets come at once, put together.
    count: u16,
}

/// Offers packets to each kind of limit. Returns how many offers were made, and the largest deviation in packets of
/// a thousand from what the rate lets pass.
pub fn run(object: &[u8], kind: Kind, cpu: usize) -> Result<(usize, f64)> {
    let mut worst = 0_f64;
    let counts: &[u16] = if kind == Kind::Tcx { &[1, 3] } else { &[1] };
    let offers: Vec<Offer> = counts.iter().flat_map(|&count| offers(count)).collect();
    for offer in &offers {
        worst = worst.max(deviation(object, kind, cpu, offer)?);
    }
    Ok((offers.len(), worst * 1000.0))
}

fn offers(count: u16) -> Vec<Offer> {
    let mut offers = Vec::new();
    for (interval, burst, every) in [(1000, 0, 40), (1000, 5000, 999), (7, 21, 1), (1 << 24, 1 << 26, 1 << 20)] {
        let limit = Limit { interval, burst };
        let (each, all) = (Tier { each: limit, all: FREE }, Tier { each: FREE, all: limit });
        offers.push(Offer { source: OTHER, tier: each, every, over: Reason::SourceLimit, count });
        offers.push(Offer { source: OTHER, tier: all, every, over: Reason::Ceiling, count });
        offers.push(Offer { source: PEER, tier: each, every, over: Reason::PeerLimit, count });
        offers.push(Offer { source: PEER, tier: all, every, over: Reason::Ceiling, count });
    }
    offers
}

/// Offers packets for the time of a thousand; the error is more than the limit has, or 1 % less.
fn deviation(object: &[u8], kind: Kind, cpu: usize, offer: &Offer) -> Result<f64> {
    let limit = if offer.over == Reason::Ceiling { offer.tier.all } else { offer.tier.each };
    let mut duel = Duel::new(object, kind, cpu, 1, false)?;
    duel.apply(&config(offer.tier), &[Known { address: Address::V4(PEER), number: 1, tier: 1 }])?;
    duel.wait(1 << 30)?;
    let frame = ethernet(0x0800, &Ip4 { source: offer.source, ..Ip4::default() }.around(&udp(4096, PORT, b"x")));
    let joined = (offer.count > 1).then_some(Joined { segments: offer.count, bytes: 1 });
    let frame = Frame::new(&frame, frame.len()).joined(joined);
    let time = limit.interval * 1000;
    let mut passed = 0_u64;
    for _ in 0..=time / offer.every {
        let reason = duel.judge(frame)?.reason;
        ensure!(!reason.drops() || reason == offer.over, "{reason:?} where {:?} was due, of {offer:?}", offer.over);
        passed += u64::from(!reason.drops()) * u64::from(offer.count);
        duel.wait(offer.every)?;
    }
    let most = (time + limit.burst as u64) / limit.interval + u64::from(offer.count);
    let least = most - most / 100 - u64::from(offer.count - 1);
    ensure!((least..=most).contains(&passed), "{passed} packets passed, not {least} to {most}, of {offer:?}");
    duel.compare_state()?;
    duel.compare_samples()?;
    duel.compare_debts()?;
    Ok((most - passed) as f64 / most as f64)
}

/// A configuration in which a tier is both that of peers and that of others.
fn config(tier: Tier) -> Box<Config> {
    let mut config: Box<Config> = bytemuck::zeroed_box();
    config.policies[usize::from(CLASS)] =
        Policy { tiers: [tier; 4], payload_max: 9, byte_max: 255, byte_mask: 255, ..bytemuck::Zeroable::zeroed() };
    locals::set(&mut config, &[Ip4::default().destination], &[]).expect("one address is parted from no other");
    config.udp_class[usize::from(PORT.to_be())] = CLASS;
    config
}
