//! The helper: one thread that clones sandboxes and watches over them.

use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::{Errno, fcntl_dupfd_cloexec, retry_on_intr};
use rustix::process::{
    PidfdFlags, Signal, WaitId, WaitIdOptions, getegid, geteuid, getpid, pidfd_open, pidfd_send_signal, setsid, waitid,
};
use rustix::stdio::{dup2_stdin, stdin};
use rustix::thread::set_thread_groups;

use super::error::{Error, Stage, Staged as _};
use super::init;
use super::seccomp::Filters;
use super::sys::{SingleThread, clone_into_namespaces, close_on_exec, reset_signals};
use super::wire::{Report, Start, receive_start, send_report};

/// The argument that makes the forge binary the helper.
pub const HELPER_ARG: &str = "sandbox-helper";

/// Serves the forge process at the other end of stdin until that process is gone.
/// `main` calls this when its first argument is [`HELPER_ARG`].
pub fn helper_main() -> ! {
    let Ok(helper) = Helper::new() else { std::process::exit(1) };
    match helper.serve() {
        Ok(Role::Helper) => std::process::exit(0),
        Ok(Role::Sandbox(sandbox)) => init::main(&sandbox),
        Err(_) => std::process::exit(1),
    }
}

/// What a sandbox has from its helper, besides memory.
pub(super) struct Sandbox {
    pub(super) start: Start,
    pub(super) filters: Filters,
    /// Readable once the helper is dead.
    pub(super) helper: OwnedFd,
    pub(super) user: User,
}

/// Who runs forge, in numbers of the host.
pub(super) struct User {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// What this process is when [`Helper::serve`] returns: a clone of the helper returns from it, too.
enum Role {
    Helper,
    Sandbox(Sandbox),
}

struct Helper {
    forge: OwnedFd,
    pidfd: OwnedFd,
    filters: Filters,
    user: User,
    running: Vec<Running>,
    alone: SingleThread,
}

/// A sandbox that has not ended.
struct Running {
    /// Its init.
    pidfd: OwnedFd,
    /// Kept open, so that forge reads its end only when all of the sandbox is gone.
    control: OwnedFd,
    killed: bool,
}

impl Helper {
    fn new() -> Result<Self, Error> {
        let io = |source| Error::Io { doing: "starting the sandbox helper", source };
        let alone = SingleThread::prove().map_err(io)?;
        reset_signals();
        close_on_exec().map_err(io)?;
        let (forge, pidfd) = descriptors().map_err(|errno| io(errno.into()))?;
        // Of its own accord an ordinary user cannot leave groups; they show inside as `nogroup`.
        let _ = set_thread_groups(&[]);
        let user = User { uid: geteuid().as_raw(), gid: getegid().as_raw() };
        Ok(Self { forge, pidfd, filters: Filters::compile()?, user, running: Vec::new(), alone })
    }

    /// Clones sandboxes on request; returns as the helper when forge is gone, or as a new sandbox.
    fn serve(mut self) -> std::io::Result<Role> {
        loop {
            let ready = self.wait()?;
            self.reap(&ready.ended)?;
            if !ready.forge {
                continue;
            }
            let Some(start) = receive_start(&self.forge)? else {
                self.end()?;
                return Ok(Role::Helper);
            };
            match clone_into_namespaces(&self.alone) {
                Ok(Some(pidfd)) => self.running.push(Running { pidfd, control: start.control, killed: false }),
                Ok(None) => {
                    return Ok(Role::Sandbox(Sandbox {
                        start,
                        filters: self.filters,
                        helper: self.pidfd,
                        user: self.user,
                    }));
                }
                Err(error) => refuse(&start, error),
            }
        }
    }

    /// Waits until a sandbox ended or forge wants something; kills the sandboxes whose forge end was shut down.
    fn wait(&mut self) -> std::io::Result<Ready> {
        let mut fds = vec![PollFd::new(&self.forge, PollFlags::IN)];
        for running in &self.running {
            fds.push(PollFd::new(&running.pidfd, PollFlags::IN));
            let orders = if running.killed { &self.pidfd } else { &running.control };
            fds.push(PollFd::new(orders, PollFlags::RDHUP));
        }
        retry_on_intr(|| poll(&mut fds, None))?;
        let happened: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        let (forge, sandboxes) = (happened[0], &happened[1..]);
        for (running, happened) in self.running.iter_mut().zip(sandboxes.chunks(2)) {
            if happened[1] {
                running.kill()?;
            }
        }
        Ok(Ready { forge, ended: sandboxes.chunks(2).map(|happened| happened[0]).collect() })
    }

    fn reap(&mut self, ended: &[bool]) -> std::io::Result<()> {
        let mut ended = ended.iter();
        let (gone, running) =
            std::mem::take(&mut self.running).into_iter().partition(|_| ended.next().copied().unwrap_or(false));
        self.running = running;
        let gone: Vec<Running> = gone;
        gone.iter().try_for_each(Running::reap)
    }

    /// Kills every sandbox and waits until they are gone.
    fn end(&mut self) -> std::io::Result<()> {
        self.running.iter_mut().try_for_each(Running::kill)?;
        self.running.iter().try_for_each(Running::reap)
    }
}

/// What [`Helper::wait`] saw.
struct Ready {
    forge: bool,
    /// For each running sandbox, whether it ended.
    ended: Vec<bool>,
}

impl Running {
    fn kill(&mut self) -> std::io::Result<()> {
        self.killed = true;
        match pidfd_send_signal(&self.pidfd, Signal::KILL) {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Waits for init; the kernel ends init only after every process of its pid namespace.
    fn reap(&self) -> std::io::Result<()> {
        retry_on_intr(|| waitid(WaitId::PidFd(self.pidfd.as_fd()), WaitIdOptions::EXITED))?;
        Ok(())
    }
}

/// The socket to forge, moved off stdin, and a pidfd of this process.
fn descriptors() -> Result<(OwnedFd, OwnedFd), Errno> {
    let forge = fcntl_dupfd_cloexec(stdin(), 3)?;
    dup2_stdin(open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)?;
    // Away from the terminal: Ctrl-C goes to forge, which decides.
    setsid()?;
    Ok((forge, pidfd_open(getpid(), PidfdFlags::empty())?))
}

fn refuse(start: &Start, error: std::io::Error) {
    let failed = Err::<(), _>(error).staged(Stage::Namespaces, || "making namespaces".to_owned());
    if let Err(failure) = failed {
        // If forge has gone away meanwhile, the next wait says so.
        let _ = send_report(&start.control, &Report::Failed(failure), &[]);
    }
}
