//! Results that forge computes itself: pure functions of stored inputs.
//!
//! Each kind of artifact is one module; [`assemble`] is the only entry. Nothing here opens a socket
//! or a file outside the store: bytes come out of the store and go back into it.

pub mod archive;
pub mod arguments;
pub mod bpf;
pub mod cpio;
pub mod disk;
mod elf;
mod files;
pub mod image;
mod inherit;
pub mod initramfs;
pub mod installer;
pub mod kernel;
mod links;
pub mod machine;
mod manifest;
pub mod module;
mod packages;
mod part;
pub mod programs;
pub mod repository;
pub mod skeleton;
pub mod toolroot;
pub mod uki;
pub mod vendor;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::debian;
use crate::derivation::Assemble;
use crate::path::{Name, PathError};
use crate::recipe::{DEBUG, Extension, Image, Installer, Kernel, OUTPUT, Signing};
use crate::store::{self, Output, Store};

/// Why an artifact could not be assembled.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The inputs do not make a good artifact: the recipe, or a source, has to change.
    #[error("{0}")]
    Refused(String),
    /// `say` asked to stop.
    #[error("stopped")]
    Stopped,
    /// The packages make no toolroot.
    #[error(transparent)]
    Toolroot(#[from] debian::toolroot::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Is told in words how far the work is; a `Break` ends it.
pub type Say<'a> = dyn Fn(&str) -> ControlFlow<()> + Sync + 'a;

/// What becomes of parts that were made before, as for another artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parts {
    /// They are taken.
    Known,
    /// They are made again, and recorded nowhere.
    Anew,
}

/// Computes what `assemble` says, on at most `threads` threads; its outputs by name.
///
/// # Errors
/// For inputs that make no good artifact, and where the store fails.
pub fn assemble(
    assemble: &Assemble<Output>,
    store: &Store,
    parts: Parts,
    threads: usize,
    say: &Say<'_>,
) -> Result<BTreeMap<Name, Output>, Error> {
    let output = match assemble {
        Assemble::Toolroot { debs, links, trim, ignore } => {
            toolroot::Packages { debs, links, trim, ignore }.toolroot(store, parts, threads, say)?
        }
        Assemble::Unpack { archive, strip } => archive::unpack(store, archive, *strip)?,
        Assemble::DebMember { deb, member } => archive::deb(store, deb, member.as_ref())?,
        Assemble::Vendor { crates } => vendor::assemble(crates, store, parts, threads, say)?,
        Assemble::Layout { manifest, blobs } => image::pulled(store, manifest, blobs)?,
        Assemble::Packages { repository, packages } => repository::assemble(store, repository, packages)?,
        Assemble::Skeleton { source } => skeleton::assemble(store, source)?,
        Assemble::Arguments { lines } => arguments::assemble(store, lines)?,
        Assemble::Machine { line, folder, config, schema } => {
            machine::assemble(store, &machine::Sources { line: *line, folder, config, schema })?
        }
        Assemble::Signed { others, modules, certificate, signatures } => {
            let signed = module::tree::assemble(store, modules, certificate, signatures, (threads, say))?;
            let others = others.iter().map(|(name, output)| Ok((Name::new(name.as_str())?, *output)));
            let mut outputs: BTreeMap<Name, Output> =
                others.collect::<Result<_, PathError>>().expect("BUG: outputs have names");
            outputs.extend(named([(Kernel::MODULES, signed), (Signing::UNSIGNED, *modules)]));
            return Ok(outputs);
        }
        Assemble::Taken { layout, paths } => image::taken(store, layout, paths)?,
        Assemble::Boot(boot) => installer::boot(store, boot, threads)?,
        Assemble::Disk(disk) => installer::raw(store, disk, threads)?,
        Assemble::Installer(whole) => {
            let layout = image::onto(store, &whole.base, &whole.layer, &whole.name)?;
            return Ok(named([(OUTPUT, layout), (Installer::BOOT, whole.boot), (Installer::DISK, whole.disk)]));
        }
        Assemble::Initramfs { segments } => initramfs::assemble(store, segments, threads)?,
        Assemble::Layer(layer) => image::layer(layer, store, parts, threads, say)?,
        Assemble::Image(whole) => {
            let (layout, root) = image::image(whole, store)?;
            return Ok(named([(OUTPUT, layout), (Image::ROOT, root)]));
        }
        Assemble::Layers(layers) => kernel::layers(store, layers)?,
        Assemble::Resolved(resolved) => {
            let (config, report) = kernel::resolved(store, resolved)?;
            return Ok(named([(OUTPUT, config), (Kernel::REPORT, report)]));
        }
        Assemble::Kernel(built) => return Ok(named(kernel::built(store, built)?)),
        Assemble::Extension(whole) => {
            let (layout, tree) = image::extension(whole, store)?;
            return Ok(named([(OUTPUT, layout), (Extension::ROOTFS, tree)]));
        }
        Assemble::Bpf { objects, debug, license, sections } => {
            let objects = bpf::check(store, objects, license, sections)?;
            return Ok(named([(OUTPUT, objects), (DEBUG, *debug)]));
        }
        Assemble::Programs { tree, debug, rules } => {
            programs::check(store, tree, rules)?;
            return Ok(named([(OUTPUT, *tree), (DEBUG, *debug)]));
        }
    };
    Ok(named([(OUTPUT, output)]))
}

fn named<const N: usize>(outputs: [(&'static str, Output); N]) -> BTreeMap<Name, Output> {
    outputs.map(|(name, output)| (Name::constant(name), output)).into()
}
