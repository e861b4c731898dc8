//! ELF: the header, program headers and sections; symbols name the ranges of sections.
//!
//! Offsets in the file and sizes are left out: they follow from the content of sections.

use std::collections::BTreeMap;

use object::elf::{CompressionType, ELFCOMPRESS_ZLIB, ELFCOMPRESS_ZSTD, FileHeader32, FileHeader64};
use object::read::elf::{
    CompressionHeader as _, ElfFile, FileHeader, ProgramHeader as _, SectionHeader as _, Sym as _,
};
use object::read::{Error, ReadRef as _, SymbolIndex};
use object::{Endianness, FileKind};

use super::packed::{Codec, Packed};
use crate::compare::parts::{Content, Fields, Mark, Member, Parts};

pub(super) fn open(content: &[u8]) -> Result<Parts<'_>, String> {
    let parts = match FileKind::parse(content) {
        Ok(FileKind::Elf32) => ElfFile::<FileHeader32<Endianness>>::parse(content).and_then(|file| parts(&file)),
        Ok(FileKind::Elf64) => ElfFile::<FileHeader64<Endianness>>::parse(content).and_then(|file| parts(&file)),
        Ok(_) => return Err("it is neither of 32 nor of 64 bits".to_owned()),
        Err(error) => Err(error),
    };
    parts.map_err(|error| error.to_string())
}

fn parts<'a, E: FileHeader<Endian = Endianness>>(file: &ElfFile<'a, E>) -> Result<Parts<'a>, Error> {
    let mut members = segments(file);
    members.extend(sections(file)?);
    Ok(Parts { fields: header(file), members })
}

fn header<E: FileHeader<Endian = Endianness>>(file: &ElfFile<'_, E>) -> Fields {
    let (header, endian) = (file.elf_header(), file.endian());
    let entry: u64 = header.e_entry(endian).into();
    let ident = header.e_ident();
    vec![
        ("the byte order", format!("{endian:?}")),
        ("the ABI", format!("{:?} version {}", ident.os_abi, ident.abi_version)),
        ("the type", format!("{:?}", header.e_type(endian))),
        ("the machine", format!("{:?}", header.e_machine(endian))),
        ("the entry point", format!("{entry:#x}")),
        ("the flags", format!("{:?}", header.e_flags(endian))),
    ]
}

/// The program headers; their bytes are those of sections.
fn segments<'a, E: FileHeader<Endian = Endianness>>(file: &ElfFile<'a, E>) -> Vec<Member<'a>> {
    let endian = file.endian();
    let hex = |word: E::Word| format!("{:#x}", word.into());
    let member = |segment: &E::ProgramHeader| {
        let fields = vec![
            ("the segment's flags", format!("{:?}", segment.p_flags(endian))),
            ("the segment's address", hex(segment.p_vaddr(endian))),
            ("the segment's size in memory", hex(segment.p_memsz(endian))),
            ("the segment's alignment", hex(segment.p_align(endian))),
        ];
        Member::new(format!("program header {:?}", segment.p_type(endian)).as_bytes(), fields, &[])
    };
    file.elf_program_headers().iter().map(member).collect()
}

fn sections<'a, E: FileHeader<Endian = Endianness>>(file: &ElfFile<'a, E>) -> Result<Vec<Member<'a>>, Error> {
    let (table, endian, data) = (file.elf_section_table(), file.endian(), file.data());
    let hex = |word: E::Word| format!("{:#x}", word.into());
    let mut marks = marks(file);
    let mut members = Vec::new();
    for (index, section) in table.enumerate() {
        let fields = vec![
            ("the section's type", format!("{:?}", section.sh_type(endian))),
            ("the section's flags", format!("{:?}", section.sh_flags(endian))),
            ("the section's address", hex(section.sh_addr(endian))),
            ("the section's alignment", hex(section.sh_addralign(endian))),
        ];
        let mut member = Member::new(table.section_name(endian, section)?, fields, section.data(endian, data)?);
        if let Some((header, start, size)) = section.compression(endian, data)? {
            member.content = packed(header.ch_type(endian), data.read_bytes_at(start, size)).unwrap_or(member.content);
        }
        member.marks = marks.remove(&index.0).unwrap_or_default();
        members.push(member);
    }
    Ok(members)
}

/// A compressed section, as those for debuggers may be.
fn packed(kind: CompressionType, stream: Result<&[u8], ()>) -> Option<Content<'_>> {
    let codec = match kind {
        ELFCOMPRESS_ZLIB => Codec::Zlib,
        ELFCOMPRESS_ZSTD => Codec::Zstd,
        _ => return None,
    };
    Some(Content::Packed(Packed { codec, stream: stream.ok()?, header: 0 }))
}

/// The named symbols that have a size, by section. Values count from the section, or are addresses.
fn marks<E: FileHeader<Endian = Endianness>>(file: &ElfFile<'_, E>) -> BTreeMap<usize, Vec<Mark>> {
    let (table, endian, symbols) = (file.elf_section_table(), file.endian(), file.elf_symbol_table());
    let mark = |(index, symbol): (SymbolIndex, &E::Sym)| {
        let section = symbols.symbol_section(endian, symbol, index).ok()??;
        let name = symbols.symbol_name(endian, symbol).ok().filter(|name| !name.is_empty())?;
        let base: u64 = table.section(section).ok()?.sh_addr(endian).into();
        let (value, size): (u64, u64) = (symbol.st_value(endian).into(), symbol.st_size(endian).into());
        let start = value.checked_sub(base)?;
        let range = start..start.checked_add(size)?;
        Some((section.0, Mark { range, name: String::from_utf8_lossy(name).into_owned() }))
    };
    let mut by_section: BTreeMap<usize, Vec<Mark>> = BTreeMap::new();
    for (section, mark) in symbols.enumerate().filter_map(mark) {
        by_section.entry(section).or_default().push(mark);
    }
    by_section
}
