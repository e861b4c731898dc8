//! The node's addresses, as the program finds them: each at a place of its own, which a factor makes of it, so that one
//! comparison tells whether a packet is for the node, however many addresses it has.

use std::net::IpAddr;

use super::{LOCALS, read_u32, read_u64};

/// Of each family so many addresses find places; a factor for them is found in some thousands of tries.
pub const LOCALS_MOST: usize = 64;
const TRIES: u64 = 1 << 20;

/// An address in the program's bytes.
trait Address: Copy + PartialEq {
    /// Where it is under a factor.
    fn place(&self, factor: u64) -> usize;
}

impl Address for [u8; 4] {
    fn place(&self, factor: u64) -> usize {
        (read_u32(self, 0).wrapping_mul(factor as u32) >> 24) as usize
    }
}

impl Address for [u8; 16] {
    fn place(&self, factor: u64) -> usize {
        let (network, host) = (read_u64(self, 0), read_u64(self, 8));
        (network.wrapping_mul(factor).wrapping_add(host).wrapping_mul(factor) >> 56) as usize
    }
}

/// The node's addresses in the form of `struct config`.
pub struct Locals {
    /// `local6`; what is not used repeats the first, or is zero where there is none.
    pub six: [[u8; 16]; LOCALS],
    /// `local4`, likewise.
    pub four: [[u8; 4]; LOCALS],
    /// `local6_factor`.
    pub factor6: u64,
    /// `local4_factor`.
    pub factor4: u32,
    /// Those that found no place: packets to them are not looked at.
    pub left_out: Vec<IpAddr>,
}

impl Locals {
    /// The places of addresses.
    pub fn of(addresses: &[IpAddr]) -> Self {
        let (mut four, mut six) = (Vec::new(), Vec::new());
        for address in addresses {
            match address {
                IpAddr::V4(address) => four.push(address.octets()),
                IpAddr::V6(address) => six.push(address.octets()),
            }
        }
        let (factor4, four, left4) = places(four, [0; 4]);
        let (factor6, six, left6) = places(six, [0; 16]);
        let left_out = left4.into_iter().map(IpAddr::from).chain(left6.into_iter().map(IpAddr::from)).collect();
        Self { six, four, factor6, factor4: factor4 as u32, left_out }
    }
}

/// A factor, the places under it, and who found none: the last ones.
fn places<A: Address>(addresses: Vec<A>, none: A) -> (u64, [A; LOCALS], Vec<A>) {
    let mut addresses: Vec<A> = addresses.into_iter().fold(Vec::new(), |mut all, address| {
        all.extend((!all.contains(&address)).then_some(address));
        all
    });
    let mut left_out = addresses.split_off(addresses.len().min(LOCALS_MOST));
    loop {
        if let Some(factor) = factors().take(TRIES as usize).find(|factor| parts(&addresses, *factor)) {
            let mut places = [addresses.first().copied().unwrap_or(none); LOCALS];
            addresses.iter().for_each(|address| places[address.place(factor)] = *address);
            return (factor, places, left_out);
        }
        left_out.extend(addresses.pop());
    }
}

/// Whether no two addresses have the same place.
fn parts<A: Address>(addresses: &[A], factor: u64) -> bool {
    let mut taken = [false; LOCALS];
    addresses.iter().all(|address| !std::mem::replace(&mut taken[address.place(factor)], true))
}

/// Odd numbers that have nothing to do with each other (splitmix64), always the same.
fn factors() -> impl Iterator<Item = u64> {
    (1u64..).map(|number| {
        let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) | 1
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u64) -> IpAddr {
        let mixed = factors().nth(number as usize).expect("endless");
        let six = u128::from(mixed).to_be_bytes();
        if number.is_multiple_of(2) { IpAddr::from((mixed as u32).to_be_bytes()) } else { IpAddr::from(six) }
    }

    #[test]
    fn each_address_is_found_at_its_place() {
        for count in [0, 1, 2, 9, 2 * LOCALS_MOST as u64] {
            let addresses: Vec<IpAddr> = (0..count).map(address).collect();
            let locals = Locals::of(&addresses);
            assert_eq!(locals.left_out, [] as [IpAddr; 0]);
            for address in addresses {
                match address {
                    IpAddr::V4(at) => assert_eq!(locals.four[at.octets().place(locals.factor4.into())], at.octets()),
                    IpAddr::V6(at) => assert_eq!(locals.six[at.octets().place(locals.factor6)], at.octets()),
                }
            }
        }
    }

    #[test]
    fn what_has_no_place_is_named() {
        let more = [IpAddr::from([10, 1, 0, 1]), IpAddr::from([10, 1, 0, 2])];
        let addresses: Vec<_> =
            (0..LOCALS_MOST as u8).map(|last| IpAddr::from([192, 0, 2, last])).chain(more).collect();
        assert_eq!(Locals::of(&addresses).left_out, more);
        let twice = [more[0], more[0]];
        assert_eq!(Locals::of(&twice).left_out, [] as [IpAddr; 0]);
    }

    #[test]
    fn what_is_not_used_repeats_the_first() {
        let locals = Locals::of(&["192.0.2.1".parse().expect("one"), "192.0.2.2".parse().expect("one")]);
        assert_eq!(locals.four.iter().filter(|four| **four == [192, 0, 2, 1]).count(), LOCALS - 1);
        assert_eq!(locals.six, [[0; 16]; LOCALS]);
    }
}
