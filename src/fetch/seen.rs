//! What earlier runs found out about a project's files, so that unchanged ones are not read again.
//!
//! One file a project, `<store>/index/paths-<16 hex of the project's path>`. It can be deleted at any
//! time. Numbers are little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 14 | `forge paths 1\n` |
//! | section | the sources, each: digest of its specification (32), digest of the state of its directory (32), its tree (32), the size of the tree's root message (8) |
//! | section | the files, each: length of its path (4), path, stat (44: dev, ino, size, mtime, ctime, mode), digest (32) |
//!
//! A section is its length (8), the digest of its bytes (32), and the bytes. What is torn or of
//! another version counts as empty. The second section is looked at only when a source has changed.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::Path;

use super::walk::Stat;
use crate::digest::Digest;
use crate::path::RelPath;
use crate::store::Blob;

const MAGIC: &[u8] = b"forge paths 1\n";

/// A source's directory, and the tree that it came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) state: Digest,
    pub(super) tree: Blob,
}

/// A file that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct File {
    pub(super) stat: Stat,
    pub(super) digest: Digest,
    /// It may change without its stat showing it; good for this run, not written.
    pub(super) racy: bool,
}

/// The index, in memory.
#[derive(Debug, Default)]
pub(super) struct Seen {
    sources: BTreeMap<Digest, Source>,
    files: Files,
    changed: bool,
}

#[derive(Debug)]
enum Files {
    Raw(Vec<u8>),
    Parsed(HashMap<RelPath, File>),
}

impl Default for Files {
    fn default() -> Self {
        Self::Parsed(HashMap::new())
    }
}

impl Seen {
    /// Reads the file; empty when there is none, or none that is whole.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        match fs::read(path) {
            Ok(bytes) => Ok(Self::parse(&bytes).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (sources, rest) = section(bytes.strip_prefix(MAGIC)?)?;
        if Digest::of(sources.1) != sources.0 {
            return None;
        }
        let records = sources.1.chunks_exact(104).map(|record| {
            let digest = |at: usize| <[u8; 32]>::try_from(&record[at..at + 32]).ok().map(Digest::from);
            let size = u64::from_le_bytes(record[96..].try_into().ok()?);
            Some((digest(0)?, Source { state: digest(32)?, tree: Blob { digest: digest(64)?, size } }))
        });
        let sources = records.collect::<Option<_>>()?;
        Some(Self { sources, files: Files::Raw(rest.to_owned()), changed: false })
    }

    pub(super) fn source(&self, specification: &Digest) -> Option<&Source> {
        self.sources.get(specification)
    }

    pub(super) fn add_source(&mut self, specification: Digest, source: Source) {
        self.changed |= self.sources.insert(specification, source) != Some(source);
    }

    pub(super) fn file(&mut self, path: &RelPath) -> Option<&File> {
        self.files().get(path)
    }

    pub(super) fn add_file(&mut self, path: RelPath, file: File) {
        self.files().insert(path, file);
        self.changed = true;
    }

    /// Drops the files that are gone, then writes what changed, whole or not at all.
    pub(super) fn save(&mut self, path: &Path, gone: impl Fn(&RelPath) -> bool) -> io::Result<()> {
        if !self.changed {
            return Ok(());
        }
        self.files().retain(|path, file| !file.racy && !gone(path));
        let aside = path.with_extension(std::process::id().to_string());
        fs::write(&aside, self.bytes())?;
        fs::rename(&aside, path)?;
        self.changed = false;
        Ok(())
    }

    fn files(&mut self) -> &mut HashMap<RelPath, File> {
        if let Files::Raw(raw) = &self.files {
            self.files = Files::Parsed(parse_files(raw).unwrap_or_default());
        }
        match &mut self.files {
            Files::Parsed(files) => files,
            Files::Raw(_) => unreachable!("BUG: parsed above"),
        }
    }

    fn bytes(&mut self) -> Vec<u8> {
        let mut sources = Vec::new();
        for (specification, Source { state, tree }) in &self.sources {
            sources.extend([specification, state, &tree.digest].iter().flat_map(|digest| digest.bytes()));
            sources.extend(tree.size.to_le_bytes());
        }
        let sorted: BTreeMap<_, _> = self.files().iter().collect();
        let mut files = Vec::new();
        for (path, File { stat, digest, .. }) in sorted {
            let path = path.as_str().as_bytes();
            // A path is shorter than 4 GiB on every file system there is.
            #[allow(clippy::cast_possible_truncation)]
            files.extend((path.len() as u32).to_le_bytes());
            files.extend(path);
            files.extend(stat.bytes());
            files.extend(digest.bytes());
        }
        let section = |bytes: Vec<u8>| {
            let head = [&(bytes.len() as u64).to_le_bytes()[..], Digest::of(&bytes).bytes()].concat();
            [head, bytes].concat()
        };
        [MAGIC.to_owned(), section(sources), section(files)].concat()
    }
}

/// The bytes of a section and the digest they should have.
type Section<'b> = (Digest, &'b [u8]);

/// The first section, and what follows it.
fn section(bytes: &[u8]) -> Option<(Section<'_>, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let (digest, rest) = rest.split_first_chunk::<32>()?;
    let (section, rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    Some(((Digest::from(*digest), section), rest))
}

fn parse_files(raw: &[u8]) -> Option<HashMap<RelPath, File>> {
    let ((digest, mut bytes), _) = section(raw)?;
    if Digest::of(bytes) != digest {
        return None;
    }
    let mut files = HashMap::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let (path, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        let (stat, rest) = rest.split_first_chunk::<44>()?;
        let (digest, rest) = rest.split_first_chunk::<32>()?;
        let file = File { stat: Stat::from_bytes(stat), digest: Digest::from(*digest), racy: false };
        files.insert(RelPath::from_bytes(path).ok()?, file);
        bytes = rest;
    }
    Some(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen() -> Seen {
        let mut seen = Seen::default();
        let tree = Blob { digest: Digest::of(b"tree"), size: 4 };
        seen.add_source(Digest::of(b"source"), Source { state: Digest::of(b"state"), tree });
        let stat = Stat { dev: 1, ino: 2, size: 3, mtime: -4, ctime: 5, mode: 0o100_644 };
        seen.add_file(RelPath::new("a/b").expect("test"), File { stat, digest: Digest::of(b"abc"), racy: false });
        seen
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = seen().bytes();
        let mut read = Seen::parse(&bytes).expect("test");
        assert_eq!(read.sources, seen().sources);
        assert_eq!(read.files(), seen().files());
    }

    #[test]
    fn golden_bytes() {
        let bytes = seen().bytes();
        assert_eq!(&bytes[..22], b"forge paths 1\n\x68\0\0\0\0\0\0\0");
        assert_eq!(&bytes[22..54], Digest::of(&bytes[54..158]).bytes());
        assert_eq!(&bytes[158..166], [4 + 3 + 44 + 32, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(&bytes[198..209], b"\x03\0\0\0a/b\x01\0\0\0");
        assert_eq!(bytes.len(), 198 + 83);
    }

    #[test]
    fn torn_files_are_empty() {
        let bytes = seen().bytes();
        for cut in 0..bytes.len() {
            let mut read = Seen::parse(&bytes[..cut]).unwrap_or_default();
            assert!(read.files().is_empty(), "cut at {cut}");
        }
        for at in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1;
            let mut read = Seen::parse(&bytes).unwrap_or_default();
            assert!(read.sources.is_empty() || read.files().is_empty(), "flipped at {at}");
        }
    }
}
