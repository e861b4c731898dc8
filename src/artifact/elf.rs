//! What ELF files say of themselves: the one place that reads them as programs and shared libraries.
//!
//! | field | read from |
//! |---|---|
//! | `machine`, `linked` | the header |
//! | `interpreter` | `PT_INTERP` |
//! | `needed`, `search` | `DT_NEEDED`; `DT_RPATH`, `DT_RUNPATH` |
//! | `versions`, `defined` | `.gnu.version_r`, `.gnu.version_d` |
//! | `build_id` | the note `NT_GNU_BUILD_ID` |

use std::io::{self, Read as _, Seek as _};

use object::elf::{self, FileHeader64};
use object::read::StringTable;
use object::read::elf::{Dyn as _, ElfFile64, FileHeader as _, ProgramHeader as _, SectionTable};
use object::{Endianness, Object as _, ReadRef};
use serde::{Deserialize, Serialize};

use super::Error;
use crate::store::{self, Blob, Node, Opened, Output, Store};

/// What an ELF file starts with.
const MAGIC: &[u8; 4] = b"\x7fELF";

type Header = FileHeader64<Endianness>;
type Sections<'a, R> = SectionTable<'a, Header, R>;

/// What a file says of itself.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Elf {
    /// Whose instructions it has: `e_machine`.
    pub(super) machine: u16,
    /// Whether it is a program or a shared library, and no object or core.
    pub(super) linked: bool,
    /// The loader that it is started by.
    pub(super) interpreter: Option<String>,
    /// The libraries that it needs.
    pub(super) needed: Vec<String>,
    /// The folders of its own in which it looks for them.
    pub(super) search: Vec<String>,
    /// The versions of symbols that it needs.
    pub(super) versions: Vec<Version>,
    /// The versions of symbols that it has.
    pub(super) defined: Vec<String>,
    /// Whether it has a build-id.
    pub(super) build_id: bool,
}

/// A version of symbols that a file needs: `GLIBC_2.38` of `libc.so.6`.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Version {
    /// The library that must have it.
    pub(super) library: String,
    /// Its name there.
    pub(super) name: String,
    /// Whether the file can do without.
    pub(super) weak: bool,
}

impl Elf {
    /// Reads a file that is in memory, or in parts through an [`object::ReadCache`].
    ///
    /// # Errors
    /// Says why it can't be read.
    pub(super) fn read<'a>(bytes: impl ReadRef<'a>) -> Result<Self, String> {
        parse(bytes).map_err(|error| format!("is no 64-bit ELF file: {error}"))
    }
}

fn parse<'a>(bytes: impl ReadRef<'a>) -> object::Result<Elf> {
    let file = ElfFile64::<Endianness, _>::parse(bytes)?;
    let header = Header::parse(bytes)?;
    let endian = header.endian()?;
    let mut elf = Elf {
        machine: header.e_machine(endian).0,
        linked: [elf::ET_EXEC, elf::ET_DYN].contains(&header.e_type(endian)),
        build_id: file.build_id()?.is_some(),
        ..Elf::default()
    };
    for segment in header.program_headers(endian, bytes)? {
        elf.interpreter = elf.interpreter.or(segment.interpreter(endian, bytes)?.map(text));
    }
    let sections = header.sections(endian, bytes)?;
    dynamic(&mut elf, endian, &sections, bytes)?;
    needs(&mut elf, endian, &sections, bytes)?;
    has(&mut elf, endian, &sections, bytes)?;
    Ok(elf)
}

fn dynamic<'a, R: ReadRef<'a>>(
    elf: &mut Elf,
    endian: Endianness,
    sections: &Sections<'a, R>,
    bytes: R,
) -> object::Result<()> {
    let Some((entries, link)) = sections.dynamic(endian, bytes)? else { return Ok(()) };
    let strings = sections.strings(endian, bytes, link)?;
    for entry in entries {
        let list = match entry.tag(endian) {
            elf::DT_NEEDED => &mut elf.needed,
            elf::DT_RPATH | elf::DT_RUNPATH => &mut elf.search,
            _ => continue,
        };
        list.push(text(entry.string(endian, strings)?));
    }
    Ok(())
}

fn needs<'a, R: ReadRef<'a>>(
    elf: &mut Elf,
    endian: Endianness,
    sections: &Sections<'a, R>,
    bytes: R,
) -> object::Result<()> {
    let Some((mut needs, link)) = sections.gnu_verneed(endian, bytes)? else { return Ok(()) };
    let strings: StringTable<'_, R> = sections.strings(endian, bytes, link)?;
    while let Some((need, mut versions)) = needs.next()? {
        let library = text(need.file(endian, strings)?);
        while let Some(version) = versions.next()? {
            let weak = version.vna_flags.get(endian).0 & elf::VER_FLG_WEAK.0 != 0;
            let name = text(version.name(endian, strings)?);
            elf.versions.push(Version { library: library.clone(), name, weak });
        }
    }
    Ok(())
}

/// The first name of a definition is its own; others are of those that it follows.
fn has<'a, R: ReadRef<'a>>(
    elf: &mut Elf,
    endian: Endianness,
    sections: &Sections<'a, R>,
    bytes: R,
) -> object::Result<()> {
    let Some((mut definitions, link)) = sections.gnu_verdef(endian, bytes)? else { return Ok(()) };
    let strings: StringTable<'_, R> = sections.strings(endian, bytes, link)?;
    while let Some((_, mut names)) = definitions.next()? {
        if let Some(name) = names.next()? {
            elf.defined.push(text(name.name(endian, strings)?));
        }
    }
    Ok(())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The versions in `2.34` as numbers; what is none (`PRIVATE`) counts as the highest.
pub(super) fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().unwrap_or(u32::MAX)).collect()
}

/// An ELF file of a tree: its path there, itself, and what it holds.
pub(super) struct File {
    pub(super) path: String,
    pub(super) blob: Blob,
    pub(super) content: Opened,
}

impl File {
    /// All of it.
    pub(super) fn bytes(&mut self, store: &Store) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.content.read_to_end(&mut bytes).map_err(unreadable(store))?;
        Ok(bytes)
    }
}

/// Hands each ELF file of a tree to `take`.
///
/// # Errors
/// Those of `take`, and where the store fails.
pub(super) fn each(
    store: &Store,
    tree: &Output,
    take: &mut impl FnMut(File) -> Result<(), Error>,
) -> Result<(), Error> {
    walk(store, "", (*tree).into(), take)
}

fn walk(store: &Store, path: &str, node: Node, take: &mut impl FnMut(File) -> Result<(), Error>) -> Result<(), Error> {
    match node {
        Node::File { blob, .. } => {
            let mut content = store.open_file(&blob)?;
            if is_elf(&mut content).map_err(unreadable(store))? {
                take(File { path: path.to_owned(), blob, content })?;
            }
            Ok(())
        }
        Node::Directory(blob) => {
            for (name, node) in store.directory(&blob.digest)?.entries {
                let path = if path.is_empty() { name } else { format!("{path}/{name}") };
                walk(store, &path, node, take)?;
            }
            Ok(())
        }
        Node::Symlink(_) => Ok(()),
    }
}

fn unreadable(store: &Store) -> impl FnOnce(io::Error) -> store::Error {
    let path = store.root().to_owned();
    |source| store::Error::Io { path, source }
}

fn is_elf(file: &mut Opened) -> io::Result<bool> {
    let mut start = Vec::new();
    file.by_ref().take(MAGIC.len() as u64).read_to_end(&mut start)?;
    file.rewind()?;
    Ok(start == MAGIC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_of_this_host_says() {
        let own = std::fs::read("/proc/self/exe").expect("own program");
        let elf = Elf::read(&own[..]).expect("ELF");
        assert!(elf.linked && elf.search.is_empty() && elf.defined.is_empty(), "{elf:?}");
        assert!(elf.needed.contains(&"libc.so.6".to_owned()), "{elf:?}");
        let glibc = |one: &Version| one.library == "libc.so.6" && one.name.starts_with("GLIBC_2.");
        assert!(elf.versions.iter().any(glibc), "{elf:?}");
        let loader = std::fs::read(elf.interpreter.expect("a loader")).expect("the loader");
        let loader = Elf::read(&loader[..]).expect("ELF");
        assert!(loader.interpreter.is_none() && loader.machine == elf.machine, "{loader:?}");
        assert!(loader.defined.iter().any(|name| name.starts_with("GLIBC_2.")), "{loader:?}");
    }

    #[test]
    fn other_bytes_are_refused() {
        assert!(Elf::read(&b"\x7fELF"[..]).expect_err("cut").contains("no 64-bit ELF file"));
    }
}
