//! A layer: its tree, put together, then packed into one blob.
//!
//! A layer's result is a folder of four entries:
//!
//! | entry | what it is |
//! |---|---|
//! | `layer` | the compressed tar archive, a blob of the image |
//! | `diff-id` | the digest of the archive before it was compressed |
//! | `linkage` | what its ELF files say of themselves (`linkage`) |
//! | `tree` | what is in it, for those who want to look: it costs nothing, as the store has it anyway |

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Read as _, Write};
use std::ops::ControlFlow;

use super::super::toolroot::Packages;
use super::super::{Error, Parts, Say, archive, files};
use super::linkage::Linkage;
use super::root::Root;
use super::{compress::Compressor, failed, tarball};
use crate::debian::alternatives;
use crate::debian::deb::Deb;
use crate::debian::toolroot::add_merge_links;
use crate::derivation::Layer;
use crate::digest::{Digest, Hasher};
use crate::path::{PathError, RelPath};
use crate::store::{Blob, Node, Output, Store, TreeBuilder};
use crate::words;

/// The entries of a result.
const LAYER: &str = "layer";
const DIFF_ID: &str = "diff-id";
const LINKAGE: &str = "linkage";
const TREE: &str = "tree";

/// Where scanners look for packages, a file each.
const STATUS: &str = "var/lib/dpkg/status.d";

/// The permission bit by which a file is a program.
const OWNER_EXECUTES: u32 = 0o100;

/// How much of the archive is compressed at once.
const BUFFER: usize = 256 << 10;
/// After how many bytes it is told how far the work is.
const TOLD: u64 = 32 << 20;

/// Makes a layer.
///
/// # Errors
/// For packages and files that clash, files that are not where they should come from, and where the store fails.
pub fn assemble(
    layer: &Layer<Output>,
    store: &Store,
    parts: Parts,
    threads: usize,
    say: &Say<'_>,
) -> Result<Output, Error> {
    let tree = tree(layer, store, parts, threads, say)?;
    let (blob, diff_id) = pack(layer, store, &tree, threads, say)?;
    let mut result = TreeBuilder::new();
    result.file(&RelPath::constant(LAYER), blob, false)?;
    result.file(&RelPath::constant(DIFF_ID), store.put(diff_id.hex().as_bytes())?, false)?;
    result.file(&RelPath::constant(LINKAGE), Linkage::of(store, &tree)?.put(store)?, false)?;
    result.graft(store, Some(&RelPath::constant(TREE)), &tree.digest)?;
    Ok(Output::Tree(result.finish(store)?))
}

/// A layer that was made.
pub(super) struct Made {
    pub(super) name: String,
    /// The compressed archive.
    pub(super) blob: Blob,
    /// The digest of the archive.
    pub(super) diff_id: Digest,
    /// What is in it.
    pub(super) tree: Blob,
    /// A [`Linkage`](super::linkage::Linkage).
    pub(super) linkage: Blob,
}

impl Made {
    /// Reads a layer's result.
    ///
    /// # Errors
    /// Where the store fails.
    pub(super) fn read(store: &Store, name: &str, result: &Output) -> Result<Self, Error> {
        let mut entries = store.directory(&result.digest())?.entries;
        let mut entry = |name| entries.remove(name);
        let mut file = |name| match entry(name) {
            Some(Node::File { blob, .. }) => Some(blob),
            _ => None,
        };
        let files = (file(LAYER), file(DIFF_ID), file(LINKAGE));
        let ((Some(blob), Some(digest), Some(linkage)), Some(Node::Directory(tree))) = (files, entry(TREE)) else {
            return Err(Error::Refused(format!("`{name}` is not a layer")));
        };
        let mut hex = String::new();
        store.read(&digest)?.read_to_string(&mut hex).map_err(failed(store))?;
        let diff_id = hex.parse().map_err(|_| Error::Refused(format!("the layer `{name}` has no diff-id")))?;
        Ok(Self { name: name.to_owned(), blob, diff_id, tree, linkage })
    }
}

fn tree(layer: &Layer<Output>, store: &Store, parts: Parts, threads: usize, say: &Say<'_>) -> Result<Blob, Error> {
    let mut tree = TreeBuilder::new();
    if !layer.debs.is_empty() {
        packages(&mut tree, layer, store, parts, threads, say)?;
    }
    for (place, from, path) in &layer.files {
        file(&mut tree, store, layer, (place, from, path.as_ref()))?;
    }
    for (place, text) in &layer.texts {
        tree.file(place, store.put(text.as_bytes())?, false)?;
    }
    for (place, target) in places(&layer.symlinks)? {
        tree.symlink(&place, target)?;
    }
    for place in &layer.directories {
        tree.directory(place)?;
    }
    add_merge_links(&mut tree)?;
    Ok(tree.finish(store)?)
}

/// Puts packages in, and for each what scanners read.
fn packages(
    tree: &mut TreeBuilder,
    layer: &Layer<Output>,
    store: &Store,
    parts: Parts,
    threads: usize,
    say: &Say<'_>,
) -> Result<(), Error> {
    let Layer { debs, links, trim, ignore, .. } = layer;
    for (package, unpacked) in (Packages { debs, links, trim, ignore }).unpacked(store, parts, threads, say)? {
        let clash = |error| Error::Refused(format!("package {package} does not fit beside the others: {error}"));
        tree.graft(store, None, &unpacked.digest).map_err(clash)?;
    }
    for (package, deb) in debs {
        let deb = Deb::open(archive::open(store, deb)?).map_err(|error| Error::Refused(error.to_string()))?;
        tree.file(&files::path(&format!("{STATUS}/{package}"))?, store.put(deb.control().as_bytes())?, false)?;
    }
    Ok(())
}

/// Puts in what stands at `path` in `from`. A mode of the recipe says whether it is a program, also where it came
/// without one, as what is downloaded or supplied does.
fn file(
    tree: &mut TreeBuilder,
    store: &Store,
    layer: &Layer<Output>,
    (place, from, path): (&RelPath, &Output, Option<&RelPath>),
) -> Result<(), Error> {
    let mode = layer.attributes.get(place).and_then(|attributes| attributes.mode);
    let node = match (from, path) {
        (output, None) => Some((*output).into()),
        (Output::File { .. }, Some(_)) => None,
        (Output::Tree(blob), Some(path)) => Root::new(store, blob.digest).node(path)?,
    };
    match node {
        Some(Node::File { blob, executable }) => {
            tree.file(place, blob, mode.map_or(executable, |mode| mode & OWNER_EXECUTES != 0))?;
        }
        Some(Node::Symlink(target)) => tree.symlink(place, &target)?,
        Some(Node::Directory(blob)) => tree.graft(store, Some(place), &blob.digest)?,
        None => return Err(missing(store, place, from, path)),
    }
    Ok(())
}

/// Says what is not there, and what is.
fn missing(store: &Store, place: &RelPath, from: &Output, path: Option<&RelPath>) -> Error {
    let path = path.map(RelPath::as_str).unwrap_or_default();
    let there = match from {
        Output::File { .. } => "it is taken from a single file".to_owned(),
        Output::Tree(blob) => match store.directory(&blob.digest) {
            Ok(top) => format!("there is {}", top.entries.into_keys().collect::<Vec<_>>().join(", ")),
            Err(error) => error.to_string(),
        },
    };
    Error::Refused(format!("`{path}`, which should become /{place}, is not there; {there}"))
}

/// The place of each link of a recipe, and its target.
///
/// # Errors
/// For a name that is no clean path.
pub(super) fn places(links: &BTreeMap<String, String>) -> Result<BTreeMap<RelPath, &str>, Error> {
    let places = links.iter().map(|(key, target)| Ok((alternatives::place(key)?, target.as_str())));
    places.collect::<Result<_, PathError>>().map_err(|error| Error::Refused(format!("a link of the recipe: {error}")))
}

/// The compressed archive, and the digest of what was compressed.
fn pack(
    layer: &Layer<Output>,
    store: &Store,
    tree: &Blob,
    threads: usize,
    say: &Say<'_>,
) -> Result<(Blob, Digest), Error> {
    let failed = failed(store);
    let compressor = Compressor::new(layer.compression, threads, store.writer()?).map_err(&failed)?;
    let sum = Sum { out: compressor, hasher: Hasher::default(), written: 0, say };
    let archive = tarball::write(store, &tree.digest, &layer.attributes, BufWriter::with_capacity(BUFFER, sum))?;
    let Sum { out, hasher, .. } = archive.into_inner().map_err(|error| failed(error.into_error()))?;
    Ok((out.finish().map_err(&failed)?.finish()?, hasher.finish().0))
}

/// Hashes what goes through it, and tells how much it was.
struct Sum<'a, W> {
    out: W,
    hasher: Hasher,
    written: u64,
    say: &'a Say<'a>,
}

impl<W: Write> Write for Sum<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        let before = self.written;
        self.written += count as u64;
        let tell = before / TOLD < self.written / TOLD;
        if tell && (self.say)(&words::size(self.written)) == ControlFlow::Break(()) {
            return Err(io::Error::other(Error::Stopped));
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
