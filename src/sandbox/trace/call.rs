//! The system calls that the seccomp filter stops for the tracer (`seccomp::followed`), and what becomes of them.

use std::io;

use rustix::process::Pid;
use rustix::time::{ClockId, DynamicClockId, clock_gettime_dynamic};

use super::clock::{Moment, waits_for_moment};
use super::known::Known;
use super::mapping::Mapping;
use super::{entries, program};
use crate::sandbox::spec::World;
use crate::sandbox::sys::ptrace::{self, Registers};

/// What is left to do when a call returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// Turn the entries around that it has read.
    Reverse,
    /// Hide the instruction cpuid in the file that it has mapped.
    Hide,
    /// Put the address of its timeout back into the register.
    Restore(u64),
}

/// How much of the stack below its pointer belongs to the function that runs.
const RED_ZONE_BYTES: u64 = 128;

/// Answers a call in the kernel's place (`None`), or changes what it asks for and lets the kernel answer it.
pub(super) fn enter(pid: Pid, world: &World) -> io::Result<Option<Rest>> {
    let mut registers = ptrace::registers(pid)?;
    match number(&registers) {
        libc::SYS_getdents | libc::SYS_getdents64 => Ok(Some(Rest::Reverse)),
        libc::SYS_mmap => Ok(Some(Rest::Hide)),
        libc::SYS_futex | libc::SYS_clock_nanosleep => wait_earlier(pid, &mut registers, world),
        libc::SYS_clock_gettime | libc::SYS_gettimeofday | libc::SYS_time => {
            let answer = tell(pid, &registers, world);
            registers.rax = answer.unwrap_or(-i64::from(libc::EFAULT)).cast_unsigned();
            registers.orig_rax = u64::MAX; // no call: it is answered
            ptrace::set_registers(pid, &registers)?;
            Ok(None)
        }
        _ => Ok(None),
    }
}

/// Does what is left to do of a call that returns.
pub(super) fn leave(pid: Pid, rest: Rest, known: &mut Known) -> io::Result<()> {
    let mut registers = ptrace::registers(pid)?;
    match rest {
        Rest::Reverse => reverse(pid, &registers),
        Rest::Hide => mapped(pid, &registers).map_or(Ok(()), |mapping| program::hide_cpuid(pid, &mapping, known)),
        Rest::Restore(address) => {
            if let Some(timeout) = timeout(&mut registers) {
                *timeout = address;
            }
            ptrace::set_registers(pid, &registers)
        }
    }
}

fn number(registers: &Registers) -> libc::c_long {
    registers.orig_rax.cast_signed()
}

/// Tells the time; gives what the call returns, or `None` where the command cannot write.
fn tell(pid: Pid, registers: &Registers, world: &World) -> Option<i64> {
    let (first, second) = (registers.rdi, registers.rsi);
    let put = |at: u64, bytes: &[u8]| ptrace::write(pid, at, bytes).ok();
    let put_if_wanted = |at: u64, bytes: &[u8]| if at == 0 { Some(()) } else { put(at, bytes) };
    let shown = now(registers)?.later(world.clock);
    match number(registers) {
        libc::SYS_clock_gettime => put(second, &shown.timespec())?,
        libc::SYS_gettimeofday => {
            put_if_wanted(first, &shown.timeval())?;
            put_if_wanted(second, &[0; 8])?; // the kernel's time zone, which is always UTC
        }
        _ => {
            put_if_wanted(first, &shown.seconds.to_ne_bytes())?;
            return Some(shown.seconds);
        }
    }
    Some(0)
}

/// What the clock that a call asks for shows in truth.
fn now(registers: &Registers) -> Option<Moment> {
    const TAI: u64 = libc::CLOCK_TAI as u64;
    let clock = match (number(registers), registers.rdi) {
        (libc::SYS_clock_gettime, TAI) => DynamicClockId::Tai,
        _ => DynamicClockId::Known(ClockId::Realtime),
    };
    let time = clock_gettime_dynamic(clock).ok()?;
    Some(Moment { seconds: time.tv_sec, nanoseconds: time.tv_nsec })
}

/// Has a call wait until the true clock shows what the command means by a moment of the shown one. The
/// moment may lie in memory that cannot be written, so the call gets another, below the stack.
fn wait_earlier(pid: Pid, registers: &mut Registers, world: &World) -> io::Result<Option<Rest>> {
    let below = (registers.rsp - RED_ZONE_BYTES - Moment::BYTES as u64) & !15;
    let Some(address) = timeout(registers) else { return Ok(None) };
    let (rest, mut bytes) = (Rest::Restore(*address), [0; Moment::BYTES]);
    if ptrace::read(pid, *address, &mut bytes)? < bytes.len() {
        return Ok(None);
    }
    ptrace::write(pid, below, &Moment::from_timespec(bytes).earlier(world.clock).timespec())?;
    *address = below;
    ptrace::set_registers(pid, registers)?;
    Ok(Some(rest))
}

/// The register that holds the address of a moment, if there is one.
fn timeout(registers: &mut Registers) -> Option<&mut u64> {
    let register = match number(registers) {
        libc::SYS_futex if waits_for_moment(registers.rsi) => &mut registers.r10,
        libc::SYS_clock_nanosleep => &mut registers.rdx,
        _ => return None,
    };
    (*register != 0).then_some(register)
}

fn reverse(pid: Pid, registers: &Registers) -> io::Result<()> {
    let mut bytes = vec![0; usize::try_from(registers.rax.cast_signed()).unwrap_or_default()];
    if bytes.is_empty() || ptrace::read(pid, registers.rsi, &mut bytes)? < bytes.len() {
        return Ok(());
    }
    entries::reverse(&mut bytes);
    ptrace::write(pid, registers.rsi, &bytes)
}

/// What a call that has succeeded has mapped.
fn mapped(pid: Pid, registers: &Registers) -> Option<Mapping> {
    const ERRORS: std::ops::Range<i64> = -4095..0;
    let (start, length, descriptor, offset) = (registers.rax, registers.rsi, registers.r8, registers.r9);
    let file = format!("/proc/{}/fd/{descriptor}", pid.as_raw_pid()).into();
    let memory = start..start.saturating_add(length);
    (!ERRORS.contains(&start.cast_signed())).then_some(Mapping { file, offset, memory })
}
