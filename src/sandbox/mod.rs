//! SKELETON of the sandbox: the API its users compile against. Replace the bodies, keep the shape.
#![allow(missing_docs, clippy::todo, unused_variables, clippy::missing_errors_doc, dead_code)]
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::io;

/// Everything a command gets; what is not in here it does not see.
#[derive(Clone, Debug)]
pub struct Spec {
    /// A tree with the mount points `build out src deps tmp proc dev`; bound read-only.
    pub root: PathBuf,
    /// Read-only: name → directory or file, at `/src/<name>`.
    pub sources: Vec<(String, PathBuf)>,
    /// Read-only, at `/deps/<name>`.
    pub deps: Vec<(String, PathBuf)>,
    /// Host directories for `/build` and `/out`, writable, on plain disk.
    pub build: PathBuf,
    pub out: PathBuf,
    pub argv: Vec<String>,
    pub env: Vec<(String, String)>,
    /// Working directory inside.
    pub cwd: String,
    pub profile: Profile,
    pub world: World,
    pub limits: Limits,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile { Build, Run }
/// The facts a command could read off its world; fixed, but for `forge check`, which varies them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct World { pub uid: u32, pub gid: u32, pub host_name: String, pub umask: u32, pub aslr: bool /* … */ }
#[derive(Clone, Debug)]
pub struct Limits { pub timeout: Duration, pub tmp_bytes: u64 /* … */ }

/// How a command ended: an outcome, not an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit { Code(i32), Signal(i32), TimedOut, Cancelled }

#[derive(Debug, thiserror::Error)]
pub enum Error { #[error("{0}")] Io(#[from] io::Error) /* … */ }

/// The small helper process that all sandboxes are forked from.
pub struct Launcher {}
impl Launcher {
    /// Starts `program` (the forge binary itself) as the helper; `program HELPER_ARG`.
    pub fn start(program: &Path) -> Result<Self, Error> { todo!() }
    /// Runs one command to its end, passing its output (stdout and stderr as one stream) to `log`. Call from many threads.
    /// `cancel` is polled: true kills the sandbox whole.
    pub fn run(&self, spec: &Spec, jobs: Option<&Jobserver>, cancel: &(dyn Fn() -> bool + Sync), log: &mut dyn FnMut(&[u8])) -> Result<Exit, Error> { todo!() }
}
/// One GNU make jobserver for all sandboxes of a build; tokens of the dead come back.
pub struct Jobserver {}
impl Jobserver { pub fn new(tokens: usize) -> Result<Self, Error> { todo!() } }

/// The argument that makes the forge binary the helper.
pub const HELPER_ARG: &str = "sandbox-helper";
/// `main` calls this when its first argument is [`HELPER_ARG`]; never returns.
pub fn helper_main() -> ! { todo!() }
