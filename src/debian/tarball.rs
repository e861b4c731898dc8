//! The members of a tar stream, named and nothing more.
//!
//! The `tar` crate finds the headers and checks their sums. Long names (GNU `L` and `K` members,
//! pax `path` and `linkpath`) are put together here, so that a hostile one can't fill the memory.
//! Behind the end mark only zeros may stand.

use std::io::{self, Read};

use tar::{Archive, Entry, EntryType};

use super::decode::Decoder;
use super::limits::{Excess, Limits};

/// Why a tar stream can't be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A limit was passed; the archive may be a bomb.
    #[error("the archive has {0}, which is the limit")]
    Excess(Excess),
    /// It does not decode, or its headers make no sense.
    #[error("the archive is damaged: {0}")]
    Damaged(#[source] io::Error),
    /// A feature of the format that forge does not read.
    #[error("the archive uses {0}, which forge does not read")]
    Unsupported(String),
    /// Data behind the end mark, which some programs would read and others not.
    #[error("the archive goes on behind its end mark")]
    Trailing,
}

/// A member's header, long names put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// As it stands in the archive.
    pub name: Vec<u8>,
    /// The target of a link, else empty.
    pub link: Vec<u8>,
    /// File, directory, link …
    pub kind: EntryType,
    /// The twelve permission bits.
    pub mode: u32,
}

/// Bytes of a pax header; real ones have a few hundred.
const PAX_LIMIT: u64 = 64 << 10;

/// Calls `visit` with each member and its content, in their order, and reads the stream to its end.
///
/// # Errors
/// The first of `visit`, or the [`Error`] that stops the reading.
pub fn members<E: From<Error>>(
    decoder: &mut Decoder<'_>,
    mut visit: impl FnMut(Member, &mut dyn Read) -> Result<(), E>,
) -> Result<(), E> {
    let limits = decoder.limits();
    let walked = walk(decoder, limits, &mut visit);
    match decoder.excess() {
        Some(excess) => Err(Error::Excess(excess).into()),
        None => walked,
    }
}

fn walk<E: From<Error>>(
    decoder: &mut Decoder<'_>,
    limits: Limits,
    visit: &mut impl FnMut(Member, &mut dyn Read) -> Result<(), E>,
) -> Result<(), E> {
    let mut archive = Archive::new(&mut *decoder);
    let mut long = Long::default();
    let mut count = 0;
    for entry in archive.entries().map_err(Error::Damaged)?.raw(true) {
        let mut entry = entry.map_err(Error::Damaged)?;
        count += 1;
        if count > limits.entries {
            return Err(Error::Excess(Excess::Entries(limits.entries)).into());
        }
        if !long.take(&mut entry, limits)? {
            let member = std::mem::take(&mut long).name(&entry, limits)?;
            let left = entry.size();
            visit(member, &mut Content { inner: &mut entry, left })?;
        }
    }
    Ok(only_zeros(decoder)?)
}

/// A member's content; unlike the crate's, it fails where the archive is cut off.
struct Content<'a, R> {
    inner: &'a mut R,
    left: u64,
}

impl<R: Read> Read for Content<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self.left.saturating_sub(count as u64);
        match count {
            0 if self.left > 0 && !buffer.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
            count => Ok(count),
        }
    }
}

/// Reads what stands behind the end mark: padding. This also lets the decoder check its sums.
fn only_zeros(rest: &mut impl Read) -> Result<(), Error> {
    let mut buffer = [0; 8 << 10];
    loop {
        match rest.read(&mut buffer).map_err(Error::Damaged)? {
            0 => return Ok(()),
            count if buffer[..count].iter().any(|byte| *byte != 0) => return Err(Error::Trailing),
            _ => {}
        }
    }
}

/// The long name and link target that stand before the member they belong to.
#[derive(Default)]
struct Long {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
}

impl Long {
    /// Takes in a member that only describes the next one; false for any other.
    fn take<R: Read>(&mut self, entry: &mut Entry<'_, R>, limits: Limits) -> Result<bool, Error> {
        match entry.header().entry_type() {
            EntryType::GNULongName => self.name = Some(gnu_text(entry, limits)?),
            EntryType::GNULongLink => self.link = Some(gnu_text(entry, limits)?),
            EntryType::XHeader => self.take_pax(&read(entry, PAX_LIMIT)?)?,
            EntryType::XGlobalHeader => refuse_global(&read(entry, PAX_LIMIT)?)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn take_pax(&mut self, records: &[u8]) -> Result<(), Error> {
        for (key, value) in pax(records)? {
            match key {
                "path" => self.name = Some(value.to_vec()),
                "linkpath" => self.link = Some(value.to_vec()),
                key if changes_content(key) => return Err(Error::Unsupported(format!("the pax record `{key}`"))),
                _ => {}
            }
        }
        Ok(())
    }

    fn name<R: Read>(self, entry: &Entry<'_, R>, limits: Limits) -> Result<Member, Error> {
        let header = entry.header();
        let name = self.name.unwrap_or_else(|| header.path_bytes().into_owned());
        let link = self.link.or_else(|| header.link_name_bytes().map(|link| link.into_owned())).unwrap_or_default();
        if name.len().max(link.len()) as u64 > limits.name {
            return Err(Error::Excess(Excess::Name(limits.name)));
        }
        let mode = header.mode().map_err(Error::Damaged)?;
        Ok(Member { name, link, kind: header.entry_type(), mode: mode & 0o7777 })
    }
}

/// A `size` record or a sparse map would make two programs see two contents.
fn changes_content(key: &str) -> bool {
    key == "size" || key.starts_with("GNU.sparse.")
}

/// Global records (git writes a comment) must not rename what follows.
fn refuse_global(records: &[u8]) -> Result<(), Error> {
    let renames = |key: &str| matches!(key, "path" | "linkpath") || changes_content(key);
    match pax(records)?.into_iter().find(|(key, _)| renames(key)) {
        Some((key, _)) => Err(Error::Unsupported(format!("the global pax record `{key}`"))),
        None => Ok(()),
    }
}

fn pax(records: &[u8]) -> Result<Vec<(&str, &[u8])>, Error> {
    let damaged = |error: std::str::Utf8Error| Error::Damaged(io::Error::other(error));
    tar::PaxExtensions::new(records)
        .map(|record| {
            let record = record.map_err(Error::Damaged)?;
            Ok((record.key().map_err(damaged)?, record.value_bytes()))
        })
        .collect()
}

/// The text of a GNU long name: up to its NUL.
fn gnu_text<R: Read>(entry: &mut Entry<'_, R>, limits: Limits) -> Result<Vec<u8>, Error> {
    let mut text = read(entry, limits.name + 1)?;
    text.truncate(text.iter().position(|byte| *byte == 0).unwrap_or(text.len()));
    Ok(text)
}

fn read<R: Read>(entry: &mut Entry<'_, R>, limit: u64) -> Result<Vec<u8>, Error> {
    if entry.size() > limit {
        return Err(Error::Excess(Excess::Name(limit)));
    }
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes).map_err(Error::Damaged)?;
    Ok(bytes)
}
