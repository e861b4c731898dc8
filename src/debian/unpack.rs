//! From an archive to a tree: which names are taken, where they go, and what is refused.
//!
//! An entry's name is cleaned (`./usr/bin/` is `usr/bin`), stripped of leading components, moved
//! by the usr-merge, and left out if the recipe trims it. Then it must stand on directories only:
//! an entry below a link is refused, as is one that takes another's place. Devices, pipes and
//! sockets are refused. What a tree can't say is dropped: owners, times, and the bits beyond the
//! owner's x; dropped setuid and setgid bits are noted. Symlink targets are data.
//!
//! [`Rules`] say where a name goes, [`unpack`] whether it may, a [`Sink`] keeps it.

use std::collections::HashMap;
use std::io::Read;

use tar::EntryType;

use super::decode::Decoder;
use super::limits::Excess;
use super::rules::Rules;
use super::sink::{Sink, StoreSink};
use super::tarball::{self, Member, members};
use crate::path::{PathError, RelPath};
use crate::store::{self, Blob, Store};

/// Why an archive becomes no tree.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The tar stream itself.
    #[error(transparent)]
    Tar(#[from] tarball::Error),
    /// A name or link target that is absolute, leads outside, or is not UTF-8.
    #[error("an entry of the archive is refused: {0}")]
    Name(#[from] PathError),
    /// A device, pipe, socket or the like.
    #[error("`{path}` is {kind}; only files, directories and links are unpacked")]
    Special {
        /// Its place in the tree.
        path: RelPath,
        /// What it is.
        kind: String,
    },
    /// An entry that would be written through a link or into a file.
    #[error("`{path}` stands below `{above}`, which is {kind} and no directory")]
    Below {
        /// The entry.
        path: RelPath,
        /// What it would go through.
        above: String,
        /// What that is.
        kind: &'static str,
    },
    /// Two entries for one place.
    #[error("`{path}` is in the archive twice, once as {first} and once as {second}")]
    Clash {
        /// The place.
        path: RelPath,
        /// The first entry's kind.
        first: &'static str,
        /// The second entry's kind.
        second: &'static str,
    },
    /// A hard link to what does not stand before it in the archive.
    #[error("`{path}` is a hard link to `{target}`, which is no file before it in the archive")]
    Target {
        /// The link.
        path: RelPath,
        /// What it links to.
        target: RelPath,
    },
    /// A file above the components to strip, which has no place in the tree.
    #[error("`{path}` has no more than the {strip} leading components that are stripped; lower `strip`")]
    Shallow {
        /// The cleaned name.
        path: RelPath,
        /// How many are stripped.
        strip: u32,
    },
    /// A link without a target, or with one that is not text.
    #[error("the target of the link `{path}` is empty, not UTF-8 or has a NUL")]
    NoTarget {
        /// The link.
        path: RelPath,
    },
    /// The store could not keep it.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// What was found and is not in the tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// Files whose setuid or setgid bit was dropped.
    pub setuid: Vec<RelPath>,
}

/// Unpacks a tar stream into `sink`.
///
/// # Errors
/// The first entry that is refused; what the sink holds by then is worthless.
pub fn unpack(decoder: &mut Decoder<'_>, rules: &Rules, sink: &mut dyn Sink) -> Result<Notes, Error> {
    let name_limit = decoder.limits().name;
    let mut unpacker = Unpacker { rules, sink, seen: HashMap::new(), notes: Notes::default(), name_limit };
    members(decoder, |member, content| unpacker.entry(&member, content))?;
    Ok(unpacker.notes)
}

/// Unpacks a tar stream into the store.
///
/// # Errors
/// As [`unpack`].
pub fn into_store(decoder: &mut Decoder<'_>, rules: &Rules, store: &Store) -> Result<(Blob, Notes), Error> {
    let mut sink = StoreSink::new(store);
    let notes = unpack(decoder, rules, &mut sink)?;
    Ok((sink.finish()?, notes))
}

/// What stands at a place.
enum Kind {
    Directory,
    File,
    Symlink(String),
}

impl Kind {
    fn noun(&self) -> &'static str {
        match self {
            Self::Directory => "a directory",
            Self::File => "a file",
            Self::Symlink(_) => "a symlink",
        }
    }
}

struct Unpacker<'a> {
    rules: &'a Rules,
    sink: &'a mut dyn Sink,
    seen: HashMap<String, Kind>,
    notes: Notes,
    name_limit: u64,
}

impl Unpacker<'_> {
    fn entry(&mut self, member: &Member, content: &mut dyn Read) -> Result<(), Error> {
        if member.kind.is_symlink() && self.rules.is_merge_link(member) {
            return Ok(());
        }
        let Some(path) = self.rules.place(&member.name, member.kind.is_dir())? else { return Ok(()) };
        if path.as_str().len() as u64 > self.name_limit {
            return Err(tarball::Error::Excess(Excess::Name(self.name_limit)).into());
        }
        if self.rules.trims(&path) {
            return Ok(());
        }
        match member.kind {
            EntryType::Directory => self.directory(&path),
            EntryType::Regular => self.file(&path, member.mode, content),
            EntryType::Symlink => self.symlink(path, &member.link),
            EntryType::Link => self.hard_link(path, &member.link),
            other => Err(Error::Special { path, kind: noun(other) }),
        }
    }

    fn directory(&mut self, path: &RelPath) -> Result<(), Error> {
        if !matches!(self.seen.get(path.as_str()), Some(Kind::Directory)) {
            self.claim(path, Kind::Directory)?;
        }
        self.sink.directory(path)
    }

    fn file(&mut self, path: &RelPath, mode: u32, content: &mut dyn Read) -> Result<(), Error> {
        self.claim(path, Kind::File)?;
        if mode & 0o6000 != 0 {
            self.notes.setuid.push(path.clone());
        }
        self.sink.file(path, mode & 0o100 != 0, content)
    }

    fn symlink(&mut self, path: RelPath, target: &[u8]) -> Result<(), Error> {
        match std::str::from_utf8(target) {
            Ok(target) if !target.is_empty() && !target.contains('\0') => {
                self.claim(&path, Kind::Symlink(target.to_owned()))?;
                self.sink.symlink(&path, target)
            }
            _ => Err(Error::NoTarget { path }),
        }
    }

    fn hard_link(&mut self, path: RelPath, target: &[u8]) -> Result<(), Error> {
        let Some(target) = self.rules.place(target, false)? else { return Err(Error::NoTarget { path }) };
        match self.seen.get(target.as_str()) {
            Some(Kind::File) => {
                self.claim(&path, Kind::File)?;
                self.sink.again(&path, &target)
            }
            Some(Kind::Symlink(text)) => {
                let text = text.clone();
                self.symlink(path, text.as_bytes())
            }
            Some(Kind::Directory) | None => Err(Error::Target { path, target }),
        }
    }

    /// Takes a place that must be free and stand on directories.
    fn claim(&mut self, path: &RelPath, kind: Kind) -> Result<(), Error> {
        for (end, _) in path.as_str().match_indices('/') {
            let above = &path.as_str()[..end];
            match self.seen.get(above) {
                Some(Kind::Directory) => {}
                None => drop(self.seen.insert(above.to_owned(), Kind::Directory)),
                Some(other) => {
                    return Err(Error::Below { path: path.clone(), above: above.to_owned(), kind: other.noun() });
                }
            }
        }
        let second = kind.noun();
        match self.seen.insert(path.as_str().to_owned(), kind) {
            Some(first) => Err(Error::Clash { path: path.clone(), first: first.noun(), second }),
            None => Ok(()),
        }
    }
}

fn noun(kind: EntryType) -> String {
    match kind {
        EntryType::Char => "a character device".to_owned(),
        EntryType::Block => "a block device".to_owned(),
        EntryType::Fifo => "a named pipe".to_owned(),
        EntryType::GNUSparse => "a sparse file".to_owned(),
        other => format!("an entry of type `{}`", other.as_byte().escape_ascii()),
    }
}

#[cfg(test)]
mod tests;
