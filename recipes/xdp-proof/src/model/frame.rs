//! Frames, and what they carry.

/// A frame, of which a program has only the first bytes in reach where a driver keeps the others elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    bytes: &'a [u8],
    reach: usize,
    joined: Option<Joined>,
}

/// What the kernel says of a frame that it has put together of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joined {
    /// How many they were; 0 where it does not know, as of what a virtual machine sends.
    pub segments: u16,
    /// The payload of each but the last.
    pub bytes: u16,
}

/// Who follows the Ethernet header and its tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carried {
    Ipv4,
    Ipv6,
}

/// 802.1Q and 802.1ad: the types of a tag.
const TAGS: [u16; 2] = [0x8100, 0x88a8];
const MAX_TAGS: usize = 2;

impl<'a> Frame<'a> {
    /// A frame whose first `reach` bytes are in reach.
    pub fn new(bytes: &'a [u8], reach: usize) -> Self {
        Frame { bytes, reach: reach.min(bytes.len()), joined: None }
    }

    /// The same, put together of several.
    pub fn joined(self, joined: Option<Joined>) -> Self {
        Frame { joined, ..self }
    }

    /// What the kernel says of a frame that was put together.
    pub fn parts(self) -> Option<Joined> {
        self.joined
    }

    /// How many packets it counts for; one too many at most where the kernel does not know.
    pub(super) fn segments(self) -> u64 {
        match self.joined {
            Some(Joined { segments: 0, bytes }) if bytes > 0 => self.bytes.len() as u64 / u64::from(bytes) + 1,
            Some(Joined { segments, .. }) => u64::from(segments.max(1)),
            None => 1,
        }
    }

    /// The payload of each packet of several; none where it is one.
    pub(super) fn segment_bytes(self) -> Option<usize> {
        self.joined.map(|joined| usize::from(joined.bytes)).filter(|&bytes| bytes > 0)
    }

    /// All of its bytes.
    pub fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// How many of them are in reach.
    pub fn reach(self) -> usize {
        self.reach
    }

    /// A header of `N` bytes; none where not all of it is in reach.
    pub(super) fn header<const N: usize>(self, at: usize) -> Option<[u8; N]> {
        self.bytes[..self.reach].get(at..at + N)?.try_into().ok()
    }

    /// A byte, wherever it is.
    pub(super) fn byte(self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    /// What the frame carries, and where that begins; none where that is no IP.
    pub(super) fn carried(self) -> Option<(Carried, usize)> {
        let mut at = 14;
        let mut kind = be16(self.header(at - 2)?);
        let mut tags = 0;
        while TAGS.contains(&kind) && tags < MAX_TAGS {
            let [_, _, high, low] = self.header(at)?;
            kind = be16([high, low]);
            at += 4;
            tags += 1;
        }
        match kind {
            0x0800 => Some((Carried::Ipv4, at)),
            0x86dd => Some((Carried::Ipv6, at)),
            _ => None,
        }
    }
}

/// A number as it is on the wire.
pub(super) fn be16(bytes: [u8; 2]) -> u16 {
    u16::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(types: &[u16], length: usize) -> Vec<u8> {
        let mut bytes = vec![0; 12];
        for (place, kind) in types.iter().enumerate() {
            bytes.extend(if place > 0 { &[0, 1][..] } else { &[] });
            bytes.extend(kind.to_be_bytes());
        }
        bytes.truncate(length);
        bytes
    }

    fn carried(types: &[u16], length: usize) -> Option<(Carried, usize)> {
        let bytes = frame(types, length);
        Frame::new(&bytes, bytes.len()).carried()
    }

    #[test]
    fn two_tags_are_passed_over() {
        assert_eq!(carried(&[0x800], 99), Some((Carried::Ipv4, 14)));
        assert_eq!(carried(&[0x8100, 0x86dd], 99), Some((Carried::Ipv6, 18)));
        assert_eq!(carried(&[0x88a8, 0x8100, 0x800], 99), Some((Carried::Ipv4, 22)));
        assert_eq!(carried(&[0x88a8, 0x8100, 0x8100, 0x800], 99), None);
        assert_eq!(carried(&[0x8100, 0x800], 17), None);
    }
}
