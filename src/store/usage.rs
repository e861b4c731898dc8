//! Who takes how much space. All numbers are bytes of content; a tree shares its objects.

use std::collections::HashMap;
use std::path::PathBuf;

use super::object::{Disk, Object};
use super::reach::Reach;
use super::{Error, Store};

/// How much space the store takes, and for whom: `own` of all roots, and all other parts, add up
/// to `total`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The roots, by link.
    pub roots: Vec<RootUsage>,
    /// Objects that several roots need.
    pub shared: u64,
    /// Objects that only results need, no root.
    pub results: u64,
    /// Downloads that results were made of; only another build would want them again.
    pub downloads: u64,
    /// Objects that nothing needs; the next gc takes them.
    pub unneeded: u64,
    /// What else lies in the store, by what people call it.
    pub auxiliary: Vec<(&'static str, u64)>,
    /// All of it.
    pub total: u64,
}

/// What one root keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootUsage {
    /// The link outside the store.
    pub link: PathBuf,
    /// Bytes of the objects it needs.
    pub bytes: u64,
    /// Of these, bytes that no other root needs: what gc can free once it is gone and its result
    /// is old.
    pub own: u64,
}

/// Who needs an object.
enum User {
    /// One root, by number.
    Root(usize),
    Roots,
    Result,
    Download,
}

impl Store {
    /// Who takes how much space.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn usage(&self) -> Result<Usage, Error> {
        let disk = &self.disk;
        let (mut usage, mut users) = (Usage::default(), HashMap::new());
        for root in disk.roots()?.into_iter().filter(|root| root.stands) {
            let mut reach = Reach::default();
            root.outputs.iter().for_each(|output| reach.output(disk, output));
            let number = usage.roots.len();
            let more = |user: &mut User| *user = User::Roots;
            reach.objects.into_keys().for_each(|object| {
                users.entry(object).and_modify(more).or_insert(User::Root(number));
            });
            usage.roots.push(RootUsage { link: root.link, bytes: reach.bytes, own: 0 });
        }
        disk.use_results(&mut users)?;
        disk.sizes()?.into_iter().for_each(|(object, size)| usage.add(users.get(&object), size));
        disk.use_auxiliary(&mut usage)?;
        usage.total += usage.auxiliary.iter().map(|(_, bytes)| bytes).sum::<u64>();
        usage.roots.sort_by(|a, b| a.link.cmp(&b.link));
        Ok(usage)
    }
}

impl Disk {
    /// Marks what results need that no root does, then what was downloaded for them.
    fn use_results(&self, users: &mut HashMap<Object, User>) -> Result<(), Error> {
        let mut reach = Reach::default();
        let lines = self.keys()?.iter().filter_map(|key| self.line(key).transpose()).collect::<Result<Vec<_>, _>>()?;
        lines.iter().for_each(|result| reach.result(self, result));
        for object in reach.objects.keys() {
            users.entry(*object).or_insert(User::Result);
        }
        let downloads = lines.iter().filter_map(|result| result.downloads.as_ref());
        for object in reach.new_of(|reach| downloads.for_each(|downloads| reach.downloads(self, downloads))) {
            users.entry(object).or_insert(User::Download);
        }
        Ok(())
    }
}

impl Usage {
    fn add(&mut self, user: Option<&User>, size: u64) {
        self.total += size;
        *match user {
            Some(User::Root(number)) => &mut self.roots[*number].own,
            Some(User::Roots) => &mut self.shared,
            Some(User::Result) => &mut self.results,
            Some(User::Download) => &mut self.downloads,
            None => &mut self.unneeded,
        } += size;
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Fixture, result};
    use super::super::{ActionResult, Directory, Node, Output};
    use crate::digest::Digest;

    #[test]
    fn parts_add_up() {
        let fixture = Fixture::new();
        let trees = [fixture.tree(&[("a", "shared"), ("b", "only in one")]), fixture.tree(&[("a", "shared")])];
        for (name, tree) in ["one", "two"].iter().zip(trees) {
            let path = fixture.store.checkout(&tree.digest).expect("checks out");
            std::os::unix::fs::symlink(path, fixture.outside(name)).expect("links");
            fixture.store.add_root(&fixture.outside(name), &[Output::Tree(tree)]).expect("adds");
        }
        let blob = fixture.store.put(b"a download").expect("puts");
        let entries = [("deb".to_owned(), Node::File { blob, executable: false })].into();
        let downloads = fixture.store.put_directory(&Directory { entries }).expect("puts");
        let cached = Output::File { blob: fixture.store.put(b"cached").expect("puts"), executable: false };
        let result = ActionResult { downloads: Some(downloads), ..result(cached) };
        fixture.store.record(&Digest::of(b"key"), &result).expect("records");
        fixture.store.commit().expect("commits");
        fixture.store.put(b"nobody's").expect("puts");
        std::fs::create_dir(fixture.store.root().join("log")).expect("makes");
        std::fs::write(fixture.store.root().join("log/x"), "failed").expect("writes");

        let usage = fixture.store.usage().expect("adds up");
        let (one, two) = (&usage.roots[0], &usage.roots[1]);
        assert_eq!((usage.shared, one.bytes - one.own, two.bytes - two.own), (6, 6, 6));
        assert_eq!((one.own, usage.unneeded, usage.results), (trees[0].size + 11, 8, 6));
        assert_eq!(usage.downloads, downloads.size + 10);
        assert!(usage.auxiliary.contains(&("logs of failed steps", 6)), "{usage:?}");
        let parts = one.own + two.own + usage.shared + usage.results + usage.downloads + usage.unneeded + 6;
        assert_eq!(parts, usage.total);
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
