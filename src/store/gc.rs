//! Taking away what nothing needs: at a user's wish, and after a boot.
//!
//! What goes is decided first, as data ([`Sweep`]); a dry run ends there. Then it is removed in
//! the order results, roots, trees, objects, so that an interrupted removal leaves no result over
//! a missing object.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, statat};

use super::kept::{self, Shelf};
use super::object::{Disk, Kind, Object, shard};
use super::quarantine::QUARANTINE;
use super::reach::Reach;
use super::result::RESULT;
use super::{ActionResult, Error, Store, fault, scratch};
use crate::digest::Digest;

/// What gc keeps besides what roots need.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// The present time.
    pub now: SystemTime,
    /// Results used within this time stay.
    pub keep: Duration,
    /// Older results stay too, the last used first, while all that stays is at most this many
    /// bytes. `None`: none of them stays.
    pub quota: Option<u64>,
}

/// What gc takes away, or would take away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sweep {
    /// In the order of removal.
    pub removals: Vec<Removal>,
    /// Bytes of the objects that stay.
    pub kept: u64,
}

impl Sweep {
    /// Bytes that come free.
    #[must_use]
    pub fn freed(&self) -> u64 {
        self.removals.iter().map(|removal| removal.bytes).sum()
    }
}

/// One thing that goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// Its path below the store.
    pub path: String,
    /// Bytes of content; 0 for a realised tree, which is made of links.
    pub bytes: u64,
    /// Why it goes.
    pub why: Why,
}

/// Why something goes. Written as words, it completes "… goes, because".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// A result.
    #[error("no root needs this result and it was not used lately")]
    Unused,
    /// A line that is no result.
    #[error("the line is no result")]
    Unreadable,
    /// A root.
    #[error("{} is gone or leads elsewhere", .0.display())]
    RootGone(PathBuf),
    /// A tree or object.
    #[error("no root and no result needs it")]
    Unneeded,
    /// What a failed command or a shell left.
    #[error("it is a workspace that was kept to be looked into")]
    Workspace,
    /// Something in quarantine.
    #[error("it is in quarantine")]
    Quarantined,
}

impl Store {
    /// Says what gc would take away now.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn gc_plan(&self, policy: &Policy) -> Result<Sweep, Error> {
        self.disk.plan(policy)
    }

    /// Takes away what neither a root nor the policy keeps. `&mut` as it must not run beside work
    /// on the same open store.
    ///
    /// # Errors
    /// [`Error::Busy`] if another process has the store open: it may build with what no root
    /// needs yet. Else if the store can't be read or written.
    pub fn gc(&mut self, policy: &Policy) -> Result<Sweep, Error> {
        self.alone(|| {
            let sweep = self.disk.plan(policy)?;
            self.disk.remove(&sweep)?;
            self.disk.remove_locks()?;
            Ok(sweep)
        })
    }

    /// After a boot: takes away what no result covers, as it may never have reached the disk.
    pub(super) fn sweep_uncovered(&self) -> Result<(), Error> {
        let mut covered = Reach::default();
        for key in self.disk.keys()? {
            self.disk.line(&key)?.iter().for_each(|result| covered.result(&self.disk, result));
        }
        let mut sweep = Sweep::default();
        self.disk.plan_uncovered(&covered, &mut sweep)?;
        self.disk.remove(&sweep)
    }
}

/// A result on disk.
struct Used {
    key: Digest,
    at: SystemTime,
    result: ActionResult,
}

impl Disk {
    fn plan(&self, policy: &Policy) -> Result<Sweep, Error> {
        let (mut reach, mut sweep) = (Reach::default(), Sweep::default());
        let (standing, gone): (Vec<_>, Vec<_>) = self.roots()?.into_iter().partition(|root| root.stands);
        for root in &standing {
            root.outputs.iter().for_each(|output| reach.output(self, output));
        }
        self.plan_results(policy, &mut reach, &mut sweep)?;
        for root in gone {
            sweep.removals.push(Removal { path: root.file, bytes: 0, why: Why::RootGone(root.link) });
        }
        self.plan_uncovered(&reach, &mut sweep)?;
        self.plan_workspaces(&mut sweep)?;
        for name in self.names(QUARANTINE)? {
            sweep.removals.push(Removal { path: format!("{QUARANTINE}/{name}"), bytes: 0, why: Why::Quarantined });
        }
        Ok(sweep)
    }

    /// All workspaces that were kept go.
    fn plan_workspaces(&self, sweep: &mut Sweep) -> Result<(), Error> {
        for shelf in Shelf::ALL {
            for name in self.names(shelf.folder())? {
                let path = format!("{}/{name}", shelf.folder());
                sweep.removals.push(Removal { bytes: kept::size(&self.path.join(&path)), path, why: Why::Workspace });
            }
        }
        Ok(())
    }

    /// Results that roots or the policy keep are added to `reach`; the others go.
    fn plan_results(&self, policy: &Policy, reach: &mut Reach, sweep: &mut Sweep) -> Result<(), Error> {
        let (rooted, mut others): (Vec<_>, Vec<_>) =
            self.used(sweep)?.into_iter().partition(|used| reach.covers(&used.result));
        rooted.iter().for_each(|used| reach.result(self, &used.result));
        others.sort_by_key(|used| (std::cmp::Reverse(used.at), used.key));
        let mut full = false;
        for Used { key, at, result } in others {
            let young = policy.now.duration_since(at).map_or(true, |age| age < policy.keep);
            if young {
                reach.result(self, &result);
            } else if full || !policy.quota.is_some_and(|quota| reach.result_within(self, &result, quota)) {
                full = true;
                sweep.removals.push(Removal { path: shard(RESULT, &key), bytes: 0, why: Why::Unused });
            }
        }
        Ok(())
    }

    /// The results and when they were last used. Lines that are none go.
    fn used(&self, sweep: &mut Sweep) -> Result<Vec<Used>, Error> {
        let mut used = Vec::new();
        for key in self.keys()? {
            let path = shard(RESULT, &key);
            match self.line(&key)? {
                Some(result) => used.push(Used { key, at: self.modified(&path)?, result }),
                None => sweep.removals.push(Removal { path, bytes: 0, why: Why::Unreadable }),
            }
        }
        Ok(used)
    }

    fn modified(&self, path: &str) -> Result<SystemTime, Error> {
        self.path.join(path).metadata().and_then(|data| data.modified()).map_err(self.at(path))
    }

    /// Trees and objects outside `reach` go.
    fn plan_uncovered(&self, reach: &Reach, sweep: &mut Sweep) -> Result<(), Error> {
        for tree in self.trees()?.into_iter().filter(|tree| !reach.keeps_tree(tree)) {
            sweep.removals.push(Removal { path: format!("tree/{}", tree.hex()), bytes: 0, why: Why::Unneeded });
        }
        for ((kind, digest), bytes) in self.sizes()? {
            if reach.objects.contains(&(kind, digest)) {
                sweep.kept += bytes;
            } else {
                sweep.removals.push(Removal { path: kind.path(&digest), bytes, why: Why::Unneeded });
            }
        }
        Ok(())
    }

    /// All objects and their sizes.
    pub(super) fn sizes(&self) -> Result<Vec<(Object, u64)>, Error> {
        let mut sizes = Vec::new();
        for kind in Kind::ALL {
            for digest in self.objects(kind)? {
                let path = kind.path(&digest);
                let stat = statat(&self.root, &path, AtFlags::SYMLINK_NOFOLLOW).map_err(self.at(path))?;
                sizes.push(((kind, digest), u64::try_from(stat.st_size).unwrap_or_default()));
            }
        }
        Ok(sizes)
    }

    fn remove(&self, sweep: &Sweep) -> Result<(), Error> {
        self.checked.lock().expect("BUG: a thread panicked").clear();
        for removal in &sweep.removals {
            scratch::erase(&self.path.join(&removal.path))?;
            fault::point("sweep.removed");
        }
        Ok(())
    }

    /// Lock files of actions; nobody holds one while the store is held alone.
    fn remove_locks(&self) -> Result<(), Error> {
        let names = self.names("lock")?;
        names
            .iter()
            .filter(|name| *name != "use")
            .try_for_each(|name| scratch::erase(&self.path.join("lock").join(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Output;
    use super::super::fixture::Fixture;
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn policy(days_later: u32, keep: Duration, quota: Option<u64>) -> Policy {
        Policy { now: SystemTime::now() + DAY * days_later, keep, quota }
    }

    fn result_and_tree(fixture: &Fixture, text: &str) -> (Digest, Digest) {
        let tree = fixture.tree(&[("a", text)]);
        fixture.store.checkout(&tree.digest).expect("checks out");
        (fixture.commit(text, Output::Tree(tree)), tree.digest)
    }

    #[test]
    fn keeps_what_roots_and_recent_results_need() {
        let mut fixture = Fixture::new();
        let (rooted, tree) = result_and_tree(&fixture, "rooted");
        let (other, other_tree) = result_and_tree(&fixture, "other");
        let link = fixture.outside("link");
        let path = fixture.store.checkout(&tree).expect("checks out");
        std::os::unix::fs::symlink(&path, &link).expect("links");
        let output = fixture.store.result(&rooted).expect("looks").expect("there").outputs["out"];
        fixture.store.add_root(&link, &[output]).expect("adds");

        fixture.store.gc(&policy(2, DAY * 3, None)).expect("collects");
        assert!(fixture.store.result(&other).expect("looks").is_some(), "used lately");
        let sweep = fixture.store.gc(&policy(2, DAY, None)).expect("collects");
        assert!(sweep.removals.iter().any(|removal| removal.why == Why::Unused));
        assert!(fixture.store.result(&rooted).expect("looks").is_some() && path.join("a").exists());
        assert!(fixture.store.result(&other).expect("looks").is_none() && !fixture.store.contains(&other_tree));

        std::fs::remove_file(&link).expect("removes");
        let sweep = fixture.store.gc(&policy(2, DAY, None)).expect("collects");
        assert!(sweep.removals.iter().any(|removal| removal.why == Why::RootGone(link.clone())));
        assert!(!fixture.store.contains(&tree) && sweep.kept == 0);
        assert!(fixture.store.gc(&policy(2, DAY, None)).expect("collects").removals.is_empty());
    }

    #[test]
    fn a_quota_keeps_the_last_used() {
        let mut fixture = Fixture::new();
        let (old, _) = result_and_tree(&fixture, "old text");
        let (new, _) = result_and_tree(&fixture, "new text");
        let path = fixture.store.root().join(shard(RESULT, &old));
        std::fs::File::open(path).expect("opens").set_modified(SystemTime::now() - DAY).expect("ages");
        let all = fixture.store.usage().expect("adds up").total;
        assert!(fixture.store.gc_plan(&policy(9, DAY, Some(all))).expect("plans").removals.is_empty());
        let sweep = fixture.store.gc(&policy(9, DAY, Some(all - 1))).expect("collects");
        assert_eq!(sweep.kept + sweep.freed(), all);
        assert!(fixture.store.result(&old).expect("looks").is_none());
        assert!(fixture.store.result(&new).expect("looks").is_some());
    }

    #[test]
    fn a_dry_run_says_the_same_and_changes_nothing() {
        let mut fixture = Fixture::new();
        result_and_tree(&fixture, "text");
        let before = fixture.listing();
        let plan = fixture.store.gc_plan(&policy(2, DAY, None)).expect("plans");
        assert_eq!(fixture.listing(), before);
        assert_eq!(fixture.store.gc(&policy(2, DAY, None)).expect("collects"), plan);
        assert!(plan.removals.iter().all(|removal| !fixture.store.root().join(&removal.path).exists()));
    }

    #[test]
    fn not_beside_another_process() {
        let mut fixture = Fixture::new();
        let other = fixture.again("one");
        assert!(matches!(fixture.store.gc(&policy(0, DAY, None)), Err(Error::Busy(_))));
        assert!(matches!(fixture.store.fsck(), Err(Error::Busy(_))));
        drop(other);
        fixture.store.gc(&policy(0, DAY, None)).expect("collects");
    }
}
