//! What a sandbox sees: a list of steps, decided from the [`Spec`] alone. `root` carries it out.
//!
//! | at | what |
//! |---|---|
//! | `/` | the toolroot, read-only |
//! | `/src/<name>`, `/deps/<name>` | sources and dependencies, read-only |
//! | `/build`, `/out` | directories on disk, writable; `/build` may be memory ([`Scratch`]) |
//! | `/tmp`, `/dev/shm` | memory of limited size, writable |
//! | `/dev` | five devices of the host, own terminals, the jobserver's fifo; read-only |
//! | `/proc` | of the own pid namespace; read-only |
//!
//! `/proc` and the device nodes are read-only for a reason: where forge runs as root, the one user
//! inside *is* the host's root to the kernel, who may write `/proc/sys` and chmod `/dev/null`
//! without any capability. Writing *through* a device node works on a read-only mount.
//!
//! One thing tells a command whether forge runs as root: device nodes belong to the host's root, who
//! is the one user inside if so, and nobody if not. Only root could make other nodes.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::spec::{Features, Scratch, Service, Spec};
use crate::path::RelPath;

/// Where the jobserver's fifo stands, the same in every sandbox.
pub(super) const JOBSERVER: &str = "/dev/jobserver";
/// Memory for directories that hold only mount points.
const MOUNT_POINT_BYTES: u64 = 1 << 20;
const DEVICES: [&str; 5] = ["null", "zero", "full", "random", "urandom"];
const DEVICE_LINKS: [(&str, &str); 5] =
    [("ptmx", "pts/ptmx"), ("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")];

/// One step, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Step {
    /// Mounts `source` at `at`; with `make`, makes the mount point first: a directory or a file, as `source` is.
    Attach { source: Source, at: String, make: bool },
    /// Makes a directory.
    Directory { at: String },
    /// Makes a symlink.
    Link { at: String, target: String },
    /// Makes a fifo.
    Fifo { at: String },
    /// Makes a mount read-only, now that all its mount points stand.
    Seal { at: String },
    /// Shows plain processors at `at`: so many, or as many as forge may use.
    Processors { at: String, count: Option<usize> },
}

/// What can be mounted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Source {
    /// A directory or file of the host, read-only.
    Tree(PathBuf),
    /// A directory of the host, writable.
    Disk(PathBuf),
    /// A device node of the host.
    Device(PathBuf),
    /// A tmpfs; `mode` of its root.
    Memory { bytes: u64, mode: u32 },
    /// A fresh `/proc`.
    Proc,
    /// A fresh `/dev/pts`.
    Terminals,
}

/// Decides what a sandbox sees.
///
/// # Errors
/// For the name of a source or dependency that is not one path component.
pub(super) fn plan(spec: &Spec, jobserver: bool) -> Result<Vec<Step>, Error> {
    let mut steps = vec![
        attach(Source::Tree(spec.root.clone()), "/"),
        attach(Source::Proc, "/proc"),
        attach(Source::Memory { bytes: spec.limits.tmp_bytes, mode: 0o1777 }, "/tmp"),
        attach(scratch(spec), "/build"),
        attach(Source::Disk(spec.out.clone()), "/out"),
    ];
    named("/src", &spec.sources, &mut steps)?;
    named("/deps", &spec.deps, &mut steps)?;
    devices(spec.limits.tmp_bytes, jobserver, &mut steps);
    if spec.world.features == Features::Baseline {
        steps.push(Step::Processors { at: "/proc/cpuinfo".to_owned(), count: spec.world.cpus });
    }
    Ok(steps)
}

/// Decides what the program beside a command sees: its tree, and what every program needs.
pub(super) fn service(service: &Service, tmp_bytes: u64) -> Vec<Step> {
    let mut steps = vec![
        attach(Source::Tree(service.root.clone()), "/"),
        attach(Source::Proc, "/proc"),
        attach(Source::Memory { bytes: tmp_bytes, mode: 0o1777 }, "/tmp"),
    ];
    steps.extend(service.writable.iter().map(|(at, path)| attach(Source::Disk(path.clone()), at)));
    devices(tmp_bytes, false, &mut steps);
    steps
}

fn scratch(spec: &Spec) -> Source {
    match spec.world.scratch {
        Scratch::Disk => Source::Disk(spec.build.clone()),
        Scratch::Memory => Source::Memory { bytes: spec.limits.tmp_bytes, mode: 0o755 },
    }
}

fn named(at: &'static str, sources: &[(String, PathBuf)], steps: &mut Vec<Step>) -> Result<(), Error> {
    steps.push(attach(Source::Memory { bytes: MOUNT_POINT_BYTES, mode: 0o755 }, at));
    for (name, path) in sources {
        if RelPath::new(name).map_or(0, |path| path.components().count()) != 1 {
            return Err(Error::Name { at, name: name.clone() });
        }
        steps.push(Step::Attach { source: Source::Tree(path.clone()), at: format!("{at}/{name}"), make: true });
    }
    steps.push(Step::Seal { at: at.to_owned() });
    Ok(())
}

fn devices(shm_bytes: u64, jobserver: bool, steps: &mut Vec<Step>) {
    steps.push(attach(Source::Memory { bytes: MOUNT_POINT_BYTES, mode: 0o755 }, "/dev"));
    steps.extend(DEVICES.map(|name| {
        let path = format!("/dev/{name}");
        Step::Attach { source: Source::Device(path.clone().into()), at: path, make: true }
    }));
    steps.push(Step::Directory { at: "/dev/pts".to_owned() });
    steps.push(attach(Source::Terminals, "/dev/pts"));
    steps.push(Step::Directory { at: "/dev/shm".to_owned() });
    steps.push(attach(Source::Memory { bytes: shm_bytes, mode: 0o1777 }, "/dev/shm"));
    steps.extend(
        DEVICE_LINKS.map(|(name, target)| Step::Link { at: format!("/dev/{name}"), target: target.to_owned() }),
    );
    if jobserver {
        steps.push(Step::Fifo { at: JOBSERVER.to_owned() });
    }
    steps.push(Step::Seal { at: "/dev".to_owned() });
}

fn attach(source: Source, at: &str) -> Step {
    Step::Attach { source, at: at.to_owned(), make: false }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attach { source, at, make: false } => write!(f, "mounting {source} at {at}"),
            Self::Attach { source, at, make: true } => write!(f, "mounting {source} at new {at}"),
            Self::Directory { at } => write!(f, "making the directory {at}"),
            Self::Link { at, target } => write!(f, "linking {at} to {target}"),
            Self::Fifo { at } => write!(f, "making the fifo {at}"),
            Self::Seal { at } => write!(f, "making {at} read-only"),
            Self::Processors { at, .. } => write!(f, "showing plain processors at {at}"),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tree(path) => write!(f, "{} (read-only)", path.display()),
            Self::Disk(path) => write!(f, "{} (writable)", path.display()),
            Self::Device(path) => write!(f, "the device {}", path.display()),
            Self::Memory { bytes, mode } => write!(f, "a tmpfs of {bytes} bytes, mode {mode:04o},"),
            Self::Proc => f.write_str("proc"),
            Self::Terminals => f.write_str("devpts"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::{Limits, Profile, World};

    fn spec(sources: &[(&str, &str)]) -> Spec {
        Spec {
            root: "/store/root".into(),
            sources: sources.iter().map(|(name, path)| ((*name).to_owned(), path.into())).collect(),
            deps: vec![("libbpf".to_owned(), "/store/libbpf".into())],
            build: "/scratch/build".into(),
            out: "/scratch/out".into(),
            argv: vec!["true".to_owned()],
            env: vec![],
            cwd: "/build".to_owned(),
            profile: Profile::Build,
            world: World::default(),
            limits: Limits { tmp_bytes: 4096, ..Limits::default() },
            service: None,
        }
    }

    #[test]
    fn the_whole_plan() {
        let steps = plan(&spec(&[("linux", "/store/linux"), ("config", "/store/config")]), true).expect("plan");
        let got: Vec<String> = steps.iter().map(Step::to_string).collect();
        let want = "\
mounting /store/root (read-only) at /
mounting proc at /proc
mounting a tmpfs of 4096 bytes, mode 1777, at /tmp
mounting /scratch/build (writable) at /build
mounting /scratch/out (writable) at /out
mounting a tmpfs of 1048576 bytes, mode 0755, at /src
mounting /store/linux (read-only) at new /src/linux
mounting /store/config (read-only) at new /src/config
making /src read-only
mounting a tmpfs of 1048576 bytes, mode 0755, at /deps
mounting /store/libbpf (read-only) at new /deps/libbpf
making /deps read-only
mounting a tmpfs of 1048576 bytes, mode 0755, at /dev
mounting the device /dev/null at new /dev/null
mounting the device /dev/zero at new /dev/zero
mounting the device /dev/full at new /dev/full
mounting the device /dev/random at new /dev/random
mounting the device /dev/urandom at new /dev/urandom
making the directory /dev/pts
mounting devpts at /dev/pts
making the directory /dev/shm
mounting a tmpfs of 4096 bytes, mode 1777, at /dev/shm
linking /dev/ptmx to pts/ptmx
linking /dev/fd to /proc/self/fd
linking /dev/stdin to fd/0
linking /dev/stdout to fd/1
linking /dev/stderr to fd/2
making the fifo /dev/jobserver
making /dev read-only";
        assert_eq!(got.join("\n"), want);
    }

    #[test]
    fn build_in_memory_is_the_only_change() {
        let disk = spec(&[]);
        let memory = Spec { world: World { scratch: Scratch::Memory, ..World::default() }, ..spec(&[]) };
        let steps = |spec| plan(spec, false).expect("plan").iter().map(Step::to_string).collect::<Vec<_>>();
        let (disk, memory) = (steps(&disk), steps(&memory));
        let changed: Vec<_> = disk.iter().zip(&memory).filter(|(a, b)| a != b).map(|(_, b)| b.as_str()).collect();
        assert_eq!(changed, ["mounting a tmpfs of 4096 bytes, mode 0755, at /build"]);
    }

    #[test]
    fn names_that_lead_elsewhere() {
        for name in ["", ".", "..", "a/b", "/etc", "../etc"] {
            let error = plan(&spec(&[(name, "/store/x")]), false).expect_err(name);
            assert!(matches!(error, Error::Name { at: "/src", .. }), "{error}");
        }
    }
}
