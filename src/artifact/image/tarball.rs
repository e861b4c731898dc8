//! A tree as a tar archive that has one form: POSIX ustar, with PAX records only where ustar has no room.
//!
//! Entries stand in the order of a walk that sorts each folder by the bytes of its names; a folder comes before what is
//! in it. Names are relative, folders end in `/`. Owners are numbers, times are 1980-01-02, and hard links become
//! files. PAX records: `path` and `linkpath` for names of more than ustar's 100 (or 155 and 100) bytes,
//! `SCHILY.xattr.security.capability` for capabilities. The archive ends with two empty blocks and no padding.
//!
//! Source: pax(1), "pax Interchange Format" and "ustar Interchange Format".

use std::collections::BTreeMap;
use std::io::{self, Write};

use tar::{Builder, EntryType, Header};

use super::super::{Error, files};
use super::{capability, failed};
use crate::digest::Digest;
use crate::path::RelPath;
use crate::recipe::Attributes;
use crate::store::{MTIME, Node, Store};

/// The record of a file's capabilities.
const CAPABILITIES: &str = "SCHILY.xattr.security.capability";

/// Writes a tree, whose files have `attributes` where these are not as usual.
///
/// # Errors
/// Where `out` or the store fails.
pub(super) fn write<W: Write>(
    store: &Store,
    tree: &Digest,
    attributes: &BTreeMap<RelPath, Attributes>,
    out: W,
) -> Result<W, Error> {
    let mut archive = Archive { store, attributes, tar: Builder::new(out) };
    archive.folder(None, tree)?;
    archive.tar.into_inner().map_err(failed(store))
}

struct Archive<'a, W: Write> {
    store: &'a Store,
    attributes: &'a BTreeMap<RelPath, Attributes>,
    tar: Builder<W>,
}

impl<W: Write> Archive<'_, W> {
    fn folder(&mut self, at: Option<&RelPath>, digest: &Digest) -> Result<(), Error> {
        for (name, node) in self.store.directory(digest)?.entries {
            let name = files::path(&name)?;
            let path = at.map_or_else(|| name.clone(), |at| at.join(&name));
            self.entry(&path, &node)?;
            if let Node::Directory(blob) = &node {
                self.folder(Some(&path), &blob.digest)?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, path: &RelPath, node: &Node) -> Result<(), Error> {
        let (kind, mode, size) = match node {
            Node::File { blob, executable } => (EntryType::Regular, if *executable { 0o755 } else { 0o644 }, blob.size),
            Node::Directory(_) => (EntryType::Directory, 0o755, 0),
            Node::Symlink(_) => (EntryType::Symlink, 0o777, 0),
        };
        let own = self.attributes.get(path).cloned().unwrap_or_default();
        let mut header = header(kind, size);
        header.set_mode(own.mode.filter(|_| kind != EntryType::Symlink).unwrap_or(mode));
        header.set_uid(own.uid.into());
        header.set_gid(own.gid.into());
        let mut records = BTreeMap::new();
        let name = if kind == EntryType::Directory { format!("{path}/") } else { path.to_string() };
        if header.set_path(&name).is_err() {
            records.insert("path", name.into_bytes());
        }
        if let Node::Symlink(target) = node
            && header.set_link_name_literal(target).is_err()
        {
            records.insert("linkpath", target.clone().into_bytes());
        }
        if !own.capabilities.is_empty() {
            records.insert(CAPABILITIES, capability::attribute(&own.capabilities));
        }
        self.append(header, &records, node)
    }

    fn append(&mut self, mut header: Header, records: &BTreeMap<&str, Vec<u8>>, node: &Node) -> Result<(), Error> {
        let failed = failed(self.store);
        if !records.is_empty() {
            let records: Vec<u8> = records.iter().flat_map(|(key, value)| record(key, value)).collect();
            let mut extended = self::header(EntryType::XHeader, records.len() as u64);
            extended.set_mode(0o644);
            extended.set_path("pax").map_err(&failed)?;
            extended.set_cksum();
            self.tar.append(&extended, &records[..]).map_err(&failed)?;
        }
        header.set_cksum();
        match node {
            Node::File { blob, .. } => self.tar.append(&header, self.store.open_file(blob)?),
            Node::Directory(_) | Node::Symlink(_) => self.tar.append(&header, io::empty()),
        }
        .map_err(&failed)
    }
}

fn header(kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(MTIME.unsigned_abs());
    header
}

/// `<length> <key>=<value>\n`, where the length counts itself.
fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + " =\n".len();
    let mut length = rest;
    while rest + length.to_string().len() != length {
        length = rest + length.to_string().len();
    }
    [format!("{length} {key}=").as_bytes(), value, b"\n"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::TreeBuilder;

    fn path(text: &str) -> RelPath {
        RelPath::new(text).expect(text)
    }

    /// The archive of a tree with an entry of every kind.
    fn archive() -> Vec<u8> {
        let directory = tempfile::tempdir().expect("tempdir");
        let store = Store::open(&directory.path().join("store")).expect("store");
        let blob = store.put(b"text").expect("puts");
        let mut tree = TreeBuilder::new();
        tree.file(&path("d/f"), blob, false).expect("fits");
        tree.file(&path("d.x"), blob, true).expect("fits");
        tree.file(&path(&"long/".repeat(60)[..299]), blob, false).expect("fits");
        tree.symlink(&path("l"), &"../".repeat(50)).expect("fits");
        let tree = tree.finish(&store).expect("stores");
        let own = |mode, capabilities: &[&str]| Attributes {
            uid: 10,
            gid: 20,
            mode,
            capabilities: capabilities.iter().map(|one| (*one).to_owned()).collect(),
        };
        let attributes = [(path("d"), own(Some(0o2750), &[])), (path("d.x"), own(None, &["cap_net_raw"]))];
        write(&store, &tree.digest, &attributes.into(), Vec::new()).expect("writes")
    }

    #[test]
    fn an_archive_is_read_back() {
        let bytes = archive();
        let mut archive = tar::Archive::new(&bytes[..]);
        let mut lines = Vec::new();
        for entry in archive.entries().expect("an archive") {
            let mut entry = entry.expect("an entry");
            let pax: Vec<String> = entry
                .pax_extensions()
                .expect("records")
                .into_iter()
                .flatten()
                .map(|record| record.expect("a record").key().expect("UTF-8").to_owned())
                .collect();
            let (header, name) = (entry.header(), entry.path().expect("a path").display().to_string());
            let (uid, gid) = (header.uid().expect("uid"), header.gid().expect("gid"));
            let mode = header.mode().expect("mode");
            lines.push(format!(
                "{} {mode:o} {uid}:{gid} {} {}",
                &name[..name.len().min(12)],
                name.len(),
                pax.join(",")
            ));
        }
        let expected = [
            "d/ 2750 10:20 2 ",
            "d/f 644 0:0 3 ",
            "d.x 755 10:20 3 SCHILY.xattr.security.capability",
            "l 777 0:0 1 linkpath",
        ];
        assert_eq!(lines.iter().filter(|line| !line.starts_with("long")).collect::<Vec<_>>(), expected.each_ref());
        assert_eq!(lines.last().map(String::as_str), Some("long/long/lo 644 0:0 299 path"), "{lines:?}");
    }

    #[test]
    fn golden_bytes() {
        assert_eq!(
            Digest::of(&archive()).hex(),
            "c5d64cb5af9536c8a6eae879a283c60250290b856bb6a8ec71554b7f4aba032b",
            "another layer for every image: was it meant?"
        );
    }

    #[test]
    fn a_record_counts_its_own_length() {
        for (value, want) in [("", "5 k=\n"), ("abc", "8 k=abc\n"), ("abcd", "9 k=abcd\n"), ("abcde", "11 k=abcde\n")] {
            assert_eq!(record("k", value.as_bytes()), want.as_bytes());
        }
    }
}
