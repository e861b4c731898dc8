//! Which files differ between two trees.

use crate::digest::Digest;
use crate::path::RelPath;
use crate::store::{Directory, Node};

/// How many files are named; where more differ, that is said.
pub const MAX_NAMED: usize = 5;

/// Reads a directory of the store; nothing where it is gone.
pub type Read<'a> = dyn Fn(&Digest) -> Option<Directory> + 'a;

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
pub fn differences(old: &Digest, new: &Digest, read: &Read<'_>) -> Option<Vec<(RelPath, Fate)>> {
    let mut found = Vec::new();
    walk(old, new, None, read, &mut found)?;
    Some(found)
}

fn walk(
    old: &Digest,
    new: &Digest,
    above: Option<&RelPath>,
    read: &Read<'_>,
    found: &mut Vec<(RelPath, Fate)>,
) -> Option<()> {
    let (old, new) = (read(old)?.entries, read(new)?.entries);
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
                walk(&old.digest, &new.digest, Some(&path), read, found)?;
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
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::store::Blob;

    /// A shelf of directories; a tree is words such as `a/b=1`, a folder for each component above.
    #[derive(Default)]
    struct Shelf(BTreeMap<Digest, Directory>);

    impl Shelf {
        fn tree(&mut self, words: &[(&str, &str)]) -> Digest {
            let mut directory = Directory::default();
            let mut folders = BTreeMap::<&str, Vec<(&str, &str)>>::new();
            for (path, text) in words {
                match path.split_once('/') {
                    Some((folder, rest)) => folders.entry(folder).or_default().push((rest, text)),
                    None => {
                        let blob = Blob { digest: Digest::of(text.as_bytes()), size: text.len() as u64 };
                        directory.entries.insert((*path).to_owned(), Node::File { blob, executable: false });
                    }
                }
            }
            for (folder, words) in folders {
                let digest = self.tree(&words);
                directory.entries.insert(folder.to_owned(), Node::Directory(Blob { digest, size: 0 }));
            }
            let digest = Digest::of(&directory.encode());
            self.0.insert(digest, directory);
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
            let found = differences(&old, &new, &|digest| shelf.0.get(digest).cloned()).expect("all there");
            assert_eq!(words(&found), want);
        }
        let (old, new) = (shelf.tree(&base), shelf.tree(&many));
        assert_eq!(differences(&old, &new, &|_| None), None);
    }
}
