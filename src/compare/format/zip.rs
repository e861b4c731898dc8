//! zip: the central directory, and members that are stored or deflated.
//!
//! | record | bytes that are read |
//! |---|---|
//! | end, `PK\5\6`, in the last 64 KiB | 10 number of members, 12 directory's size, 16 its place, 20 comment |
//! | directory entry, `PK\1\2` | 4 made by, 8 flags, 10 method, 12 DOS time and date, 20 packed size, 28 sizes of name, extra and comment, 38 attributes, 42 the member's place, 46 those three |
//! | member, `PK\3\4` | 26 sizes of name and extra, 30 those two, then the content |
//!
//! Numbers are little endian. Archives of more than 4 GiB (zip64) are compared byte by byte.

use super::packed::{Codec, Packed};
use super::{time, too_many};
use crate::compare::Limits;
use crate::compare::parts::{Content, Fields, Member, Parts};

/// The end record without its comment, and the longest comment.
const END: usize = 22;
const COMMENT: usize = 0xffff;
const ENTRY: usize = 46;
const LOCAL: usize = 30;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;

pub(super) fn open<'a>(content: &'a [u8], limits: &Limits) -> Result<Parts<'a>, String> {
    let end = end(content).ok_or("it has no end record")?;
    let malformed = || "its directory is malformed".to_owned();
    let count = usize::from(u16_at(end, 10).ok_or_else(malformed)?);
    let mut at = place(end, 16).ok_or_else(malformed)?;
    if count > limits.members {
        return Err(too_many(limits));
    }
    let mut members = Vec::new();
    for _ in 0..count {
        let entry = content.get(at..).filter(|entry| entry.starts_with(b"PK\x01\x02")).ok_or_else(malformed)?;
        let (member, length) = member(content, entry).ok_or_else(malformed)?;
        at += length;
        members.push(member?);
    }
    let comment = end.get(END..).unwrap_or_default().escape_ascii().to_string();
    Ok(Parts { fields: vec![("the comment", comment)], members })
}

fn end(content: &[u8]) -> Option<&[u8]> {
    let first = content.len().saturating_sub(END + COMMENT);
    let last = content.len().checked_sub(END)?;
    (first..=last).rev().map(|at| &content[at..]).find(|end| end.starts_with(b"PK\x05\x06"))
}

/// A member and the length of its directory entry.
fn member<'a>(content: &'a [u8], entry: &'a [u8]) -> Option<(Result<Member<'a>, String>, usize)> {
    let [name, extra, comment] = [28, 30, 32].map(|at| u16_at(entry, at));
    let (name_end, extra_size) = (ENTRY + usize::from(name?), usize::from(extra?));
    let extra_end = name_end + extra_size;
    let end = extra_end + usize::from(comment?);
    let name = entry.get(ENTRY..name_end)?;
    let fields = fields(entry, entry.get(name_end..extra_end)?, entry.get(extra_end..end)?)?;
    let method = u16_at(entry, 10)?;
    let bytes = stored(content, entry)?;
    let content = match method {
        STORED => Ok(Content::Bytes(bytes)),
        DEFLATED => Ok(Content::Packed(Packed { codec: Codec::Deflate, stream: bytes, header: 0 })),
        other => Err(format!("a member is packed by the method {other}, which forge does not read")),
    };
    let name = String::from_utf8_lossy(name).into_owned();
    Some((content.map(|content| Member { name, fields, content, marks: Vec::new() }), end))
}

/// The bytes of a member, as they stand in the archive.
fn stored<'a>(content: &'a [u8], entry: &[u8]) -> Option<&'a [u8]> {
    let local = content.get(place(entry, 42)?..).filter(|local| local.starts_with(b"PK\x03\x04"))?;
    let start = LOCAL + usize::from(u16_at(local, 26)?) + usize::from(u16_at(local, 28)?);
    local.get(start..start.checked_add(place(entry, 20)?)?)
}

fn fields(entry: &[u8], extra: &[u8], comment: &[u8]) -> Option<Fields> {
    let attributes = u32_at(entry, 38)?;
    Some(vec![
        ("the DOS time", dos(u16_at(entry, 14)?, u16_at(entry, 12)?)),
        ("the Unix time", unix(extra).map_or_else(|| "none".to_owned(), |seconds| time(seconds.into()))),
        ("the mode", format!("{:06o}", attributes >> 16)),
        ("the DOS attributes", format!("{:#x}", attributes & 0xffff)),
        ("the version made by", format!("{:#06x}", u16_at(entry, 4)?)),
        ("the flags", format!("{:#06x}", u16_at(entry, 8)?)),
        ("the extra field", rest(extra).escape_ascii().to_string()),
        ("the comment", comment.escape_ascii().to_string()),
    ])
}

/// Local time without a zone, to two seconds.
fn dos(date: u16, time: u16) -> String {
    let (year, month, day) = (1980 + (date >> 9), date >> 5 & 15, date & 31);
    let (hour, minute, second) = (time >> 11, time >> 5 & 63, (time & 31) * 2);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// The extra fields: kind and content of each.
fn extras(mut extra: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (kind, size) = (u16_at(extra, 0)?, usize::from(u16_at(extra, 2)?));
        let content = extra.get(4..4 + size)?;
        extra = &extra[4 + size..];
        Some((kind, content))
    })
}

/// The extra field of times that Info-ZIP writes: a byte of flags, then the mtime.
const TIMES: u16 = 0x5455;

fn unix(extra: &[u8]) -> Option<u32> {
    let (_, times) = extras(extra).find(|(kind, _)| *kind == TIMES)?;
    u32_at(times, 1)
}

/// The extra fields without the times.
fn rest(extra: &[u8]) -> Vec<u8> {
    extras(extra).filter(|(kind, _)| *kind != TIMES).flat_map(|(_, content)| content.to_vec()).collect()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn place(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32_at(bytes, at)?).ok()
}
