//! The place of the store: its file system, and how much room is on it.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;

use rustix::fs::{Dir, FileType, fstatvfs, statfs};

use super::Check;
use crate::cli::error::CliError;
use crate::store::Store;
use crate::words;

/// With less room than this even a small build may fail; a kernel's needs this much.
const ROOM_BYTES: u64 = 20_000_000_000;
/// With less room than this nothing can be built: a toolroot has a few hundred megabytes.
const LEAST_ROOM_BYTES: u64 = 1_000_000_000;
/// A toolroot has 20,000 files.
const ROOM_FILES: u64 = 200_000;

/// File systems by the number that statfs(2) gives them, and whether they lie behind a network.
const FILE_SYSTEMS: [(u64, &str, Reach); 15] = [
    (0xef53, "ext4", Reach::Local),
    (0x5846_5342, "xfs", Reach::Local),
    (0x9123_683e, "btrfs", Reach::Local),
    (0x2fc1_2fc1, "zfs", Reach::Local),
    (0xf2f5_2010, "f2fs", Reach::Local),
    (0xca45_1a4e, "bcachefs", Reach::Local),
    (0x0102_1994, "tmpfs", Reach::Memory),
    (0x794c_7630, "overlayfs", Reach::Local),
    (0x6969, "nfs", Reach::Network),
    (0xff53_4d42, "cifs", Reach::Network),
    (0xfe53_4d42, "smb2", Reach::Network),
    (0x0102_1997, "9p", Reach::Network),
    (0x00c3_6400, "ceph", Reach::Network),
    (0x5346_414f, "afs", Reach::Network),
    (0x6573_5546, "fuse", Reach::Network),
];

/// Where a file system keeps its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Local,
    Memory,
    Network,
}

/// All checks of the store's disk.
pub fn checks(store: &Store) -> Result<Vec<Check>, CliError> {
    let asked = |error: std::io::Error| CliError::environment(format!("{}: {error}", store.root().display()));
    let number = statfs(store.root()).map_err(|error| asked(error.into()))?.f_type;
    let root = File::open(store.root()).map_err(asked)?;
    let disk = fstatvfs(&root).map_err(|error| asked(error.into()))?;
    let mut checks = vec![Check::ok(format!("store {}", store.root().display()))];
    // The kernel's type of this number differs from architecture to architecture.
    checks.push(file_system(number as u64 & 0xffff_ffff));
    checks.push(room(disk.f_bavail.saturating_mul(disk.f_frsize)));
    checks.push(files(disk.f_files, disk.f_favail));
    checks.extend(abilities(store)?);
    Ok(checks)
}

fn file_system(number: u64) -> Check {
    let known = FILE_SYSTEMS.iter().find(|(known, ..)| *known == number);
    let Some((_, name, reach)) = known else { return Check::ok(format!("file system of the store: {number:#x}")) };
    let title = format!("file system of the store: {name}");
    match reach {
        Reach::Local => Check::ok(title),
        Reach::Memory => Check::note(title, "it lies in memory and is gone with it; FORGE_STORE names another place"),
        Reach::Network => Check::note(
            title,
            "locks and syncs may not hold there, and it is slow: let FORGE_STORE name a folder on a disk of this host",
        ),
    }
}

fn room(bytes: u64) -> Check {
    let title = format!("{} free for the store", words::size(bytes));
    let fix = "make room, or run `forge store gc`; FORGE_STORE names another disk";
    match bytes {
        0..LEAST_ROOM_BYTES => Check::fail(title, fix),
        LEAST_ROOM_BYTES..ROOM_BYTES => {
            Check::note(title, format!("a kernel's build takes {}: {fix}", words::size(ROOM_BYTES)))
        }
        _ => Check::ok(title),
    }
}

/// Some file systems don't count files, and say 0 of 0.
fn files(all: u64, free: u64) -> Check {
    if all == 0 || free >= ROOM_FILES {
        return Check::ok("inodes for the store");
    }
    Check::note(
        format!("{free} inodes free for the store"),
        "a toolroot takes 20,000: run `forge store gc`, or remove files",
    )
}

/// Tries what a store does all the time.
fn abilities(store: &Store) -> Result<Vec<Check>, CliError> {
    let scratch = store.scratch()?;
    let (file, link) = (scratch.path().join("file"), scratch.path().join("link"));
    let linked = fs::write(&file, "x").and_then(|()| fs::hard_link(&file, &link)).and_then(|()| link.metadata());
    let links = linked.is_ok_and(|data| data.nlink() == 2);
    let typed =
        File::open(scratch.path()).ok().and_then(|open| Dir::read_from(open).ok()).is_some_and(|mut entries| {
            entries.all(|entry| entry.is_ok_and(|entry| entry.file_type() != FileType::Unknown))
        });
    Ok(vec![
        Check::or(links, "hard links in the store", |name| {
            Check::fail(name, "results are made of them: let FORGE_STORE name a folder on ext4, xfs or btrfs")
        }),
        Check::or(typed, "entry types (d_type) in the store", |name| {
            Check::note(name, "each entry must be asked for its type: xfs wants ftype=1 when it is made")
        }),
    ])
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::*;

    #[test]
    fn what_is_short_is_said() {
        for (check, status, words) in [
            (file_system(0xef53), Status::Ok, "ext4"),
            (file_system(0x6969), Status::Note, "nfs"),
            (file_system(0x0102_1994), Status::Note, "tmpfs"),
            (file_system(1), Status::Ok, "0x1"),
            (room(999_999_999), Status::Fail, "1.0 GB"),
            (room(2_000_000_000), Status::Note, "2.0 GB"),
            (room(30_000_000_000), Status::Ok, "30.0 GB"),
            (files(0, 0), Status::Ok, "inodes"),
            (files(1_000_000, 100), Status::Note, "100 inodes"),
        ] {
            assert!(check.status == status && check.name.contains(words), "{check:?}");
            assert_eq!(check.fix.is_empty(), status == Status::Ok, "{check:?}");
        }
    }
}
