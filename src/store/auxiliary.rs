//! What lies in the store's folder beside objects and results: how long gc leaves it there.
//!
//! Nothing that is built needs any of it. Whoever keeps something more adds a row to [`TABLE`].

use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::error::at;
use super::gc::{Policy, Removal, Why};
use super::object::Disk;
use super::quarantine::QUARANTINE;
use super::{CHECK, Error, Usage};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A folder of files or folders that each stand for themselves.
pub(super) struct Auxiliary {
    pub(super) folder: &'static str,
    /// What people call its entries.
    pub(super) part: &'static str,
    keep: Keep,
}

/// How long gc leaves an entry there.
enum Keep {
    /// Until it was not changed for so many days, or less where the policy is stricter.
    Days(u32),
    /// Every gc takes it, for this reason.
    Never(Why),
}

/// All such folders.
pub(super) const TABLE: [Auxiliary; 9] = [
    Auxiliary { folder: "partial", part: "downloads that broke off", keep: Keep::Days(7) },
    Auxiliary { folder: "log", part: "logs of failed steps", keep: Keep::Days(30) },
    Auxiliary { folder: "index", part: "notes on the files of projects", keep: Keep::Days(90) },
    Auxiliary { folder: "pushed", part: "notes on what registries have", keep: Keep::Days(90) },
    Auxiliary { folder: "last", part: "notes on what units were made of", keep: Keep::Days(90) },
    Auxiliary { folder: "failed", part: "workspaces of failed steps", keep: Keep::Never(Why::Workspace) },
    Auxiliary { folder: "shell", part: "workspaces of shells", keep: Keep::Never(Why::Workspace) },
    Auxiliary { folder: CHECK, part: "what checks found out", keep: Keep::Days(7) },
    Auxiliary { folder: QUARANTINE, part: "damaged objects that were set aside", keep: Keep::Never(Why::Damaged) },
];

/// Files at the top of the store that are written aside as `<name>.<pid>` first.
const TOP: [&str; 3] = ["last-build", "last-test", "times"];

/// What people call files that a process was about to rename when it was killed.
const LEFT: &str = "files that a killed process left";

impl Auxiliary {
    /// Why an entry goes, if it does. gc is alone, so what carries the number of a process is left over.
    fn verdict(&self, name: &str, age: Duration, policy: &Policy) -> Option<Why> {
        let strict = |days: u32| policy.older_than.map_or(DAY * days, |most| most.min(DAY * days));
        match &self.keep {
            _ if written_aside(name).is_some() => Some(Why::Left),
            Keep::Never(why) => Some(why.clone()),
            Keep::Days(days) => (age >= strict(*days)).then_some(Why::Old(age)),
        }
    }
}

/// The name that a file was to get that was written aside as `<name>.<pid>`.
fn written_aside(name: &str) -> Option<&str> {
    let (stem, pid) = name.rsplit_once('.')?;
    (!pid.is_empty() && pid.bytes().all(|byte| byte.is_ascii_digit())).then_some(stem)
}

fn left(path: String, bytes: u64) -> Removal {
    Removal { path, bytes, part: LEFT.into(), why: Why::Left }
}

/// What gc makes of auxiliary entries.
#[derive(Default)]
pub(super) struct Sorted {
    pub(super) removals: Vec<Removal>,
    /// Bytes of what stays.
    pub(super) kept: u64,
}

impl Disk {
    /// Tells auxiliary entries that go from those that stay.
    pub(super) fn sort_auxiliary(&self, policy: &Policy) -> Result<Sorted, Error> {
        let mut sorted = Sorted::default();
        for row in &TABLE {
            for name in self.entries(row.folder)? {
                let path = format!("{}/{name}", row.folder);
                let (bytes, changed) = self.measure(&path)?;
                let age = policy.now.duration_since(changed).unwrap_or_default();
                match row.verdict(&name, age, policy) {
                    None => sorted.kept += bytes,
                    Some(Why::Left) => sorted.removals.push(left(path, bytes)),
                    Some(why) => sorted.removals.push(Removal { path, bytes, part: row.part.into(), why }),
                }
            }
        }
        for path in self.names("")?.into_iter().filter(|name| TOP.iter().any(|top| written_aside(name) == Some(top))) {
            let (bytes, _) = self.measure(&path)?;
            sorted.removals.push(left(path, bytes));
        }
        Ok(sorted)
    }

    /// Adds what auxiliary folders take.
    pub(super) fn use_auxiliary(&self, usage: &mut Usage) -> Result<(), Error> {
        for row in &TABLE {
            let sizes =
                self.entries(row.folder)?.into_iter().map(|name| self.measure(&format!("{}/{name}", row.folder)));
            let bytes = sizes.map(|size| size.map(|(bytes, _)| bytes)).sum::<Result<u64, Error>>()?;
            usage.auxiliary.push((row.part, bytes));
        }
        Ok(())
    }

    /// As [`Disk::names`]; a folder that was never made is empty.
    fn entries(&self, folder: &str) -> Result<Vec<String>, Error> {
        if self.path.join(folder).is_dir() { self.names(folder) } else { Ok(Vec::new()) }
    }

    /// Bytes of content, and when it was last changed.
    fn measure(&self, path: &str) -> Result<(u64, SystemTime), Error> {
        let path = self.path.join(path);
        let changed = path.symlink_metadata().and_then(|data| data.modified()).map_err(at(&path))?;
        Ok((content(&path), changed))
    }
}

/// Bytes of all files in it; those that can't be seen, as in a folder that a build closed, count as none.
fn content(path: &Path) -> u64 {
    let (mut bytes, mut open) = (0, vec![path.to_owned()]);
    while let Some(path) = open.pop() {
        let Ok(data) = path.symlink_metadata() else { continue };
        if !data.is_dir() {
            bytes += data.len();
        } else if let Ok(entries) = path.read_dir() {
            open.extend(entries.filter_map(|entry: io::Result<_>| Some(entry.ok()?.path())));
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes() {
        let policy = |older_than| Policy { now: SystemTime::now(), older_than, quota: None };
        let (usual, strict) = (policy(None), policy(Some(DAY)));
        let rows = [
            ("partial", "ab", 6, &usual, None),
            ("partial", "ab", 7, &usual, Some(Why::Old(DAY * 7))),
            ("partial", "ab", 1, &strict, Some(Why::Old(DAY))),
            ("partial", "ab", 0, &strict, None),
            ("log", "ab", 29, &usual, None),
            ("log", "ab", 30, &usual, Some(Why::Old(DAY * 30))),
            ("index", "paths-ab.123", 0, &usual, Some(Why::Left)),
            ("index", "paths-ab.12x", 0, &usual, None),
            ("index", "paths-ab.", 0, &usual, None),
            (QUARANTINE, "file-ab", 0, &usual, Some(Why::Damaged)),
        ];
        for (folder, name, days, policy, want) in rows {
            let row = TABLE.iter().find(|row| row.folder == folder).expect("a row");
            assert_eq!(row.verdict(name, DAY * days, policy), want, "{folder}/{name} after {days} days");
        }
    }
}
