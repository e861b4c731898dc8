//! Looking for something in an image's file system, as the kernel would.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::super::Error;
use crate::digest::Digest;
use crate::path::RelPath;
use crate::store::{Directory, Node, Store};

/// How many links the kernel follows.
const MOST_LINKS: usize = 40;

/// A file system in the store, of which each folder is read once.
pub(super) struct Root<'a> {
    store: &'a Store,
    top: Digest,
    folders: RefCell<HashMap<Digest, Rc<Directory>>>,
}

impl<'a> Root<'a> {
    pub(super) fn new(store: &'a Store, top: Digest) -> Self {
        Self { store, top, folders: RefCell::default() }
    }

    /// What stands at `path`, where no part of the path is a link.
    ///
    /// # Errors
    /// Where the store fails.
    pub(super) fn node(&self, path: &RelPath) -> Result<Option<Node>, Error> {
        let (mut at, mut names) = (self.top, path.as_str().split('/').peekable());
        while let Some(name) = names.next() {
            match self.folder(at)?.entries.get(name) {
                Some(Node::Directory(blob)) if names.peek().is_some() => at = blob.digest,
                found => return Ok(found.filter(|_| names.peek().is_none()).cloned()),
            }
        }
        Ok(None)
    }

    fn folder(&self, digest: Digest) -> Result<Rc<Directory>, Error> {
        if let Some(known) = self.folders.borrow().get(&digest) {
            return Ok(Rc::clone(known));
        }
        let folder = Rc::new(self.store.directory(&digest)?);
        self.folders.borrow_mut().insert(digest, Rc::clone(&folder));
        Ok(folder)
    }

    /// What an absolute path leads to, with all links followed; nothing where it leads nowhere.
    ///
    /// # Errors
    /// Where the store fails.
    pub(super) fn follow(&self, path: &str) -> Result<Option<Node>, Error> {
        let mut left: Vec<String> = parts(path);
        let (mut done, mut links): (Vec<String>, usize) = (Vec::new(), 0);
        let mut found = None;
        while let Some(name) = left.pop() {
            if name == ".." {
                done.pop();
                continue;
            }
            done.push(name);
            let Ok(place) = RelPath::new(done.join("/")) else { return Ok(None) };
            found = self.node(&place)?;
            match &found {
                Some(Node::Symlink(target)) => {
                    links += 1;
                    if links > MOST_LINKS {
                        return Ok(None);
                    }
                    done.pop();
                    if target.starts_with('/') {
                        done.clear();
                    }
                    left.extend(parts(target));
                }
                Some(_) => {}
                None => return Ok(None),
            }
        }
        Ok(found)
    }
}

/// The names of a path, the last first.
fn parts(path: &str) -> Vec<String> {
    path.split('/').filter(|name| !name.is_empty() && *name != ".").rev().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::TreeBuilder;

    #[test]
    fn links_are_followed() {
        let directory = tempfile::tempdir().expect("tempdir");
        let store = Store::open(&directory.path().join("store")).expect("store");
        let path = |text: &str| RelPath::new(text).expect(text);
        let blob = store.put(b"x").expect("puts");
        let mut tree = TreeBuilder::new();
        tree.file(&path("usr/bin/x"), blob, true).expect("fits");
        for (place, target) in [("bin", "usr/bin"), ("usr/bin/y", "../../bin/x"), ("z", "/usr/bin/y"), ("o", "o")] {
            tree.symlink(&path(place), target).expect("fits");
        }
        let root = Root::new(&store, tree.finish(&store).expect("stores").digest);
        for (path, there) in [
            ("/usr/bin/x", true),
            ("/bin/x", true),
            ("/z", true),
            ("/bin/../bin/./y", true),
            ("/o", false),
            ("/bin/x/y", false),
            ("/usr/lib", false),
        ] {
            assert_eq!(root.follow(path).expect("looks").is_some(), there, "{path}");
        }
    }
}
