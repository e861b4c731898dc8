//! All modules of a tree, `lib/modules/<release>/…`: their signatures made, or attached.

use std::collections::BTreeMap;

use super::certificate::Certificates;
use super::signer::Signer;
use super::{SUFFIX, attach, info, split};
use crate::artifact::files::{Files, bytes, text};
use crate::artifact::{Error, Say, part};
use crate::derivation::Signatures;
use crate::digest::Digest;
use crate::path::RelPath;
use crate::store::{Blob, Output, Store, TreeBuilder};

/// How a module's file is called, at its end.
const MODULE: &str = ".ko";
/// How it is if it is compressed: the kernel wants the signature inside.
const COMPRESSED: [&str; 3] = [".ko.gz", ".ko.xz", ".ko.zst"];
/// How many faults are shown.
const SHOWN: usize = 10;

/// A module of a tree.
pub type Module = (RelPath, Blob);

/// The tree with a signature at the end of each module.
///
/// # Errors
/// For a module that is signed or for another kernel, and a signature that is missing or does not fit.
pub fn assemble(
    store: &Store,
    tree: &Output,
    certificate: &Output,
    signatures: &Signatures<Output>,
    (threads, say): (usize, &Say<'_>),
) -> Result<Output, Error> {
    let trusted = Certificates::read(&only(store, certificate)?).map_err(refused)?;
    let modules = modules(store, tree)?;
    let signed = match signatures {
        Signatures::Dev { key } => {
            let signer = Signer::new(&only(store, key)?, &trusted).map_err(refused)?;
            signed(store, &modules, (threads, say), |_, module| signer.sign(module).map_err(refused))?
        }
        Signatures::Detached { folder } => {
            let kept = kept(store, folder, &tree.digest())?;
            complete(&modules, &kept, &tree.digest())?;
            signed(store, &modules, (threads, say), |path, module| {
                let signature = bytes(store, &kept[path])?;
                trusted.verify(module, &signature).map(|()| signature).map_err(refused)
            })?
        }
    };
    replaced(store, tree, &modules, &signed).map(Output::Tree)
}

/// The detached signature of each module of a tree.
///
/// # Errors
/// For a module that is signed or for another kernel.
pub fn sign(
    store: &Store,
    tree: &Output,
    signer: &Signer,
    (threads, say): (usize, &Say<'_>),
) -> Result<Vec<(RelPath, Vec<u8>)>, Error> {
    let modules = modules(store, tree)?;
    let signatures = each(store, &modules, (threads, say), |_, module| signer.sign(module).map_err(refused))?;
    Ok(modules.into_iter().map(|(path, _)| path).zip(signatures).collect())
}

/// The modules of a tree.
///
/// # Errors
/// For a tree without modules, and one with compressed modules.
pub fn modules(store: &Store, tree: &Output) -> Result<Vec<Module>, Error> {
    let Output::Tree(top) = tree else { return Err(Error::Refused("the modules are a file, not a folder".to_owned())) };
    let files = Files::of(store, &top.digest)?.files;
    if let Some((path, _)) = files.iter().find(|(path, _)| COMPRESSED.iter().any(|end| path.as_str().ends_with(end))) {
        let advice = "set CONFIG_MODULE_COMPRESS to n: the signature has to stand inside";
        return Err(Error::Refused(format!("{path}: a compressed module can't be signed; {advice}")));
    }
    let modules: Vec<_> = files.into_iter().filter(|(path, _)| path.as_str().ends_with(MODULE)).collect();
    if modules.is_empty() { Err(Error::Refused("there are no modules in it".to_owned())) } else { Ok(modules) }
}

/// Where the detached signature of a module stands in the folder of signatures.
#[must_use]
pub fn place(tree: &Digest, module: &RelPath) -> RelPath {
    RelPath::new(format!("{}/{module}{SUFFIX}", tree.hex())).expect("BUG: parts of a clean path")
}

/// Does `work` on each module, which must be unsigned and for the kernel whose folder it stands in.
fn each<R: Send>(
    store: &Store,
    modules: &[Module],
    (threads, say): (usize, &Say<'_>),
    work: impl Fn(&RelPath, &[u8]) -> Result<R, Error> + Sync,
) -> Result<Vec<R>, Error> {
    let files: Vec<_> = modules.iter().map(|(_, blob)| Output::File { blob: *blob, executable: false }).collect();
    part::each(&files, threads, (say, "modules"), |index| {
        let (path, blob) = &modules[index];
        let module = bytes(store, blob)?;
        check(path, &module).and_then(|()| work(path, &module)).map_err(|error| match error {
            Error::Refused(why) => Error::Refused(format!("{path}: {why}")),
            error => error,
        })
    })
}

/// Each module with the signature that `signature` gives for it.
fn signed(
    store: &Store,
    modules: &[Module],
    work: (usize, &Say<'_>),
    signature: impl Fn(&RelPath, &[u8]) -> Result<Vec<u8>, Error> + Sync,
) -> Result<Vec<Blob>, Error> {
    each(store, modules, work, |path, module| {
        let signed = attach(module, &signature(path, module)?).map_err(refused)?;
        Ok(store.put(&signed)?)
    })
}

fn check(path: &RelPath, module: &[u8]) -> Result<(), Error> {
    if split(module).map_err(refused)?.1.is_some() {
        return Err(refused(super::Error::Signed));
    }
    let release = path.as_str().strip_prefix("lib/modules/").and_then(|rest| rest.split_once('/'));
    let Some((release, _)) = release else {
        return Err(Error::Refused("it does not stand in lib/modules/<release>".to_owned()));
    };
    info::is_for(module, release).map_err(refused)
}

/// The signatures that are kept of a tree.
fn kept(store: &Store, folder: &Output, tree: &Digest) -> Result<BTreeMap<RelPath, Blob>, Error> {
    let Output::Tree(top) = folder else { return Ok(BTreeMap::new()) };
    let own = format!("{}/", tree.hex());
    let module = |(path, blob): (RelPath, Blob)| {
        // The folder's own path in the project comes before, whatever it is.
        let (_, rest) = path.as_str().split_once(&own)?;
        Some((RelPath::new(rest.strip_suffix(SUFFIX)?).ok()?, blob))
    };
    Ok(Files::of(store, &top.digest)?.files.into_iter().filter_map(module).collect())
}

/// Whether there is a signature of each module, and none besides.
fn complete(modules: &[Module], kept: &BTreeMap<RelPath, Blob>, tree: &Digest) -> Result<(), Error> {
    if kept.is_empty() {
        let what = format!("there are no signatures of these modules, {tree}");
        return Err(Error::Refused(format!("{what}; `forge sign-modules NAME --key FILE` makes them for this unit")));
    }
    let lacking =
        modules.iter().filter(|(path, _)| !kept.contains_key(path)).map(|(path, _)| format!("{path}: no signature"));
    let known: BTreeMap<_, _> = modules.iter().map(|(path, _)| (path, ())).collect();
    let idle =
        kept.keys().filter(|path| !known.contains_key(path)).map(|path| format!("{path}: signed, and not there"));
    let faults: Vec<_> = lacking.chain(idle).collect();
    if faults.is_empty() {
        return Ok(());
    }
    let more = faults.len().saturating_sub(SHOWN);
    let shown = faults[..faults.len().min(SHOWN)].join("\n");
    Err(Error::Refused(if more > 0 { format!("{shown}\nand {more} more") } else { shown }))
}

/// The tree with other content of its modules.
fn replaced(store: &Store, tree: &Output, modules: &[Module], content: &[Blob]) -> Result<Blob, Error> {
    let mut builder = TreeBuilder::new();
    builder.graft(store, None, &tree.digest())?;
    for ((path, _), blob) in modules.iter().zip(content) {
        builder.remove(path)?;
        builder.file(path, *blob, false)?;
    }
    Ok(builder.finish(store)?)
}

/// The text of the one file of an input.
fn only(store: &Store, input: &Output) -> Result<String, Error> {
    let blob = match input {
        Output::File { blob, .. } => *blob,
        Output::Tree(top) => match &Files::of(store, &top.digest)?.files[..] {
            [(_, blob)] => *blob,
            _ => return Err(Error::Refused("a key or certificate is one file".to_owned())),
        },
    };
    text(store, &blob)
}

fn refused(error: super::Error) -> Error {
    Error::Refused(error.to_string())
}

#[cfg(test)]
mod tests;
