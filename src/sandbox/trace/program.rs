//! What is changed in the memory of a program: what the kernel tells it when it begins, and its instruction cpuid.
//!
//! Some processors can refuse cpuid to programs (`refusal`), most cannot. Where they cannot the instruction is
//! replaced by one that is always refused, in what is mapped from a file to be executed, before that runs;
//! `code` tells where it stands. Code that a program makes, or makes executable later, is not looked at.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::Path;

use rustix::io::Errno;
use rustix::process::Pid;

use super::known::Known;
use super::mapping::{self, Mapping};
use super::{auxv, code, processor};
use crate::sandbox::spec::{Features, World};
use crate::sandbox::sys::{self, ptrace};

/// The segment of 64-bit code.
const USER_CODE: u64 = 0x33;
/// How much of the stack is read first for the auxiliary vector, and at most.
const STACK_BYTES: Range<usize> = 16 << 10..16 << 20;

/// Whether a program is one of 64 bits. Others are left alone: their first system call ends them.
pub(super) fn is_followed(pid: Pid) -> io::Result<bool> {
    Ok(ptrace::registers(pid)?.cs == USER_CODE)
}

/// Hides cpuid in a program that has not begun.
pub(super) fn hide_cpuids(pid: Pid, known: &mut Known) -> io::Result<()> {
    // What cannot be read or changed is not hidden; the rest is.
    for mapping in own_code(pid)? {
        let _ = hide_cpuid(pid, &mapping, known);
    }
    Ok(())
}

/// The code of a program that has not begun: its own, which may have been deleted, and its loader's.
fn own_code(pid: Pid) -> io::Result<Vec<Mapping>> {
    let process = format!("/proc/{}", pid.as_raw_pid());
    let exe = Path::new(&process).join("exe");
    let program = fs::read_link(&exe)?;
    let mut code = mapping::executable(&fs::read_to_string(format!("{process}/maps"))?);
    for mapping in code.iter_mut().filter(|mapping| mapping.file == program) {
        mapping.file.clone_from(&exe);
    }
    Ok(code)
}

/// Changes what the kernel tells a program that has not begun.
pub(super) fn change_vector(pid: Pid, world: &World) -> io::Result<()> {
    let stack = ptrace::registers(pid)?.rsp;
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

/// Replaces every cpuid in a part of a file.
pub(super) fn hide_cpuid(pid: Pid, mapping: &Mapping, known: &mut Known) -> io::Result<()> {
    let places = known.places(&mapping.file).unwrap_or_default();
    let addresses = places.range(mapping.offset..).map_while(|place| mapping.address(*place));
    addresses.into_iter().try_for_each(|at| {
        // Not so where the file was changed meanwhile.
        let stands = read(pid, at, code::CPUID.len())? == code::CPUID;
        if stands { ptrace::patch(pid, at, &[code::TRAP]) } else { Ok(()) }
    })
}

/// Answers a cpuid that was refused; false where a tracee has stopped at anything else.
pub(super) fn answer_cpuid(pid: Pid) -> io::Result<bool> {
    let mut registers = ptrace::registers(pid)?;
    let stands = read(pid, registers.rip, code::CPUID.len())?;
    if registers.cs != USER_CODE || ![code::HIDDEN, code::CPUID].iter().any(|refused| stands == refused) {
        return Ok(false);
    }
    let low = |register: u64| u32::try_from(register & u64::from(u32::MAX)).unwrap_or_default();
    let [a, b, c, d] = processor::cpuid(low(registers.rax), low(registers.rcx), &sys::cpuid).map(u64::from);
    (registers.rax, registers.rbx, registers.rcx, registers.rdx) = (a, b, c, d);
    registers.rip += code::CPUID.len() as u64;
    ptrace::set_registers(pid, &registers)?;
    Ok(true)
}
