//! ptrace(2) and reading another process's memory, each as a safe call.
//!
//! They change only the tracee; of a wrong or dead one the kernel says so with an errno.

use std::io;
use std::mem::{MaybeUninit, size_of_val};

use rustix::process::Pid;

use super::check;

/// The processor's registers in a stopped tracee.
pub(in crate::sandbox) type Registers = libc::user_regs_struct;

/// Stops that a tracee makes for its tracer: after execve(2), at a seccomp filter's demand, and for
/// every child and thread, which are then followed, too. All of them die with the tracer.
const OPTIONS: libc::c_int = libc::PTRACE_O_TRACEEXEC
    | libc::PTRACE_O_TRACESECCOMP
    | libc::PTRACE_O_TRACEFORK
    | libc::PTRACE_O_TRACEVFORK
    | libc::PTRACE_O_TRACECLONE
    | libc::PTRACE_O_TRACESYSGOOD
    | libc::PTRACE_O_EXITKILL;

/// How a stopped tracee goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sandbox) enum Resume {
    /// Runs, and gets this signal first; 0 is none.
    Run(libc::c_int),
    /// Runs until its system call returns.
    Return,
    /// Stays stopped, as job control wants it, until another signal continues it.
    Listen,
}

/// Becomes the tracer of `pid`, a child, and of all that it will start.
pub(in crate::sandbox) fn seize(pid: Pid) -> io::Result<()> {
    // SAFETY: takes integers.
    check(unsafe { libc::ptrace(libc::PTRACE_SEIZE, pid.as_raw_pid(), 0_usize, OPTIONS.cast_unsigned() as usize) })
}

/// Lets a stopped tracee go on.
pub(in crate::sandbox) fn resume(pid: Pid, how: Resume) -> io::Result<()> {
    let (request, signal) = match how {
        Resume::Run(signal) => (libc::PTRACE_CONT, signal),
        Resume::Return => (libc::PTRACE_SYSCALL, 0),
        Resume::Listen => (libc::PTRACE_LISTEN, 0),
    };
    // SAFETY: takes integers.
    check(unsafe { libc::ptrace(request, pid.as_raw_pid(), 0_usize, signal.cast_unsigned() as usize) })
}

/// Reads the registers of a stopped tracee.
pub(in crate::sandbox) fn registers(pid: Pid) -> io::Result<Registers> {
    let mut registers = MaybeUninit::<Registers>::uninit();
    // SAFETY: the kernel writes one user_regs_struct.
    check(unsafe { libc::ptrace(libc::PTRACE_GETREGS, pid.as_raw_pid(), 0_usize, registers.as_mut_ptr()) })?;
    // SAFETY: the call has succeeded, so it has written all of it.
    Ok(unsafe { registers.assume_init() })
}

/// Writes the registers of a stopped tracee.
pub(in crate::sandbox) fn set_registers(pid: Pid, registers: &Registers) -> io::Result<()> {
    // SAFETY: the kernel reads one user_regs_struct.
    check(unsafe { libc::ptrace(libc::PTRACE_SETREGS, pid.as_raw_pid(), 0_usize, std::ptr::from_ref(registers)) })
}

/// Reads memory of a tracee; gives how much of it there is.
pub(in crate::sandbox) fn read(pid: Pid, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let ours = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: size_of_val(buffer) };
    let theirs = libc::iovec { iov_base: at as *mut libc::c_void, iov_len: size_of_val(buffer) };
    // SAFETY: the kernel writes into `buffer` at most; the other address it takes as a number.
    let count = unsafe { libc::process_vm_readv(pid.as_raw_pid(), &raw const ours, 1, &raw const theirs, 1, 0) };
    check(count as libc::c_long)?;
    Ok(count.unsigned_abs())
}

/// Writes memory of a tracee that it could write itself.
pub(in crate::sandbox) fn write(pid: Pid, at: u64, bytes: &[u8]) -> io::Result<()> {
    let ours = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    let theirs = libc::iovec { iov_base: at as *mut libc::c_void, iov_len: bytes.len() };
    // SAFETY: the kernel only reads `bytes`; the other address it takes as a number.
    let count = unsafe { libc::process_vm_writev(pid.as_raw_pid(), &raw const ours, 1, &raw const theirs, 1, 0) };
    check(count as libc::c_long)?;
    if count.unsigned_abs() == bytes.len() { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::EFAULT)) }
}

/// Writes a tracee's memory, though it be code that it cannot write.
pub(in crate::sandbox) fn patch(pid: Pid, at: u64, bytes: &[u8]) -> io::Result<()> {
    (at..).zip(bytes).try_for_each(|(at, byte)| patch_byte(pid, at, *byte))
}

fn patch_byte(pid: Pid, at: u64, byte: u8) -> io::Result<()> {
    let (word, place) = (at & !7, (at & 7) as usize);
    let mut bytes = [0; 8];
    if read(pid, word, &mut bytes)? < bytes.len() {
        return Err(io::Error::from_raw_os_error(libc::EFAULT));
    }
    bytes[place] = byte;
    // SAFETY: the kernel takes address and data as numbers.
    check(unsafe { libc::ptrace(libc::PTRACE_POKEDATA, pid.as_raw_pid(), word, u64::from_ne_bytes(bytes)) })
}
