//! Shows a command another clock, another order of directory entries and another processor than the machine's.
//!
//! Whatever a mount or a namespace cannot vary is varied by ptrace(2), with init as the tracer of the command
//! and all that it starts. An ordinary sandbox has none of this, and a traced one stops only
//!
//! - after execve(2), where the new program is changed (`program`): it is not told of the vDSO, so that it
//!   reads the clock by system calls, and its cpuid is hidden; or it is made to ask that the processor refuse
//!   it, and stops once more (`refusal`);
//! - at the calls that a seccomp filter names (`seccomp::followed`); all others run at full speed;
//! - for signals and the stops of job control, which are passed on, but for those of a refused cpuid. A program
//!   that blocks or ignores SIGSEGV while it asks for the processor does so no more afterwards.
//!
//! The command's filters refuse ptrace(2) and the like, so init, who needs them, is under no filter and keeps
//! the one capability to trace; it executes nothing. The command gives up everything before it starts, as ever.
//!
//! What a tracee is in the middle of stands in [`Tracer::rests`] and [`Tracer::asked`]; all else follows from the stop
//! itself. A tracee may be killed at any moment: the call on it then fails, and its end is told by wait(2).

mod auxv;
mod call;
mod clock;
mod code;
mod elf;
mod entries;
mod frames;
mod known;
mod mapping;
mod processor;
mod program;
mod refusal;

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::process::exit;

use rustix::io::{Errno, read, retry_on_intr, write};
use rustix::process::{DumpableBehavior, Pid, WaitOptions, WaitStatus, set_dumpable_behavior, wait};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};

use self::call::Rest;
use self::known::Known;
use self::refusal::Asked;
use super::error::{Failure, Stage, Staged as _};
use super::init::ending;
use super::spec::{Exit, Features, World};
use super::sys::ptrace::{self, Resume};
use super::sys::{SingleThread, cpuid, fork};
use super::wire::{Report, pair, receive_report, send_report};

/// Marks the stop of a returning system call (`PTRACE_O_TRACESYSGOOD`).
const RETURNED: i32 = libc::SIGTRAP | 0x80;
/// The event of a stop that a new tracee makes, or job control demands.
const EVENT_STOP: i32 = 128;

/// A command, and all that it starts, followed by this process.
pub(super) struct Tracer<'a> {
    command: Pid,
    /// Where the command says that it could not be started.
    child: OwnedFd,
    world: &'a World,
    /// What is left to do when these tracees' calls return.
    rests: HashMap<Pid, Rest>,
    known: Known,
    /// These have not begun: they are to ask that cpuid is refused to them.
    asked: HashMap<Pid, Asked>,
    /// Whether the processor can refuse it, once one has asked.
    refuses: Option<bool>,
}

impl<'a> Tracer<'a> {
    /// Forks, and follows the child, which becomes the command by `become_command`.
    pub(super) fn start(world: &'a World, become_command: impl FnOnce() -> Failure) -> Result<Self, Failure> {
        Self::fork(world, become_command)
            .and_then(|tracer| tracer.attach().map(|()| tracer))
            .staged(Stage::World, || "following the command".to_owned())
    }

    fn fork(world: &'a World, become_command: impl FnOnce() -> Failure) -> io::Result<Self> {
        let (child, parent) = pair()?;
        let Some(command) = fork(&SingleThread::prove()?)? else {
            drop(child);
            wait_for_tracer_and(&parent, become_command)
        };
        Ok(Self {
            command,
            child,
            world,
            rests: HashMap::new(),
            known: Known::default(),
            asked: HashMap::new(),
            refuses: None,
        })
    }

    /// Follows the child, and keeps no right but that. Only then the child goes on.
    fn attach(&self) -> io::Result<()> {
        ptrace::seize(self.command)?;
        let none = CapabilitySet::empty();
        let trace = CapabilitySet::SYS_PTRACE;
        set_capabilities(None, CapabilitySets { effective: trace, permitted: trace, inheritable: none })?;
        // The command has the same uid: without this it could look into /proc/1.
        set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
        write(&self.child, b"go")?;
        Ok(())
    }

    /// Follows until the command has ended, and meanwhile reaps every orphan that the kernel hands to pid 1.
    pub(super) fn follow(mut self) -> Result<Exit, Failure> {
        let all = WaitOptions::from_bits_retain(libc::__WALL.cast_unsigned());
        loop {
            match wait(all) {
                Ok(Some((pid, status))) if status.stopped() => self.stopped(pid, status),
                Ok(Some((pid, status))) if pid == self.command => return self.ended(status),
                Ok(Some((pid, _))) => self.forget(pid),
                Ok(None) | Err(Errno::INTR) => {}
                Err(errno) => return Err(errno).staged(Stage::World, || "waiting for the command".to_owned()),
            }
        }
    }

    fn ended(&self, status: WaitStatus) -> Result<Exit, Failure> {
        match receive_report(&self.child) {
            Ok(Some((Report::Failed(failure), _))) => Err(failure),
            _ => Ok(ending(status)),
        }
    }

    fn stopped(&mut self, pid: Pid, status: WaitStatus) {
        let (signal, event) = (status.stopping_signal().unwrap_or_default(), status.as_raw() >> 16);
        let next = match event {
            libc::PTRACE_EVENT_EXEC => self.executed(pid),
            libc::PTRACE_EVENT_SECCOMP => self.called(pid),
            EVENT_STOP if signal != libc::SIGTRAP => Ok(Resume::Listen),
            0 if signal == RETURNED => self.returned(pid),
            0 => Ok(Resume::Run(self.signalled(pid, signal))),
            _ => Ok(Resume::Run(0)),
        };
        // What fails here fails because the tracee was killed meanwhile, or cannot be changed: it goes on.
        let _ = ptrace::resume(pid, next.unwrap_or(Resume::Run(0)));
    }

    fn executed(&mut self, pid: Pid) -> io::Result<Resume> {
        self.forget(pid);
        if program::is_followed(pid)? {
            program::change_vector(pid, self.world)?;
            if self.world.features != Features::Host {
                self.hide_processor(pid)?;
            }
        }
        Ok(Resume::Run(0))
    }

    fn hide_processor(&mut self, pid: Pid) -> io::Result<()> {
        if self.refuses == Some(false) {
            return program::hide_cpuids(pid, &mut self.known);
        }
        self.asked.insert(pid, Asked::ask(pid)?);
        Ok(())
    }

    /// The signal to pass on; 0 for one that was ours.
    fn signalled(&mut self, pid: Pid, signal: i32) -> i32 {
        let was_ours = match signal {
            libc::SIGTRAP => self.has_asked(pid),
            libc::SIGSEGV if self.world.features != Features::Host => program::answer_cpuid(pid),
            _ => Ok(false),
        };
        if was_ours.unwrap_or(false) { 0 } else { signal }
    }

    /// Whether a program has stopped as it was made to ask. Then it begins.
    fn has_asked(&mut self, pid: Pid) -> io::Result<bool> {
        match self.asked.remove(&pid) {
            Some(asked) if asked.has_stopped(pid)? => {
                self.refuses = Some(asked.put_back(pid)?);
                if self.refuses == Some(false) {
                    program::hide_cpuids(pid, &mut self.known)?;
                }
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn forget(&mut self, pid: Pid) {
        self.rests.remove(&pid);
        self.asked.remove(&pid);
    }

    fn called(&mut self, pid: Pid) -> io::Result<Resume> {
        Ok(match call::enter(pid, self.world)? {
            None => Resume::Run(0),
            Some(rest) => {
                self.rests.insert(pid, rest);
                Resume::Return
            }
        })
    }

    fn returned(&mut self, pid: Pid) -> io::Result<Resume> {
        if let Some(rest) = self.rests.remove(&pid) {
            call::leave(pid, rest, &mut self.known)?;
        }
        Ok(Resume::Run(0))
    }
}

/// In the child: becomes the command once it is followed, and says why if it cannot.
fn wait_for_tracer_and(parent: &OwnedFd, become_command: impl FnOnce() -> Failure) -> ! {
    const NOT_STARTED: i32 = 127;
    let mut go = [0; 2];
    if retry_on_intr(|| read(parent, &mut go)) == Ok(go.len()) {
        // If init is gone there is nobody to tell.
        let _ = send_report(parent, &Report::Failed(become_command()), &[]);
    }
    exit(NOT_STARTED)
}

/// `/proc/cpuinfo` of so many plain processors.
pub(super) fn cpuinfo(processors: usize) -> String {
    processor::cpuinfo(processors, &cpuid)
}
