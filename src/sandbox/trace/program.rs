//! What is changed in the memory of a program: what the kernel tells it when it begins, and its instruction cpuid.
//!
//! Some processors can refuse cpuid to programs, most cannot, and few kernels offer it. So the instruction is
//! replaced by one that is always refused, in code that comes from a file or is made executable, before that
//! runs; `code` tells where it stands. What a program writes into memory that is executable already is not seen.

use std::fs;
use std::io;
use std::ops::Range;

use rustix::io::Errno;
use rustix::process::Pid;

use super::{auxv, code, processor};
use crate::sandbox::spec::{Features, World};
use crate::sandbox::sys::{self, ptrace};

/// The segment of 64-bit code.
const USER_CODE: u64 = 0x33;
/// How much of the stack is read first for the auxiliary vector, and at most.
const STACK_BYTES: Range<usize> = 16 << 10..16 << 20;

/// Changes a program that has not begun. One of 32 bits is left alone: its first system call ends it.
pub(super) fn prepare(pid: Pid, world: &World) -> io::Result<()> {
    let registers = ptrace::registers(pid)?;
    if registers.cs != USER_CODE {
        return Ok(());
    }
    change_vector(pid, registers.rsp, world)?;
    if world.features == Features::Host {
        return Ok(());
    }
    let maps = fs::read_to_string(format!("/proc/{}/maps", pid.as_raw_pid()))?;
    for range in code::executable(&maps) {
        // What cannot be read or changed is not hidden; the rest is.
        let _ = hide_cpuid(pid, range);
    }
    Ok(())
}

fn change_vector(pid: Pid, stack: u64, world: &World) -> io::Result<()> {
    let mut bytes = STACK_BYTES.start;
    while bytes <= STACK_BYTES.end {
        let mut words = read_words(pid, stack, bytes)?;
        if let Some(place) = auxv::find(&words) {
            let vector = &mut words[place.clone()];
            if !world.clock.is_zero() {
                auxv::hide_vdso(vector);
            }
            if world.features == Features::Baseline {
                auxv::set_features(vector, processor::hwcap(&sys::cpuid));
            }
            let changed: Vec<u8> = vector.iter().flat_map(|word| word.to_ne_bytes()).collect();
            return ptrace::write(pid, stack + 8 * place.start as u64, &changed);
        }
        bytes *= 4;
    }
    Err(Errno::TOOBIG.into())
}

/// Reads as many words as there are, of `bytes` at most.
fn read_words(pid: Pid, at: u64, bytes: usize) -> io::Result<Vec<u64>> {
    let buffer = read(pid, at, bytes)?;
    let word = |bytes: &[u8]| u64::from_ne_bytes(bytes.try_into().expect("BUG: a word is eight bytes"));
    Ok(buffer.chunks_exact(8).map(word).collect())
}

fn read(pid: Pid, at: u64, bytes: usize) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; bytes];
    let got = ptrace::read(pid, at, &mut buffer)?;
    buffer.truncate(got);
    Ok(buffer)
}

/// Replaces every cpuid in a range of code.
pub(super) fn hide_cpuid(pid: Pid, range: Range<u64>) -> io::Result<()> {
    let code = read(pid, range.start, usize::try_from(range.end - range.start).unwrap_or(usize::MAX))?;
    code::cpuids(&code).into_iter().try_for_each(|at| ptrace::patch(pid, range.start + at as u64, code::TRAP))
}

/// Answers a hidden cpuid at which a tracee has stopped; false where it has stopped at anything else.
pub(super) fn answer_cpuid(pid: Pid) -> io::Result<bool> {
    let mut registers = ptrace::registers(pid)?;
    if registers.cs != USER_CODE || read(pid, registers.rip, code::HIDDEN.len())? != code::HIDDEN {
        return Ok(false);
    }
    let low = |register: u64| u32::try_from(register & u64::from(u32::MAX)).unwrap_or_default();
    let [a, b, c, d] = processor::cpuid(low(registers.rax), low(registers.rcx), &sys::cpuid).map(u64::from);
    (registers.rax, registers.rbx, registers.rcx, registers.rdx) = (a, b, c, d);
    registers.rip += code::HIDDEN.len() as u64;
    ptrace::set_registers(pid, &registers)?;
    Ok(true)
}
