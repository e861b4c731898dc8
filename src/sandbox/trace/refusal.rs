//! Has the processor refuse cpuid to a program, where processor and kernel can: then nothing of it is replaced.
//!
//! A process must ask for that itself, by arch_prctl(2), and again after every execve(2). So a new program is
//! made to: its first bytes are replaced by the call and an instruction that stops it, and once it has stopped
//! the bytes and the registers are put back. It has run nothing of its own by then.

use std::io;

use rustix::process::Pid;

use crate::sandbox::sys::ptrace::{self, Registers};

/// `mov eax, 158; syscall; int3`: arch_prctl. The register would be lost if it were set before execve(2) returns.
const ASK: [u8; 8] = [0xb8, 158, 0, 0, 0, 0x0f, 0x05, 0xcc];
const _: () = assert!(libc::SYS_arch_prctl == ASK[1] as libc::c_long);
/// `ARCH_SET_CPUID`: whether cpuid is allowed.
const SET_CPUID: u64 = 0x1012;

/// A new program as it was before it was made to ask.
pub(super) struct Asked {
    registers: Registers,
    code: [u8; ASK.len()],
}

impl Asked {
    /// Makes a program that has not begun ask first.
    pub(super) fn ask(pid: Pid) -> io::Result<Self> {
        let registers = ptrace::registers(pid)?;
        let mut code = [0; ASK.len()];
        if ptrace::read(pid, registers.rip, &mut code)? < code.len() {
            return Err(io::Error::from_raw_os_error(libc::EFAULT));
        }
        ptrace::patch(pid, registers.rip, &ASK)?;
        ptrace::set_registers(pid, &Registers { rdi: SET_CPUID, rsi: 0, ..registers })?;
        Ok(Self { registers, code })
    }

    /// Whether it is done with asking, rather than stopped by something else.
    pub(super) fn has_stopped(&self, pid: Pid) -> io::Result<bool> {
        Ok(ptrace::registers(pid)?.rip == self.registers.rip + ASK.len() as u64)
    }

    /// Puts the program back; tells whether cpuid is refused to it.
    pub(super) fn put_back(self, pid: Pid) -> io::Result<bool> {
        let refused = ptrace::registers(pid)?.rax == 0;
        ptrace::patch(pid, self.registers.rip, &self.code)?;
        // As execve(2) leaves it: it returned 0, and no call goes on.
        ptrace::set_registers(pid, &Registers { rax: 0, orig_rax: u64::MAX, ..self.registers })?;
        Ok(refused)
    }
}
