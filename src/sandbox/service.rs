//! The program beside a command. Pid 1 forks before it leaves the host's paths; the child takes mounts of its own,
//! enters its root, gives up what pid 1 gives up, and becomes the program. Users, processes and the network are those
//! of the command, so both see each other's ports, and pid 1's end is the end of both.

use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

use rustix::fs::{Mode, OFlags, open};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, chdir, umask};
use rustix::stdio::dup2_stdin;

use super::error::{Failure, Stage, Staged as _};
use super::mounts::Step;
use super::spec::{Exit, Service};
use super::{rlimits, root, sys};

/// Bits that new files of the program lack.
const MASK: Mode = Mode::from_raw_mode(0o022);

/// Starts the program and returns once it runs. `privileges` gives up all that a command gives up.
pub(super) fn start(
    service: &Service,
    mounts: &[Step],
    privileges: impl FnOnce() -> Result<(), Failure>,
) -> Result<Pid, Failure> {
    let begin = || -> io::Result<_> {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
        Ok((read, write, sys::fork(&sys::SingleThread::prove()?)?))
    };
    let (read, write, child) = begin().staged(Stage::World, || "forking for the program of the image".to_owned())?;
    match child {
        Some(child) => {
            drop(write);
            started(read).map(|()| child)
        }
        None => {
            drop(read);
            let failure = match become_it(service, mounts, privileges) {
                Ok(never) => never,
                Err(failure) => failure,
            };
            let _ = std::fs::File::from(write).write_all(&serde_json::to_vec(&failure).unwrap_or_default());
            exit(1)
        }
    }
}

/// Reads why the program could not be started; the pipe closes without a word when it is.
fn started(pipe: OwnedFd) -> Result<(), Failure> {
    let mut words = Vec::new();
    std::fs::File::from(pipe)
        .read_to_end(&mut words)
        .staged(Stage::World, || "waiting for the program of the image".to_owned())?;
    serde_json::from_slice(&words).map_or(Ok(()), Err)
}

/// Returns only when it fails.
fn become_it(
    service: &Service,
    mounts: &[Step],
    privileges: impl FnOnce() -> Result<(), Failure>,
) -> Result<Failure, Failure> {
    sys::own_mounts().staged(Stage::Mount, || "taking mounts of its own".to_owned())?;
    root::enter(mounts)?;
    let null = open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    null.and_then(dup2_stdin).staged(Stage::World, || "redirecting input".to_owned())?;
    rlimits::set()?;
    umask(MASK);
    chdir(service.cwd.as_str()).staged(Stage::World, || format!("entering {}", service.cwd))?;
    privileges()?;
    let (program, arguments) = service.argv.split_first().unwrap_or((const { &String::new() }, &[]));
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(service.env.iter().map(|(name, value)| (name, value)));
    Err(command.exec()).staged(Stage::Command, || format!("running `{program}`, the program of the image"))
}

/// Says in the log that the program has ended.
pub(super) fn tell(exit: Exit) {
    let how = match exit {
        Exit::Code(code) => format!("exit code {code}"),
        Exit::Signal(signal) => format!("signal {signal}"),
        Exit::TimedOut | Exit::Cancelled => String::new(),
    };
    let _ = writeln!(io::stderr(), "== the program of the image ended with {how}");
}
