//! A kernel that was built, read back.
//!
//! | rule | read from |
//! |---|---|
//! | all modules are of one release, that of the image | `lib/modules/<release>`, `vermagic=` in each module |
//! | no module is signed: signatures are put on afterwards | the end of each module |
//! | modules can be found | the indexes that depmod writes, as text and as binary |

use memchr::memmem;

use super::super::files::{self, Files as List};
use super::super::module;
use super::{Error, Files};
use crate::derivation::Kernel;
use crate::path::RelPath;
use crate::recipe::{DEBUG, Kernel as Outputs, OUTPUT};
use crate::store::{Output, Store, TreeBuilder};

/// The file with the kernel's release.
const RELEASE: &str = "release";
/// The file with the arguments that it is to be started with.
const COMMAND_LINE: &str = "cmdline";
/// Where modules stand.
const FOLDER: &str = "lib/modules";
/// How a module's file ends.
const MODULE: &str = ".ko";
/// The indexes that are looked for.
const INDEXES: [&str; 4] = ["modules.dep", "modules.dep.bin", "modules.alias.bin", "modules.symbols.bin"];

/// The outputs of a kernel by name.
///
/// # Errors
/// Names each rule that is broken.
pub fn built(store: &Store, kernel: &Kernel<Output>) -> Result<[(&'static str, Output); 5], Error> {
    let Kernel { out, modules, headers, debug, report, command_line } = kernel;
    let release = Files::of(store, out)?.named(&RelPath::constant(RELEASE))?;
    let broken = judge(store, modules, release.trim_end())?;
    if !broken.is_empty() {
        return Err(Error::Refused(broken.join("\n")));
    }
    let out = with_command_line(store, out, command_line)?;
    Ok([
        (OUTPUT, out),
        (Outputs::MODULES, *modules),
        (Outputs::HEADERS, *headers),
        (DEBUG, *debug),
        (Outputs::REPORT, *report),
    ])
}

fn with_command_line(store: &Store, out: &Output, arguments: &[String]) -> Result<Output, Error> {
    let (Output::Tree(top), false) = (out, arguments.is_empty()) else { return Ok(*out) };
    let mut tree = TreeBuilder::new();
    tree.graft(store, None, &top.digest)?;
    let text = arguments.join(" ") + "\n";
    tree.file(&RelPath::constant(COMMAND_LINE), store.put(text.as_bytes())?, false)?;
    Ok(Output::Tree(tree.finish(store)?))
}

/// Every rule that the modules break; a kernel without modules breaks none.
fn judge(store: &Store, modules: &Output, release: &str) -> Result<Vec<String>, Error> {
    let Output::Tree(top) = modules else { return Err(Error::Refused("the modules are no folder".to_owned())) };
    let files = List::of(store, &top.digest)?.files;
    let folder = format!("{FOLDER}/{release}/");
    let mut broken = Vec::new();
    for (path, blob) in &files {
        if !path.as_str().starts_with(&folder) {
            broken.push(format!("{path} does not stand in {folder}, which is for the kernel's release"));
        } else if path.as_str().ends_with(MODULE) {
            let wrong = wrong(&files::bytes(store, blob)?, release);
            broken.extend(wrong.map(|what| format!("{path} {what}")));
        }
    }
    let missing = |index: &&str| !files.iter().any(|(path, _)| path.as_str() == format!("{folder}{index}"));
    let missing = INDEXES.into_iter().filter(|index| !files.is_empty() && missing(index));
    broken.extend(missing.map(|index| format!("there is no {folder}{index}")));
    Ok(broken)
}

/// What is wrong with one module.
fn wrong(module: &[u8], release: &str) -> Option<String> {
    if !matches!(module::split(module), Ok((_, None))) {
        return Some("is signed: set nothing that signs in the build".to_owned());
    }
    let magic = format!("vermagic={release} ");
    memmem::find(module, magic.as_bytes()).is_none().then(|| format!("is not for the kernel {release}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_of_others_and_signed_ones_are_found() {
        let module = b"\x7fELF vermagic=6.12.1-forge SMP preempt\0";
        assert_eq!(wrong(module, "6.12.1-forge"), None);
        for release in ["6.12.1", "6.12.1-forge-talos"] {
            assert_eq!(wrong(module, release), Some(format!("is not for the kernel {release}")));
        }
        let signed = super::module::attach(module, b"a signature").expect("unsigned");
        assert!(wrong(&signed, "6.12.1-forge").expect("signed").starts_with("is signed"));
    }
}
