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

use memchr::memmem;

use super::Error;
use super::elf::{self, Elf, numbers};
use crate::recipe::LinkRules;
use crate::store::{Output, Store};

/// Paths of the sandbox in which things are built.
const PATHS: [&str; 3] = ["/build/", "/deps/", "/src/src/"];

/// The prefix of the versions of glibc's symbols.
const GLIBC: &str = "GLIBC_";

/// The libraries of glibc, which its version says enough of.
const LIBRARIES: [&str; 7] =
    ["ld-linux-x86-64.so.2", "libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0", "libresolv.so.2", "librt.so.1"];

/// How much of the text around a path is shown.
const AROUND: usize = 80;

/// Checks every ELF file of `tree`.
///
/// # Errors
/// Names each file and rule that it breaks.
pub fn check(store: &Store, tree: &Output, rules: &LinkRules) -> Result<(), Error> {
    let (mut broken, mut needed, mut found) = (Vec::new(), BTreeSet::new(), false);
    elf::each(store, tree, &mut |mut file| {
        let bytes = file.bytes(store)?;
        let elf = Elf::read(&bytes[..]).map_err(|why| Error::Refused(format!("{}: {why}", file.path)))?;
        broken.extend(judge(&elf, &bytes, rules).into_iter().map(|what| format!("{} {what}", file.path)));
        needed.extend(elf.needed);
        found = true;
        Ok(())
    })?;
    if !found {
        return Err(Error::Refused("there is no program and no shared library in it".to_owned()));
    }
    let idle = rules.needed.iter().filter(|library| !needed.contains(*library));
    broken.extend(idle.map(|library| format!("`needed` names {library}, which no file needs")));
    if broken.is_empty() { Ok(()) } else { Err(Error::Refused(broken.join("\n"))) }
}

/// Every rule that a file breaks.
fn judge(elf: &Elf, bytes: &[u8], rules: &LinkRules) -> Vec<String> {
    let mut broken = Vec::new();
    let known = |library: &String| rules.needed.contains(library) || LIBRARIES.contains(&library.as_str());
    let more = elf.needed.iter().filter(|library| !known(library));
    broken.extend(more.map(|library| format!("needs {library}, which `needed` does not name")));
    let glibc = elf.versions.iter().filter_map(|version| version.name.strip_prefix(GLIBC));
    let newest = glibc.max_by_key(|version| numbers(version));
    if let Some(newest) = newest.filter(|newest| numbers(newest) > numbers(&rules.glibc)) {
        broken.push(format!("needs glibc {newest}, where `glibc` says {}", rules.glibc));
    }
    broken.extend(elf.search.iter().map(|path| format!("looks for libraries in {path} (RPATH)")));
    if !elf.build_id {
        broken.push("has no build-id".to_owned());
    }
    broken.extend(
        PATHS.iter().filter_map(|path| named(bytes, path)).map(|text| format!("names a path of its build: {text}")),
    );
    broken
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
    use super::super::elf::Version;
    use super::*;

    fn rules(needed: &[&str], glibc: &str) -> LinkRules {
        LinkRules { needed: needed.iter().map(|one| (*one).to_owned()).collect(), glibc: glibc.to_owned() }
    }

    #[test]
    fn every_rule_is_judged() {
        let good = || Elf { needed: vec!["libc.so.6".to_owned()], build_id: true, ..Elf::default() };
        let with = |change: fn(&mut Elf)| {
            let mut elf = good();
            change(&mut elf);
            elf
        };
        fn version(name: &str) -> Version {
            Version { library: "libc.so.6".to_owned(), name: name.to_owned(), weak: false }
        }
        let rules = rules(&["libgcc_s.so.1"], "2.34");
        assert_eq!(judge(&good(), b"http://host/build/x", &rules), Vec::<String>::new());
        for (elf, bytes, words) in [
            (with(|one| one.needed.push("libz.so.1".to_owned())), &b""[..], "needs libz.so.1"),
            (with(|one| one.versions.push(version("GLIBC_2.4"))), b"/build/t/x.rs\0", "/build/t/x.rs"),
            (with(|one| one.versions = vec![version("GLIBC_2.9"), version("GLIBC_2.38")]), b"", "needs glibc 2.38"),
            (with(|one| one.search.push("/opt".to_owned())), b"", "/opt (RPATH)"),
            (with(|one| one.build_id = false), b"", "no build-id"),
        ] {
            let broken = judge(&elf, bytes, &rules);
            assert!(broken.len() == 1 && broken[0].contains(words), "{broken:?}");
        }
    }
}
