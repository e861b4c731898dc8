//! Where the instruction cpuid stands in a program's code, and what stands there instead once it is hidden.
//!
//! The instruction is two bytes, `0f a2`, which also occur inside other instructions. Code for x86 can be read
//! from any byte: within a few instructions readings from different starts fall into step. So a place counts
//! only if readings from all of sixteen consecutive bytes, well before it, arrive at it.

use std::ops::Range;

use iced_x86::{Decoder, DecoderOptions};
use memchr::memmem::find_iter;

const CPUID: [u8; 2] = [0x0f, 0xa2];
/// `hlt`, which no program may execute: the kernel answers SIGSEGV.
pub(super) const TRAP: u8 = 0xf4;
/// What stands where cpuid stood. Nobody writes `hlt` before a byte that is half an instruction.
pub(super) const HIDDEN: [u8; 2] = [TRAP, CPUID[1]];
/// How far before a place readings start.
const RUN_UP_BYTES: usize = 128;
/// How many readings must agree.
const READINGS: usize = 16;

/// The offsets in code at which a cpuid begins. The code itself begins with an instruction.
pub(super) fn cpuids(code: &[u8]) -> Vec<usize> {
    find_iter(code, &CPUID).filter(|&at| is_instruction(code, at)).collect()
}

fn is_instruction(code: &[u8], at: usize) -> bool {
    let Some(first) = at.checked_sub(RUN_UP_BYTES) else { return arrives(code, 0, at) };
    (first..first + READINGS).all(|start| arrives(code, start, at))
}

/// Whether an instruction begins `at`, when code is read from `start` on.
fn arrives(code: &[u8], start: usize, at: usize) -> bool {
    let mut reading = Decoder::new(64, &code[start..at + CPUID.len()], DecoderOptions::NONE);
    while start + reading.position() < at {
        let _ = reading.decode(); // only its length counts
    }
    start + reading.position() == at
}

/// The address ranges of code in `/proc/<pid>/maps`, but for the kernel's own.
pub(super) fn executable(maps: &str) -> Vec<Range<u64>> {
    maps.lines().filter_map(range).collect()
}

fn range(line: &str) -> Option<Range<u64>> {
    let mut fields = line.split_ascii_whitespace();
    let (range, rights, name) = (fields.next()?, fields.next()?, fields.nth(3));
    let (start, end) = range.split_once('-')?;
    let number = |text| u64::from_str_radix(text, 16).ok();
    let ours = name.is_some_and(|name| !name.starts_with('['));
    (rights.contains('x') && ours).then_some(number(start)?..number(end)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `mov eax, 7; xor ecx, ecx; cpuid; mov ecx, 0x0000a20f; ret`: one cpuid, and its bytes in a constant.
    const CODE: [u8; 15] = [0xb8, 7, 0, 0, 0, 0x31, 0xc9, 0x0f, 0xa2, 0xb9, 0x0f, 0xa2, 0, 0, 0xc3];

    #[test]
    fn an_instruction_and_not_a_constant() {
        assert_eq!(cpuids(&CODE), [7]);
        let far = [CODE.repeat(20), CODE.to_vec()].concat();
        let want: Vec<usize> = (0..21).map(|copy| 15 * copy + 7).collect();
        assert_eq!(cpuids(&far), want);
        assert_eq!(cpuids(&[0x0f]), [0_usize; 0]);
        assert_eq!(cpuids(&[0x0f, 0xa2]), [0]);
    }

    #[test]
    fn the_own_code_of_a_process() {
        let maps = "\
55d0c0a00000-55d0c0a01000 r--p 00000000 fe:00 131 /bin/x
55d0c0a01000-55d0c0a02000 r-xp 00001000 fe:00 131 /bin/a name
7ffd3a5d9000-7ffd3a5fa000 rw-p 00000000 00:00 0 [stack]
7f0000000000-7f0000001000 rwxp 00000000 00:00 0
7ffd3a5fe000-7ffd3a600000 r-xp 00000000 00:00 0 [vdso]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]
";
        let [only] = executable(maps).try_into().expect("one");
        assert_eq!(only, 0x55d0_c0a0_1000_u64..0x55d0_c0a0_2000);
    }
}
