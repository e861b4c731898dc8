//! Addresses of IPv4 and of Ethernet.

use core::net::Ipv4Addr;
use std::fmt;
use std::ops::RangeInclusive;

/// What a link can carry: from the least of IPv6 to what switches take.
pub(super) const MTUS: RangeInclusive<i64> = 1280..=9216;
/// The tags that a network may have.
pub(super) const VLANS: RangeInclusive<i64> = 1..=4094;

pub(super) const ADDRESS: &str = "an IPv4 address, such as `192.0.2.1`";
pub(super) const SUBNET: &str = "an IPv4 address with the length of its network, such as `192.0.2.11/24`";
pub(super) const MAC: &str = "an Ethernet address in small letters, such as `0c:42:a1:00:00:01`";
pub(super) const ENDPOINT: &str = "a URL of https with a port, such as `https://k8s.example.org:6443`";

/// An address and the network that it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::talos::machine) struct Subnet {
    pub(in crate::talos::machine) address: Ipv4Addr,
    length: u8,
}

impl Subnet {
    /// The network's own address and length.
    pub(in crate::talos::machine) fn network(self) -> Self {
        let mask = u32::MAX.checked_shl(32 - u32::from(self.length)).unwrap_or_default();
        Self { address: (u32::from(self.address) & mask).into(), ..self }
    }

    /// Whether that is an address in the network.
    pub(super) fn holds(self, address: Ipv4Addr) -> bool {
        Self { address, ..self }.network() == self.network()
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

pub(super) fn address(text: &str) -> Option<Ipv4Addr> {
    text.parse().ok()
}

/// An address of a host, with the length of its network.
pub(super) fn subnet(text: &str) -> Option<Subnet> {
    let (host, length) = text.split_once('/')?;
    let subnet = Subnet { address: address(host)?, length: length.parse().ok().filter(|length| *length <= 32)? };
    (subnet.length >= 31 || subnet.address != subnet.network().address).then_some(subnet)
}

pub(super) fn mac(text: &str) -> Option<String> {
    let is_part = |part: &str| part.len() == 2 && part.bytes().all(|byte| b"0123456789abcdef".contains(&byte));
    (text.split(':').count() == 6 && text.split(':').all(is_part)).then(|| text.to_owned())
}

pub(super) fn endpoint(text: &str) -> Option<String> {
    let (host, port) = text.strip_prefix("https://")?.rsplit_once(':')?;
    let is_host = !host.is_empty() && host.split('.').all(is_label);
    (is_host && port.parse::<u16>().is_ok_and(|port| port > 0)).then(|| text.to_owned())
}

/// Whether that is a name that a host may have.
pub(super) fn is_label(text: &str) -> bool {
    let allowed = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    allowed && (1..=63).contains(&text.len()) && !text.starts_with('-') && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks() {
        let subnet = subnet("192.0.2.77/26").expect("sound");
        assert_eq!(subnet.network().to_string(), "192.0.2.64/26");
        assert!(subnet.holds(Ipv4Addr::new(192, 0, 2, 65)) && !subnet.holds(Ipv4Addr::new(192, 0, 2, 63)));
        for text in ["192.0.2.64/26", "192.0.2.1", "192.0.2.1/33", "192.0.2/24", "x/24"] {
            assert_eq!(super::subnet(text), None, "{text}");
        }
        assert!(super::subnet("192.0.2.64/32").is_some());
    }

    #[test]
    fn names_and_addresses() {
        for (text, sound) in [("0c:42:a1:00:00:01", true), ("0C:42:a1:00:00:01", false), ("0c:42:a1:00:00", false)] {
            assert_eq!(mac(text).is_some(), sound, "{text}");
        }
        for (text, sound) in [
            ("https://k8s.example.org:6443", true),
            ("https://192.0.2.1:6443", true),
            ("http://k8s.example.org:6443", false),
            ("https://k8s.example.org", false),
            ("https://k8s.example.org:6443/", false),
            ("https://:6443", false),
        ] {
            assert_eq!(endpoint(text).is_some(), sound, "{text}");
        }
    }
}
