//! gzip (RFC 1952): the header of the first member, and what all members unpack to.
//!
//! | bytes | content |
//! |---|---|
//! | 3 | `1f 8b 08` |
//! | 1 | flags: 2 header sum, 4 extra, 8 name, 16 comment |
//! | 4 | mtime, little endian, 0 for none |
//! | 1 | extra flags: 2 best, 4 fastest |
//! | 1 | operating system: 3 Unix, 255 unknown |
//! | 2 + n | extra, if flagged |
//! | n | name, comment: each up to its NUL, if flagged |
//! | 2 | header sum, if flagged |

use super::packed::{Codec, Packed};
use super::time;
use crate::compare::parts::{Fields, Parts};

const HEADER_SUM: u8 = 2;
const EXTRA: u8 = 4;
const NAME: u8 = 8;
const COMMENT: u8 = 16;

pub(super) fn open(stream: &[u8]) -> Result<Parts<'_>, String> {
    let (header, fields) = header(stream).ok_or("its header is cut off")?;
    Ok(Packed { codec: Codec::Gzip, stream, header }.alone("(gunzip)", fields))
}

/// The header's length and facts.
fn header(stream: &[u8]) -> Option<(usize, Fields)> {
    let (fixed, mut rest) = stream.split_first_chunk::<10>()?;
    let [_, _, _, flags, m0, m1, m2, m3, extra_flags, system] = *fixed;
    let mtime = u32::from_le_bytes([m0, m1, m2, m3]);
    let mut fields = vec![
        ("the gzip mtime", time(mtime.into())),
        ("the gzip level", level(extra_flags)),
        ("the gzip operating system", system.to_string()),
    ];
    if flags & EXTRA != 0 {
        let (length, behind) = rest.split_first_chunk::<2>()?;
        let (extra, behind) = behind.split_at_checked(u16::from_le_bytes(*length).into())?;
        fields.push(("the gzip extra field", extra.escape_ascii().to_string()));
        rest = behind;
    }
    for (flag, name) in [(NAME, "the gzip file name"), (COMMENT, "the gzip comment")] {
        if flags & flag != 0 {
            let end = rest.iter().position(|byte| *byte == 0)?;
            fields.push((name, rest[..end].escape_ascii().to_string()));
            rest = &rest[end + 1..];
        }
    }
    if flags & HEADER_SUM != 0 {
        rest = rest.get(2..)?;
    }
    Some((stream.len() - rest.len(), fields))
}

fn level(extra_flags: u8) -> String {
    match extra_flags {
        2 => "best (flag 2)".to_owned(),
        4 => "fastest (flag 4)".to_owned(),
        other => format!("not told (flag {other})"),
    }
}
