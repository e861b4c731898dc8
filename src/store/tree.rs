//! Trees put together in memory: files unpacked from archives, and trees merged into one root.
//!
//! A stored tree is grafted as the digest of its directory, and read only where something else
//! goes into the same directory. So merging a hundred packages costs as much as the directories
//! they share, not as much as they hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::object::{Disk, Kind};
use super::{Blob, Directory, Error, MAX_DEPTH, Node, Store};
use crate::digest::Digest;
use crate::path::RelPath;

/// A tree being put together in memory.
#[derive(Debug, Default)]
pub struct TreeBuilder {
    top: Folder,
    /// Where grafted trees are read; there is one as soon as there is a grafted tree.
    disk: Option<Arc<Disk>>,
}

type Folder = BTreeMap<String, Entry>;

#[derive(Debug)]
enum Entry {
    /// A file, a symlink, or a stored directory that nothing was put into.
    Stored(Node),
    Folder(Folder),
}

impl TreeBuilder {
    /// An empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a file there, making its parents.
    ///
    /// # Errors
    /// [`Error::Clash`] if something else is there, or a file or symlink in place of a parent.
    pub fn file(&mut self, path: &RelPath, blob: Blob, executable: bool) -> Result<(), Error> {
        self.put(path, Node::File { blob, executable })
    }

    /// Puts a symlink there, making its parents.
    ///
    /// # Errors
    /// As [`TreeBuilder::file`].
    pub fn symlink(&mut self, path: &RelPath, target: &str) -> Result<(), Error> {
        self.put(path, Node::Symlink(target.to_owned()))
    }

    /// Makes a directory and its parents, unless they are there.
    ///
    /// # Errors
    /// [`Error::Clash`] if a file or symlink is in the way.
    pub fn directory(&mut self, path: &RelPath) -> Result<(), Error> {
        self.folder(Some(path)).map(drop)
    }

    /// Merges a stored tree in at `path` (`None`: at the top). What both have must be equal,
    /// but for directories, which are merged.
    ///
    /// # Errors
    /// [`Error::Clash`], naming the path; or if a directory can't be read.
    pub fn graft(&mut self, store: &Store, path: Option<&RelPath>, tree: &Digest) -> Result<(), Error> {
        let disk = Arc::clone(&store.disk);
        self.disk = Some(Arc::clone(&disk));
        let prefix = path.map(|path| format!("{path}/")).unwrap_or_default();
        let directory = disk.directory(tree)?;
        merge(&disk, self.folder(path)?, directory, &prefix)
    }

    /// What is at `path`. A directory that was put together here has no blob yet, and shows as
    /// the one its entries make.
    ///
    /// # Errors
    /// If a grafted directory can't be read.
    pub fn get(&self, path: &RelPath) -> Result<Option<Node>, Error> {
        let mut at = None;
        let mut folder = Some(&self.top);
        let mut stored = None;
        for name in path.components() {
            let entry = match (folder, stored.take()) {
                (Some(folder), _) => folder.get(name).map(Seen::from),
                (None, Some(Node::Directory(blob))) => self.read(&blob)?.entries.remove(name).map(Seen::Node),
                (None, _) => None,
            };
            let Some(seen) = entry else { return Ok(None) };
            (folder, stored) = seen.split();
            at = Some((folder, stored.clone()));
        }
        Ok(at.and_then(|(folder, node)| node.or_else(|| folder.map(|folder| Node::Directory(blob_of(folder))))))
    }

    /// Takes away what is at `path`; nothing there is fine.
    ///
    /// # Errors
    /// If a grafted directory can't be read.
    pub fn remove(&mut self, path: &RelPath) -> Result<(), Error> {
        if self.get(path)?.is_some() {
            self.folder(path.parent().as_ref())?.remove(path.file_name());
        }
        Ok(())
    }

    /// Stores the directories that were put together here.
    ///
    /// # Errors
    /// If one can't be written.
    pub fn finish(self, store: &Store) -> Result<Blob, Error> {
        finish(&store.disk, self.top)
    }

    fn put(&mut self, path: &RelPath, node: Node) -> Result<(), Error> {
        let folder = self.folder(path.parent().as_ref())?;
        match folder.get(path.file_name()) {
            None => {
                folder.insert(path.file_name().to_owned(), Entry::Stored(node));
                Ok(())
            }
            Some(Entry::Stored(there)) if *there == node => Ok(()),
            Some(there) => Err(clash(path.as_str(), there, &node)),
        }
    }

    fn read(&self, blob: &Blob) -> Result<Directory, Error> {
        self.disk.as_ref().expect("BUG: a stored directory without a graft").directory(&blob.digest)
    }

    /// The directory at `path`, opened for changes; made if it is not there.
    fn folder(&mut self, path: Option<&RelPath>) -> Result<&mut Folder, Error> {
        let Self { top, disk } = self;
        let mut folder = top;
        let Some(path) = path else { return Ok(folder) };
        if path.components().count() > MAX_DEPTH {
            return Err(Error::TooDeep(path.as_str().into()));
        }
        for name in path.components() {
            let entry = folder.entry(name.to_owned()).or_insert_with(|| Entry::Folder(Folder::new()));
            folder = open(disk.as_deref(), entry, || path.to_string())?;
        }
        Ok(folder)
    }
}

/// What was found at a name: part of the builder, or of a stored directory.
enum Seen<'a> {
    Folder(&'a Folder),
    Node(Node),
}

impl<'a> From<&'a Entry> for Seen<'a> {
    fn from(entry: &'a Entry) -> Self {
        match entry {
            Entry::Folder(folder) => Self::Folder(folder),
            Entry::Stored(node) => Self::Node(node.clone()),
        }
    }
}

impl<'a> Seen<'a> {
    fn split(self) -> (Option<&'a Folder>, Option<Node>) {
        match self {
            Self::Folder(folder) => (Some(folder), None),
            Self::Node(node) => (None, Some(node)),
        }
    }
}

/// Makes an entry a directory that can be changed; `path` names it in an error.
fn open<'a>(disk: Option<&Disk>, entry: &'a mut Entry, path: impl Fn() -> String) -> Result<&'a mut Folder, Error> {
    if let Entry::Stored(Node::Directory(blob)) = entry {
        let disk = disk.expect("BUG: a stored directory without a graft");
        let directory = disk.directory(&blob.digest)?;
        *entry = Entry::Folder(directory.entries.into_iter().map(|(name, node)| (name, Entry::Stored(node))).collect());
    }
    match entry {
        Entry::Folder(folder) => Ok(folder),
        Entry::Stored(node) => {
            let (first, second) = (describe(node), "a directory".to_owned());
            Err(Error::Clash { path: path(), first, second })
        }
    }
}

/// Puts the entries of a stored directory into a folder; `prefix` is the folder's path and a `/`.
fn merge(disk: &Disk, folder: &mut Folder, directory: Directory, prefix: &str) -> Result<(), Error> {
    for (name, node) in directory.entries {
        let path = || format!("{prefix}{name}");
        match (folder.get_mut(&name), node) {
            (None, node) => {
                folder.insert(name, Entry::Stored(node));
            }
            (Some(Entry::Stored(there)), node) if *there == node => {}
            (Some(there), Node::Directory(blob)) => {
                let inner = open(Some(disk), there, path)?;
                merge(disk, inner, disk.directory(&blob.digest)?, &format!("{prefix}{name}/"))?;
            }
            (Some(there), node) => return Err(clash(&path(), there, &node)),
        }
    }
    Ok(())
}

fn finish(disk: &Disk, folder: Folder) -> Result<Blob, Error> {
    let mut directory = Directory::default();
    for (name, entry) in folder {
        let node = match entry {
            Entry::Stored(node) => node,
            Entry::Folder(folder) => Node::Directory(finish(disk, folder)?),
        };
        directory.entries.insert(name, node);
    }
    disk.put(Kind::Dir, &directory.encode())
}

/// The blob that [`finish`] would store.
fn blob_of(folder: &Folder) -> Blob {
    let node = |entry: &Entry| match entry {
        Entry::Stored(node) => node.clone(),
        Entry::Folder(folder) => Node::Directory(blob_of(folder)),
    };
    let entries = folder.iter().map(|(name, entry)| (name.clone(), node(entry))).collect();
    let bytes = Directory { entries }.encode();
    Blob { digest: Digest::of(&bytes), size: bytes.len() as u64 }
}

fn clash(path: &str, there: &Entry, node: &Node) -> Error {
    let first = match there {
        Entry::Stored(node) => describe(node),
        Entry::Folder(_) => "a directory".to_owned(),
    };
    Error::Clash { path: path.to_owned(), first, second: describe(node) }
}

fn describe(node: &Node) -> String {
    match node {
        Node::File { blob, executable: false } => format!("a file, {}", blob.digest),
        Node::File { blob, executable: true } => format!("an executable file, {}", blob.digest),
        Node::Directory(_) => "a directory".to_owned(),
        Node::Symlink(target) => format!("a symlink to `{target}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    fn path(text: &str) -> RelPath {
        RelPath::new(text).expect("clean")
    }

    #[test]
    fn equals_the_imported_tree() {
        let fixture = Fixture::new();
        let want = fixture.tree(&[("a", "text"), ("d/e/b", "more"), ("d/c", "text")]);
        let (text, more) = (fixture.store.put(b"text").expect("puts"), fixture.store.put(b"more").expect("puts"));
        let mut tree = TreeBuilder::new();
        tree.file(&path("d/e/b"), more, false).expect("fits");
        tree.file(&path("a"), text, false).expect("fits");
        tree.directory(&path("d")).expect("is there");
        tree.file(&path("d/c"), text, false).expect("fits");
        tree.symlink(&path("x/y"), "z").expect("fits");
        tree.remove(&path("x")).expect("goes");
        tree.remove(&path("no/where")).expect("nothing there");
        assert_eq!(tree.get(&path("d/e/b")).expect("looks"), Some(Node::File { blob: more, executable: false }));
        assert_eq!(tree.finish(&fixture.store).expect("stores"), want);
    }

    #[test]
    fn grafts_share_and_merge() {
        let fixture = Fixture::new();
        let one = fixture.tree(&[("usr/bin/a", "a"), ("usr/share/doc/x", "same")]);
        let two = fixture.tree(&[("usr/bin/b", "b"), ("usr/share/doc/x", "same"), ("etc/c", "c")]);
        let want = fixture.tree(&[("usr/bin/a", "a"), ("usr/bin/b", "b"), ("usr/share/doc/x", "same"), ("etc/c", "c")]);
        let mut tree = TreeBuilder::new();
        for part in [one, two, one] {
            tree.graft(&fixture.store, None, &part.digest).expect("merges");
        }
        assert!(matches!(tree.top["etc"], Entry::Stored(_)), "not read");
        assert!(matches!(tree.get(&path("usr/share/doc/x")), Ok(Some(Node::File { .. }))));
        assert!(matches!(tree.get(&path("usr")), Ok(Some(Node::Directory(_)))));
        assert_eq!(tree.get(&path("usr/bin/a/under")).expect("looks"), None);
        assert_eq!(tree.finish(&fixture.store).expect("stores"), want);
    }

    #[test]
    fn a_grafted_tree_can_be_changed() {
        let fixture = Fixture::new();
        let part = fixture.tree(&[("d/a", "a"), ("d/b", "b")]);
        let want = fixture.tree(&[("p/q/d/b", "b"), ("p/q/d/c", "a")]);
        let a = fixture.store.put(b"a").expect("puts");
        let mut tree = TreeBuilder::new();
        tree.graft(&fixture.store, Some(&path("p/q")), &part.digest).expect("fits");
        tree.remove(&path("p/q/d/a")).expect("goes");
        tree.file(&path("p/q/d/c"), a, false).expect("fits");
        assert_eq!(tree.finish(&fixture.store).expect("stores"), want);
    }

    #[test]
    fn clashes_name_the_path_and_both_sides() {
        let fixture = Fixture::new();
        let part = fixture.tree(&[("d/a", "a"), ("f", "b")]);
        let (a, b) = (fixture.store.put(b"a").expect("puts"), fixture.store.put(b"b").expect("puts"));
        type Put<'a> = Box<dyn Fn(&mut TreeBuilder) -> Result<(), Error> + 'a>;
        let cases: [(&str, Put); 6] = [
            ("d/a", Box::new(|tree| tree.file(&path("d/a"), b, false))),
            ("d/a", Box::new(|tree| tree.file(&path("d/a"), a, true))),
            ("d/a", Box::new(|tree| tree.symlink(&path("d/a"), "b"))),
            ("f/x", Box::new(|tree| tree.file(&path("f/x/y"), a, false))),
            ("d", Box::new(|tree| tree.file(&path("d"), a, false))),
            ("f", Box::new(|tree| tree.directory(&path("f")))),
        ];
        for (want, put) in cases {
            let mut tree = TreeBuilder::new();
            tree.graft(&fixture.store, None, &part.digest).expect("fits");
            let error = put(&mut tree).expect_err(want);
            assert!(matches!(&error, Error::Clash { path, .. } if path.starts_with(&want[..1])), "{error}");
        }
        let mut tree = TreeBuilder::new();
        tree.symlink(&path("d"), "elsewhere").expect("fits");
        let error = tree.graft(&fixture.store, None, &part.digest).expect_err("a symlink in the way");
        assert!(error.to_string().contains("a symlink to `elsewhere`"), "{error}");
    }
}
