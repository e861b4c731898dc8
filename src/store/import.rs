//! Takes files and trees into the store.
//!
//! First the whole tree is looked over and what can't be stored is refused, before anything has
//! moved; then its files are hashed and moved, several at a time; then the directories are
//! written, children first.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, chmodat, openat, readlinkat, statat};
use rustix::io::Errno;

use super::error::at;
use super::object::{DIRECTORY_MODE, Disk, Kind, hash, seal};
use super::{Blob, Directory, Error, MAX_DEPTH, Node, Output, Store, fault, scratch, threads};
use crate::parallel;

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
        let stat = statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW).map_err(at(path))?;
        match shape(&stat, path)? {
            Shape::File { executable, size } => {
                let leaf = Leaf { path: path.to_owned(), executable, size };
                Ok(Output::File { blob: self.disk.absorb(&leaf)?, executable })
            }
            Shape::Directory => self.disk.import_tree(path).map(Output::Tree),
            Shape::Symlink => Err(Error::Unsupported { path: path.to_owned(), what: "a symlink as a whole output" }),
        }
    }
}

/// A file of the tree.
struct Leaf {
    path: PathBuf,
    executable: bool,
    size: u64,
}

/// A directory of the tree.
struct Folder(BTreeMap<String, Entry>);

enum Entry {
    /// The place of a [`Leaf`] in its list.
    File(usize),
    Folder(Folder),
    Symlink(String),
}

enum Shape {
    File { executable: bool, size: u64 },
    Directory,
    Symlink,
}

impl Disk {
    fn import_tree(&self, path: &Path) -> Result<Blob, Error> {
        let mut leaves = Vec::new();
        let folder = walk(CWD, path, path, 0, &mut leaves)?;
        fault::point("import.walked");
        let bytes = leaves.iter().map(|leaf| leaf.size).sum();
        let blobs = parallel::each(&leaves, threads::worth(leaves.len(), bytes), |leaf| self.absorb(leaf))?;
        let root = self.store_folder(folder, &leaves, &blobs)?;
        fault::point("import.stored");
        scratch::erase(path)?;
        Ok(root)
    }

    /// Hashes a file and moves it to where it belongs.
    fn absorb(&self, leaf: &Leaf) -> Result<Blob, Error> {
        let path = &leaf.path;
        let file = openat(CWD, path, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty());
        let file = File::from(file.map_err(at(path))?);
        let blob = hash(&file).map_err(at(path))?;
        let kind = Kind::of(leaf.executable);
        seal(&file, kind.mode()).map_err(at(path))?;
        fault::point("import.hashed");
        self.place(CWD, path, kind, &blob)?;
        fault::point("import.moved");
        Ok(blob)
    }

    fn store_folder(&self, folder: Folder, leaves: &[Leaf], blobs: &[Blob]) -> Result<Blob, Error> {
        let mut directory = Directory::default();
        for (name, entry) in folder.0 {
            let node = match entry {
                Entry::File(index) => Node::File { blob: blobs[index], executable: leaves[index].executable },
                Entry::Folder(folder) => Node::Directory(self.store_folder(folder, leaves, blobs)?),
                Entry::Symlink(target) => Node::Symlink(target),
            };
            directory.entries.insert(name, node);
        }
        self.put(Kind::Dir, &directory.encode())
    }
}

/// Looks over the directory `name` in `parent`, whose whole path is `path`; makes it one that its
/// entries can be moved out of.
fn walk(parent: impl AsFd, name: &Path, path: &Path, depth: usize, leaves: &mut Vec<Leaf>) -> Result<Folder, Error> {
    if depth >= MAX_DEPTH {
        return Err(Error::TooDeep(path.to_owned()));
    }
    let directory = open_directory(parent, name).map_err(at(path))?;
    let mut folder = BTreeMap::new();
    for entry in Dir::read_from(&directory).map_err(at(path))? {
        let entry = entry.map_err(at(path))?;
        if matches!(entry.file_name().to_bytes(), b"." | b"..") {
            continue;
        }
        let name = utf8(path, entry.file_name().to_bytes())?;
        let node = look(&directory, &name, &path.join(&name), depth, leaves)?;
        folder.insert(name, node);
    }
    Ok(Folder(folder))
}

/// Opens a directory after its mode was made right: a build may have taken our own rights away.
fn open_directory(parent: impl AsFd, name: &Path) -> Result<File, Errno> {
    chmodat(&parent, name, DIRECTORY_MODE, AtFlags::empty())?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(parent, name, flags, Mode::empty()).map(File::from)
}

fn look(parent: &File, name: &str, path: &Path, depth: usize, leaves: &mut Vec<Leaf>) -> Result<Entry, Error> {
    let stat = statat(parent, name, AtFlags::SYMLINK_NOFOLLOW).map_err(at(path))?;
    match shape(&stat, path)? {
        Shape::Directory => walk(parent, name.as_ref(), path, depth + 1, leaves).map(Entry::Folder),
        Shape::Symlink => {
            let target = readlinkat(parent, name, Vec::new()).map_err(at(path))?;
            utf8(path, target.to_bytes()).map(Entry::Symlink)
        }
        Shape::File { executable, size } => {
            if stat.st_mode & 0o400 == 0 {
                chmodat(parent, name, Mode::RUSR, AtFlags::empty()).map_err(at(path))?;
            }
            leaves.push(Leaf { path: path.to_owned(), executable, size });
            Ok(Entry::File(leaves.len() - 1))
        }
    }
}

/// What a tree can hold. A directory's setgid bit is let pass: it is inherited from the place
/// where the build ran.
fn shape(stat: &Stat, path: &Path) -> Result<Shape, Error> {
    let unsupported = |what| Err(Error::Unsupported { path: path.to_owned(), what });
    let (special, shape) = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {
            let size = u64::try_from(stat.st_size).unwrap_or_default();
            (0o7000, Shape::File { executable: stat.st_mode & 0o100 != 0, size })
        }
        FileType::Directory => (0o5000, Shape::Directory),
        FileType::Symlink => (0, Shape::Symlink),
        FileType::Fifo => return unsupported("a fifo"),
        FileType::Socket => return unsupported("a socket"),
        _ => return unsupported("a device"),
    };
    if stat.st_mode & special != 0 {
        return Err(Error::Permissions { path: path.to_owned(), mode: stat.st_mode & 0o7777 });
    }
    Ok(shape)
}

fn utf8(path: &Path, bytes: &[u8]) -> Result<String, Error> {
    let escaped = || format!("{}/{}", path.display(), bytes.escape_ascii());
    str::from_utf8(bytes).map(str::to_owned).map_err(|_| Error::NotUtf8(escaped()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use proptest::prelude::*;

    use super::super::fixture::{Fixture, chmod, sample, write};
    use super::*;

    /// Pins modes, order, names and encoding at once; computed with other code, from the .proto.
    #[test]
    fn golden_digest_of_a_known_tree() {
        let fixture = Fixture::new();
        let path = fixture.outside("tree");
        sample(&path);
        let tree = fixture.import(&path);
        assert_eq!(tree.digest.hex(), "e95527187dfbad1e2656f0fe12a8c7f414a9a5900ed7e25ddb489f74cdfe9f08");
        assert!(!path.exists(), "import moves");
    }

    #[test]
    fn a_single_file_and_its_x_bit() {
        let fixture = Fixture::new();
        for (mode, want) in [(0o644, false), (0o100, true), (0o610, false), (0o755, true)] {
            let path = fixture.outside("file");
            write(&path, "text", mode | 0o400);
            let output = fixture.store.import(&path).expect("imports");
            assert!(matches!(output, Output::File { executable, .. } if executable == want), "{mode:o}");
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
            let error = fixture.store.import(&tree).expect_err(want).to_string();
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
            let tree = fixture.import(&path);
            copy(&fixture.store.checkout(&tree.digest).expect("checks out"), &path);
            prop_assert_eq!(fixture.import(&path), tree);
        }
    }
}
