//! The containers that forge looks into, told by their first bytes and never by a name.

mod ar;
mod cpio;
mod elf;
mod gzip;
pub(super) mod packed;
mod tar;
mod xz;
mod zip;
mod zstd;

use super::Limits;
use super::parts::Parts;

/// A kind of container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Ar,
    Cpio,
    Elf,
    Gzip,
    Tar,
    Xz,
    Zip,
    Zstd,
}

/// First bytes, where they start, and what they show.
const MAGIC: [(usize, &[u8], Format); 11] = [
    (0, b"!<arch>\n", Format::Ar),
    (0, b"070701", Format::Cpio),
    (0, b"070702", Format::Cpio),
    (0, b"\x7fELF", Format::Elf),
    (0, b"\x1f\x8b\x08", Format::Gzip),
    (257, b"ustar", Format::Tar),
    (0, b"\xfd7zXZ\0", Format::Xz),
    (0, b"PK\x03\x04", Format::Zip),
    (0, b"PK\x05\x06", Format::Zip),
    (0, b"\x28\xb5\x2f\xfd", Format::Zstd),
    // A skippable frame, as seekable and multi-threaded writers put in front.
    (0, b"\x50\x2a\x4d\x18", Format::Zstd),
];

impl Format {
    /// What a content looks like.
    pub(super) fn of(content: &[u8]) -> Option<Self> {
        let shows = |at: usize, magic: &[u8]| content.get(at..).is_some_and(|rest| rest.starts_with(magic));
        MAGIC.iter().find(|(at, magic, _)| shows(*at, magic)).map(|(_, _, format)| *format)
    }

    /// Its name in sentences.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ar => "ar",
            Self::Cpio => "cpio",
            Self::Elf => "ELF",
            Self::Gzip => "gzip",
            Self::Tar => "tar",
            Self::Xz => "xz",
            Self::Zip => "zip",
            Self::Zstd => "zstd",
        }
    }

    /// Takes a content apart.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(super) fn open<'a>(self, content: &'a [u8], limits: &Limits) -> Result<Parts<'a>, String> {
        let parts = match self {
            Self::Ar => ar::open(content, limits),
            Self::Cpio => cpio::open(content, limits),
            Self::Elf => elf::open(content),
            Self::Gzip => gzip::open(content),
            Self::Tar => tar::open(content, limits),
            Self::Xz => xz::open(content),
            Self::Zip => zip::open(content, limits),
            Self::Zstd => zstd::open(content),
        }?;
        if parts.members.len() > limits.members { Err(too_many(limits)) } else { Ok(parts) }
    }
}

/// What to say of more than [`Limits::members`].
fn too_many(limits: &Limits) -> String {
    format!("it has more than {} members", limits.members)
}

/// A time of a member, in seconds since 1970, as it reads best.
fn time(seconds: u64) -> String {
    super::look::time(seconds)
}
