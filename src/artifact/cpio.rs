//! A tree as a cpio archive of the form `newc`, which kernels unpack as their first root file system.
//!
//! Each entry is a header of 110 bytes, its name with a zero byte, padding to four bytes, content, padding to four bytes.
//! The header is `070701` and thirteen numbers of eight hex digits: inode, mode, user, group, links, time, size, four
//! device numbers, the length of the name with its zero byte, and 0. The end is an entry `TRAILER!!!`, and the archive is
//! padded to 512 bytes.
//!
//! Entries stand in the order of a walk that sorts each folder by the bytes of its names; a folder comes before what is
//! in it. Names are relative, without `./`, and there is no entry for the top. Inodes count from 0, a folder has two
//! links and all else one, owners and devices are 0, times are 1980-01-02; a symlink's content is its target. That is what
//! GNU `cpio -o -H newc --reproducible -R +0:+0` writes of files with that time, in that order, but for folders in folders,
//! of which it counts links.
//!
//! Source: `Documentation/driver-api/early-userspace/buffer-format.rst` of Linux 6.12.

use std::io::{self, Read, Write};

use super::{Error, files};
use crate::digest::Digest;
use crate::path::RelPath;
use crate::store::{MTIME, Node, Store};

/// What a header starts with.
const MAGIC: &str = "070701";
/// The name of the last entry.
const END: &str = "TRAILER!!!";
/// What the archive is padded to.
const BLOCK: u64 = 512;

/// Writes the tree `top`.
///
/// # Errors
/// Where `out` or the store fails, and for a file of 4 GiB.
pub fn write<W: Write>(store: &Store, top: &Digest, out: W) -> Result<W, Error> {
    let mut archive = Archive { store, out, inode: 0, written: 0 };
    archive.folder(None, top)?;
    let end = Header { links: 1, ..Header::default() };
    archive.entry(&end, END, &mut io::empty())?;
    archive.pad(BLOCK)?;
    Ok(archive.out)
}

/// What a header says that is not the same in all.
#[derive(Default)]
struct Header {
    inode: u32,
    mode: u32,
    links: u32,
    time: i64,
    size: u64,
}

struct Archive<'a, W> {
    store: &'a Store,
    out: W,
    inode: u32,
    written: u64,
}

impl<W: Write> Archive<'_, W> {
    fn folder(&mut self, at: Option<&RelPath>, digest: &Digest) -> Result<(), Error> {
        for (name, node) in self.store.directory(digest)?.entries {
            let name = files::path(&name)?;
            let path = at.map_or_else(|| name.clone(), |at| at.join(&name));
            self.node(&path, &node)?;
            if let Node::Directory(blob) = &node {
                self.folder(Some(&path), &blob.digest)?;
            }
        }
        Ok(())
    }

    fn node(&mut self, path: &RelPath, node: &Node) -> Result<(), Error> {
        let (mode, links, size) = match node {
            Node::File { blob, executable } => (if *executable { 0o100_755 } else { 0o100_644 }, 1, blob.size),
            Node::Directory(_) => (0o040_755, 2, 0),
            Node::Symlink(target) => (0o120_777, 1, target.len() as u64),
        };
        let header = Header { inode: self.inode, mode, links, time: MTIME, size };
        self.inode += 1;
        match node {
            Node::File { blob, .. } => self.entry(&header, path.as_str(), &mut self.store.open_file(blob)?),
            Node::Directory(_) => self.entry(&header, path.as_str(), &mut io::empty()),
            Node::Symlink(target) => self.entry(&header, path.as_str(), &mut target.as_bytes()),
        }
    }

    fn entry(&mut self, header: &Header, name: &str, content: &mut dyn Read) -> Result<(), Error> {
        let Header { inode, mode, links, time, size } = header;
        let size = u32::try_from(*size).map_err(|_| Error::Refused(format!("{name}: too large for an initramfs")))?;
        let length = name.len() + 1;
        let head = format!(
            "{MAGIC}{inode:08X}{mode:08X}{owner}{links:08X}{time:08X}{size:08X}{devices}{length:08X}{check}{name}\0",
            owner = "0".repeat(16),
            devices = "0".repeat(32),
            check = "0".repeat(8),
        );
        let failed = |error: io::Error| Error::Refused(format!("{name}: {error}"));
        self.put(head.as_bytes()).map_err(failed)?;
        self.pad(4)?;
        self.written += io::copy(content, &mut self.out).map_err(failed)?;
        self.pad(4)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.written += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    fn pad(&mut self, to: u64) -> Result<(), Error> {
        let lacking = usize::try_from(self.written.next_multiple_of(to) - self.written).unwrap_or_default();
        self.put(&vec![0; lacking]).map_err(|error| Error::Refused(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::TreeBuilder;

    /// The archive of a tree with an entry of every kind.
    fn archive() -> Vec<u8> {
        let directory = tempfile::tempdir().expect("tempdir");
        let store = Store::open(&directory.path().join("store")).expect("store");
        let path = |text: &str| RelPath::new(text).expect(text);
        let mut tree = TreeBuilder::new();
        tree.file(&path("init"), store.put(b"#!/bin/sh\n").expect("puts"), true).expect("fits");
        tree.file(&path("d/file"), store.put(b"text\n").expect("puts"), false).expect("fits");
        tree.file(&path("d.x"), store.put(b"").expect("puts"), false).expect("fits");
        tree.symlink(&path("link"), "d/file").expect("fits");
        let tree = tree.finish(&store).expect("stores");
        write(&store, &tree.digest, Vec::new()).expect("writes")
    }

    #[test]
    fn a_header_is_as_the_format_says() {
        let bytes = archive();
        let head = "07070100000000000041ED00000000000000000000000212CFF780000000000000000000000000000000000000000000000002\
                    00000000d\0";
        assert_eq!(String::from_utf8_lossy(&bytes[..112]), head);
        assert_eq!(bytes.len() % 512, 0);
    }

    /// Made once by GNU cpio 2.13 of Debian 12, of the same files with the same time:
    /// `printf 'd\nd/file\nd.x\ninit\nlink\n' | cpio -o -H newc --reproducible -R +0:+0 | sha256sum`.
    #[test]
    fn the_bytes_are_those_of_gnu_cpio() {
        assert_eq!(Digest::of(&archive()).hex(), "f6da84976d8104ceff83c7fed32366f5b338ace60cdcb27521da50c792f125c2");
    }
}
