//! Inside: pid 1 of a sandbox. It makes the world, starts the command, reaps orphans, and reports.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::process::{
    DumpableBehavior, Pid, Signal, WaitOptions, WaitStatus, chdir, set_dumpable_behavior,
    set_parent_process_death_signal, setsid, umask, wait,
};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
use rustix::system::{setdomainname, sethostname};
use rustix::thread::{
    CapabilitySet, CapabilitySets, CpuSet, remove_capability_from_bounding_set, sched_getaffinity, sched_setaffinity,
    set_capabilities,
};

use super::error::{Failure, Stage, Staged as _};
use super::helper::{Sandbox, User};
use super::mounts::JOBSERVER;
use super::spec::{Exit, Spec, World};
use super::stdio::{Ends, Streams};
use super::trace::Tracer;
use super::wire::{Report, Request, read_request, send_report};
use super::{rlimits, root, seccomp, service, sys};

const DOMAIN: &[u8] = b"(none)";

/// Runs the command of `sandbox` to its end; whatever else still runs then dies with this process.
pub(super) fn main(sandbox: &Sandbox) -> ! {
    let report = match run(sandbox) {
        Ok(exit) => Report::Ended(exit),
        Err(failure) => Report::Failed(failure),
    };
    // If nobody listens any more there is nobody to tell.
    let _ = send_report(&sandbox.start.control, &report, &[]);
    exit(0)
}

fn run(sandbox: &Sandbox) -> Result<Exit, Failure> {
    attend(sandbox)?;
    let request = read_request(&sandbox.start.request).staged(Stage::World, || "reading the request".to_owned())?;
    let Request { spec, mounts, beside, jobserver, medium } = &request;
    identity(&spec.world, &sandbox.user)?;
    network(&spec.world)?;
    umask(Mode::empty());
    let service = match &spec.service {
        Some(program) => Some(service::start(program, beside, || privileges(sandbox, spec))?),
        None => None,
    };
    root::enter(mounts)?;
    let fifo = descriptors(*jobserver)?;
    let Streams { inside, outside } =
        Streams::open(*medium).staged(Stage::World, || "opening the command's streams".to_owned())?;
    world(spec)?;
    // forge alone is to hold its ends: what they carry ends with it.
    let running = |outside: Vec<OwnedFd>| {
        let fds: Vec<_> = fifo.iter().chain(&outside).map(AsFd::as_fd).collect();
        send_report(&sandbox.start.control, &Report::Running, &fds)
            .staged(Stage::World, || "reporting the start".to_owned())
    };
    if spec.world.needs_tracer() {
        let tracer = Tracer::start(&spec.world, || become_traced(sandbox, spec, *jobserver, inside))?;
        running(outside)?;
        return tracer.follow();
    }
    privileges(sandbox, spec)?;
    let command = start(spec, *jobserver, inside)?;
    running(outside)?;
    reap(command, service).staged(Stage::World, || "waiting for the command".to_owned())
}

/// Ties this process to its helper, and output to the log.
fn attend(sandbox: &Sandbox) -> Result<(), Failure> {
    tie(&sandbox.helper).staged(Stage::World, || "following the helper".to_owned())?;
    let log = &sandbox.start.log;
    (|| {
        setsid()?;
        dup2_stdout(log)?;
        dup2_stderr(log)
    })()
    .staged(Stage::World, || "redirecting output".to_owned())
}

/// Dies when the helper dies, also if it died before this could be arranged.
fn tie(helper: &OwnedFd) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let mut fds = [PollFd::new(helper, PollFlags::IN)];
    match poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))? {
        0 => Ok(()),
        _ => Err(io::Error::other("the helper is dead")),
    }
}

/// Maps the one user and group inside to forge's own. No other user exists, so nothing can be given away.
fn identity(world: &World, user: &User) -> Result<(), Failure> {
    for (file, text) in [
        ("setgroups", "deny".to_owned()),
        ("gid_map", format!("{} {} 1", world.gid, user.gid)),
        ("uid_map", format!("{} {} 1", world.uid, user.uid)),
    ] {
        let path = format!("/proc/self/{file}");
        fs::write(&path, text).staged(Stage::Namespaces, || format!("writing {path}"))?;
    }
    Ok(())
}

fn network(world: &World) -> Result<(), Failure> {
    let name = &world.host_name;
    sethostname(name.as_bytes()).staged(Stage::Namespaces, || format!("setting the host name {name}"))?;
    setdomainname(DOMAIN).staged(Stage::Namespaces, || "setting the domain name".to_owned())?;
    sys::loopback_up().staged(Stage::Namespaces, || "bringing up lo".to_owned())
}

/// Reads nothing, and opens the jobserver's fifo for forge to fill.
fn descriptors(jobserver: bool) -> Result<Option<OwnedFd>, Failure> {
    let open = |path: &str, flags| {
        open(path, flags | OFlags::CLOEXEC, Mode::empty()).staged(Stage::World, || format!("opening {path}"))
    };
    dup2_stdin(open("/dev/null", OFlags::RDONLY)?).staged(Stage::World, || "redirecting input".to_owned())?;
    if jobserver { open(JOBSERVER, OFlags::RDWR | OFlags::NONBLOCK).map(Some) } else { Ok(None) }
}

fn world(spec: &Spec) -> Result<(), Failure> {
    let World { umask: mask, aslr, cpus, uname26, .. } = spec.world;
    let persona = if aslr { 0 } else { libc::ADDR_NO_RANDOMIZE } | if uname26 { libc::UNAME26 } else { 0 };
    sys::set_personality(persona).staged(Stage::World, || "setting the personality".to_owned())?;
    if let Some(count) = cpus {
        confine(count).staged(Stage::World, || format!("confining to {count} processors"))?;
    }
    rlimits::set()?;
    umask(Mode::from_raw_mode(mask));
    chdir(&spec.cwd).staged(Stage::World, || format!("entering {}", spec.cwd))
}

/// Leaves this process the first `count` of the processors that it has.
fn confine(count: usize) -> rustix::io::Result<()> {
    let all = sched_getaffinity(None)?;
    let mut some = CpuSet::new();
    (0..CpuSet::MAX_CPU).filter(|cpu| all.is_set(*cpu)).take(count).for_each(|cpu| some.set(cpu));
    sched_setaffinity(None, &some)
}

/// Gives up every capability, for itself and whatever it will start, then goes under the filters.
fn privileges(sandbox: &Sandbox, spec: &Spec) -> Result<(), Failure> {
    drop_capabilities().staged(Stage::Privileges, || "dropping capabilities".to_owned())?;
    // The command has the same uid: without this it could look into /proc/1.
    set_dumpable_behavior(DumpableBehavior::NotDumpable).staged(Stage::Privileges, || "hiding init".to_owned())?;
    sandbox
        .filters
        .apply(spec.profile)
        .map_err(io::Error::other)
        .staged(Stage::Privileges, || "installing the seccomp filters".to_owned())
}

fn drop_capabilities() -> rustix::io::Result<()> {
    for number in 0..u64::BITS {
        match remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(1 << number)) {
            Err(Errno::INVAL) => break, // the kernel knows no more
            result => result?,
        }
    }
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
}

fn start(spec: &Spec, jobserver: bool, ends: Ends) -> Result<Pid, Failure> {
    let child = command(spec, jobserver, ends).spawn().staged(Stage::Command, || running_it(spec))?;
    Ok(Pid::from_child(&child))
}

/// As [`privileges`] and [`start`], but in this process, which is followed. It returns only when it fails.
fn become_traced(sandbox: &Sandbox, spec: &Spec, jobserver: bool, ends: Ends) -> Failure {
    let followed = privileges(sandbox, spec).and_then(|()| {
        seccomp::follow(&spec.world)
            .map_err(io::Error::other)
            .staged(Stage::Privileges, || "installing the tracer's seccomp filter".to_owned())
    });
    let run = |()| Err(command(spec, jobserver, ends).exec()).staged(Stage::Command, || running_it(spec));
    match followed.and_then(run) {
        Err(failure) => failure,
        Ok(never) => never,
    }
}

fn running_it(spec: &Spec) -> String {
    format!("running `{}`", spec.argv.first().map_or("", String::as_str))
}

fn command(spec: &Spec, jobserver: bool, ends: Ends) -> Command {
    let (program, arguments) = spec.argv.split_first().unwrap_or((const { &String::new() }, &[]));
    let mut command = Command::new(program);
    command.args(arguments).env_clear();
    if jobserver {
        command.env("MAKEFLAGS", format!("-j --jobserver-auth=fifo:{JOBSERVER}"));
    }
    command.envs(spec.env.iter().map(|(name, value)| (name, value)));
    ends.give(&mut command);
    command
}

/// Waits for the command, and meanwhile for every orphan that the kernel hands to pid 1. When what runs beside it
/// ends, that is told in the log.
fn reap(command: Pid, service: Option<Pid>) -> rustix::io::Result<Exit> {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == command => return Ok(ending(status)),
            Ok(Some((pid, status))) if Some(pid) == service => service::tell(ending(status)),
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// How a process that is gone has ended.
pub(super) fn ending(status: WaitStatus) -> Exit {
    status.terminating_signal().map_or_else(|| Exit::Code(status.exit_status().unwrap_or_default()), Exit::Signal)
}
