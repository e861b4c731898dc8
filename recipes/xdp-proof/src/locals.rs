//! The node's addresses as the program finds them: each at a place of its own, which factors make of it.

use anyhow::{Context, Result};
use fastrand::Rng;

use crate::abi::{Address6, Config, LOCALS};
use crate::model::Address;

/// Factors to try before there is none; sixty addresses need some thousands.
const TRIES: usize = 1 << 16;

/// Puts addresses into a configuration, and nothing where there are none.
pub fn set(config: &mut Config, four: &[[u8; 4]], six: &[[u8; 16]]) -> Result<()> {
    let mut rng = Rng::with_seed(1);
    let four: Vec<u32> = four.iter().map(|&bytes| u32::from_le_bytes(bytes)).collect();
    let six: Vec<(u64, u64)> = six.iter().map(|&bytes| Address::V6(bytes).halves()).collect();
    let factor4 = find(&mut rng, &four, |address, factor| place4(*address, factor as u32))?;
    let factor6 = find(&mut rng, &six, |address, factor| place6(*address, factor))?;
    config.local4_factor = factor4 as u32;
    config.local4 = [four.first().copied().unwrap_or(0); LOCALS];
    four.iter().for_each(|&address| config.local4[place4(address, factor4 as u32)] = address);
    config.local6_factor = factor6;
    let entry = |(network, host)| Address6 { network, host };
    config.local6 = [entry(six.first().copied().unwrap_or((0, 0))); LOCALS];
    six.iter().for_each(|&address| config.local6[place6(address, factor6)] = entry(address));
    Ok(())
}

fn place4(address: u32, factor: u32) -> usize {
    (address.wrapping_mul(factor) >> 24) as usize
}

fn place6((network, host): (u64, u64), factor: u64) -> usize {
    (network.wrapping_mul(factor).wrapping_add(host).wrapping_mul(factor) >> 56) as usize
}

/// A factor under which no two addresses have the same place.
fn find<A: PartialEq>(rng: &mut Rng, addresses: &[A], place: impl Fn(&A, u64) -> usize) -> Result<u64> {
    let parts = |factor: u64| {
        let mut at = [None; LOCALS];
        addresses.iter().all(|address| at[place(address, factor)].replace(address).is_none_or(|other| other == address))
    };
    let mut factors = (0..TRIES).map(|_| rng.u64(..) | 1);
    factors.find(|&factor| parts(factor)).context("no factor parts the node's addresses")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_place() {
        let mut config: Box<Config> = bytemuck::zeroed_box();
        let four: Vec<[u8; 4]> = (1..60).map(|last| [192, 0, 2, last]).collect();
        let six: Vec<[u8; 16]> =
            (1..60).map(|last| [0x20, 1, 0, 0, 0, 0, 0, last, 0, 0, 0, 0, 0, 0, 0, last]).collect();
        set(&mut config, &four, &six).unwrap();
        for address in four.into_iter().map(u32::from_le_bytes) {
            assert_eq!(config.local4[place4(address, config.local4_factor)], address);
        }
        for (network, host) in six.into_iter().map(|bytes| Address::V6(bytes).halves()) {
            let at = place6((network, host), config.local6_factor);
            assert_eq!(config.local6[at], Address6 { network, host });
        }
    }
}
