//! Shows a command another clock and another order of directory entries than the machine's.
//!
//! Whatever a mount or a namespace cannot vary is varied by ptrace(2), with init as the tracer of the command
//! and all that it starts. An ordinary sandbox has none of this, and a traced one stops only
//!
//! - after execve(2), where the vDSO is hidden on the new program's stack, so that it reads the clock by
//!   system calls;
//! - at the calls that a seccomp filter names (`seccomp::followed`); all others run at full speed;
//! - for signals and the stops of job control, which are passed on.
//!
//! The command's filters refuse ptrace(2) and the like, so init, who needs them, is under no filter and keeps
//! the one capability to trace; it executes nothing. The command gives up everything before it starts, as ever.
//!
//! What a tracee is in the middle of stands in one table, [`Tracer::rests`]; all else follows from the stop
//! itself. A tracee may be killed at any moment: the call on it then fails, and its end is told by wait(2).

mod auxv;
mod call;
pub(super) mod clock;
mod entries;

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::process::exit;

use rustix::io::{Errno, read, retry_on_intr, write};
use rustix::process::{DumpableBehavior, Pid, WaitOptions, WaitStatus, set_dumpable_behavior, wait};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};

use self::call::Rest;
use super::error::{Failure, Stage, Staged as _};
use super::init::ending;
use super::spec::{Entries, Exit, World};
use super::sys::ptrace::{self, Resume};
use super::sys::{SingleThread, fork};
use super::wire::{Report, pair, receive_report, send_report};

/// Marks the stop of a returning system call (`PTRACE_O_TRACESYSGOOD`).
const RETURNED: i32 = libc::SIGTRAP | 0x80;
/// The event of a stop that a new tracee makes, or job control demands.
const EVENT_STOP: i32 = 128;
/// The segment of 64-bit code.
const USER_CODE: u64 = 0x33;
/// The most that a program's arguments, environment and their addresses take on its stack.
const STACK_BYTES: usize = 16 << 20;

/// Whether anything in this world needs a tracer.
pub(super) fn wanted(world: &World) -> bool {
    let World { clock, entries, uid: _, gid: _, host_name: _, umask: _, aslr: _, cpus: _, uname26: _, scratch: _ } =
        world;
    !clock.is_zero() || *entries != Entries::Stored
}

/// A command, and all that it starts, followed by this process.
pub(super) struct Tracer<'a> {
    command: Pid,
    /// Where the command says that it could not be started.
    child: OwnedFd,
    world: &'a World,
    /// What is left to do when these tracees' calls return.
    rests: HashMap<Pid, Rest>,
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
        Ok(Self { command, child, world, rests: HashMap::new() })
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
                Ok(Some((pid, _))) => drop(self.rests.remove(&pid)),
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
            0 => Ok(Resume::Run(signal)),
            _ => Ok(Resume::Run(0)),
        };
        // What fails here fails because the tracee was killed meanwhile, or cannot be changed: it goes on.
        let _ = ptrace::resume(pid, next.unwrap_or(Resume::Run(0)));
    }

    fn executed(&mut self, pid: Pid) -> io::Result<Resume> {
        self.rests.remove(&pid);
        let registers = ptrace::registers(pid)?;
        if registers.cs == USER_CODE && !self.world.clock.is_zero() {
            hide_vdso(pid, registers.rsp)?;
        }
        Ok(Resume::Run(0))
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
        self.rests.remove(&pid).map_or(Ok(()), |rest| call::leave(pid, rest))?;
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

/// Changes the auxiliary vector of a program that has not begun.
fn hide_vdso(pid: Pid, stack: u64) -> io::Result<()> {
    let mut bytes = 16 << 10;
    while bytes <= STACK_BYTES {
        let mut words = read_words(pid, stack, bytes)?;
        if let Some(vector) = auxv::find(&words) {
            auxv::hide_vdso(&mut words[vector.clone()]);
            let changed: Vec<u8> = words[vector.clone()].iter().flat_map(|word| word.to_ne_bytes()).collect();
            return ptrace::write(pid, stack + 8 * vector.start as u64, &changed);
        }
        bytes *= 4;
    }
    Err(Errno::TOOBIG.into())
}

/// Reads as many words as there are, `bytes` at most.
fn read_words(pid: Pid, at: u64, bytes: usize) -> io::Result<Vec<u64>> {
    let mut buffer = vec![0; bytes];
    let got = ptrace::read(pid, at, &mut buffer)?;
    let word = |bytes: &[u8]| u64::from_ne_bytes(bytes.try_into().expect("BUG: a word is eight bytes"));
    Ok(buffer[..got].chunks_exact(8).map(word).collect())
}
