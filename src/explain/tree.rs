//! Which files differ between two trees.

use std::io::Read as _;

use crate::digest::Digest;
use crate::path::RelPath;
use crate::store::{Blob, Directory, Node, Store};

/// How many files are named; where more differ, that is said.
pub const MAX_NAMED: usize = 5;

/// Files that are longer are not looked into.
const MAX_TEXT: u64 = 1 << 20;

/// Where trees and files are read; nothing of what is gone.
pub trait Shelf {
    /// A directory.
    fn directory(&self, digest: &Digest) -> Option<Directory>;
    /// The text of a file, if it is one.
    fn text(&self, blob: &Blob) -> Option<String>;
}

impl Shelf for Store {
    fn directory(&self, digest: &Digest) -> Option<Directory> {
        Self::directory(self, digest).ok()
    }

    fn text(&self, blob: &Blob) -> Option<String> {
        let mut text = String::new();
        let read = self.read(blob).ok().filter(|_| blob.size <= MAX_TEXT)?.read_to_string(&mut text);
        read.is_ok().then_some(text)
    }
}

/// What became of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is another file, or has another mode or target.
    Changed,
}

impl Fate {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

/// The first [`MAX_NAMED`] paths that differ, and one more if there are more; a folder that is only
/// in one of the trees is one path. Nothing where a directory that is needed can't be read.
#[must_use]
pub fn differences(old: &Digest, new: &Digest, shelf: &dyn Shelf) -> Option<Vec<(RelPath, Fate)>> {
    let mut found = Vec::new();
    walk(old, new, None, shelf, &mut found)?;
    Some(found)
}

fn walk(
    old: &Digest,
    new: &Digest,
    above: Option<&RelPath>,
    shelf: &dyn Shelf,
    found: &mut Vec<(RelPath, Fate)>,
) -> Option<()> {
    let (old, new) = (shelf.directory(old)?.entries, shelf.directory(new)?.entries);
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        if found.len() > MAX_NAMED {
            break;
        }
        let own = RelPath::new(name.as_str()).ok()?;
        let path = above.map_or_else(|| own.clone(), |above| above.join(&own));
        match (old.get(name), new.get(name)) {
            (old, new) if old == new => {}
            (Some(Node::Directory(old)), Some(Node::Directory(new))) => {
                walk(&old.digest, &new.digest, Some(&path), shelf, found)?;
            }
            (None, _) => found.push((path, Fate::Added)),
            (_, None) => found.push((path, Fate::Removed)),
            _ => found.push((path, Fate::Changed)),
        }
    }
    Some(())
}

/// The paths and their fates as words: `a.c changed, b.c added and more`.
#[must_use]
pub fn words(found: &[(RelPath, Fate)]) -> String {
    let named = found.iter().take(MAX_NAMED).map(|(path, fate)| format!("{path} {}", fate.word()));
    let more = if found.len() > MAX_NAMED { " and more" } else { "" };
    named.collect::<Vec<_>>().join(", ") + more
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// A shelf of directories and texts; a tree is words such as `a/b=1`, a folder for each component above.
    #[derive(Default)]
    pub(in super::super) struct Shelf {
        directories: BTreeMap<Digest, Directory>,
        texts: BTreeMap<Digest, String>,
    }

    impl super::Shelf for Shelf {
        fn directory(&self, digest: &Digest) -> Option<Directory> {
            self.directories.get(digest).cloned()
        }

        fn text(&self, blob: &Blob) -> Option<String> {
            self.texts.get(&blob.digest).cloned()
        }
    }

    impl Shelf {
        pub(in super::super) fn tree(&mut self, words: &[(&str, &str)]) -> Digest {
            let mut directory = Directory::default();
            let mut folders = BTreeMap::<&str, Vec<(&str, &str)>>::new();
            for (path, text) in words {
                match path.split_once('/') {
                    Some((folder, rest)) => folders.entry(folder).or_default().push((rest, text)),
                    None => {
                        let blob = Blob { digest: Digest::of(text.as_bytes()), size: text.len() as u64 };
                        self.texts.insert(blob.digest, (*text).to_owned());
                        directory.entries.insert((*path).to_owned(), Node::File { blob, executable: false });
                    }
                }
            }
            for (folder, words) in folders {
                let digest = self.tree(&words);
                directory.entries.insert(folder.to_owned(), Node::Directory(Blob { digest, size: 0 }));
            }
            let digest = Digest::of(&directory.encode());
            self.directories.insert(digest, directory);
            digest
        }
    }

    #[test]
    fn files_are_named_up_to_a_limit() {
        let mut shelf = Shelf::default();
        let many: Vec<_> = ["1", "2", "3", "4", "5", "6", "7"].map(|name| (name, "new")).to_vec();
        let base = [("a", "1"), ("d/b", "1"), ("d/e/c", "1")];
        for (new, want) in [
            (&base[..], ""),
            (&[("a", "2"), ("d/b", "1"), ("d/e/c", "2")], "a changed, d/e/c changed"),
            (&[("a", "1"), ("d", "1")], "d changed"),
            (&[("a", "1"), ("z/y", "1")], "d removed, z added"),
            (&many, "1 added, 2 added, 3 added, 4 added, 5 added and more"),
        ] {
            let (old, new) = (shelf.tree(&base), shelf.tree(new));
            let found = differences(&old, &new, &shelf).expect("all there");
            assert_eq!(words(&found), want);
        }
        let (old, new) = (shelf.tree(&base), shelf.tree(&many));
        assert_eq!(differences(&old, &new, &Shelf::default()), None);
    }
}
