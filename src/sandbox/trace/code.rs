//! Where the instruction cpuid stands in a program's code, and what stands there instead once it is hidden.
//!
//! The instruction is two bytes, `0f a2`, which also occur inside other instructions and in data. Only code
//! counts, as the file's tables tell it (`elf`), and of that only what is read as the instruction:
//!
//! - in a function, when it is read from the function's beginning on;
//! - elsewhere in a section of code, among which constants may lie, when it is read from any of sixteen
//!   consecutive bytes well before, for within a few instructions readings from different starts fall into
//!   step, and when what stands around it is nothing that no program would execute.

use std::collections::BTreeSet;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use iced_x86::{Decoder, DecoderError, DecoderOptions, Mnemonic};
use memchr::memmem::find_iter;
use object::read::ReadCache;

use super::elf::{Place, Tables};

pub(super) const CPUID: [u8; 2] = [0x0f, 0xa2];
/// `hlt`, which no program may execute: the kernel answers SIGSEGV.
pub(super) const TRAP: u8 = 0xf4;
/// What stands where cpuid stood. Nobody writes `hlt` before a byte that is half an instruction.
pub(super) const HIDDEN: [u8; 2] = [TRAP, CPUID[1]];
/// How far before a place in no function readings start.
const RUN_UP_BYTES: u64 = 128;
/// How many readings must agree.
const READINGS: usize = 16;
/// How much before such a place and behind it must be instructions that programs execute.
const AROUND_BYTES: usize = 24;
/// What the kernel refuses to programs, or the processor to all.
const NOT_IN_PROGRAMS: [Mnemonic; 10] = [
    Mnemonic::INVALID,
    Mnemonic::In,
    Mnemonic::Out,
    Mnemonic::Insb,
    Mnemonic::Insd,
    Mnemonic::Outsb,
    Mnemonic::Outsd,
    Mnemonic::Cli,
    Mnemonic::Sti,
    Mnemonic::Iretd,
];
/// An instruction, too (`add [rax], al`), but one that no compiler makes.
const ZEROS: [u8; 2] = [0, 0];
/// How much of a function is read at most.
const FUNCTION_BYTES: u64 = 1 << 20;
/// How much of a file is searched at a time.
const CHUNK_BYTES: u64 = 1 << 20;

/// The offsets in a file at which a cpuid begins; none in what is no ELF file of this processor's.
pub(super) fn cpuids(file: &File) -> BTreeSet<u64> {
    let data = ReadCache::new(file);
    let Some(tables) = Tables::read(&data) else { return BTreeSet::new() };
    let places = tables.code().into_iter().flat_map(|range| places(file, range));
    places.filter(|&at| is_instruction(file, &tables, at)).collect()
}

/// Where its bytes stand in a part of a file.
fn places(file: &File, range: Range<u64>) -> impl Iterator<Item = u64> {
    let starts = range.clone().step_by(usize::try_from(CHUNK_BYTES).expect("BUG: a chunk fits into memory"));
    starts
        .map_while(move |start| {
            let end = range.end.min(start.saturating_add(CHUNK_BYTES + 1)); // it may begin at a chunk's last byte
            let bytes = read(file, start..end);
            let found: Vec<u64> = find_iter(&bytes, &CPUID).map(|at| start + at as u64).collect();
            (!bytes.is_empty()).then_some(found)
        })
        .flatten()
}

fn is_instruction(file: &File, tables: &Tables<'_>, at: u64) -> bool {
    let end = at + CPUID.len() as u64;
    match tables.place(at) {
        Some(Place::Function(start)) => {
            let start = start.max(at.saturating_sub(FUNCTION_BYTES));
            arrives(&read(file, start..end), 0, position(start, at))
        }
        Some(Place::Section(start)) => {
            let first = start.max(at.saturating_sub(RUN_UP_BYTES));
            let (bytes, at) = (read(file, first..end + AROUND_BYTES as u64), position(first, at));
            let readings = if first == start { 1 } else { READINGS };
            (0..readings).all(|start| arrives(&bytes, start, at)) && is_executed(&bytes, at)
        }
        None => false,
    }
}

/// How far behind `start` a place is that is not far behind it.
fn position(start: u64, at: u64) -> usize {
    usize::try_from(at - start).unwrap_or(usize::MAX)
}

/// As much of a part of a file as there is and can be read.
fn read(file: &File, range: Range<u64>) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(range.end - range.start).unwrap_or_default()];
    let mut filled = 0;
    while let Ok(count @ 1..) = file.read_at(&mut bytes[filled..], range.start + filled as u64) {
        filled += count;
    }
    bytes.truncate(filled);
    bytes
}

/// Whether an instruction begins `at`, when code is read from `start` on.
fn arrives(code: &[u8], start: usize, at: usize) -> bool {
    let mut reading = Decoder::new(64, code.get(start..).unwrap_or_default(), DecoderOptions::NONE);
    while start + reading.position() < at && reading.can_decode() {
        let _ = reading.decode(); // only its length counts
    }
    start + reading.position() == at
}

/// Whether all instructions around `at` are such as programs execute, up to where they go elsewhere.
fn is_executed(code: &[u8], at: usize) -> bool {
    let mut reading = Decoder::new(64, code, DecoderOptions::NONE);
    while reading.can_decode() {
        let start = reading.position();
        let instruction = reading.decode();
        match instruction.mnemonic() {
            _ if reading.last_error() == DecoderError::NoMoreBytes => return true,
            _ if start + AROUND_BYTES < at => {}
            Mnemonic::Ret | Mnemonic::Jmp if start > at => return true,
            mnemonic if NOT_IN_PROGRAMS.contains(&mnemonic) || code[start..].starts_with(&ZEROS) => return false,
            _ => {}
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// `mov eax, 7; xor ecx, ecx; cpuid; mov ecx, 0x0000a20f; ret`: one cpuid, and its bytes in a constant.
    const CODE: [u8; 15] = [0xb8, 7, 0, 0, 0, 0x31, 0xc9, 0x0f, 0xa2, 0xb9, 0x0f, 0xa2, 0, 0, 0xc3];

    #[test]
    fn an_instruction_and_not_a_constant() {
        assert!(arrives(&CODE, 0, 7) && !arrives(&CODE, 0, 10));
        let far = CODE.repeat(20);
        let agree = |at| (0..READINGS).all(|start| arrives(&far, start, at));
        assert!(agree(15 * 19 + 7) && !agree(15 * 19 + 10));
        assert!(!arrives(&CODE, 16, 20) && !arrives(&[], 0, 7));
    }

    #[test]
    fn what_no_program_executes() {
        for (before, behind, want) in [
            (&[0x90][..], &[0x90, 0xc3, 0, 0][..], true),
            (&[0x90], &[0x90, 0, 0], false),
            (&[0, 0, 0x90], &[0xc3], false),
            (&[0xec], &[0xc3], false),
            (&[0x06], &[0xc3], false),
            (&[0x90], &[0x89], true),
        ] {
            let code = [before, &CPUID, behind].concat();
            assert_eq!(is_executed(&code, before.len()), want, "{code:x?}");
        }
        let far = [&[0, 0], &[0x90; AROUND_BYTES][..], &CPUID].concat();
        assert!(is_executed(&far, 2 + AROUND_BYTES));
    }

    #[test]
    fn its_bytes_in_a_file() {
        let mut file = tempfile::tempfile().expect("a file");
        let chunk = usize::try_from(CHUNK_BYTES).expect("small");
        let mut bytes = vec![0; 2 * chunk + 100];
        let want = [5, chunk - 1, chunk + 7, 2 * chunk + 98];
        want.iter().for_each(|at| bytes[*at..*at + 2].copy_from_slice(&CPUID));
        file.write_all(&bytes).expect("written");
        let found = |range| places(&file, range).map(|at| usize::try_from(at).expect("small")).collect::<Vec<_>>();
        assert_eq!(found(0..u64::MAX), want);
        assert_eq!(found(0..6), [0_usize; 0]);
        assert_eq!(found(6..CHUNK_BYTES + 1), [chunk - 1]);
        assert!(cpuids(&file).is_empty(), "it is no ELF file");
    }
}
