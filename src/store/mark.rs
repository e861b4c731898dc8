//! What gc takes away: one pass over what roots and results need, one over all there is.

use std::cmp::Reverse;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use rustix::fs::{AtFlags, statat};

use super::gc::{Policy, Removal, Sweep, Why};
use super::object::{Disk, Kind, Object, shard};
use super::reach::{Owner, Reach};
use super::result::RESULT;
use super::watch::{Stage, Watch, tell};
use super::{ActionResult, Error, threads};
use crate::digest::Digest;
use crate::parallel;

/// The owner of all that stays.
const KEPT: Owner = 0;

/// What people call objects that no result names: a stopped build leaves them, and files of
/// projects are read again when they are wanted.
const ORPHANS: &str = "objects that no result names";

/// What people call a result without a label.
const UNNAMED: &str = "results of an older forge";

impl Disk {
    /// Decides what goes.
    pub(super) fn mark(&self, policy: &Policy, watch: &Watch<'_>) -> Result<Sweep, Error> {
        let auxiliary = self.sort_auxiliary(policy)?;
        let room = policy.quota.map_or(u64::MAX, |quota| quota.saturating_sub(auxiliary.kept));
        let mut mark = Mark::new(self, room);
        mark.roots()?;
        let (kept, gone) = mark.results(policy, watch)?;
        mark.downloads(&kept);
        gone.iter().for_each(|(used, why)| mark.doom_result(used, why));
        mark.sweep.removals.extend(auxiliary.removals);
        mark.sweep.kept = auxiliary.kept;
        mark.rest()
    }

    /// After a boot: takes away what no result covers, as it may never have reached the disk.
    pub(super) fn sweep_uncovered(&self) -> Result<(), Error> {
        let mut mark = Mark::new(self, u64::MAX);
        for key in self.keys()? {
            self.line(&key)?.iter().for_each(|result| mark.reach.result(self, result));
        }
        mark.sound_downloads()?;
        self.remove(&mark.rest()?, &|_| ControlFlow::Continue(()))
    }
}

/// A result on disk.
struct Used {
    key: Digest,
    at: SystemTime,
    result: ActionResult,
}

impl Used {
    /// The unit it was made for.
    fn unit(&self) -> &str {
        let label = &self.result.label;
        if label.is_empty() { UNNAMED } else { label.split(':').next().unwrap_or(label) }
    }
}

/// A result that goes, and why.
type Doomed = (Used, Why);

struct Mark<'a> {
    disk: &'a Disk,
    /// At most so many bytes of objects stay that no root needs.
    room: u64,
    /// Something found no room: nothing that was used before it gets any.
    full: bool,
    reach: Reach,
    /// Owners that go, from 1 on: what people call them, and why they go.
    doomed: Vec<(Arc<str>, Why)>,
    sweep: Sweep,
}

impl<'a> Mark<'a> {
    fn new(disk: &'a Disk, room: u64) -> Self {
        let (reach, doomed, sweep) = Default::default();
        Self { disk, room, full: false, reach, doomed, sweep }
    }

    fn roots(&mut self) -> Result<(), Error> {
        for root in self.disk.roots()? {
            if root.stands {
                root.outputs.iter().for_each(|output| self.reach.output(self.disk, output));
                self.sweep.roots += 1;
            } else {
                let (part, why) = ("result links that are gone".into(), Why::RootGone(root.link));
                self.sweep.removals.push(Removal { path: root.file, bytes: 0, part, why });
            }
        }
        self.sweep.rooted = self.reach.bytes;
        Ok(())
    }

    /// Tells results that stay, those that roots need first, from those that go; the last used first.
    fn results(&mut self, policy: &Policy, watch: &Watch<'_>) -> Result<(Vec<Used>, Vec<Doomed>), Error> {
        let used = self.used(watch)?;
        let (mut kept, mut others): (Vec<_>, Vec<_>) =
            used.into_iter().partition(|used| self.reach.covers(&used.result));
        kept.iter().for_each(|used| self.reach.result(self.disk, &used.result));
        others.sort_by_key(|used| (Reverse(used.at), used.key));
        let mut gone = Vec::new();
        for used in others {
            match self.verdict(&used, policy) {
                None => kept.push(used),
                Some(why) => gone.push((used, why)),
            }
        }
        Ok((kept, gone))
    }

    /// Why a result goes that no root needs.
    fn verdict(&mut self, used: &Used, policy: &Policy) -> Option<Why> {
        let age = policy.now.duration_since(used.at).unwrap_or_default();
        if policy.older_than.is_some_and(|most| age >= most) {
            return Some(Why::Old(age));
        }
        (!self.fits(|reach, disk| reach.result(disk, &used.result))).then_some(Why::Quota)
    }

    /// Keeps what `put` needs, where there is room.
    fn fits(&mut self, put: impl FnOnce(&mut Reach, &Disk)) -> bool {
        let disk = self.disk;
        self.full = self.full || !self.reach.within(self.room, |reach| put(reach, disk));
        !self.full
    }

    /// What was downloaded for results that stay.
    fn downloads(&mut self, kept: &[Used]) {
        for used in kept {
            let Some(downloads) = &used.result.downloads else { continue };
            if !self.fits(|reach, disk| reach.downloads(disk, downloads)) {
                self.doom_downloads(used, &Why::Quota);
            }
        }
    }

    fn doom_result(&mut self, used: &Used, why: &Why) {
        let part: Arc<str> = used.unit().into();
        let path = shard(RESULT, &used.key);
        self.sweep.removals.push(Removal { path, bytes: 0, part: Arc::clone(&part), why: why.clone() });
        self.doom(part, why);
        self.reach.result(self.disk, &used.result);
        self.doom_downloads(used, why);
    }

    fn doom_downloads(&mut self, used: &Used, why: &Why) {
        if let Some(downloads) = &used.result.downloads {
            self.doom(format!("downloads for {}", used.unit()).into(), why);
            self.reach.downloads(self.disk, downloads);
        }
    }

    /// What is reached from now on, and was not before, goes.
    fn doom(&mut self, part: Arc<str>, why: &Why) {
        self.doomed.push((part, why.clone()));
        self.reach.begin(Owner::try_from(self.doomed.len()).expect("BUG: more results than numbers"));
    }

    /// The results and when they were last used. Lines that are none go.
    fn used(&mut self, watch: &Watch<'_>) -> Result<Vec<Used>, Error> {
        let mut used = Vec::new();
        let (disk, keys, done) = (self.disk, self.disk.keys()?, AtomicUsize::new(0));
        let lines = parallel::each(&keys, threads::worth(keys.len(), 0), |key| {
            tell(watch, Stage::Mark, done.fetch_add(1, Ordering::Relaxed), keys.len())?;
            disk.dated_line(key)
        })?;
        for (key, line) in keys.into_iter().zip(lines) {
            match line {
                Some((result, at)) => used.push(Used { key, at, result }),
                None => {
                    let (part, why) = ("lines that are no results".into(), Why::Unreadable);
                    self.sweep.removals.push(Removal { path: shard(RESULT, &key), bytes: 0, part, why });
                }
            }
        }
        Ok(used)
    }

    /// What was downloaded for results, as far as it is whole: no sync covers what was downloaded
    /// again after the result.
    fn sound_downloads(&mut self) -> Result<(), Error> {
        let (disk, mut fresh) = (self.disk, Vec::new());
        for key in disk.keys()? {
            let downloads = disk.line(&key)?.and_then(|result| result.downloads);
            fresh.extend(downloads.map(|downloads| self.reach.new_of(|reach| reach.downloads(disk, &downloads))));
        }
        let fresh = fresh.concat();
        for (object, sound) in fresh.iter().zip(disk.sound(&fresh, self.reach.bytes)?) {
            if !sound {
                self.reach.objects.remove(object);
            }
        }
        Ok(())
    }

    /// Trees and objects that nobody needs who stays go too.
    fn rest(mut self) -> Result<Sweep, Error> {
        for tree in self.disk.trees()? {
            let object = (Kind::Dir, tree);
            if self.reach.objects.get(&object) != Some(&KEPT) || !self.reach.names_tree(&tree) {
                self.take(format!("tree/{}", tree.hex()), object, 0);
            }
        }
        for (object, bytes) in self.disk.sizes()? {
            if self.reach.objects.get(&object) == Some(&KEPT) {
                self.sweep.kept += bytes;
            } else {
                self.take(object.0.path(&object.1), object, bytes);
            }
        }
        Ok(self.sweep)
    }

    /// A path goes, with what needs this object.
    fn take(&mut self, path: String, object: Object, bytes: u64) {
        let owner = self.reach.objects.get(&object).and_then(|owner| self.doomed.get(owner.checked_sub(1)? as usize));
        let orphan = || (ORPHANS.into(), Why::Unneeded);
        let (part, why) = owner.cloned().unwrap_or_else(orphan);
        self.sweep.removals.push(Removal { path, bytes, part, why });
    }
}

impl Disk {
    /// All objects and their sizes.
    pub(super) fn sizes(&self) -> Result<Vec<(Object, u64)>, Error> {
        let mut objects = Vec::new();
        for kind in Kind::ALL {
            objects.extend(self.objects(kind)?.into_iter().map(|digest| (kind, digest)));
        }
        parallel::each(&objects, threads::worth(objects.len(), 0), |(kind, digest)| {
            let path = kind.path(digest);
            let stat = statat(&self.root, &path, AtFlags::SYMLINK_NOFOLLOW).map_err(self.at(path))?;
            Ok(((*kind, *digest), u64::try_from(stat.st_size).unwrap_or_default()))
        })
    }
}
