//! Carries out a mount plan, with the mount API of Linux 5.12.
//!
//! Every source is opened as a detached mount *before* the root is changed: the host's paths are
//! visible only until then, and the kernel allows a fresh `/proc` only while it sees an unmasked
//! one. Then the toolroot becomes `/`, the old root goes, and the mounts are attached inside.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, Timespec, Timestamps, fstat, mkdir, mknodat, open, symlink, unlink, utimensat,
};
use rustix::io::Result;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, fsconfig_create,
    fsconfig_set_string, fsmount, fsopen, move_mount, open_tree, unmount,
};
use rustix::process::{chdir, pivot_root};
use rustix::thread::sched_getaffinity;

use super::error::{Failure, Stage, Staged as _};
use super::mounts::{Source, Step};
use super::sys;
use super::trace::cpuinfo;
use crate::store::MTIME;

const DIRECTORY: Mode = Mode::from_raw_mode(0o755);
const FILE: Mode = Mode::from_raw_mode(0o644);

/// Leaves the host's root for the planned one.
pub(super) fn enter(steps: &[Step]) -> std::result::Result<(), Failure> {
    let stage = |step: &Step| match step {
        Step::Attach { source: Source::Proc, .. } => Stage::Proc,
        _ => Stage::Mount,
    };
    let staged = |step: &Step, result: std::io::Result<_>| result.staged(stage(step), || step.to_string());
    let mut sources = Vec::with_capacity(steps.len());
    for step in steps {
        sources.push(match step {
            Step::Attach { source, .. } => Some(staged(step, detached(source))?),
            _ => None,
        });
    }
    for (step, source) in steps.iter().zip(sources) {
        carry_out(step, source.as_ref()).staged(stage(step), || step.to_string())?;
    }
    Ok(())
}

/// Opens a source as a mount that is attached nowhere yet.
fn detached(source: &Source) -> std::io::Result<OwnedFd> {
    let attributes = attributes(source);
    match source {
        Source::Tree(path) | Source::Disk(path) | Source::Device(path) => bind(path, attributes),
        Source::Memory { bytes, mode } => {
            Ok(fresh("tmpfs", &[("size", &bytes.to_string()), ("mode", &format!("{mode:o}"))], attributes)?)
        }
        Source::Proc => Ok(fresh("proc", &[], attributes)?),
        Source::Terminals => Ok(fresh("devpts", &[("ptmxmode", "666"), ("mode", "620")], attributes)?),
    }
}

fn attributes(source: &Source) -> MountAttrFlags {
    use MountAttrFlags as Flags;
    let (read_only, no_devices) = (Flags::MOUNT_ATTR_RDONLY, Flags::MOUNT_ATTR_NODEV);
    let no_programs = Flags::MOUNT_ATTR_NOEXEC;
    Flags::MOUNT_ATTR_NOSUID
        | match source {
            Source::Tree(_) => read_only | no_devices,
            Source::Disk(_) | Source::Memory { .. } => no_devices,
            Source::Device(_) => read_only | no_programs,
            Source::Proc => read_only | no_devices | no_programs,
            Source::Terminals => no_programs,
        }
}

fn bind(path: &Path, attributes: MountAttrFlags) -> std::io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
    let mount = open_tree(CWD, path, flags)?;
    sys::set_mount_attributes(&mount, attributes, libc::AT_RECURSIVE)?;
    Ok(mount)
}

fn fresh(file_system: &str, options: &[(&str, &str)], attributes: MountAttrFlags) -> Result<OwnedFd> {
    let context = fsopen(file_system, FsOpenFlags::FSOPEN_CLOEXEC)?;
    for (key, value) in options {
        fsconfig_set_string(&context, *key, *value)?;
    }
    fsconfig_create(&context)?;
    fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
}

fn carry_out(step: &Step, source: Option<&OwnedFd>) -> std::io::Result<()> {
    match (step, source) {
        (Step::Attach { source: Source::Tree(path), at, .. }, Some(mount)) if at == "/" => become_root(path, mount)?,
        (Step::Attach { at, make, .. }, Some(mount)) => {
            if *make {
                make_mount_point(at, mount)?;
            }
            attach(mount, at)?;
        }
        (Step::Attach { .. }, None) => unreachable!("BUG: every source was opened"),
        (Step::Directory { at }, _) => mkdir(at, DIRECTORY)?,
        (Step::Link { at, target }, _) => symlink(target, at)?,
        (Step::Fifo { at }, _) => mknodat(CWD, at, FileType::Fifo, FILE, 0)?,
        (Step::Seal { at }, _) => {
            utimensat(CWD, at, &still(), AtFlags::empty())?;
            let mount = open(at, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
            sys::set_mount_attributes(&mount, MountAttrFlags::MOUNT_ATTR_RDONLY, 0)?;
        }
        (Step::Processors { at, count }, _) => show_processors(at, *count)?,
    }
    Ok(())
}

/// The time of trees in the store: a folder of mount points must not tell when the sandbox was made.
fn still() -> Timestamps {
    let time = Timespec { tv_sec: MTIME, tv_nsec: 0 };
    Timestamps { last_access: time, last_modification: time }
}

fn attach(mount: &OwnedFd, at: impl rustix::path::Arg) -> Result<()> {
    move_mount(mount, "", CWD, at, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
}

/// Mounts the new root over its own directory, steps onto it and drops the old one.
fn become_root(path: &Path, mount: &OwnedFd) -> Result<()> {
    attach(mount, path)?;
    chdir(path)?;
    pivot_root(".", ".")?;
    unmount(".", UnmountFlags::DETACH)?;
    chdir("/")
}

fn make_mount_point(at: &str, mount: &OwnedFd) -> Result<()> {
    if FileType::from_raw_mode(fstat(mount)?.st_mode) == FileType::Directory {
        return mkdir(at, DIRECTORY);
    }
    open(at, OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC, FILE).map(drop)
}

/// Mounts a text over `at`. A mount needs a file, which is gone again before anything runs.
fn show_processors(at: &str, count: Option<usize>) -> std::io::Result<()> {
    const ASIDE: &str = "/tmp/cpuinfo";
    const READ_ONLY_FILE: Mode = Mode::from_raw_mode(0o444);
    let all = usize::try_from(sched_getaffinity(None)?.count()).unwrap_or(1);
    let text = cpuinfo(count.map_or(all, |count| count.min(all)));
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
    File::from(open(ASIDE, flags, READ_ONLY_FILE)?).write_all(text.as_bytes())?;
    utimensat(CWD, ASIDE, &still(), AtFlags::empty())?;
    let mount = bind(Path::new(ASIDE), attributes(&Source::Proc))?;
    attach(&mount, at)?;
    Ok(unlink(ASIDE)?)
}
