//! zstd (RFC 8878): what the header of its frame declares, and what it unpacks to.

use super::packed::{Codec, Packed};
use crate::compare::parts::Parts;

/// The byte behind the magic: sizes and flags.
const DESCRIPTOR: usize = 4;

const CHECKSUM: u8 = 0x04;

pub(super) fn open(stream: &[u8]) -> Result<Parts<'_>, String> {
    let descriptor = stream.get(DESCRIPTOR).ok_or("its header is cut off")?;
    let checksum = if descriptor & CHECKSUM == 0 { "no" } else { "yes" };
    let fields = vec![("the zstd checksum", checksum.to_owned())];
    Ok(Packed { codec: Codec::Zstd, stream, header: 0 }.alone("(unzstd)", fields))
}
