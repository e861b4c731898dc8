//! What of an ELF file is code, by the file's own tables.
//!
//! A segment that may be executed need not be code alone: some linkers put the dynamic linker's tables and
//! constants into it. So rights say too little. Sections say which bytes are instructions. The table by which
//! exceptions unwind the stack (`frames`) says where functions begin and how long they are, also where no
//! section is left; hand-written code may be missing in it. A segment of its own leads to it, where the
//! linker made one:
//!
//! ```text
//! PT_GNU_EH_FRAME: version 1, form of the next number 1b, two more forms, i32 from here to the table, …
//! ```

use std::cell::OnceCell;
use std::fs::File;
use std::ops::Range;

use object::LittleEndian;
use object::elf::{
    EM_X86_64, FileHeader64, PF_X, PT_GNU_EH_FRAME, PT_LOAD, ProgramHeader64, SHF_EXECINSTR, SHT_NOBITS,
    SectionHeader64,
};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader, SectionTable};
use object::read::{ReadCache, ReadRef};

use super::frames::Functions;

type Data<'a> = &'a ReadCache<&'a File>;
type Header = FileHeader64<LittleEndian>;
type Segment = ProgramHeader64<LittleEndian>;
type Sections<'a> = SectionTable<'a, Header, Data<'a>>;

const ENDIAN: LittleEndian = LittleEndian;

/// What the tables say of a byte of code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It is in the function that begins at this offset.
    Function(u64),
    /// It is in a section of code that begins at this offset, and in no function of the table.
    Section(u64),
}

/// The tables of one file. Places in it are offsets in the file.
pub(super) struct Tables<'a> {
    data: Data<'a>,
    segments: &'a [Segment],
    sections: Sections<'a>,
    /// Read when it is first asked for.
    functions: OnceCell<Functions>,
}

impl<'a> Tables<'a> {
    /// Those of a file, if it is one for this processor.
    pub(super) fn read(data: Data<'a>) -> Option<Self> {
        let header = Header::parse(data).ok().filter(|header| header.is_supported())?;
        if !header.is_little_endian() || header.e_machine(ENDIAN) != EM_X86_64 {
            return None;
        }
        let segments = header.program_headers(ENDIAN, data).ok()?;
        let sections = header.sections(ENDIAN, data).unwrap_or_default();
        Some(Self { data, segments, sections, functions: OnceCell::new() })
    }

    /// Where code may be: [`Self::place`] tells.
    pub(super) fn code(&self) -> Vec<Range<u64>> {
        if !self.sections.is_empty() {
            return self.code_sections().collect();
        }
        let executable = self.loaded().filter(|segment| segment.p_flags(ENDIAN).contains(PF_X));
        executable.map(range).collect()
    }

    /// What is known of a byte; `None` where it is not known for code.
    pub(super) fn place(&self, offset: u64) -> Option<Place> {
        if let Some(start) = self.function(offset) {
            return Some(Place::Function(start));
        }
        self.code_sections().find(|section| section.contains(&offset)).map(|section| Place::Section(section.start))
    }

    fn function(&self, offset: u64) -> Option<u64> {
        let functions = self.functions.get_or_init(|| self.functions().unwrap_or_default());
        self.offset(functions.at(self.address(offset)?)?.start).filter(|start| *start <= offset)
    }

    fn functions(&self) -> Option<Functions> {
        let (address, range) = self.frames_by_segment().or_else(|| self.frames_by_section())?;
        let table = self.data.read_bytes_at(range.start, range.end.checked_sub(range.start)?).ok()?;
        Some(Functions::read(table, address))
    }

    /// Where the table of functions is, in memory and in the file.
    fn frames_by_segment(&self) -> Option<(u64, Range<u64>)> {
        const RELATIVE: [u8; 2] = [1, 0x1b];
        const AT: u64 = 4;
        let pointer = self.segments.iter().find(|segment| segment.p_type(ENDIAN) == PT_GNU_EH_FRAME)?;
        let bytes = self.data.read_bytes_at(pointer.p_offset(ENDIAN), AT + 4).ok()?;
        let distance = i32::from_le_bytes(bytes.strip_prefix(&RELATIVE)?.get(2..)?.try_into().ok()?);
        let address = pointer.p_vaddr(ENDIAN).wrapping_add(AT).wrapping_add_signed(distance.into());
        let start = self.offset(address)?;
        let end = self.loaded().map(range).find(|segment| segment.contains(&start))?.end;
        Some((address, start..end))
    }

    fn frames_by_section(&self) -> Option<(u64, Range<u64>)> {
        let (_, section) = self.sections.section_by_name(ENDIAN, b".eh_frame")?;
        Some((section.sh_addr(ENDIAN), section_range(section)))
    }

    fn code_sections(&self) -> impl Iterator<Item = Range<u64>> {
        let code = self.sections.iter().filter(|section| {
            section.sh_flags(ENDIAN).contains(SHF_EXECINSTR) && section.sh_type(ENDIAN) != SHT_NOBITS
        });
        code.map(section_range)
    }

    fn loaded(&self) -> impl Iterator<Item = &'a Segment> {
        self.segments.iter().filter(|segment| segment.p_type(ENDIAN) == PT_LOAD)
    }

    fn address(&self, offset: u64) -> Option<u64> {
        let segment = self.loaded().find(|segment| range(segment).contains(&offset))?;
        segment.p_vaddr(ENDIAN).checked_add(offset - segment.p_offset(ENDIAN))
    }

    fn offset(&self, address: u64) -> Option<u64> {
        self.loaded().find_map(|segment| {
            let into = address.checked_sub(segment.p_vaddr(ENDIAN))?;
            (into < segment.p_filesz(ENDIAN)).then(|| segment.p_offset(ENDIAN).checked_add(into))?
        })
    }
}

/// What a segment takes of the file.
fn range(segment: &Segment) -> Range<u64> {
    let start = segment.p_offset(ENDIAN);
    start..start.saturating_add(segment.p_filesz(ENDIAN))
}

fn section_range(section: &SectionHeader64<LittleEndian>) -> Range<u64> {
    let start = section.sh_offset(ENDIAN);
    start..start.saturating_add(section.sh_size(ENDIAN))
}
