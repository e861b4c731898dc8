//! Looking over the whole store: every object is hashed, every tree and result compared.

use std::path::Path;

use rustix::fs::CWD;

use super::object::{Disk, Object, shard};
use super::result::RESULT;
use super::{Error, Store, threads};
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
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// An object whose bytes are not what its name says; it is in quarantine.
    #[error("{path}: corrupt, now in quarantine\n  want: {want}\n  got: {got}")]
    Corrupt {
        /// Its path below the store.
        path: String,
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
    /// [`Error::Busy`] if another process has the store open. Else if the store can't be read or
    /// written; a bad object is a finding, not an error.
    pub fn fsck(&mut self) -> Result<Report, Error> {
        self.alone(|| self.disk.fsck())
    }
}

impl Disk {
    fn fsck(&self) -> Result<Report, Error> {
        let sizes = self.sizes()?;
        let bytes = sizes.iter().map(|(_, size)| size).sum();
        let mut report = Report { objects: sizes.len(), bytes, findings: Vec::new() };
        let objects: Vec<Object> = sizes.into_iter().map(|(object, _)| object).collect();
        let got = self.examine(&objects, bytes)?;
        let bad: Vec<Object> =
            objects.iter().zip(&got).filter(|(_, got)| got.is_some()).map(|(object, _)| *object).collect();
        for ((kind, want), got) in objects.iter().zip(got) {
            report.findings.extend(got.map(|got| Finding::Corrupt { path: kind.path(want), want: *want, got }));
        }
        self.drop_lines(&mut report)?;
        let condemned = self.condemn(&bad)?;
        // The directories of those that are left are sound.
        let mut trees = self.trees_that_differ()?;
        trees.iter().try_for_each(|tree| self.set_tree_aside(tree))?;
        trees.extend(condemned.trees);
        trees.sort_unstable();
        report.findings.extend(trees.into_iter().map(Finding::Tree));
        report.findings.extend(condemned.results.into_iter().map(Finding::Result));
        Ok(report)
    }

    /// For each object the digest of its bytes, if it is another one than its name. A sound object
    /// gets its mode and time back.
    fn examine(&self, objects: &[Object], bytes: u64) -> Result<Vec<Option<Digest>>, Error> {
        let threads = threads::worth(objects.len(), bytes);
        threads::hash_each(
            objects,
            threads,
            |object| self.open_object(object),
            |(kind, digest), read| {
                let (_, blob) = read.ok_or(Error::Missing(*digest))?;
                if blob.digest == *digest {
                    self.mend(*kind, &blob)?;
                }
                Ok(Some(blob.digest).filter(|got| got != digest))
            },
        )
    }

    fn drop_lines(&self, report: &mut Report) -> Result<(), Error> {
        for key in self.keys()? {
            if self.line(&key)?.is_none() {
                self.unlink_result(&key)?;
                report.findings.push(Finding::Line(shard(RESULT, &key)));
            }
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::super::Output;
    use super::super::fixture::Fixture;
    use super::super::object::Kind;
    use super::*;

    #[test]
    fn a_sound_store_has_no_findings() {
        let mut fixture = Fixture::new();
        let tree = fixture.tree(&[("a", "text"), ("b/c", "more")]);
        fixture.commit("key", Output::Tree(tree));
        fixture.store.checkout(&tree.digest).expect("checks out");
        let report = fixture.store.fsck().expect("looks");
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
        let findings = fixture.store.fsck().expect("looks").findings;
        assert_eq!(findings.len(), 4, "{findings:?}");
        assert!(
            matches!(findings[0], Finding::Corrupt { want, got, .. } if want == Digest::of(b"text") && got == Digest::of(b"TEXT"))
        );
        assert!(findings.contains(&Finding::Tree(bad.digest)) && findings.contains(&Finding::Result(bad_key)));
        assert!(fixture.store.result(&good_key).expect("looks").is_some());
        assert_eq!(fixture.store.fsck().expect("looks").findings, vec![]);
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
            let findings = fixture.store.fsck().expect("looks").findings;
            assert_eq!(findings.len(), want, "{findings:?}");
            assert_eq!(fixture.store.fsck().expect("looks").findings, vec![]);
        }
    }
}
