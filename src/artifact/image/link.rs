//! Whether a program of an image can be loaded there: as the kernel and its loader would find out.

use object::elf::{EM_AARCH64, EM_X86_64};

use super::super::Error;
use super::super::elf::{Elf, Version, numbers};
use super::judge::Look;
use super::linkage::{File, Linkage};
use crate::store::Node;

/// Where Debian's loader looks.
const LIBRARIES: [&str; 4] = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib", "/usr/lib64"];
/// The machines of the architectures of Debian.
const MACHINES: [(&str, u16); 2] = [("amd64", EM_X86_64.0), ("arm64", EM_AARCH64.0)];
/// What stands for a file's own folder in its search path: ld.so(8).
const ORIGIN: [&str; 2] = ["$ORIGIN", "${ORIGIN}"];

impl Look<'_> {
    /// Why programs and libraries of a layer can't be loaded.
    pub(super) fn links(&self, layer: &Linkage) -> Result<Vec<String>, Error> {
        let mut wrong = Vec::new();
        for File { paths, elf } in layer.files() {
            for path in paths {
                let found = match elf {
                    Ok(elf) if elf.linked => self.link(path, elf)?,
                    Ok(_) => Vec::new(),
                    Err(why) => vec![why.clone()],
                };
                wrong.extend(found.into_iter().map(|what| format!("/{path} {what}")));
            }
        }
        Ok(wrong)
    }

    fn link(&self, path: &str, elf: &Elf) -> Result<Vec<String>, Error> {
        if let Some(strange) = strange(elf.machine, &self.image.config.architecture) {
            return Ok(vec![strange]);
        }
        let mut wrong = Vec::new();
        if let Some(loader) = &elf.interpreter
            && !matches!(self.at(loader)?, Some(Node::File { .. }))
        {
            wrong.push(format!("is started by {loader}, which is not in it: add the package that has it"));
        }
        let folders = folders(path, &elf.search, self.image.config.env.get("LD_LIBRARY_PATH"));
        for name in &elf.needed {
            match self.library(name, &folders)? {
                Some(library) => wrong.extend(lacking(name, &elf.versions, &library.defined)),
                None => wrong.push(format!("needs {name}, which is not in it: add the package that has it")),
            }
        }
        Ok(wrong)
    }

    /// The library that the loader would take.
    fn library(&self, name: &str, folders: &[String]) -> Result<Option<&Elf>, Error> {
        for folder in folders {
            let path = format!("{folder}/{name}");
            if let Some(Node::File { blob, .. }) = self.at(&path)? {
                let known = self.layers.iter().find_map(|layer| layer.file(&blob.digest));
                let why = |why: &str| Error::Refused(format!("{path} {why}"));
                let file = known.ok_or_else(|| why("is no library"))?;
                return file.elf.as_ref().map(Some).map_err(|reason| why(reason));
            }
        }
        Ok(None)
    }
}

/// Where the loader looks for what the file at `path` needs: in folders of its own, in those of the environment, and where
/// it always does.
fn folders(path: &str, own: &[String], more: Option<&String>) -> Vec<String> {
    let origin = path.rsplit_once('/').map_or("/".to_owned(), |(folder, _)| format!("/{folder}"));
    let own = own.iter().map(|list| ORIGIN.iter().fold(list.clone(), |list, word| list.replace(word, &origin)));
    let lists: Vec<String> = own.chain(more.cloned()).collect();
    let named = lists.iter().flat_map(|list| list.split(':')).filter(|folder| !folder.is_empty());
    named.chain(LIBRARIES).map(str::to_owned).collect()
}

/// What is wrong with the machine of a program, in an image of that architecture.
fn strange(machine: u16, architecture: &str) -> Option<String> {
    let (_, want) = MACHINES.iter().find(|(name, _)| *name == architecture)?;
    let name = MACHINES.iter().find(|(_, known)| *known == machine).map(|(name, _)| (*name).to_owned());
    let name = name.unwrap_or_else(|| format!("machine {machine}"));
    (machine != *want).then(|| format!("is made for {name}, and the image for {architecture}"))
}

/// The newest of the versions that a program needs of a library and that this one has not. A library without versions
/// is taken as it is, and the loader takes it so.
fn lacking(library: &str, needed: &[Version], defined: &[String]) -> Option<String> {
    let missing = needed.iter().filter(|one| one.library == library && !one.weak && !defined.contains(&one.name));
    let missing = missing.max_by_key(|one| numbers(parts(&one.name).1)).filter(|_| !defined.is_empty())?;
    let family = parts(&missing.name).0;
    let own = defined.iter().filter(|name| parts(name).0 == family && !numbers(parts(name).1).contains(&u32::MAX));
    let has = match own.max_by_key(|name| numbers(parts(name).1)) {
        Some(newest) => format!("it has up to {newest}"),
        None => format!("it has no {family} at all"),
    };
    let help = "take a newer suite, or an older build of the program";
    Some(format!("needs {} of {library}, which the image's has not: {has}; {help}", missing.name))
}

/// What a version is of, and its number: `GLIBC` and `2.38`.
fn parts(version: &str) -> (&str, &str) {
    version.rsplit_once('_').unwrap_or(("", version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searched() {
        let own = ["$ORIGIN:/opt/lib", "${ORIGIN}/../lib"].map(str::to_owned);
        let more = "/more::/most".to_owned();
        let want = ["/opt/x/bin", "/opt/lib", "/opt/x/bin/../lib", "/more", "/most"];
        let found = folders("opt/x/bin/y", &own, Some(&more));
        assert_eq!(found, want.into_iter().chain(LIBRARIES).collect::<Vec<_>>());
        assert_eq!(folders("y", &[], None), LIBRARIES);
    }

    #[test]
    fn machines() {
        assert_eq!(strange(EM_X86_64.0, "amd64"), None);
        assert_eq!(strange(EM_AARCH64.0, "amd64").as_deref(), Some("is made for arm64, and the image for amd64"));
        assert_eq!(strange(243, "arm64").as_deref(), Some("is made for machine 243, and the image for arm64"));
        assert_eq!(strange(243, "riscv64"), None, "not known here");
    }

    #[test]
    fn versions() {
        let need =
            |library: &str, name: &str, weak| Version { library: library.to_owned(), name: name.to_owned(), weak };
        let glibc = ["libc.so.6", "GLIBC_2.9", "GLIBC_2.41", "GLIBC_PRIVATE"].map(str::to_owned);
        for (needed, defined, want) in [
            (need("libc.so.6", "GLIBC_2.9", false), &glibc[..], None),
            (need("libc.so.6", "GLIBC_2.42", true), &glibc, None),
            (need("libm.so.6", "GLIBC_2.42", false), &glibc, None),
            (need("libc.so.6", "GLIBC_2.42", false), &[], None),
            (
                need("libc.so.6", "GLIBC_2.42", false),
                &glibc,
                Some("GLIBC_2.42 of libc.so.6, which the image's has not: it has up to GLIBC_2.41; take"),
            ),
            (need("libc.so.6", "OPENSSL_3.0.0", false), &glibc, Some("it has no OPENSSL at all")),
        ] {
            let found = lacking("libc.so.6", &[need("libc.so.6", "GLIBC_2.9", false), needed], defined);
            assert_eq!(found.is_some(), want.is_some(), "{found:?}");
            assert!(want.is_none_or(|want| found.as_ref().is_some_and(|found| found.contains(want))), "{found:?}");
        }
    }
}
