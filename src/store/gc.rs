//! Taking away what nothing needs: at a user's wish, and after a boot.
//!
//! What goes is decided first, as data ([`Sweep`], made in [`super::mark`]); a dry run ends there.
//! Then it is removed in the order results, roots, trees, objects, so that an interrupted removal
//! leaves no result over a missing object.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, unlinkat};

use super::object::Disk;
use super::watch::{Stage, Watch, tell};
use super::{Error, Store, fault, scratch};
use crate::parallel;

/// How many files are removed at once: each may wait until the disk has discarded its blocks.
const REMOVALS: usize = 4;

/// Below this many files a thread costs more than it saves.
const MANY: usize = 64;

/// What of the things that no root needs gc takes away; both reasons may be given.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// The present time.
    pub now: SystemTime,
    /// Results that were not used for so long go.
    pub older_than: Option<Duration>,
    /// The least recently used go until all that stays is at most so many bytes: first downloads
    /// of which the result stands, then results.
    pub quota: Option<u64>,
}

/// What gc takes away, or would take away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sweep {
    /// In the order of removal.
    pub removals: Vec<Removal>,
    /// Bytes that stay.
    pub kept: u64,
    /// Of these, bytes that roots need.
    pub rooted: u64,
    /// How many roots stand.
    pub roots: usize,
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
    /// What it belongs to, in words: a unit, `downloads for toolroot-c`.
    pub part: Arc<str>,
    /// Why it goes; of what a result needed, why that goes.
    pub why: Why,
}

impl Removal {
    /// The folder of the store that it lies in.
    fn folder(&self) -> &str {
        self.path.split('/').next().unwrap_or_default()
    }
}

/// Why something goes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// It was not used for this long.
    #[error("not used for {}", Age(*.0))]
    Old(Duration),
    /// There is no room for it.
    #[error("over the quota, and used less lately than what stays")]
    Quota,
    /// A line that is no result.
    #[error("it can't be read as a result")]
    Unreadable,
    /// A root.
    #[error("{} is gone or leads elsewhere", .0.display())]
    RootGone(PathBuf),
    /// A tree or object.
    #[error("needed by no link and no result")]
    Unneeded,
    /// What a failed command or a shell left.
    #[error("kept only until the next gc")]
    Workspace,
    /// Something in quarantine.
    #[error("damaged")]
    Damaged,
    /// A file written aside.
    #[error("never finished")]
    Left,
}

/// A time span for people, in days, or in hours or minutes where there are no two of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Age(pub Duration);

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.0.as_secs() / 60;
        match (minutes / (24 * 60), minutes / 60) {
            (0..2, 0..2) => write!(f, "{minutes} minute{}", if minutes == 1 { "" } else { "s" }),
            (0..2, hours) => write!(f, "{hours} hours"),
            (days, _) => write!(f, "{days} days"),
        }
    }
}

impl Store {
    /// Says what gc would take away now.
    ///
    /// # Errors
    /// If the store can't be read, and [`Error::Stopped`].
    pub fn gc_plan(&self, policy: &Policy, watch: &Watch<'_>) -> Result<Sweep, Error> {
        self.disk.mark(policy, watch)
    }

    /// Takes away what neither a root nor the policy keeps. `&mut` as it must not run beside work
    /// on the same open store.
    ///
    /// # Errors
    /// [`Error::Busy`] if another process has the store open: it may build with what no root
    /// needs yet. Else if the store can't be read or written, and [`Error::Stopped`]; what was
    /// removed before is gone then.
    pub fn gc(&mut self, policy: &Policy, watch: &Watch<'_>) -> Result<Sweep, Error> {
        self.alone(|| {
            let sweep = self.disk.mark(policy, watch)?;
            self.disk.remove(&sweep, watch)?;
            self.disk.remove_locks()?;
            Ok(sweep)
        })
    }
}

impl Disk {
    pub(super) fn remove(&self, sweep: &Sweep, watch: &Watch<'_>) -> Result<(), Error> {
        self.checked.lock().expect("BUG: a thread panicked").clear();
        let (done, total) = (AtomicUsize::new(0), sweep.removals.len());
        // The order is one of folders: a next one is begun when all of the last is gone.
        for folder in sweep.removals.chunk_by(|one, next| one.folder() == next.folder()) {
            let threads = if folder.len() < MANY { 1 } else { REMOVALS };
            parallel::each(folder, threads, |removal| {
                tell(watch, Stage::Sweep, done.fetch_add(1, Ordering::Relaxed), total)?;
                self.erase(&removal.path)?;
                fault::point("sweep.removed");
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Erases what lies at a path below the store.
    fn erase(&self, path: &str) -> Result<(), Error> {
        match unlinkat(&self.root, path, AtFlags::empty()) {
            Ok(()) => Ok(()),
            Err(_) => scratch::erase(&self.path.join(path)),
        }
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
    use std::ops::ControlFlow;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::fixture::{Fixture, result, setup};
    use super::super::object::shard;
    use super::super::result::RESULT;
    use super::super::{ActionResult, Blob, Directory, Node, Output};
    use super::*;
    use crate::digest::Digest;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    /// What holds so many days from now.
    fn policy(days_later: u32, older_than: Option<Duration>, quota: Option<u64>) -> Policy {
        Policy { now: SystemTime::now() + DAY * days_later, older_than, quota }
    }

    fn quiet(_: super::super::Progress) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn result_and_tree(fixture: &Fixture, text: &str) -> (Digest, Digest) {
        let tree = fixture.tree(&[("a", text)]);
        fixture.store.checkout(&tree.digest).expect("checks out");
        (fixture.commit(text, Output::Tree(tree)), tree.digest)
    }

    /// Makes a result seem to have been used a day earlier than now.
    fn age(fixture: &Fixture, key: &Digest) {
        let path = fixture.store.root().join(shard(RESULT, key));
        std::fs::File::open(path).expect("opens").set_modified(SystemTime::now() - DAY).expect("ages");
    }

    /// Records a result made of a download of this text.
    fn downloaded(fixture: &Fixture, text: &str) -> (Digest, Blob) {
        let blob = fixture.store.put(text.as_bytes()).expect("puts");
        let entries = [("x.deb".to_owned(), Node::File { blob, executable: false })].into();
        let downloads = Some(fixture.store.put_directory(&Directory { entries }).expect("puts"));
        let made = Output::File { blob: fixture.store.put(b"made").expect("puts"), executable: false };
        let key = Digest::of(text.as_bytes());
        let result = ActionResult { label: "box".to_owned(), downloads, ..result(made) };
        fixture.store.record(&key, &result).expect("records");
        fixture.store.commit().expect("commits");
        (key, blob)
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

        fixture.store.gc(&policy(2, Some(DAY * 3), None), &quiet).expect("collects");
        assert!(fixture.store.result(&other).expect("looks").is_some(), "used lately");
        let sweep = fixture.store.gc(&policy(2, Some(DAY), None), &quiet).expect("collects");
        let old = |removal: &Removal| matches!(removal.why, Why::Old(age) if Age(age).to_string() == "2 days");
        assert!(sweep.removals.iter().all(old) && sweep.removals.len() == 4, "{:?}", sweep.removals);
        assert!(fixture.store.result(&rooted).expect("looks").is_some() && path.join("a").exists());
        assert!(fixture.store.result(&other).expect("looks").is_none() && !fixture.store.contains(&other_tree));
        assert_eq!((sweep.roots, sweep.rooted), (1, sweep.kept));

        std::fs::remove_file(&link).expect("removes");
        let sweep = fixture.store.gc(&policy(2, Some(DAY), None), &quiet).expect("collects");
        assert!(sweep.removals.iter().any(|removal| removal.why == Why::RootGone(link.clone())));
        assert!(!fixture.store.contains(&tree) && sweep.kept == 0);
        assert!(fixture.store.gc(&policy(2, Some(DAY), None), &quiet).expect("collects").removals.is_empty());
    }

    #[test]
    fn a_quota_keeps_the_last_used() {
        let mut fixture = Fixture::new();
        let (old, _) = result_and_tree(&fixture, "old text");
        let (new, _) = result_and_tree(&fixture, "new text");
        age(&fixture, &old);
        let all = fixture.store.usage().expect("adds up").total;
        assert!(fixture.store.gc_plan(&policy(9, None, Some(all)), &quiet).expect("plans").removals.is_empty());
        let sweep = fixture.store.gc(&policy(9, None, Some(all - 1)), &quiet).expect("collects");
        assert_eq!(sweep.kept + sweep.freed(), all);
        assert!(fixture.store.result(&old).expect("looks").is_none());
        assert!(fixture.store.result(&new).expect("looks").is_some());
    }

    #[test]
    fn downloads_stay_with_their_result_and_go_first() {
        let mut fixture = Fixture::new();
        let ((old, old_deb), (new, new_deb)) = (downloaded(&fixture, "old .deb"), downloaded(&fixture, "new .deb"));
        age(&fixture, &old);
        let all = fixture.store.usage().expect("adds up").total;
        assert_eq!(fixture.store.gc(&policy(0, Some(DAY * 9), None), &quiet).expect("collects").removals, []);
        let sweep = fixture.store.gc(&policy(0, None, Some(all - 1)), &quiet).expect("collects");
        let gone: Vec<_> = sweep.removals.iter().map(|removal| (&*removal.part, &removal.why)).collect();
        assert_eq!(gone, [("downloads for box", &Why::Quota); 2]);
        assert!(!fixture.store.contains(&old_deb.digest) && fixture.store.contains(&new_deb.digest));
        for key in [old, new] {
            assert!(fixture.store.result(&key).expect("looks").is_some(), "it stands without its downloads");
        }
        let sweep = fixture.store.gc(&policy(0, Some(Duration::ZERO), None), &quiet).expect("collects");
        assert_eq!(sweep.kept, 0);
        assert!(sweep.removals.iter().any(|removal| &*removal.part == "downloads for box"));
    }

    #[test]
    fn a_boot_leaves_downloads_that_are_whole() {
        let fixture = Fixture::new();
        let ((_, whole), (_, torn)) = (downloaded(&fixture, "whole .deb"), downloaded(&fixture, "torn .deb"));
        let root = fixture.store.root().to_owned();
        std::fs::write(root.join(shard("file", &torn.digest)), "\0\0\0").expect("tears");
        let Fixture { store, dir: _dir } = fixture;
        drop(store);
        let again = Store::open_with(&root, &setup("two")).expect("opens");
        assert!(again.contains(&whole.digest) && !again.contains(&torn.digest));
    }

    #[test]
    fn a_dry_run_says_the_same_and_changes_nothing() {
        let mut fixture = Fixture::new();
        result_and_tree(&fixture, "text");
        let before = fixture.listing();
        let policy = policy(2, Some(DAY), None);
        let plan = fixture.store.gc_plan(&policy, &quiet).expect("plans");
        assert_eq!(fixture.listing(), before);
        assert_eq!(fixture.store.gc(&policy, &quiet).expect("collects"), plan);
        assert!(plan.removals.iter().all(|removal| !fixture.store.root().join(&removal.path).exists()));
    }

    #[test]
    fn stopped_anywhere_it_leaves_a_sound_store() {
        for steps in 0..6 {
            let mut fixture = Fixture::new();
            result_and_tree(&fixture, "one");
            result_and_tree(&fixture, "two");
            let left = AtomicUsize::new(steps);
            let watch = |_| match left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)) {
                Ok(_) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            };
            let stopped = fixture.store.gc(&policy(2, Some(DAY), None), &watch);
            assert!(matches!(stopped, Err(Error::Stopped)), "{steps}: {stopped:?}");
            assert_eq!(fixture.store.fsck(&quiet).expect("looks").findings, [], "{steps}");
        }
    }

    #[test]
    fn many_go_at_once_folder_by_folder() {
        let mut fixture = Fixture::new();
        let keys: Vec<_> = (0..MANY).map(|number| result_and_tree(&fixture, &format!("text {number}")).0).collect();
        let stopped = fixture.store.gc(&policy(2, Some(DAY), None), &|progress| {
            let sweeps = progress.stage == Stage::Sweep && progress.done > 70;
            if sweeps { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert!(matches!(stopped, Err(Error::Stopped)));
        assert!(keys.iter().all(|key| fixture.store.result(key).expect("looks").is_none()), "results go first");
        assert_eq!(fixture.store.fsck(&quiet).expect("looks").findings, []);
        assert_eq!(fixture.store.gc(&policy(2, Some(DAY), None), &quiet).expect("collects").kept, 0);
        assert!(["result", "tree", "file", "dir"].iter().all(|folder| {
            let root = fixture.store.root().join(folder);
            root.read_dir()
                .expect("reads")
                .all(|shard| shard.expect("reads").path().read_dir().expect("reads").count() == 0)
        }));
    }

    #[test]
    fn ages_for_people() {
        for (minutes, words) in [
            (0, "0 minutes"),
            (1, "1 minute"),
            (119, "119 minutes"),
            (120, "2 hours"),
            (2879, "47 hours"),
            (2880, "2 days"),
        ] {
            assert_eq!(Age(Duration::from_secs(minutes * 60)).to_string(), words);
        }
    }

    #[test]
    fn not_beside_another_process() {
        let mut fixture = Fixture::new();
        let other = fixture.again("one");
        let policy = policy(0, Some(DAY), None);
        assert!(matches!(fixture.store.gc(&policy, &quiet), Err(Error::Busy(_))));
        assert!(matches!(fixture.store.fsck(&quiet), Err(Error::Busy(_))));
        drop(other);
        fixture.store.gc(&policy, &quiet).expect("collects");
    }
}
