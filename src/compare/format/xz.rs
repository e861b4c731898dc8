//! xz: the kind of check that its header names, and what it unpacks to.

use super::packed::{Codec, Packed};
use crate::compare::parts::Parts;

/// Where the kind of check stands, behind the magic and a zero byte.
const CHECK: usize = 7;

pub(super) fn open(stream: &[u8]) -> Result<Parts<'_>, String> {
    let check = match stream.get(CHECK).ok_or("its header is cut off")? & 0x0f {
        0 => "none".to_owned(),
        1 => "CRC32".to_owned(),
        4 => "CRC64".to_owned(),
        10 => "SHA-256".to_owned(),
        other => format!("no. {other}"),
    };
    Ok(Packed { codec: Codec::Xz, stream, header: 0 }.alone("(unxz)", vec![("the xz check", check)]))
}
