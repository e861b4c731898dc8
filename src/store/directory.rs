//! One directory of a tree, as a canonical REAPI v2 `Directory` message.
//!
//! A tree is a Merkle tree: a directory's digest is the SHA-256 of its message, and its message
//! holds the digests of what is in it. Field numbers are those of
//! `build.bazel.remote.execution.v2` (remote_execution.proto of bazelbuild/remote-apis):
//!
//! | message | fields |
//! |---|---|
//! | `Directory` | `files` = 1, `directories` = 2, `symlinks` = 3 |
//! | `FileNode` | `name` = 1, `digest` = 2, `is_executable` = 4 |
//! | `DirectoryNode` | `name` = 1, `digest` = 2 |
//! | `SymlinkNode` | `name` = 1, `target` = 2 |
//! | `Digest` | `hash` = 1 (64 lower-case hex digits), `size_bytes` = 2 |
//!
//! Canonical: each list sorted by the bytes of its names, no name twice, fields in the order of
//! their numbers, default values left out, nothing unknown. Times, owners and other modes are
//! never written, so that one tree has one digest.

use std::collections::BTreeMap;

use prost::Message;

use super::{Blob, Output};
use crate::digest::Digest;

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A regular file.
    File {
        /// Its content.
        blob: Blob,
        /// Whether its mode is 0755 (else 0644).
        executable: bool,
    },
    /// A directory: the blob of its message.
    Directory(Blob),
    /// A symbolic link and its target, kept as it is: absolute and dangling ones are normal.
    Symlink(String),
}

impl From<Output> for Node {
    fn from(output: Output) -> Self {
        match output {
            Output::File { blob, executable } => Self::File { blob, executable },
            Output::Tree(blob) => Self::Directory(blob),
        }
    }
}

/// A directory: names and what they stand for, sorted by the bytes of the names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    /// The entries. A name is not empty, `.` or `..` and has no `/` or NUL.
    pub entries: BTreeMap<String, Node>,
}

/// Why bytes are not a canonical Directory message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCanonical {
    /// No protobuf message of this kind.
    #[error("it does not decode: {0}")]
    Wire(String),
    /// A name that could lead elsewhere.
    #[error("`{0}` is no name of an entry")]
    Name(String),
    /// A name in more than one list or more than once.
    #[error("`{0}` stands in it twice")]
    Twice(String),
    /// A digest that is none, or a negative size.
    #[error("the digest of `{0}` is malformed")]
    Digest(String),
    /// A symlink to nothing.
    #[error("the symlink `{0}` has an empty target")]
    EmptyTarget(String),
    /// The same entries are written otherwise.
    #[error("it is written in another way than the canonical one (order, unknown or default fields)")]
    Encoding,
}

impl Directory {
    /// The canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut message = wire::Directory::default();
        for (name, node) in &self.entries {
            let name = name.clone();
            match node {
                Node::File { blob, executable } => {
                    message.files.push(wire::FileNode { name, digest: wire(blob), is_executable: *executable });
                }
                Node::Directory(blob) => message.directories.push(wire::DirectoryNode { name, digest: wire(blob) }),
                Node::Symlink(target) => message.symlinks.push(wire::SymlinkNode { name, target: target.clone() }),
            }
        }
        message.encode_to_vec()
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    /// For every other way to write a directory, so that one tree has one digest.
    pub fn decode(bytes: &[u8]) -> Result<Self, NotCanonical> {
        let message = wire::Directory::decode(bytes).map_err(|error| NotCanonical::Wire(error.to_string()))?;
        let mut directory = Self::default();
        for wire::FileNode { name, digest, is_executable } in message.files {
            let blob = unwire(&name, digest)?;
            directory.insert(name, Node::File { blob, executable: is_executable })?;
        }
        for wire::DirectoryNode { name, digest } in message.directories {
            let blob = unwire(&name, digest)?;
            directory.insert(name, Node::Directory(blob))?;
        }
        for wire::SymlinkNode { name, target } in message.symlinks {
            if target.is_empty() || target.contains('\0') {
                return Err(NotCanonical::EmptyTarget(name));
            }
            directory.insert(name, Node::Symlink(target))?;
        }
        if directory.encode() == bytes { Ok(directory) } else { Err(NotCanonical::Encoding) }
    }

    fn insert(&mut self, name: String, node: Node) -> Result<(), NotCanonical> {
        if matches!(name.as_str(), "" | "." | "..") || name.contains(['/', '\0']) {
            return Err(NotCanonical::Name(name));
        }
        match self.entries.insert(name.clone(), node) {
            None => Ok(()),
            Some(_) => Err(NotCanonical::Twice(name)),
        }
    }
}

fn wire(blob: &Blob) -> Option<wire::Digest> {
    let size_bytes = i64::try_from(blob.size).expect("BUG: a file larger than a file can be");
    Some(wire::Digest { hash: blob.digest.hex(), size_bytes })
}

fn unwire(name: &str, digest: Option<wire::Digest>) -> Result<Blob, NotCanonical> {
    let parse = |wire: wire::Digest| -> Option<Blob> {
        let digest: Digest = wire.hash.parse().ok()?;
        Some(Blob { digest, size: wire.size_bytes.try_into().ok()? })
    };
    digest.and_then(parse).ok_or_else(|| NotCanonical::Digest(name.to_owned()))
}

/// The messages themselves.
mod wire {
    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Directory {
        #[prost(message, repeated, tag = "1")]
        pub files: Vec<FileNode>,
        #[prost(message, repeated, tag = "2")]
        pub directories: Vec<DirectoryNode>,
        #[prost(message, repeated, tag = "3")]
        pub symlinks: Vec<SymlinkNode>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct FileNode {
        #[prost(string, tag = "1")]
        pub name: String,
        #[prost(message, optional, tag = "2")]
        pub digest: Option<Digest>,
        #[prost(bool, tag = "4")]
        pub is_executable: bool,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct DirectoryNode {
        #[prost(string, tag = "1")]
        pub name: String,
        #[prost(message, optional, tag = "2")]
        pub digest: Option<Digest>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct SymlinkNode {
        #[prost(string, tag = "1")]
        pub name: String,
        #[prost(string, tag = "2")]
        pub target: String,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Digest {
        #[prost(string, tag = "1")]
        pub hash: String,
        #[prost(int64, tag = "2")]
        pub size_bytes: i64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(bytes: &[u8]) -> Blob {
        Blob { digest: Digest::of(bytes), size: bytes.len() as u64 }
    }

    fn sample() -> Directory {
        let entries = [
            ("b", Node::File { blob: blob(b"x"), executable: true }),
            ("a", Node::File { blob: blob(b""), executable: false }),
            ("d", Node::Directory(blob(b""))),
            ("l", Node::Symlink("/no/where".to_owned())),
        ];
        Directory { entries: entries.into_iter().map(|(name, node)| (name.to_owned(), node)).collect() }
    }

    /// Written out by hand from the .proto: tag, length, value.
    #[test]
    fn golden_bytes() {
        let mut want = Vec::new();
        let (empty, x) = (Digest::of(b"").hex(), Digest::of(b"x").hex());
        want.extend(b"\x0a\x47\x0a\x01a\x12\x42\x0a\x40");
        want.extend(empty.bytes());
        want.extend(b"\x0a\x4b\x0a\x01b\x12\x44\x0a\x40");
        want.extend(x.bytes());
        want.extend(b"\x10\x01\x20\x01");
        want.extend(b"\x12\x47\x0a\x01d\x12\x42\x0a\x40");
        want.extend(empty.bytes());
        want.extend(b"\x1a\x0e\x0a\x01l\x12\x09/no/where");
        assert_eq!(sample().encode(), want);
        assert_eq!(Directory::decode(&want), Ok(sample()));
        assert_eq!(Directory::default().encode(), b"");
    }

    #[test]
    fn refuses_what_is_not_canonical() {
        let link = |name: &str, target: &str| {
            let (n, t) = (name.len() as u8, target.len() as u8);
            [&[0x1a, n + t + 4, 0x0a, n][..], name.as_bytes(), &[0x12, t], target.as_bytes()].concat()
        };
        let file = |hash: &str| {
            let n = hash.len() as u8;
            [&[0x0a, n + 7, 0x0a, 1, b'f', 0x12, n + 2, 0x0a, n][..], hash.as_bytes()].concat()
        };
        let hex = Digest::of(b"").hex();
        assert!(Directory::decode(&file(&hex)).is_ok());
        assert!(Directory::decode(&link("l", "t")).is_ok());
        let bad = [
            ("order", [link("b", "t"), link("a", "t")].concat()),
            ("twice", [link("a", "t"), link("a", "t")].concat()),
            ("two lists", [file(&hex), link("f", "t")].concat()),
            ("lists swapped", [link("l", "t"), file(&hex)].concat()),
            ("empty name", link("", "t")),
            ("dots", link("..", "t")),
            ("slash", link("a/b", "t")),
            ("nul", link("a\0", "t")),
            ("no target", link("l", "")),
            ("upper-case hash", file(&hex.to_uppercase())),
            ("prefixed hash", file(&Digest::of(b"").to_string())),
            ("short hash", file(&hex[1..])),
            ("unknown field", [link("l", "t"), vec![0x2a, 0]].concat()),
            ("truncated", file(&hex)[..20].to_vec()),
            ("no digest", vec![0x0a, 3, 0x0a, 1, b'f']),
        ];
        for (what, bytes) in bad {
            assert!(Directory::decode(&bytes).is_err(), "{what}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_decodes_encodes_to_the_same(bytes: Vec<u8>) {
            if let Ok(directory) = Directory::decode(&bytes) {
                proptest::prop_assert_eq!(directory.encode(), bytes);
            }
        }
    }
}
