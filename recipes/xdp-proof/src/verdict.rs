//! What the program says of a packet.

use std::fmt;

/// Why a packet passes or not, in the order of `abi.h`. From `Malformed` on it does not.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    Other,
    NotLocal,
    Unclassed,
    Piece,
    Peer,
    Unknown,
    Malformed,
    Bogon,
    Fragment,
    SourcePort,
    Length,
    Content,
    Ceiling,
    PeerLimit,
    SourceLimit,
}

/// All reasons; each stands at its number.
pub const REASONS: [Reason; 15] = [
    Reason::Other,
    Reason::NotLocal,
    Reason::Unclassed,
    Reason::Piece,
    Reason::Peer,
    Reason::Unknown,
    Reason::Malformed,
    Reason::Bogon,
    Reason::Fragment,
    Reason::SourcePort,
    Reason::Length,
    Reason::Content,
    Reason::Ceiling,
    Reason::PeerLimit,
    Reason::SourceLimit,
];

impl Reason {
    /// Whether a packet with this reason is dropped where its class is enforced.
    pub fn drops(self) -> bool {
        self >= Reason::Malformed
    }
}

/// The whole of a verdict: what the program returns when it is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub reason: Reason,
    pub class: u8,
    pub tier: u8,
    pub enforced: bool,
}

impl Verdict {
    /// The number that the program returns for this verdict.
    pub fn report(self) -> u32 {
        u32::from_le_bytes([self.reason as u8, self.class, self.tier, self.enforced as u8])
    }

    /// The verdict in what the program returned; none where that is no report.
    pub fn parse(report: u32) -> Option<Self> {
        let [reason, class, tier, enforced] = report.to_le_bytes();
        let reason = *REASONS.get(usize::from(reason))?;
        (enforced < 2).then_some(Verdict { reason, class, tier, enforced: enforced == 1 })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Verdict { reason, class, tier, enforced } = self;
        write!(out, "{reason:?}, class {class}, tier {tier}{}", if *enforced { ", enforced" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_back() {
        for (number, reason) in REASONS.into_iter().enumerate() {
            assert_eq!(reason as usize, number);
            let verdict = Verdict { reason, class: 15, tier: 3, enforced: reason.drops() };
            assert_eq!(Verdict::parse(verdict.report()), Some(verdict));
        }
        assert_eq!(Verdict::parse(15), None);
        assert_eq!(Verdict::parse(2 << 24), None);
    }
}
