//! cpio of the kinds `newc` and `crc`, as initramfs images are; several may stand in a row.
//!
//! | bytes | content |
//! |---|---|
//! | 6 | `070701` or `070702` |
//! | 13 × 8 | hexadecimal: ino, mode, uid, gid, nlink, mtime, size, dev, rdev (major and minor each), length of the name, sum |
//! | n | name with its NUL, then zeros up to a multiple of four |
//! | size | content, then zeros up to a multiple of four |
//!
//! The last member is called `TRAILER!!!`. What the kernel is given may go on behind it, after
//! zeros, with another archive or a compressed one: that is the member `(behind)`.

use super::{time, too_many};
use crate::compare::Limits;
use crate::compare::parts::{Fields, Member, Parts};

const MAGIC: [&[u8]; 2] = [b"070701", b"070702"];
const NUMBERS: usize = 13;
const HEADER: usize = 6 + NUMBERS * 8;
const TRAILER: &[u8] = b"TRAILER!!!";

pub(super) fn open<'a>(content: &'a [u8], limits: &Limits) -> Result<Parts<'a>, String> {
    let mut members = Vec::new();
    let mut at = 0;
    while content.get(at..).is_some_and(|rest| MAGIC.iter().any(|magic| rest.starts_with(magic))) {
        if members.len() >= limits.members {
            return Err(too_many(limits));
        }
        let (member, end) = member(content, at).ok_or_else(|| format!("the member at byte {at} is malformed"))?;
        at = if member.name.as_bytes() == TRAILER { behind_zeros(content, end) } else { end };
        members.push(member);
    }
    match content.get(at..) {
        Some(rest) if rest.iter().any(|byte| *byte != 0) => members.push(Member::new(b"(behind)", Vec::new(), rest)),
        _ => {}
    }
    Ok(Parts { fields: Vec::new(), members })
}

/// The member that starts at a byte, and where the next one does.
fn member(content: &[u8], at: usize) -> Option<(Member<'_>, usize)> {
    let header = content.get(at..at + HEADER)?;
    let mut numbers = [0; NUMBERS];
    for (number, digits) in numbers.iter_mut().zip(header[6..].chunks_exact(8)) {
        *number = u32::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    }
    let [.., size, _, _, _, _, name_size, _] = numbers.map(|number| number as usize);
    let name_at = at + HEADER;
    let name = content.get(name_at..name_at.checked_add(name_size)?)?.strip_suffix(b"\0")?;
    let start = (name_at + name_size).next_multiple_of(4);
    let end = start.checked_add(size)?;
    let bytes = content.get(start..end)?;
    Some((Member::new(name, fields(&numbers), bytes), end.next_multiple_of(4)))
}

fn fields(numbers: &[u32; NUMBERS]) -> Fields {
    let [ino, mode, uid, gid, links, mtime, _, dev_major, dev_minor, major, minor, _, sum] = *numbers;
    vec![
        ("the inode", ino.to_string()),
        ("the mode", format!("{mode:06o}")),
        ("the owner", uid.to_string()),
        ("the group", gid.to_string()),
        ("the link count", links.to_string()),
        ("the mtime", time(mtime.into())),
        ("the file system", format!("{dev_major}:{dev_minor}")),
        ("the device", format!("{major}:{minor}")),
        ("the checksum", format!("{sum:#x}")),
    ]
}

fn behind_zeros(content: &[u8], at: usize) -> usize {
    let rest = content.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| *byte != 0).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, mtime: u32, content: &str) -> String {
        let numbers = [1, 0o100_644, 0, 0, 1, mtime, content.len() as u32, 8, 1, 0, 0, name.len() as u32 + 1, 0];
        let header: String = numbers.iter().map(|number| format!("{number:08x}")).collect();
        let pad = |text: String| text.clone() + &"\0".repeat(text.len().next_multiple_of(4) - text.len());
        pad(pad(format!("070701{header}{name}\0")) + content)
    }

    #[test]
    fn archives_stand_in_a_row() {
        let trailer = member("TRAILER!!!", 0, "") + &"\0".repeat(300);
        let archive = [member("init", 7, "hello"), trailer.clone(), member("bin", 0, ""), trailer, "rest".to_owned()];
        let archive = archive.concat();
        let parts = open(archive.as_bytes(), &Limits::default()).expect("sound");
        let names: Vec<_> = parts.members.iter().map(|member| member.name.as_str()).collect();
        assert_eq!(names, ["init", "TRAILER!!!", "bin", "TRAILER!!!", "(behind)"]);
        assert_eq!(parts.members[0].fields[5], ("the mtime", "7 = 1970-01-01T00:00:07Z".to_owned()));
    }

    #[test]
    fn what_is_cut_off_is_refused() {
        let archive = member("init", 7, "hello");
        for length in 7..archive.len() - 3 {
            let error = open(&archive.as_bytes()[..length], &Limits::default()).expect_err("cut off");
            assert_eq!(error, "the member at byte 0 is malformed", "{length}");
        }
    }
}
