//! Packets that were dropped, or would have been.

use super::{read_u32, read_u64};

const HEAD_BYTES: usize = 128;
pub(super) const HEAD_AT: usize = 24;
/// Bytes of `struct sample`.
pub(super) const SAMPLE_BYTES: usize = HEAD_AT + HEAD_BYTES;

/// `struct sample`.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Since the machine was started.
    pub nanoseconds: u64,
    /// Of the frame.
    pub length: u32,
    /// Of traffic.
    pub class: u8,
    /// Of the sender.
    pub tier: u8,
    /// Why.
    pub reason: u8,
    /// Whether it was dropped.
    pub enforced: bool,
    /// The frame's first bytes.
    pub head: Vec<u8>,
}

impl Sample {
    /// A record of the ring buffer; none where it is of another size.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != SAMPLE_BYTES {
            return None;
        }
        let length = read_u32(bytes, 8);
        let [reason, class, tier, _] = read_u32(bytes, 12).to_le_bytes();
        let enforced = read_u32(bytes, 16) != 0;
        let head = bytes[HEAD_AT..][..HEAD_BYTES.min(length as usize)].to_vec();
        Some(Self { nanoseconds: read_u64(bytes, 0), length, class, tier, reason, enforced, head })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_no_sample_of_another_size() {
        assert_eq!(Sample::of(&[0; SAMPLE_BYTES - 1]), None);
        let mut bytes = [0; SAMPLE_BYTES];
        (bytes[8], bytes[12], bytes[13], bytes[14], bytes[16], bytes[HEAD_AT]) = (60, 10, 2, 3, 1, 7);
        let sample = Sample::of(&bytes).expect("a sample");
        assert_eq!((sample.reason, sample.class, sample.tier, sample.enforced), (10, 2, 3, true));
        assert_eq!((sample.head.len(), sample.head[0]), (60, 7));
    }
}
