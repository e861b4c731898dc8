//! Looking over the whole store: every object is hashed, every tree and result compared.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::CWD;

use super::object::{Disk, Kind, Object, shard};
use super::quarantine::Condemned;
use super::reach::Reach;
use super::result::RESULT;
use super::watch::{Stage, Watch, tell_bytes};
use super::{Blob, Cause, Error, Node, Output, Store, threads};
use crate::digest::Digest;

/// What fsck looked at and found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many objects were hashed.
    pub objects: usize,
    /// How many bytes they have.
    pub bytes: u64,
    /// What was wrong; it is put right already, by taking it out of use.
    pub findings: Vec<Finding>,
}

/// One thing that was wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was wrong.
    pub damage: Damage,
    /// What it was part of: labels of results, and `hello: download NAME`. Nothing where no result
    /// names it.
    pub of: BTreeSet<String>,
}

/// What can be wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// An object whose bytes are not what its name says; it is in quarantine.
    #[error("{path}: corrupt, now in quarantine; {cause}\n  want: {want}\n  got: {got}")]
    Corrupt {
        /// Its path below the store.
        path: String,
        /// How it may have come to be so.
        cause: Cause,
        /// Its name.
        want: Digest,
        /// The digest of its bytes.
        got: Digest,
    },
    /// A realised tree that differs from its directories or needs a lost object; it is in
    /// quarantine and made again when it is next used.
    #[error("tree/{}: damaged, now in quarantine; made again on next use", .0.hex())]
    Tree(Digest),
    /// A result that needs a lost object; it is forgotten.
    #[error("result {}: needs a lost object, forgotten; the next build makes it again", .0.hex())]
    Result(Digest),
    /// A file that is no result; it is removed.
    #[error("{0}: not a result, removed")]
    Line(String),
}

impl Store {
    /// Hashes every object and takes out of use what is bad and what needs it. `&mut` as it must
    /// not run beside work on the same open store.
    ///
    /// # Errors
    /// [`Error::Busy`] if another process has the store open, [`Error::Stopped`]. Else if the store
    /// can't be read or written; a bad object is a finding, not an error.
    pub fn fsck(&mut self, watch: &Watch<'_>) -> Result<Report, Error> {
        self.alone(|| self.disk.fsck(watch))
    }
}

/// A bad object, how it came to be so, and the digest of its bytes.
type Bad = (Object, Cause, Digest);

impl Disk {
    fn fsck(&self, watch: &Watch<'_>) -> Result<Report, Error> {
        let sizes = self.sizes()?;
        let bytes = sizes.iter().map(|(_, size)| size).sum();
        let bad = self.examine(&sizes, bytes, watch)?;
        let mut report = Report { objects: sizes.len(), bytes, findings: self.drop_lines()? };
        let objects: Vec<_> = bad.iter().map(|(object, ..)| *object).collect();
        let mut condemned = self.condemn(&objects)?;
        // The directories of those that are left are sound.
        let differ = self.trees_that_differ()?;
        differ.iter().try_for_each(|tree| self.set_tree_aside(tree))?;
        condemned.trees.extend(differ);
        condemned.trees.sort_unstable();
        let owners = Owners::find(self, &objects, &condemned)?;
        report.findings.extend(owners.findings(bad, condemned));
        Ok(report)
    }

    /// Hashes all objects. Sound ones get their mode and time back.
    fn examine(&self, sizes: &[(Object, u64)], bytes: u64, watch: &Watch<'_>) -> Result<Vec<Bad>, Error> {
        let objects: Vec<_> = sizes.iter().map(|(object, _)| *object).collect();
        let hashed = AtomicU64::new(0);
        let found = threads::hash_each(
            &objects,
            threads::worth(objects.len(), bytes),
            |object| self.open_object(object),
            |object, read| {
                let (_, blob) = read.ok_or(Error::Missing(object.1))?;
                tell_bytes(watch, Stage::Hash, hashed.fetch_add(blob.size, Ordering::Relaxed), bytes)?;
                self.judge(object, &blob)
            },
        )?;
        Ok(found.into_iter().flatten().collect())
    }

    /// What is wrong with an object that holds these bytes.
    fn judge(&self, object: &Object, blob: &Blob) -> Result<Option<Bad>, Error> {
        if blob.digest == object.1 {
            return self.mend(object.0, blob).map(|()| None);
        }
        Ok(Some((*object, self.cause(object), blob.digest)))
    }

    fn drop_lines(&self) -> Result<Vec<Finding>, Error> {
        let mut findings = Vec::new();
        for key in self.keys()? {
            if self.line(&key)?.is_none() {
                self.unlink_result(&key)?;
                findings.push(Finding { damage: Damage::Line(shard(RESULT, &key)), of: BTreeSet::new() });
            }
        }
        Ok(findings)
    }

    /// Realised trees that don't look like their directories.
    fn trees_that_differ(&self) -> Result<Vec<Digest>, Error> {
        let mut differ = Vec::new();
        for tree in self.trees()? {
            let path = self.path.join("tree").join(tree.hex());
            if !self.tree_matches(CWD, Path::new(&path), &tree)? {
                differ.push(tree);
            }
        }
        Ok(differ)
    }
}

/// What damaged things are part of.
#[derive(Default)]
struct Owners {
    objects: BTreeMap<Object, BTreeSet<String>>,
    trees: BTreeMap<Digest, BTreeSet<String>>,
}

impl Owners {
    fn find(disk: &Disk, bad: &[Object], condemned: &Condemned) -> Result<Self, Error> {
        let mut owners =
            Self { objects: bad.iter().map(|object| (*object, BTreeSet::new())).collect(), ..Self::default() };
        if bad.is_empty() && condemned.trees.is_empty() && condemned.results.is_empty() {
            return Ok(owners);
        }
        for (_, result) in &condemned.results {
            let mut reach = Reach::default();
            reach.result(disk, result);
            owners.own(reach.objects.keys(), &result.label);
        }
        let standing = disk.keys()?.into_iter().filter_map(|key| disk.line(&key).transpose());
        let standing = standing.collect::<Result<Vec<_>, _>>()?;
        for result in standing.iter().chain(condemned.results.iter().map(|(_, result)| result)) {
            owners.own_trees(result.outputs.values(), &result.label);
            if let Some(downloads) = result.downloads.and_then(|downloads| disk.peek(&downloads.digest).ok().flatten())
            {
                owners.own_downloads(&downloads.entries, &result.label);
            }
        }
        Ok(owners)
    }

    fn own<'a>(&mut self, objects: impl IntoIterator<Item = &'a Object>, label: &str) {
        for object in objects {
            if let Some(labels) = self.objects.get_mut(object) {
                labels.insert(label.to_owned());
            }
        }
    }

    fn own_trees<'a>(&mut self, outputs: impl IntoIterator<Item = &'a Output>, label: &str) {
        for output in outputs {
            self.trees.entry(output.digest()).or_default().insert(label.to_owned());
        }
    }

    fn own_downloads(&mut self, entries: &BTreeMap<String, Node>, label: &str) {
        for (name, node) in entries {
            if let Node::File { blob, executable } = node {
                self.own([&(Kind::of(*executable), blob.digest)], &format!("{label}: download {name}"));
            }
        }
    }

    fn findings(mut self, bad: Vec<Bad>, condemned: Condemned) -> Vec<Finding> {
        let corrupt = bad.into_iter().map(|(object, cause, got)| {
            let damage = Damage::Corrupt { path: object.0.path(&object.1), cause, want: object.1, got };
            Finding { damage, of: self.objects.remove(&object).unwrap_or_default() }
        });
        let mut findings: Vec<_> = corrupt.collect();
        findings.extend(condemned.trees.into_iter().map(|tree| Finding {
            damage: Damage::Tree(tree),
            of: self.trees.get(&tree).cloned().unwrap_or_default(),
        }));
        findings.extend(
            condemned
                .results
                .into_iter()
                .map(|(key, result)| Finding { damage: Damage::Result(key), of: BTreeSet::from([result.label]) }),
        );
        findings
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::super::fixture::Fixture;
    use super::super::watch::Progress;
    use super::*;

    fn quiet(_: Progress) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    #[test]
    fn a_sound_store_has_no_findings() {
        let mut fixture = Fixture::new();
        let tree = fixture.tree(&[("a", "text"), ("b/c", "more")]);
        fixture.commit("key", Output::Tree(tree));
        fixture.store.checkout(&tree.digest).expect("checks out");
        let report = fixture.store.fsck(&quiet).expect("looks");
        assert_eq!((report.objects, report.findings), (4, vec![]));
    }

    #[test]
    fn a_bad_object_takes_with_it_what_needs_it() {
        let mut fixture = Fixture::new();
        let (bad, good) = (fixture.tree(&[("d/a", "text")]), fixture.tree(&[("d/a", "other")]));
        let (bad_key, good_key) =
            (fixture.commit("bad", Output::Tree(bad)), fixture.commit("good", Output::Tree(good)));
        let broken_key = fixture.commit("broken", Output::Tree(good));
        for tree in [bad, good] {
            fixture.store.checkout(&tree.digest).expect("checks out");
        }
        let path = fixture.store.root().join(Kind::File.path(&Digest::of(b"text")));
        std::fs::write(path, "TEXT").expect("damages");
        std::fs::write(fixture.store.root().join(shard(RESULT, &broken_key)), "{").expect("writes");
        let findings = fixture.store.fsck(&quiet).expect("looks").findings;
        assert_eq!(findings.len(), 4, "{findings:?}");
        assert!(
            matches!(findings[1].damage, Damage::Corrupt { want, got, cause: Cause::Written, .. } if want == Digest::of(b"text") && got == Digest::of(b"TEXT"))
        );
        let of = || BTreeSet::from(["bad".to_owned()]);
        let found = |damage| findings.contains(&Finding { damage, of: of() });
        assert!(found(Damage::Tree(bad.digest)) && found(Damage::Result(bad_key)) && findings[1].of == of());
        assert!(fixture.store.result(&good_key).expect("looks").is_some());
        assert_eq!(fixture.store.fsck(&quiet).expect("looks").findings, vec![]);
    }

    #[test]
    fn a_bad_directory_is_a_finding_and_so_is_a_lost_one() {
        type Harm = fn(&Path) -> std::io::Result<()>;
        let harms: [(Harm, usize); 2] =
            [(|path| std::fs::write(path, "junk"), 3), (|path| std::fs::remove_file(path), 2)];
        for (harm, want) in harms {
            let mut fixture = Fixture::new();
            let tree = fixture.tree(&[("d/a", "text")]);
            fixture.commit("key", Output::Tree(tree));
            fixture.store.checkout(&tree.digest).expect("checks out");
            harm(&fixture.store.root().join(Kind::Dir.path(&tree.digest))).expect("harms");
            let findings = fixture.store.fsck(&quiet).expect("looks").findings;
            assert_eq!(findings.len(), want, "{findings:?}");
            assert_eq!(fixture.store.fsck(&quiet).expect("looks").findings, vec![]);
        }
    }
}
