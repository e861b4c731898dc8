//! What a sandbox is given, and how it ends.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Everything a command gets; what is not in here it does not see.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Spec {
    /// A tree with the mount points `build out src deps tmp proc dev`; bound read-only as `/`.
    pub root: PathBuf,
    /// Read-only: name → directory or file, at `/src/<name>`. A name is one path component.
    pub sources: Vec<(String, PathBuf)>,
    /// Read-only, at `/deps/<name>`.
    pub deps: Vec<(String, PathBuf)>,
    /// Host directory for `/build`: writable, on plain disk, owned by the user who runs forge. It stays empty with
    /// [`Scratch::Memory`].
    pub build: PathBuf,
    /// Host directory for `/out`, like `build`.
    pub out: PathBuf,
    /// The program and its arguments; a bare name is looked up in the `PATH` of `env`.
    pub argv: Vec<String>,
    /// The whole environment, but for `MAKEFLAGS` (see [`super::Jobserver`]).
    pub env: Vec<(String, String)>,
    /// Working directory inside.
    pub cwd: String,
    /// Which system calls are refused.
    pub profile: Profile,
    /// The facts a command could read off its world.
    pub world: World,
    /// How long and how much.
    pub limits: Limits,
    /// What runs beside the command.
    pub service: Option<Service>,
}

/// A program that runs beside a command: with the same user, network and processes, in a root of its own. It ends with
/// the command.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Service {
    /// A tree with the mount points `tmp proc dev`; bound read-only as `/`.
    pub root: PathBuf,
    /// Writable: a folder of the tree → host directory.
    pub writable: Vec<(String, PathBuf)>,
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// The whole environment.
    pub env: Vec<(String, String)>,
    /// Working directory inside.
    pub cwd: String,
}

/// Which system calls are refused; the table stands in `seccomp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Profile {
    /// For builds: the smaller world.
    Build,
    /// For tests of images: as `Build`, but `io_uring` works.
    Run,
}

/// The facts a command could read off its world; fixed, but for `forge check`, which varies them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct World {
    /// The one user inside; never 0. Outside it is the user who runs forge.
    pub uid: u32,
    /// The one group inside; never 0.
    pub gid: u32,
    /// Host name. The domain is always `(none)`.
    pub host_name: String,
    /// Bits that new files lack.
    pub umask: u32,
    /// Whether addresses are random.
    pub aslr: bool,
    /// How many processors the command may run on; `None` is all that forge may use.
    pub cpus: Option<usize>,
    /// Whether `uname -r` shows a 2.6 kernel (`UNAME26` of personality(2)).
    pub uname26: bool,
    /// What `/build` lies on.
    pub scratch: Scratch,
    /// How far the time of day is ahead of the machine's; clocks that measure are as they are.
    pub clock: Duration,
    /// In which order a directory's entries are read.
    pub entries: Entries,
    /// Which processor programs see.
    pub features: Features,
}

impl World {
    /// Whether it takes a tracer to show it.
    pub(super) fn needs_tracer(&self) -> bool {
        !self.clock.is_zero() || self.entries != Entries::Stored || self.features != Features::Host
    }
}

/// What `/build` lies on. `/out` is always on disk, as the store imports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scratch {
    /// The file system of the store.
    Disk,
    /// A tmpfs of [`Limits::tmp_bytes`].
    Memory,
}

/// In which order a directory's entries are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entries {
    /// As the file system stores them.
    Stored,
    /// The other way round, within each result of getdents64(2).
    Reversed,
}

/// Which processor programs see, by cpuid, by `/proc/cpuinfo` and by what the kernel tells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Features {
    /// The machine's.
    Host,
    /// A plain one of the level x86-64-v3, of another name.
    Baseline,
}

impl Default for World {
    fn default() -> Self {
        Self {
            uid: 1000,
            gid: 1000,
            host_name: "localhost".to_owned(),
            umask: 0o022,
            aslr: false,
            cpus: None,
            uname26: false,
            scratch: Scratch::Disk,
            clock: Duration::ZERO,
            entries: Entries::Stored,
            features: Features::Host,
        }
    }
}

/// How long a command may run and how much it may keep in memory file systems.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// From start to [`Exit::TimedOut`].
    pub timeout: Duration,
    /// The size of `/tmp`, of `/dev/shm`, and of `/build` with [`Scratch::Memory`].
    pub tmp_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(6 * 3600), tmp_bytes: 8 << 30 }
    }
}

/// How a command ended: an outcome, not an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exit {
    /// It exited with this code.
    Code(i32),
    /// This signal ended it. 9 also when the whole sandbox was killed from outside, as by a host short of memory.
    Signal(i32),
    /// It ran longer than [`Limits::timeout`] and was killed whole.
    TimedOut,
    /// `cancel` said so; it was killed whole.
    Cancelled,
}
