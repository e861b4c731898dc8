//! Roots: links outside the store, such as `./result/<name>`, whose targets gc keeps.
//!
//! `roots/<SHA-256 of the link's path>` is one line of JSON,
//! `{"link":"/home/…/result/x","outputs":[{"tree":{…}}]}` with outputs as in a result. The root
//! counts while the link is there and leads into the store.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::object::Disk;
use super::reach::Reach;
use super::result::OutputLine;
use super::{Error, Output, Store};
use crate::digest::Digest;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    link: String,
    outputs: Vec<OutputLine>,
}

/// A registered root.
#[derive(Debug)]
pub(super) struct Root {
    /// Its file below the store.
    pub(super) file: String,
    pub(super) link: PathBuf,
    pub(super) outputs: Vec<Output>,
    /// Whether the link still leads into the store.
    pub(super) stands: bool,
}

/// How much space the store takes, and for whom. Bytes of content; a tree shares its objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The roots, by link.
    pub roots: Vec<RootUsage>,
    /// Bytes of objects that only results need, no root.
    pub cached: u64,
    /// Bytes of objects that nothing needs; the next gc takes them.
    pub unneeded: u64,
    /// Bytes of all objects.
    pub total: u64,
}

/// What one root keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootUsage {
    /// The link outside the store.
    pub link: PathBuf,
    /// Bytes of the objects it needs.
    pub bytes: u64,
    /// Of these, bytes that no other root needs: what its removal would free.
    pub own: u64,
}

impl Store {
    /// Registers a root: gc keeps `outputs` while the symlink at `link` (an absolute path outside
    /// the store) leads into the store. The link itself is the caller's to make.
    ///
    /// # Errors
    /// If the path is not UTF-8 or the root can't be written.
    pub fn add_root(&self, link: &Path, outputs: &[Output]) -> Result<(), Error> {
        let text = link.to_str().ok_or_else(|| Error::NotUtf8(link.display().to_string()))?;
        let outputs = outputs.iter().map(OutputLine::from).collect();
        let mut line = serde_json::to_vec(&Line { link: text.to_owned(), outputs })
            .expect("BUG: strings and numbers always become JSON");
        line.push(b'\n');
        let path = root_file(text);
        if std::fs::read(self.disk.path.join(&path)).is_ok_and(|old| old == line) {
            return Ok(());
        }
        let mut temp = self.disk.temp()?;
        temp.write_all(&line)?;
        temp.rename(&path)
    }

    /// Whether a root is registered for this link.
    #[must_use]
    pub fn has_root(&self, link: &Path) -> bool {
        link.to_str().is_some_and(|text| self.disk.path.join(root_file(text)).is_file())
    }

    /// Who takes how much space.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn usage(&self) -> Result<Usage, Error> {
        let mut roots = Vec::new();
        let mut users = HashMap::<_, u32>::new();
        for root in self.disk.roots()?.into_iter().filter(|root| root.stands) {
            let mut reach = Reach::default();
            root.outputs.iter().for_each(|output| reach.output(&self.disk, output));
            reach.objects.iter().for_each(|object| *users.entry(*object).or_default() += 1);
            roots.push((root.link, reach));
        }
        let mut needed = Reach::default();
        for key in self.disk.keys()? {
            self.disk.line(&key)?.iter().for_each(|result| needed.result(&self.disk, result));
        }
        let sizes = self.disk.sizes()?;
        let sum =
            |keep: &dyn Fn(&_) -> bool| sizes.iter().filter(|(object, _)| keep(object)).map(|(_, size)| size).sum();
        let usage = |(link, reach): (PathBuf, Reach)| RootUsage {
            link,
            bytes: sum(&|object| reach.objects.contains(object)),
            own: sum(&|object| reach.objects.contains(object) && users.get(object) == Some(&1)),
        };
        let mut roots: Vec<_> = roots.into_iter().map(usage).collect();
        roots.sort_by(|a, b| a.link.cmp(&b.link));
        Ok(Usage {
            roots,
            cached: sum(&|object| needed.objects.contains(object) && !users.contains_key(object)),
            unneeded: sum(&|object| !needed.objects.contains(object) && !users.contains_key(object)),
            total: sum(&|_| true),
        })
    }
}

/// The file of the root whose link is `link`, below the store.
fn root_file(link: &str) -> String {
    format!("roots/{}", Digest::of(link.as_bytes()).hex())
}

impl Disk {
    /// The registered roots, by file. A line that does not parse is a root that does not stand.
    pub(super) fn roots(&self) -> Result<Vec<Root>, Error> {
        self.names("roots")?.into_iter().map(|name| self.root(format!("roots/{name}"))).collect()
    }

    fn root(&self, file: String) -> Result<Root, Error> {
        let bytes = std::fs::read(self.path.join(&file)).map_err(self.at(&file))?;
        let Ok(line) = serde_json::from_slice::<Line>(&bytes) else {
            return Ok(Root { link: self.path.join(&file), file, outputs: Vec::new(), stands: false });
        };
        let link = PathBuf::from(line.link);
        let outputs: Option<Vec<_>> = line.outputs.into_iter().map(OutputLine::output).collect();
        let leads_here = std::fs::read_link(&link).is_ok_and(|target| target.starts_with(&self.path));
        Ok(Root { file, link, stands: leads_here && outputs.is_some(), outputs: outputs.unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    #[test]
    fn shared_bytes_are_nobodys_own() {
        let fixture = Fixture::new();
        let trees = [fixture.tree(&[("a", "shared"), ("b", "only in one")]), fixture.tree(&[("a", "shared")])];
        for (name, tree) in ["one", "two"].iter().zip(trees) {
            let path = fixture.store.checkout(&tree.digest).expect("checks out");
            std::os::unix::fs::symlink(path, fixture.outside(name)).expect("links");
            fixture.store.add_root(&fixture.outside(name), &[Output::Tree(tree)]).expect("adds");
        }
        fixture.store.put(b"nobody's").expect("puts");
        let usage = fixture.store.usage().expect("adds up");
        let (one, two) = (&usage.roots[0], &usage.roots[1]);
        assert_eq!((one.bytes - one.own, two.bytes - two.own), (6, 6));
        assert_eq!((one.own, usage.unneeded, usage.cached), (trees[0].size + 11, 8, 0));
        assert_eq!(one.own + two.bytes + usage.unneeded, usage.total);
    }

    #[test]
    fn a_link_that_leads_elsewhere_is_no_root() {
        let fixture = Fixture::new();
        let tree = fixture.tree(&[("a", "text")]);
        let link = fixture.outside("link");
        std::os::unix::fs::symlink(fixture.dir.path(), &link).expect("links");
        fixture.store.add_root(&link, &[Output::Tree(tree)]).expect("adds");
        assert!(fixture.store.usage().expect("adds up").roots.is_empty());
    }
}
