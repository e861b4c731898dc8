//! What can go wrong around a sandbox, and what to do about it.

use std::io;
use std::path::PathBuf;

use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::probe;

/// Why a command could not be run. That it ran and failed is no error but an [`super::Exit`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The helper process did not start.
    #[error("starting the sandbox helper {}: {source}", program.display())]
    Helper {
        /// The forge binary.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The helper process is gone, and every sandbox with it.
    #[error("the sandbox helper has died, and all sandboxes with it; the kernel log says whether memory ran out")]
    HelperDied,
    /// A name of a source or dependency that is not one path component.
    #[error("`{name}` cannot stand in {at}: a name is one path component, neither `.` nor `..`")]
    Name {
        /// `/src` or `/deps`.
        at: &'static str,
        /// The name.
        name: String,
    },
    /// The host does not let forge make namespaces.
    #[error("{step}: {reason}\nthis host forbids user namespaces, which every sandbox needs\n{fix}")]
    Namespaces {
        /// What was tried.
        step: String,
        /// The kernel's answer.
        reason: String,
        /// The setting to change.
        fix: String,
    },
    /// The host, usually a container, hides parts of `/proc`, so that the kernel refuses a fresh one.
    #[error("{step}: {reason}\n{}", probe::PROC_FIX)]
    Proc {
        /// What was tried.
        step: String,
        /// The kernel's answer.
        reason: String,
    },
    /// The kernel lacks a system call that the sandbox needs.
    #[error("{step}: {reason}\n{}", probe::KERNEL_FIX)]
    Kernel {
        /// What was tried.
        step: String,
        /// The kernel's answer.
        reason: String,
    },
    /// The command is not in the root file system, or cannot be executed.
    #[error(
        "{step}: {reason}\nthe root file system has no such program, or not the interpreter or loader that it names"
    )]
    Command {
        /// What was tried.
        step: String,
        /// The kernel's answer.
        reason: String,
    },
    /// Any other step on the way to the command.
    #[error("setting up the sandbox: {step}: {reason}")]
    Setup {
        /// What was tried, with its path.
        step: String,
        /// The kernel's answer.
        reason: String,
    },
    /// Talking to the helper, or a pipe.
    #[error("{doing}: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// The seccomp filter does not compile for this machine.
    #[error("compiling the seccomp filter: {0}")]
    Filter(#[from] seccompiler::Error),
}

/// How far the setup of a sandbox got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Stage {
    /// clone3 and the user map.
    Namespaces,
    /// Mounts, the first use of the new mount API.
    Mount,
    /// The fresh `/proc`.
    Proc,
    /// Host name, limits, descriptors and whatever else is in the world.
    World,
    /// Capabilities and seccomp.
    Privileges,
    /// Executing the command.
    Command,
}

/// A step of the setup that failed, as it travels from the sandbox to forge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Failure {
    pub(super) stage: Stage,
    /// The step with its path: `mounting /proc`.
    pub(super) step: String,
    pub(super) errno: Option<i32>,
    pub(super) reason: String,
}

/// Says of a failed system call which step it was.
pub(super) trait Staged<T> {
    fn staged(self, stage: Stage, step: impl FnOnce() -> String) -> Result<T, Failure>;
}

impl<T, E: Into<io::Error>> Staged<T> for Result<T, E> {
    fn staged(self, stage: Stage, step: impl FnOnce() -> String) -> Result<T, Failure> {
        self.map_err(|error| {
            let error = error.into();
            Failure { stage, step: step(), errno: error.raw_os_error(), reason: error.to_string() }
        })
    }
}

impl From<Failure> for Error {
    fn from(Failure { stage, step, errno, reason }: Failure) -> Self {
        let errno = errno.map(Errno::from_raw_os_error);
        match (stage, errno) {
            (_, Some(Errno::NOSYS)) => Self::Kernel { step, reason },
            (Stage::Namespaces, Some(Errno::INVAL)) => Self::Kernel { step, reason },
            (Stage::Namespaces, _) => Self::Namespaces { step, reason, fix: probe::namespaces_fix() },
            (Stage::Proc, Some(Errno::PERM | Errno::ACCESS)) => Self::Proc { step, reason },
            (Stage::Command, _) => Self::Command { step, reason },
            _ => Self::Setup { step, reason },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_becomes_the_error_that_helps() {
        let failure = |stage, errno: Errno| Failure {
            stage,
            step: "mounting /proc".to_owned(),
            errno: Some(errno.raw_os_error()),
            reason: "no".to_owned(),
        };
        let cases = [
            (Stage::Namespaces, Errno::PERM, "forbids user namespaces"),
            (Stage::Namespaces, Errno::NOSPC, "forbids user namespaces"),
            (Stage::Namespaces, Errno::NOSYS, "Linux 5.12"),
            (Stage::Proc, Errno::PERM, "systempaths=unconfined"),
            (Stage::Mount, Errno::NOSYS, "Linux 5.12"),
            (Stage::Mount, Errno::NOENT, "setting up the sandbox: mounting /proc: no"),
            (Stage::Command, Errno::NOENT, "has no such program"),
        ];
        for (stage, errno, want) in cases {
            let got = Error::from(failure(stage, errno)).to_string();
            assert!(got.contains(want), "want {want}\ngot  {got}");
        }
    }
}
