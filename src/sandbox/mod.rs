//! Runs one command with only what it was given.
//!
//! ```text
//! forge (any thread)            helper (one thread)             sandbox
//! Launcher::run ──request, 3 fds──▶ clone3 into 7 namespaces ──▶ init (pid 1): mounts, identity,
//!   │ log pipe ◀───────────────────────────────────────────────   seccomp … then the command
//!   │ control socket ◀── reports ──────────────────────────────── "failed at …" or "ended with …"
//!   └─ shut down ──▶ helper kills init, and with it all that ran
//! ```
//!
//! The *helper* is the forge binary started again with [`HELPER_ARG`]. It exists because a process
//! with threads cannot safely be cloned, and because a parent-death signal follows the *thread*
//! that cloned: the helper has one thread and one life. When forge dies the helper reads the end
//! of its socket and kills every sandbox; when the helper dies the kernel kills every init, and
//! an init takes its whole pid namespace along. So nothing outlives a build.
//!
//! What a command can see is decided in `mounts`, by a pure function from [`Spec`] to data;
//! what it can do, by the tables in `seccomp` and `rlimits`; what else it could read off its world
//! (uid, host name, umask, …) stands in [`World`]. What of that no namespace can vary, `trace` does,
//! which costs nothing where it is not asked for.
//!
//! A build reads nothing and writes to its log; a command that a user watches is given a terminal
//! or pipes by [`Launcher::attach`], in the same sandbox.
//!
//! One thing is added to [`Spec::env`] here rather than by the derivation: `MAKEFLAGS`, which
//! names the jobserver. It holds a constant path and no number, so that the count of jobs can
//! reach no artifact; see [`Jobserver`].

mod console;
mod error;
mod helper;
mod init;
mod jobserver;
mod launcher;
mod mounts;
mod probe;
mod rlimits;
mod root;
mod seccomp;
mod service;
mod spec;
mod stdio;
mod sys;
#[cfg(target_arch = "x86_64")]
mod trace;
#[cfg(not(target_arch = "x86_64"))]
#[path = "untraced.rs"]
mod trace;
mod wire;

pub use console::Console;
pub use error::Error;
pub use helper::{HELPER_ARG, helper_main};
pub use jobserver::Jobserver;
pub use launcher::{LOG_LIMIT_BYTES, Launcher};
pub use probe::{Check, probe};
pub use spec::{Entries, Exit, Features, Limits, Profile, Scratch, Service, Spec, World};
pub use stdio::Window;
