//! tar: ustar, GNU and pax, read by the `tar` crate, which puts long names in.

use std::io::{self, Cursor, Read};

use tar::{Archive, Entry};

use super::{time, too_many};
use crate::compare::Limits;
use crate::compare::parts::{Fields, Member, Parts};

pub(super) fn open<'a>(content: &'a [u8], limits: &Limits) -> Result<Parts<'a>, String> {
    read(content, limits).map_err(|error| error.to_string())
}

fn read<'a>(content: &'a [u8], limits: &Limits) -> io::Result<Parts<'a>> {
    let mut archive = Archive::new(Cursor::new(content));
    let mut parts = Parts::default();
    for entry in archive.entries_with_seek()? {
        if parts.members.len() >= limits.members {
            return Err(io::Error::other(too_many(limits)));
        }
        parts.members.push(member(content, &mut entry?)?);
    }
    Ok(parts)
}

fn member<'a, R: Read>(content: &'a [u8], entry: &mut Entry<'_, R>) -> io::Result<Member<'a>> {
    let name = entry.path_bytes().into_owned();
    let start = usize::try_from(entry.raw_file_position()).ok();
    let size = usize::try_from(stored(entry)?).ok();
    let range = start.zip(size).and_then(|(start, size)| Some(start..start.checked_add(size)?));
    let bytes = range.and_then(|range| content.get(range)).ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok(Member::new(&name, fields(entry)?, bytes))
}

/// How many bytes stand in the archive: fewer than the file has, if it is sparse.
fn stored<R: Read>(entry: &Entry<'_, R>) -> io::Result<u64> {
    if entry.header().entry_type().is_gnu_sparse() { entry.header().entry_size() } else { Ok(entry.size()) }
}

/// The facts of a header; writers leave fields empty, and what is no number has no meaning.
fn fields<R: Read>(entry: &mut Entry<'_, R>) -> io::Result<Fields> {
    let records = pax(entry)?;
    let header = entry.header();
    let number = |number: io::Result<u64>| number.map_or_else(|_| "none".to_owned(), |number| number.to_string());
    let part = |number: io::Result<Option<u32>>| number.ok().flatten().unwrap_or_default();
    let owner = |id, name: Option<&[u8]>| {
        format!("{} {}", number(id), name.unwrap_or_default().escape_ascii()).trim_end().to_owned()
    };
    let link = entry.link_name_bytes().map(|link| link.escape_ascii().to_string());
    Ok(vec![
        ("the type", format!("{:?}", header.entry_type())),
        ("the format", format(header).to_owned()),
        ("the mode", header.mode().map_or_else(|_| "none".to_owned(), |mode| format!("{mode:04o}"))),
        ("the owner", owner(header.uid(), header.username_bytes())),
        ("the group", owner(header.gid(), header.groupname_bytes())),
        ("the mtime", header.mtime().map_or_else(|_| "none".to_owned(), time)),
        ("the link's target", link.unwrap_or_default()),
        ("the device", format!("{}:{}", part(header.device_major()), part(header.device_minor()))),
        ("the pax records", records),
    ])
}

fn format(header: &tar::Header) -> &'static str {
    match (header.as_gnu(), header.as_ustar()) {
        (Some(_), _) => "GNU",
        (_, Some(_)) => "ustar",
        _ => "old",
    }
}

/// Records that are no part of other facts: times of fractions of a second, attributes …
fn pax<R: Read>(entry: &mut Entry<'_, R>) -> io::Result<String> {
    let Some(records) = entry.pax_extensions()? else { return Ok(String::new()) };
    let mut texts = Vec::new();
    for record in records {
        let record = record?;
        let (key, value) = (record.key_bytes(), record.value_bytes());
        if !matches!(key, b"path" | b"linkpath") {
            texts.push(format!("{}={}", key.escape_ascii(), value.escape_ascii()));
        }
    }
    Ok(texts.join(" "))
}
