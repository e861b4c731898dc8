//! The system calls that rustix leaves out: the one place with unsafe code.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
pub(super) mod ptrace;

use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use rustix::mount::MountAttrFlags;
use rustix::process::Pid;

/// Proof that this process has one thread, so that a clone of it may go on running ordinary code.
pub(super) struct SingleThread(());

impl SingleThread {
    /// Counts the threads.
    ///
    /// # Errors
    /// When there are several, or `/proc` cannot be read.
    pub(super) fn prove() -> io::Result<Self> {
        match std::fs::read_dir("/proc/self/task")?.count() {
            1 => Ok(Self(())),
            count => Err(io::Error::other(format!("the helper has {count} threads instead of one"))),
        }
    }
}

const NAMESPACES: i32 = libc::CLONE_NEWUSER
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWCGROUP;

/// Clones this process into new namespaces: in the parent the pidfd of the child, in the child `None`.
///
/// # Errors
/// As clone3(2): EPERM, ENOSPC or ENOSYS where the host forbids namespaces.
pub(super) fn clone_into_namespaces(_: &SingleThread) -> io::Result<Option<OwnedFd>> {
    let mut pidfd: libc::c_int = -1;
    // SAFETY: clone_args is plain integers, for which zero means "not used".
    let mut args: libc::clone_args = unsafe { zeroed() };
    args.flags = u64::from((NAMESPACES | libc::CLONE_PIDFD).cast_unsigned());
    args.pidfd = std::ptr::from_mut(&mut pidfd) as u64;
    args.exit_signal = libc::SIGCHLD.cast_unsigned().into();
    // SAFETY: without CLONE_VM the child has its own copy of memory, as after fork(2); as there is
    // one thread (see SingleThread) no lock is held by a thread that the child lacks. `args` and
    // `pidfd` outlive the call.
    match unsafe { libc::syscall(libc::SYS_clone3, &raw mut args, size_of::<libc::clone_args>()) } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(None),
        // SAFETY: the kernel has just opened this descriptor for us alone.
        _ => Ok(Some(unsafe { OwnedFd::from_raw_fd(pidfd) })),
    }
}

/// Forks: in the parent the child's number, in the child `None`.
pub(super) fn fork(_: &SingleThread) -> io::Result<Option<Pid>> {
    // SAFETY: as there is one thread (see SingleThread) no lock is held by a thread that the child lacks.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        child => Ok(Pid::from_raw(child)),
    }
}

/// Gives this process a mount namespace of its own.
pub(super) fn own_mounts() -> io::Result<()> {
    // SAFETY: mounts are no memory, and this process's files stay as they are.
    check(unsafe { libc::syscall(libc::SYS_unshare, libc::CLONE_NEWNS) })
}

/// Sets attributes of the mount `fd` and, with `libc::AT_RECURSIVE` in `reach`, of every mount below it.
pub(super) fn set_mount_attributes(fd: impl AsFd, attributes: MountAttrFlags, reach: libc::c_int) -> io::Result<()> {
    // SAFETY: mount_attr is plain integers, for which zero means "leave as it is".
    let mut change: libc::mount_attr = unsafe { zeroed() };
    change.attr_set = attributes.bits().into();
    let flags = libc::AT_EMPTY_PATH | reach;
    // SAFETY: the path is a literal, `change` outlives the call and its true size is passed.
    check(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            fd.as_fd().as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const change,
            size_of::<libc::mount_attr>(),
        )
    })
}

/// Marks every descriptor from 3 on to be closed when a program is executed.
pub(super) fn close_on_exec() -> io::Result<()> {
    const FIRST: libc::c_uint = 3;
    // SAFETY: CLOSE_RANGE_CLOEXEC closes nothing now, so every owned descriptor stays valid.
    check(unsafe { libc::syscall(libc::SYS_close_range, FIRST, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) })
}

/// Gives every signal its default action; ignored ones would be inherited through exec.
pub(super) fn reset_signals() {
    const LAST: libc::c_int = 64;
    for signal in 1..=LAST {
        // SAFETY: SIG_DFL runs no code of ours. SIGKILL, SIGSTOP and libc's own signals are refused, harmlessly.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

/// Sets the execution domain, which a command inherits: `libc::ADDR_NO_RANDOMIZE`, `libc::UNAME26`.
pub(super) fn set_personality(persona: libc::c_int) -> io::Result<()> {
    // SAFETY: takes and returns an integer.
    check(unsafe { libc::personality(u64::from(persona.cast_unsigned())) }.into())
}

/// Asks the processor: eax, ebx, ecx, edx.
#[cfg(target_arch = "x86_64")]
#[allow(unused_unsafe)] // safe from Rust 1.94 on
pub(super) fn cpuid(leaf: u32, subleaf: u32) -> [u32; 4] {
    // SAFETY: every processor of x86-64 has the instruction.
    let answer = unsafe { std::arch::x86_64::__cpuid_count(leaf, subleaf) };
    [answer.eax, answer.ebx, answer.ecx, answer.edx]
}

/// Brings up `lo`, the only interface of a new network namespace.
pub(super) fn loopback_up() -> io::Result<()> {
    let socket = rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::DGRAM, None)?;
    // SAFETY: ifreq is integers and a union of such; all zero is a valid value.
    let mut request: libc::ifreq = unsafe { zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = from.cast_signed();
    }
    request.ifr_ifru.ifru_flags = libc::IFF_UP as libc::c_short;
    // SAFETY: SIOCSIFFLAGS reads one ifreq, which outlives the call.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) }.into())
}

fn check(returned: libc::c_long) -> io::Result<()> {
    if returned == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
