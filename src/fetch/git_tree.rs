//! The tree of a commit, put together in the store from raw blobs.

use std::io::{self, BufRead, BufReader, Read};

use super::Error;
use super::git::Repository;
use crate::path::RelPath;
use crate::store::{Blob, Store, TreeBuilder};

/// The longest symlink target; the kernel takes no longer path.
const TARGET_MAX: u64 = 4096;

/// A commit that was fetched.
pub(super) struct Commit<'a> {
    pub(super) repository: &'a Repository<'a>,
    pub(super) id: &'a str,
}

/// A line of `git ls-tree`.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    mode: Mode,
    blob: String,
    path: RelPath,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    File { executable: bool },
    Symlink,
    Submodule,
}

impl Commit<'_> {
    /// Brings the tree into the store.
    pub(super) fn import(&self, store: &Store) -> Result<Blob, Error> {
        self.listed(store, &["ls-tree", "-r", "-z", "--full-tree", self.id])
    }

    /// Brings what lies at `paths`, below the folder in which git runs, into the store.
    pub(super) fn import_paths(&self, store: &Store, paths: &[&str]) -> Result<Blob, Error> {
        self.listed(store, &[&["ls-tree", "-r", "-z", self.id, "--"], paths].concat())
    }

    fn listed(&self, store: &Store, list: &[&str]) -> Result<Blob, Error> {
        let listing = self.repository.ask(list)?;
        let entries = parse(&listing).map_err(|reason| self.refused(reason))?;
        let submodule = |entry: &&Entry| entry.mode == Mode::Submodule;
        let submodules: Vec<String> = entries.iter().filter(submodule).map(|entry| entry.path.to_string()).collect();
        if !submodules.is_empty() {
            let url = self.repository.url.to_owned();
            return Err(Error::Submodules { url, commit: self.id.to_owned(), submodules });
        }
        self.read(store, &entries)
    }

    fn read(&self, store: &Store, entries: &[Entry]) -> Result<Blob, Error> {
        let wanted: String = entries.iter().map(|entry| format!("{}\n", entry.blob)).collect();
        let command = self.repository.command(&["cat-file", "--batch"]).stdin_bytes(wanted).stderr_null();
        let mut blobs = BufReader::with_capacity(128 << 10, command.reader().map_err(Error::NoGit)?);
        let mut tree = TreeBuilder::new();
        for entry in entries {
            let size = header(&mut blobs).map_err(|error| self.repository.broken(&error))?;
            let mut content = (&mut blobs).take(size);
            match entry.mode {
                Mode::File { executable } => {
                    let mut writer = store.writer()?;
                    let copied = io::copy(&mut content, &mut writer).map_err(|error| self.repository.broken(&error))?;
                    if copied != size {
                        return Err(self.repository.failed("cat-file", "ended early".to_owned()));
                    }
                    tree.file(&entry.path, writer.finish()?, executable)?;
                }
                Mode::Symlink | Mode::Submodule => tree.symlink(&entry.path, &self.target(entry, &mut content)?)?,
            }
            blobs.read_exact(&mut [0]).map_err(|error| self.repository.broken(&error))?;
        }
        Ok(tree.finish(store)?)
    }

    fn target(&self, entry: &Entry, content: &mut io::Take<impl Read>) -> Result<String, Error> {
        if content.limit() > TARGET_MAX {
            return Err(self.refused(format!("{}: the target of the symlink is longer than {TARGET_MAX}", entry.path)));
        }
        let mut target = Vec::new();
        content.read_to_end(&mut target).map_err(|error| self.repository.broken(&error))?;
        String::from_utf8(target)
            .map_err(|_| self.refused(format!("{}: the target of the symlink is not UTF-8", entry.path)))
    }

    fn refused(&self, reason: String) -> Error {
        Error::GitEntry { url: self.repository.url.to_owned(), commit: self.id.to_owned(), reason }
    }
}

/// `<mode> <type> <id>\t<path>\0`
fn parse(listing: &[u8]) -> Result<Vec<Entry>, String> {
    listing.split(|&byte| byte == 0).filter(|line| !line.is_empty()).map(entry).collect()
}

fn entry(line: &[u8]) -> Result<Entry, String> {
    let odd = || format!("git lists an odd entry: {}", line.escape_ascii());
    let tab = line.iter().position(|&byte| byte == b'\t').ok_or_else(odd)?;
    let head = std::str::from_utf8(&line[..tab]).map_err(|_| odd())?;
    let mut words = head.split(' ');
    let (Some(mode), Some(_), Some(blob)) = (words.next(), words.next(), words.next()) else { return Err(odd()) };
    let mode = match mode {
        "100755" => Mode::File { executable: true },
        // 100664 stands in trees of git's first days.
        "100644" | "100664" => Mode::File { executable: false },
        "120000" => Mode::Symlink,
        "160000" => Mode::Submodule,
        _ => return Err(odd()),
    };
    let path = RelPath::from_bytes(&line[tab + 1..]).map_err(|error| error.to_string())?;
    Ok(Entry { mode, blob: blob.to_owned(), path })
}

/// `<id> blob <size>\n`; the size.
fn header(blobs: &mut impl BufRead) -> io::Result<u64> {
    let mut line = String::new();
    blobs.by_ref().take(200).read_line(&mut line)?;
    let size = line.trim_end().split_once(" blob ").and_then(|(_, size)| size.parse().ok());
    size.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, format!("no blob: {line}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries() {
        let listing =
            b"100644 blob aa\tREADME\x00100755 blob bb\tbin/a b\x00120000 blob cc\tlink\x00160000 commit dd\tsub\0";
        let found = parse(listing).expect("test");
        let modes: Vec<_> = found.iter().map(|entry| (entry.mode, entry.path.as_str())).collect();
        let expected = [
            (Mode::File { executable: false }, "README"),
            (Mode::File { executable: true }, "bin/a b"),
            (Mode::Symlink, "link"),
            (Mode::Submodule, "sub"),
        ];
        assert_eq!(modes, expected);
    }

    #[test]
    fn odd_entries() {
        for line in [&b"100644 blob aa\t../x"[..], b"100644 blob aa\ta\xff", b"040000 tree aa\tx", b"100644", b"x\ty"] {
            assert!(parse(line).is_err(), "{}", line.escape_ascii());
        }
    }
}
