//! Crates as cargo's directory sources want them: one folder a crate, with a `.cargo-checksum.json`
//! that has the checksum of the `.crate` file, which cargo compares with Cargo.lock. The checksums of
//! single files, which it may have too, are left out: the store has checked them.
//!
//! Packages of a git repository come as such folders already, from [`super::repository`].
//!
//! Source: "Directory sources" in the cargo book, and what `cargo vendor` writes.

use super::files::path;
use super::{Error, Parts, Say, archive, part};
use crate::canon::identity;
use crate::lockfile::Crate;
use crate::path::RelPath;
use crate::store::{Blob, Output, Store, TreeBuilder};

/// The tag of the keys of unpacked crates; its number changes with what is written.
const TAG: &str = "forge vendored crate 1";

/// The file that makes a folder a vendored crate.
pub(super) const CHECKSUM: &str = ".cargo-checksum.json";

/// Unpacks `crates`, each into a folder of its name; what is a folder already goes there as it is.
///
/// # Errors
/// For a damaged file.
pub fn assemble(
    crates: &[(String, Output)],
    store: &Store,
    parts: Parts,
    threads: usize,
    say: &Say<'_>,
) -> Result<Output, Error> {
    let files: Vec<Output> = crates.iter().map(|(_, file)| *file).collect();
    let trees = part::each(&files, threads, (say, "crates"), |index| {
        let (name, file) = &crates[index];
        if let Output::Tree(packages) = file {
            return Ok(*packages);
        }
        let label = format!("unpacked crates: {name}");
        part::made(store, parts, &identity(TAG, &file.digest()), &label, || unpack(store, name, file))
    })?;
    let mut all = TreeBuilder::new();
    for ((name, _), tree) in crates.iter().zip(trees) {
        all.graft(store, Some(&path(name)?), &tree.digest)?;
    }
    Ok(Output::Tree(all.finish(store)?))
}

fn unpack(store: &Store, name: &str, file: &Output) -> Result<Blob, Error> {
    let unpacked =
        archive::unpack(store, file, Crate::STRIP).map_err(|error| Error::Refused(format!("{name}: {error}")))?;
    let mut tree = TreeBuilder::new();
    tree.graft(store, None, &unpacked.digest())?;
    let checksum = RelPath::constant(CHECKSUM);
    tree.remove(&checksum)?;
    let text = format!("{{\"files\":{{}},\"package\":\"{}\"}}", file.digest().hex());
    tree.file(&checksum, store.put(text.as_bytes())?, false)?;
    Ok(tree.finish(store)?)
}
