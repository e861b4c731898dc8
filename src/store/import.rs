//! Takes files and trees into the store, or only says what they would be there.
//!
//! First the whole tree is looked over ([`super::walk`]) and what can't be stored is refused,
//! before anything has moved; then its files are hashed and moved, several at a time; then the
//! directories are written, children first.

use std::cmp::Reverse;
use std::fs::File;
use std::path::Path;

use rustix::fs::CWD;

use super::error::at;
use super::object::{Disk, Kind, seal};
use super::threads::Opened;
use super::walk::{Leaf, Rights, Shape, Walk};
use super::{Blob, Error, Output, Store, fault, scratch, threads};
use crate::digest::Digest;

impl Store {
    /// Moves what stands at `path` into the store: a file or a directory, on the store's file
    /// system, that nothing else writes to (such as `/out/<output>` of a sandbox that has ended).
    ///
    /// Files become 0644, or 0755 if their owner may execute them; hard links become separate
    /// files; times, owners and attributes are dropped. Links are never followed.
    ///
    /// # Errors
    /// For what a tree can't hold, naming it; nothing has moved then. For a failed system call
    /// part of the tree may have moved.
    pub fn import(&self, path: &Path) -> Result<Output, Error> {
        let absorb = |leaf: &Leaf, file: &File, blob| self.disk.absorb(leaf, file, blob);
        output(path, Rights::Take, absorb, |walk, blobs| self.disk.store_directories(path, walk, blobs))
    }
}

/// The output that [`Store::import`] would make of what stands at `path`, which is only read.
///
/// # Errors
/// For what a tree can't hold, naming it, and for what can't be read.
pub fn survey(path: &Path) -> Result<Output, Error> {
    let tree = |walk: &Walk, blobs: &[Blob]| {
        walk.directories(blobs, |directory| {
            let bytes = directory.encode();
            Ok(Blob { digest: Digest::of(&bytes), size: bytes.len() as u64 })
        })
    };
    output(path, Rights::Keep, |_, _, blob| Ok(blob), tree)
}

/// What `path` comes to: each file goes through `file` once it is hashed; the directories of a tree,
/// once all files are done, through `tree`.
fn output(
    path: &Path,
    rights: Rights,
    file: impl Fn(&Leaf, &File, Blob) -> Result<Blob, Error> + Sync,
    tree: impl FnOnce(&Walk, &[Blob]) -> Result<Blob, Error>,
) -> Result<Output, Error> {
    let work = |leaf: &Leaf, read: Option<(&Opened, Blob)>| {
        let (opened, blob) = read.expect("BUG: a leaf is always opened");
        file(leaf, &opened.file, blob)
    };
    match Shape::of(path)? {
        Shape::File { executable, size } => {
            let leaf = Leaf { path: path.to_owned(), executable, size };
            Ok(Output::File { blob: hash_leaves(&[leaf], work)?[0], executable })
        }
        Shape::Directory => {
            let walk = Walk::new(path, rights)?;
            fault::point("import.walked");
            let blobs = hash_leaves(&walk.leaves, work)?;
            tree(&walk, &blobs).map(Output::Tree)
        }
        Shape::Symlink => Err(Error::Unsupported { path: path.to_owned(), what: "a symlink as a whole output" }),
    }
}

/// A file of so many bytes keeps a thread busy for about a millisecond.
const LARGE: u64 = 1 << 20;

/// Hashes each leaf and gives it to `work`; the answers come in the order of the leaves. The
/// largest go first, so that all threads end at about the same time; others stay beside their neighbours.
fn hash_leaves(
    leaves: &[Leaf],
    work: impl Fn(&Leaf, Option<(&Opened, Blob)>) -> Result<Blob, Error> + Sync,
) -> Result<Vec<Blob>, Error> {
    let threads = threads::worth(leaves.len(), leaves.iter().map(|leaf| leaf.size).sum());
    let mut order: Vec<(usize, &Leaf)> = leaves.iter().enumerate().collect();
    order.sort_by_key(|(_, leaf)| Reverse(leaf.size / LARGE));
    let blobs =
        threads::hash_each(&order, threads, |(_, leaf)| leaf.open().map(Some), |(_, leaf), read| work(leaf, read))?;
    let mut answers: Vec<_> = order.iter().map(|(place, _)| *place).zip(blobs).collect();
    answers.sort_unstable_by_key(|(place, _)| *place);
    Ok(answers.into_iter().map(|(_, blob)| blob).collect())
}

impl Disk {
    /// Moves a file that was hashed to where it belongs.
    fn absorb(&self, leaf: &Leaf, file: &File, blob: Blob) -> Result<Blob, Error> {
        let kind = Kind::of(leaf.executable);
        seal(file, kind.mode()).map_err(at(&leaf.path))?;
        fault::point("import.hashed");
        self.place(CWD, &leaf.path, kind, &blob)?;
        fault::point("import.moved");
        Ok(blob)
    }

    /// Stores the directories of a tree whose files are in the store, and erases what is left of it.
    fn store_directories(&self, path: &Path, walk: &Walk, blobs: &[Blob]) -> Result<Blob, Error> {
        let root = walk.directories(blobs, |directory| self.put(Kind::Dir, &directory.encode()))?;
        fault::point("import.stored");
        scratch::erase(path)?;
        Ok(root)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::os::unix::ffi::OsStrExt;

    use proptest::prelude::*;
    use rustix::fs::{FileType, Mode};

    use super::super::MAX_DEPTH;
    use super::super::fixture::{Fixture, chmod, sample, write};
    use super::*;

    /// Pins modes, order, names and encoding at once; computed with other code, from the .proto.
    #[test]
    fn golden_digest_of_a_known_tree() {
        let fixture = Fixture::new();
        let path = fixture.outside("tree");
        sample(&path);
        let surveyed = survey(&path).expect("reads");
        let tree = fixture.import(&path);
        assert_eq!(surveyed, Output::Tree(tree));
        assert_eq!(tree.digest.hex(), "e95527187dfbad1e2656f0fe12a8c7f414a9a5900ed7e25ddb489f74cdfe9f08");
        assert!(!path.exists(), "import moves");
    }

    #[test]
    fn a_single_file_and_its_x_bit() {
        let fixture = Fixture::new();
        for (mode, want) in [(0o644, false), (0o100, true), (0o610, false), (0o755, true)] {
            let path = fixture.outside("file");
            write(&path, "text", mode | 0o400);
            let surveyed = survey(&path).expect("reads");
            let output = fixture.store.import(&path).expect("imports");
            assert!(matches!(output, Output::File { executable, .. } if executable == want), "{mode:o}");
            assert_eq!(surveyed, output);
        }
    }

    #[test]
    fn one_content_is_one_object() {
        let fixture = Fixture::new();
        fixture.tree(&[("a", "same"), ("b/c", "same")]);
        let before = fixture.listing();
        fixture.tree(&[("a", "same"), ("b/c", "same")]);
        assert_eq!(fixture.listing(), before);
        assert_eq!(before.iter().filter(|line| line.contains("/file/")).count(), 2, "a shard and a file");
    }

    #[test]
    fn refuses_what_a_tree_cannot_hold_and_moves_nothing() {
        let fixture = Fixture::new();
        type Make = fn(&Path);
        let cases: [(&str, Make); 6] = [
            ("a fifo", |path| rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::RUSR, 0).expect("makes")),
            ("a socket", |path| drop(std::os::unix::net::UnixListener::bind(path).expect("binds"))),
            ("4755", |path| write(path, "", 0o4755)),
            ("2644", |path| write(path, "", 0o2644)),
            ("1777", |path| {
                std::fs::create_dir(path).expect("makes");
                chmod(path, 0o1777);
            }),
            (r"\xff", |path| write(&path.with_file_name(std::ffi::OsStr::from_bytes(b"\xff")), "", 0o644)),
        ];
        for (want, make) in cases {
            let tree = fixture.outside("tree-bad");
            write(&tree.join("a"), want, 0o644);
            make(&tree.join("bad"));
            let refused = survey(&tree).expect_err(want).to_string();
            let error = fixture.store.import(&tree).expect_err(want).to_string();
            assert_eq!(refused, error);
            assert!(error.contains(want) && error.contains("tree-"), "{error}");
            assert!(tree.join("a").exists(), "{want}");
            scratch::erase(&tree).expect("erases");
        }
    }

    #[test]
    fn refuses_too_deep_a_tree() {
        let fixture = Fixture::new();
        let mut path = fixture.outside("tree");
        (0..=MAX_DEPTH).for_each(|_| path.push("d"));
        std::fs::create_dir_all(&path).expect("makes");
        let error = fixture.store.import(&fixture.outside("tree")).expect_err("too deep");
        assert!(matches!(error, Error::TooDeep(_)), "{error}");
    }

    #[derive(Clone, Debug)]
    enum Made {
        File(Vec<u8>, bool),
        Symlink(String),
        Directory(BTreeMap<String, Made>),
    }

    fn made() -> impl Strategy<Value = Made> {
        let leaf = prop_oneof![
            (prop::collection::vec(any::<u8>(), 0..40), any::<bool>()).prop_map(|(bytes, x)| Made::File(bytes, x)),
            "[a-z./ü]{1,12}".prop_map(Made::Symlink),
        ];
        let name = "[a-zA-Z0-9 ._ü-]{1,8}".prop_filter("not a dot", |name| !matches!(name.as_str(), "." | ".."));
        leaf.prop_recursive(3, 24, 6, move |inner| {
            prop::collection::btree_map(name.clone(), inner, 0..6).prop_map(Made::Directory)
        })
    }

    fn make(path: &Path, made: &Made) {
        match made {
            Made::File(bytes, executable) => {
                std::fs::write(path, bytes).expect("writes");
                chmod(path, if *executable { 0o711 } else { 0o604 });
            }
            Made::Symlink(target) => std::os::unix::fs::symlink(target, path).expect("links"),
            Made::Directory(entries) => {
                std::fs::create_dir(path).expect("makes");
                entries.iter().for_each(|(name, entry)| make(&path.join(name), entry));
            }
        }
    }

    /// `cp -a`, by a real program.
    fn copy(from: &Path, to: &Path) {
        let status = std::process::Command::new("cp").arg("-a").args([from, to]).status().expect("runs cp");
        assert!(status.success());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() })]
        #[test]
        fn import_checkout_import_is_the_same_tree(entries in prop::collection::btree_map("[a-z]{1,3}", made(), 0..5)) {
            let fixture = Fixture::new();
            let path = fixture.outside("tree");
            make(&path, &Made::Directory(entries));
            let surveyed = survey(&path).expect("reads");
            let tree = fixture.import(&path);
            prop_assert_eq!(surveyed, Output::Tree(tree));
            copy(&fixture.store.checkout(&tree.digest).expect("checks out"), &path);
            prop_assert_eq!(fixture.import(&path), tree);
        }
    }
}
