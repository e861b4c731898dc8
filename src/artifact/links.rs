//! Symlinks of a repository, followed where they lead out of a package's folder.

use super::Error;
use super::files::{clean, path};
use crate::path::RelPath;
use crate::store::{Blob, Node, Store, TreeBuilder};

/// How many symlinks are followed, one after the other.
const LINKS_MAX: usize = 8;

/// The symlinks of a tree.
pub(super) struct Links<'a> {
    store: &'a Store,
    top: Blob,
    tree: TreeBuilder,
    /// With their targets.
    links: Vec<(RelPath, String)>,
}

impl<'a> Links<'a> {
    /// Those of the tree `top`.
    pub(super) fn new(store: &'a Store, top: Blob, links: Vec<(RelPath, String)>) -> Result<Self, Error> {
        let mut tree = TreeBuilder::new();
        tree.graft(store, None, &top.digest)?;
        Ok(Self { store, top, tree, links })
    }

    /// What is at a path of the tree; `` is its top.
    pub(super) fn node(&self, at: &str) -> Result<Option<Node>, Error> {
        if at.is_empty() { Ok(Some(Node::Directory(self.top))) } else { Ok(self.tree.get(&path(at)?)?) }
    }

    /// Puts what symlinks lead to in their place, where they lead out of the folder `from`, which `tree` is a copy of.
    pub(super) fn follow(&self, tree: &mut TreeBuilder, from: &str) -> Result<(), Error> {
        self.follow_at(tree, from, "", 0)
    }

    /// The same for a copy of `from` that stands at `at` in `tree`.
    fn follow_at(&self, tree: &mut TreeBuilder, from: &str, at: &str, depth: usize) -> Result<(), Error> {
        if depth > LINKS_MAX {
            return Err(Error::Refused("symlinks of the repository lead in a circle".to_owned()));
        }
        for (link, target) in &self.links {
            let Some(inside) = below(link.as_str(), from) else { continue };
            let Some((to, node)) = self.led_to(link.as_str(), target, from)? else { continue };
            let place = clean(&format!("{at}/{inside}"));
            let path = path(&place)?;
            tree.remove(&path)?;
            match node {
                Node::File { blob, executable } => tree.file(&path, blob, executable)?,
                Node::Directory(blob) => {
                    tree.graft(self.store, Some(&path), &blob.digest)?;
                    self.follow_at(tree, &to, &place, depth + 1)?;
                }
                Node::Symlink(target) => tree.symlink(&path, &target)?,
            }
        }
        Ok(())
    }

    /// Where a symlink leads, and what is there; `None` if that is in the folder `from`, or nothing.
    fn led_to(&self, link: &str, target: &str, from: &str) -> Result<Option<(String, Node)>, Error> {
        let (mut link, mut target) = (link.to_owned(), target.to_owned());
        for _ in 0..LINKS_MAX {
            let Some(to) = joined(&link, &target).filter(|to| below(to, from).is_none()) else { return Ok(None) };
            match self.node(&to)? {
                Some(Node::Symlink(next)) => (link, target) = (to, next),
                node => return Ok(node.map(|node| (to, node))),
            }
        }
        Ok(None)
    }
}

/// The rest of `path` below `folder`; `` if it is that folder.
fn below<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    match path.strip_prefix(folder)? {
        rest if folder.is_empty() || rest.is_empty() => Some(rest),
        rest => rest.strip_prefix('/'),
    }
}

/// Where the symlink `link` with that target leads, unless it leaves the tree.
fn joined(link: &str, target: &str) -> Option<String> {
    if target.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = link.split('/').collect();
    parts.pop();
    for part in target.split('/').filter(|part| !matches!(*part, "" | ".")) {
        if part == ".." {
            parts.pop()?;
        } else {
            parts.push(part);
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_links_lead() {
        for (link, target, expected) in [
            ("a/b/link", "../c", Some("a/c")),
            ("a/b/link", "../../c/./d", Some("c/d")),
            ("a/b/link", "../..", Some("")),
            ("a/link", "../../c", None),
            ("a/link", "/c", None),
        ] {
            assert_eq!(joined(link, target).as_deref(), expected, "{link} {target}");
        }
    }

    #[test]
    fn what_is_below_what() {
        for (path, folder, expected) in [
            ("a/b", "a", Some("b")),
            ("a/b", "", Some("a/b")),
            ("a", "a", Some("")),
            ("ab/c", "a", None),
            ("b", "a", None),
        ] {
            assert_eq!(below(path, folder), expected, "{path} {folder}");
        }
    }
}
