//! Programs and shared libraries, read back: what they need at run time, and whether they hold what
//! they should not.
//!
//! | rule | read from |
//! |---|---|
//! | they need the libraries that the recipe names, and each of those is needed | `DT_NEEDED` |
//! | they use no newer symbol of glibc than the recipe says | `.gnu.version_r` |
//! | they search no folder of their own | `DT_RPATH`, `DT_RUNPATH` |
//! | debug symbols can be found by content | the note `NT_GNU_BUILD_ID` |
//! | they name no path of the sandbox | all bytes |

use std::collections::BTreeSet;
use std::io::Read as _;

use memchr::memmem;
use object::elf::{self, FileHeader64};
use object::read::elf::{Dyn as _, ElfFile64, FileHeader as _};
use object::{Endianness, Object as _};

use super::Error;
use crate::recipe::LinkRules;
use crate::store::{Node, Output, Store};

/// What an ELF file starts with.
const MAGIC: &[u8] = b"\x7fELF";

/// Paths of the sandbox in which things are built.
const PATHS: [&str; 3] = ["/build/", "/deps/", "/src/src/"];

/// The prefix of the versions of glibc's symbols.
const GLIBC: &str = "GLIBC_";

/// The libraries of glibc, which its version says enough of.
const LIBRARIES: [&str; 7] =
    ["ld-linux-x86-64.so.2", "libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0", "libresolv.so.2", "librt.so.1"];

/// How much of the text around a path is shown.
const AROUND: usize = 80;

/// What a file says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Linkage {
    /// `DT_NEEDED`.
    pub(super) needed: Vec<String>,
    /// Versions of glibc: `2.34`.
    glibc: Vec<String>,
    /// `DT_RPATH` and `DT_RUNPATH`.
    search: Vec<String>,
    build_id: bool,
}

/// Checks every ELF file of `tree`.
///
/// # Errors
/// Names each file and rule that it breaks.
pub fn check(store: &Store, tree: &Output, rules: &LinkRules) -> Result<(), Error> {
    let files = elf_files(store, tree)?;
    if files.is_empty() {
        return Err(Error::Refused("there is no program and no shared library in it".to_owned()));
    }
    let mut broken = Vec::new();
    let mut needed = BTreeSet::new();
    for (name, bytes) in &files {
        let linkage = read(bytes).map_err(|why| Error::Refused(format!("{name}: {why}")))?;
        broken.extend(judge(&linkage, bytes, rules).into_iter().map(|what| format!("{name} {what}")));
        needed.extend(linkage.needed);
    }
    let idle = rules.needed.iter().filter(|library| !needed.contains(*library));
    broken.extend(idle.map(|library| format!("`needed` names {library}, which no file needs")));
    if broken.is_empty() { Ok(()) } else { Err(Error::Refused(broken.join("\n"))) }
}

/// The ELF files of a tree, each with its path.
///
/// # Errors
/// Where the store fails.
pub(super) fn elf_files(store: &Store, tree: &Output) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let mut files = Vec::new();
    collect(store, "", tree, &mut files)?;
    Ok(files)
}

fn collect(store: &Store, at: &str, output: &Output, files: &mut Vec<(String, Vec<u8>)>) -> Result<(), Error> {
    match output {
        Output::File { blob, .. } => {
            let mut bytes = Vec::new();
            let read = store.read(blob)?.read_to_end(&mut bytes);
            read.map_err(|error| Error::Refused(format!("{at}: {error}")))?;
            files.extend(bytes.starts_with(MAGIC).then(|| (at.to_owned(), bytes)));
        }
        Output::Tree(blob) => {
            for (name, node) in store.directory(&blob.digest)?.entries {
                let path = if at.is_empty() { name } else { format!("{at}/{name}") };
                match node {
                    Node::File { blob, executable } => {
                        collect(store, &path, &Output::File { blob, executable }, files)?;
                    }
                    Node::Directory(blob) => collect(store, &path, &Output::Tree(blob), files)?,
                    Node::Symlink(_) => {}
                }
            }
        }
    }
    Ok(())
}

/// What an ELF file says of how it is linked.
///
/// # Errors
/// Says why it can't be read.
pub(super) fn read(bytes: &[u8]) -> Result<Linkage, String> {
    linkage(bytes).map_err(|error| format!("is no 64-bit ELF file: {error}"))
}

fn linkage(bytes: &[u8]) -> object::Result<Linkage> {
    let file = ElfFile64::<Endianness>::parse(bytes)?;
    let header = FileHeader64::<Endianness>::parse(bytes)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, bytes)?;
    let mut linkage = Linkage { build_id: file.build_id()?.is_some(), ..Linkage::default() };
    if let Some((entries, strings)) = sections.dynamic(endian, bytes)? {
        let strings = sections.strings(endian, bytes, strings)?;
        for entry in entries {
            let list = match entry.tag(endian) {
                elf::DT_NEEDED => &mut linkage.needed,
                elf::DT_RPATH | elf::DT_RUNPATH => &mut linkage.search,
                _ => continue,
            };
            list.push(String::from_utf8_lossy(entry.string(endian, strings)?).into_owned());
        }
    }
    if let Some((mut needs, link)) = sections.gnu_verneed(endian, bytes)? {
        let strings = sections.strings(endian, bytes, link)?;
        while let Some((_, mut versions)) = needs.next()? {
            while let Some(version) = versions.next()? {
                let name = String::from_utf8_lossy(version.name(endian, strings)?);
                linkage.glibc.extend(name.strip_prefix(GLIBC).map(str::to_owned));
            }
        }
    }
    Ok(linkage)
}

/// Every rule that a file breaks.
fn judge(linkage: &Linkage, bytes: &[u8], rules: &LinkRules) -> Vec<String> {
    let mut broken = Vec::new();
    let known = |library: &String| rules.needed.contains(library) || LIBRARIES.contains(&library.as_str());
    let more = linkage.needed.iter().filter(|library| !known(library));
    broken.extend(more.map(|library| format!("needs {library}, which `needed` does not name")));
    let newest = linkage.glibc.iter().max_by_key(|version| numbers(version));
    if let Some(newest) = newest.filter(|newest| numbers(newest) > numbers(&rules.glibc)) {
        broken.push(format!("needs glibc {newest}, where `glibc` says {}", rules.glibc));
    }
    broken.extend(linkage.search.iter().map(|path| format!("looks for libraries in {path} (RPATH)")));
    if !linkage.build_id {
        broken.push("has no build-id".to_owned());
    }
    broken.extend(
        PATHS.iter().filter_map(|path| named(bytes, path)).map(|text| format!("names a path of its build: {text}")),
    );
    broken
}

/// The versions in `2.34` as numbers; what is none (`PRIVATE`) counts as the highest.
fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().unwrap_or(u32::MAX)).collect()
}

/// The text around the first place where `path` stands as the start of a path.
fn named(bytes: &[u8], path: &str) -> Option<String> {
    let starts = |at: &usize| at.checked_sub(1).is_none_or(|before| !is_of_path(bytes[before]));
    let at = memmem::find_iter(bytes, path).find(starts)?;
    let text = &bytes[at..bytes.len().min(at + AROUND)];
    let end = text.iter().position(|byte| !byte.is_ascii_graphic()).unwrap_or(text.len());
    Some(String::from_utf8_lossy(&text[..end]).into_owned())
}

/// Whether a path may go on with that byte.
fn is_of_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_./+~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(needed: &[&str], glibc: &str) -> LinkRules {
        LinkRules { needed: needed.iter().map(|one| (*one).to_owned()).collect(), glibc: glibc.to_owned() }
    }

    #[test]
    fn what_a_file_of_this_host_says() {
        let own = std::fs::read("/proc/self/exe").expect("own program");
        let linkage = read(&own).expect("ELF");
        assert!(linkage.needed.contains(&"libc.so.6".to_owned()), "{linkage:?}");
        assert!(!linkage.glibc.is_empty() && linkage.search.is_empty(), "{linkage:?}");
    }

    #[test]
    fn every_rule_is_judged() {
        let good = Linkage { needed: vec!["libc.so.6".to_owned()], build_id: true, ..Linkage::default() };
        let with = |change: fn(&mut Linkage)| {
            let mut linkage = Linkage { needed: good.needed.clone(), build_id: true, ..Linkage::default() };
            change(&mut linkage);
            linkage
        };
        let rules = rules(&["libgcc_s.so.1"], "2.34");
        assert_eq!(judge(&good, b"http://host/build/x", &rules), Vec::<String>::new());
        for (linkage, bytes, words) in [
            (with(|one| one.needed.push("libz.so.1".to_owned())), &b""[..], "needs libz.so.1"),
            (with(|one| one.glibc.push("2.4".to_owned())), b"/build/t/x.rs\0", "/build/t/x.rs"),
            (with(|one| one.glibc = vec!["2.9".to_owned(), "2.38".to_owned()]), b"", "needs glibc 2.38"),
            (with(|one| one.search.push("/opt".to_owned())), b"", "/opt (RPATH)"),
            (with(|one| one.build_id = false), b"", "no build-id"),
        ] {
            let broken = judge(&linkage, bytes, &rules);
            assert!(broken.len() == 1 && broken[0].contains(words), "{broken:?}");
        }
    }

    #[test]
    fn other_bytes_are_refused() {
        assert!(read(b"\x7fELF").expect_err("cut").contains("no 64-bit ELF file"));
    }
}
