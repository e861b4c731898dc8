//! Source archives, and single packages, as trees.

use std::fs::File;
use std::path::Path;

use super::Error;
use crate::debian::deb::Deb;
use crate::debian::decode::Decoder;
use crate::debian::limits::Limits;
use crate::debian::rules::Rules;
use crate::debian::sink::StoreSink;
use crate::debian::unpack;
use crate::path::RelPath;
use crate::store::{Node, Output, Store};

/// Unpacks a tar archive, compressed or not, less `strip` leading components of each name.
///
/// # Errors
/// For an archive that is damaged, or holds what a tree can't.
pub fn unpack(store: &Store, archive: &Output, strip: u32) -> Result<Output, Error> {
    let path = store.realise(archive)?;
    let refused = |error: &dyn std::fmt::Display| Error::Refused(error.to_string());
    let mut decoder = Decoder::sniff(open(&path)?, Limits::ARCHIVE).map_err(|error| refused(&error))?;
    let rules = Rules::source(strip);
    let (tree, _) = unpack::into_store(&mut decoder, &rules, store).map_err(|error| refused(&error))?;
    Ok(Output::Tree(tree))
}

/// Unpacks one package; with `member`, takes one file out of it.
///
/// # Errors
/// For a damaged package, and one without the member.
pub fn deb(store: &Store, deb: &Output, member: Option<&RelPath>) -> Result<Output, Error> {
    let path = store.realise(deb)?;
    let refused = |error: &dyn std::fmt::Display| Error::Refused(error.to_string());
    let mut sink = StoreSink::new(store);
    let deb = Deb::open(open(&path)?).map_err(|error| refused(&error))?;
    deb.unpack(&Rules::source(0), &mut sink).map_err(|error| refused(&error))?;
    let tree = sink.finish().map_err(|error| refused(&error))?;
    match member {
        None => Ok(Output::Tree(tree)),
        Some(member) => find(store, &tree.digest, member),
    }
}

fn open(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(|error| Error::Refused(format!("{}: {error}", path.display())))
}

/// The file or folder at `member` of a tree.
fn find(store: &Store, tree: &crate::digest::Digest, member: &RelPath) -> Result<Output, Error> {
    let missing = |what: &str| Error::Refused(format!("the package has no file `{member}`: {what}"));
    let mut here = *tree;
    let mut found = None;
    for component in member.components() {
        let entries = store.directory(&here)?.entries;
        found = match entries.get(component) {
            Some(Node::Directory(blob)) => {
                here = blob.digest;
                Some(Output::Tree(*blob))
            }
            Some(Node::File { blob, executable }) => Some(Output::File { blob: *blob, executable: *executable }),
            Some(Node::Symlink(target)) => return Err(missing(&format!("`{component}` is a link to `{target}`"))),
            None => {
                let known: Vec<_> = entries.keys().map(String::as_str).collect();
                return Err(missing(&format!("where `{component}` is wanted there is {}", known.join(", "))));
            }
        };
    }
    found.ok_or_else(|| missing("an empty path"))
}
