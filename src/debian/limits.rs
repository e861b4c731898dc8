//! What an archive may cost, so that a hostile one costs no more.

use std::fmt;

/// What an archive may cost. The values are far above any package or source that forge builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes after decompression.
    pub bytes: u64,
    /// Decompressed bytes for each compressed one; counts once [`Limits::EXPANSION_FLOOR`] is passed.
    pub expansion: u64,
    /// Entries of a tar archive.
    pub entries: u64,
    /// Bytes of an entry's name or of a link's target.
    pub name: u64,
}

impl Limits {
    /// For packages and source archives. A Linux or rustc source tree has 2 GB and 100,000 entries.
    pub const ARCHIVE: Self = Self { bytes: 16 << 30, expansion: 1000, entries: 1_000_000, name: 4096 };
    /// For the control member of a .deb: a few scripts and lists.
    pub const CONTROL: Self = Self { bytes: 64 << 20, expansion: 1000, entries: 1000, name: 4096 };
    /// Below this size any expansion is fine: small files of zeros are common.
    pub const EXPANSION_FLOOR: u64 = 64 << 20;
    /// Memory that an xz or zstd stream may ask for; `xz -9` and `zstd --ultra -22` need less.
    pub const MEMORY: u64 = 192 << 20;
    /// The largest zstd window (2^27 bytes), for the same reason.
    pub const ZSTD_WINDOW_LOG: u32 = 27;
}

/// A limit that an archive went beyond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Excess {
    /// More than [`Limits::bytes`].
    Bytes(u64),
    /// More than [`Limits::expansion`].
    Expansion(u64),
    /// More than [`Limits::entries`].
    Entries(u64),
    /// A name or link target longer than [`Limits::name`].
    Name(u64),
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(limit) => write!(f, "more than {limit} bytes after decompression"),
            Self::Expansion(limit) => write!(f, "more than {limit} bytes for each compressed one"),
            Self::Entries(limit) => write!(f, "more than {limit} entries"),
            Self::Name(limit) => write!(f, "a name or link target of more than {limit} bytes"),
        }
    }
}

impl std::error::Error for Excess {}
