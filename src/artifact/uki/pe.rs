//! PE files, as UEFI starts them: a program with more sections behind its own.
//!
//! The format is Microsoft's "PE Format". Sections of the program keep their addresses, flags and bytes. Those added follow
//! in their order, each at the next multiple of the program's section alignment, as data to be read: its virtual size is
//! the length of what is in it, its raw data is padded with zeros. There is no check sum, at which UEFI does not look, and
//! no signature, as the program's would fit no longer.

use std::ops::RangeInclusive;

use object::LittleEndian as LE;
use object::pe::{IMAGE_SCN_CNT_INITIALIZED_DATA, IMAGE_SCN_MEM_READ, ImageNtHeaders64, ImageSectionHeader};
use object::read::pe::{ImageNtHeaders as _, ImageOptionalHeader as _, PeFile64};
use object::write::pe::{NtHeaders, SectionRange, Writer};

/// How long the name of a section may be.
const NAME: usize = 8;
/// Where the table says a signature is; its address is one in the file.
const CERTIFICATES: usize = 4;
/// Alignments that the format allows in the file; in memory there is no need for larger ones.
const ALIGNMENTS: RangeInclusive<u32> = 512..=65_536;
/// Where the sections of a program end at the latest: far behind those of any stub.
const END: u32 = 1 << 30;

/// What is put behind a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section<'a> {
    /// `.cmdline`: 8 bytes at the most.
    pub name: &'a str,
    /// What is in it.
    pub data: &'a [u8],
}

/// Why a program could not be extended.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// It is none.
    #[error("it is no PE program for x86-64: {0}")]
    Unread(String),
    /// Its header says what none may say.
    #[error("its header says that sections are aligned to {0} bytes, and to {1} in the file")]
    Alignment(u32, u32),
    /// Its own sections lie where none can be added behind them.
    #[error(
        "its section {0} does not begin at a multiple of {1} behind the others, as in older stubs of systemd: take a newer one"
    )]
    Crooked(String, u32),
    /// A file of this form has at most 4 GiB, of which the program may take one.
    #[error("its new sections are larger than 3 GiB")]
    TooLarge,
}

impl From<object::Error> for Error {
    fn from(error: object::Error) -> Self {
        Self::Unread(error.to_string())
    }
}

/// The sections of a program: name and content, in their order.
///
/// # Errors
/// If it is no PE program.
pub fn sections(program: &[u8]) -> Result<Vec<(String, &[u8])>, Error> {
    let file = PeFile64::parse(program)?;
    file.section_table().iter().map(|section| Ok((name(section), data(section, program)?))).collect()
}

/// `program` with the sections `added`, made at `time`, in seconds since 1970.
///
/// # Errors
/// If it is no program that can be extended, or becomes too large.
pub fn extend(program: &[u8], added: &[Section<'_>], time: u32) -> Result<Vec<u8>, Error> {
    let file = PeFile64::parse(program)?;
    let room: u64 = added.iter().map(|section| section.data.len() as u64 + u64::from(u16::MAX)).sum();
    if u64::from(END) + room > u64::from(u32::MAX) {
        return Err(Error::TooLarge);
    }
    let (alignment, in_file) = alignments(&file)?;
    let mut bytes = Vec::new();
    let mut writer = Writer::new(true, alignment, in_file, &mut bytes);
    reserve_headers(&mut writer, &file, added.len())?;
    let mut placed = Vec::new();
    for section in file.section_table().iter() {
        placed.push(keep(&mut writer, section, data(section, program)?, alignment)?);
    }
    placed.extend(added.iter().map(|section| (add(&mut writer, section), section.data)));
    writer.write_empty_dos_header().map_err(|_| Error::TooLarge)?;
    writer.write_nt_headers(headers(file.nt_headers(), time));
    writer.write_section_headers();
    placed.iter().for_each(|(range, data)| writer.write_section(range.file_offset, data));
    Ok(bytes)
}

/// What addresses and places in the file are multiples of.
fn alignments(file: &PeFile64<'_>) -> Result<(u32, u32), Error> {
    let optional = file.nt_headers().optional_header();
    let (memory, in_file) = (optional.section_alignment(), optional.file_alignment());
    let sound = |alignment: u32| alignment.is_power_of_two() && ALIGNMENTS.contains(&alignment);
    if sound(memory) && sound(in_file) && memory >= in_file {
        Ok((memory, in_file))
    } else {
        Err(Error::Alignment(memory, in_file))
    }
}

/// Makes room for the headers of the program with `more` sections.
fn reserve_headers(writer: &mut Writer<'_>, file: &PeFile64<'_>, more: usize) -> Result<(), Error> {
    writer.reserve_dos_header();
    writer.reserve_nt_headers(file.data_directories().len());
    for (index, directory) in file.data_directories().iter().enumerate().filter(|(index, _)| *index != CERTIFICATES) {
        writer.set_data_directory(index, directory.virtual_address.get(LE), directory.size.get(LE));
    }
    let count = u16::try_from(file.section_table().len() + more).map_err(|_| Error::TooLarge)?;
    writer.reserve_section_headers(count);
    Ok(())
}

/// Places a section of data.
fn add(writer: &mut Writer<'_>, section: &Section<'_>) -> SectionRange {
    let size = u32::try_from(section.data.len()).expect("BUG: the sum was looked at");
    writer.reserve_section(padded(section.name), IMAGE_SCN_CNT_INITIALIZED_DATA | IMAGE_SCN_MEM_READ, size, size)
}

/// Places a section of the program, at its old address.
fn keep<'a>(
    writer: &mut Writer<'_>,
    section: &ImageSectionHeader,
    data: &'a [u8],
    alignment: u32,
) -> Result<(SectionRange, &'a [u8]), Error> {
    let (address, size) = (section.virtual_address.get(LE), section.virtual_size.get(LE));
    let fits = address.checked_add(size).is_some_and(|end| end <= END);
    if !fits || !address.is_multiple_of(alignment) || address < writer.virtual_len() {
        return Err(Error::Crooked(name(section), alignment));
    }
    writer.reserve_virtual_until(address);
    let raw = u32::try_from(data.len()).map_err(|_| Error::TooLarge)?;
    Ok((writer.reserve_section(section.name, section.characteristics.get(LE), size, raw), data))
}

/// The headers of a program, made at another time.
fn headers(old: &ImageNtHeaders64, time: u32) -> NtHeaders {
    let (file, optional) = (old.file_header(), old.optional_header());
    NtHeaders {
        machine: file.machine.get(LE),
        time_date_stamp: time,
        characteristics: file.characteristics.get(LE),
        major_linker_version: optional.major_linker_version(),
        minor_linker_version: optional.minor_linker_version(),
        address_of_entry_point: optional.address_of_entry_point(),
        image_base: optional.image_base(),
        major_operating_system_version: optional.major_operating_system_version(),
        minor_operating_system_version: optional.minor_operating_system_version(),
        major_image_version: optional.major_image_version(),
        minor_image_version: optional.minor_image_version(),
        major_subsystem_version: optional.major_subsystem_version(),
        minor_subsystem_version: optional.minor_subsystem_version(),
        subsystem: optional.subsystem(),
        dll_characteristics: optional.dll_characteristics(),
        size_of_stack_reserve: optional.size_of_stack_reserve(),
        size_of_stack_commit: optional.size_of_stack_commit(),
        size_of_heap_reserve: optional.size_of_heap_reserve(),
        size_of_heap_commit: optional.size_of_heap_commit(),
    }
}

fn name(section: &ImageSectionHeader) -> String {
    String::from_utf8_lossy(section.raw_name()).into_owned()
}

/// What the section holds, without what pads it.
fn data<'a>(section: &ImageSectionHeader, program: &'a [u8]) -> Result<&'a [u8], Error> {
    let (offset, raw) = section.pe_file_range();
    let (start, size) = (offset as usize, raw.min(section.virtual_size.get(LE)) as usize);
    let end = start.checked_add(size);
    let found = end.and_then(|end| program.get(start..end));
    found.ok_or_else(|| Error::Unread(format!("the section {} is cut off", name(section))))
}

fn padded(name: &str) -> [u8; NAME] {
    let mut padded = [0; NAME];
    padded[..name.len()].copy_from_slice(name.as_bytes());
    padded
}
