//! A system extension of Talos: a layer that keeps the rules, as an OCI layout.
//!
//! What is judged are the bytes that others will read: the layer's archive. The rules are in `talos::extension`; beside
//! them a service must have its file system and its program, and no other a service of its name.

use std::collections::BTreeSet;
use std::io::Read;

use flate2::read::MultiGzDecoder;
use tar::EntryType;

use super::super::{Error, files};
use super::layer::Made;
use super::root::Root;
use super::{failed, layout};
use crate::derivation::{self, Extension};
use crate::path::RelPath;
use crate::recipe::{Compression, Config, Waivers};
use crate::store::{Blob, Node, Output, Store};
use crate::talos::Release;
use crate::talos::extension::{Archive, Entry, Kind, ROOTFS, ROOTS, Spec, judge, specs};

/// The largest manifest or description of a service.
const MOST_TEXT: u64 = 1 << 20;

/// Judges an extension, and lays it out: the layout and its tree.
///
/// # Errors
/// For every rule that it breaks.
pub fn extension(extension: &Extension<Output>, store: &Store) -> Result<(Output, Output), Error> {
    let made = Made::read(store, &extension.name, &extension.layer)?;
    let archive = archive(store, &made.blob)?;
    let release: Release = extension.talos.parse().map_err(|error| Error::Refused(format!("{error}")))?;
    let mut wrong: Vec<String> = judge(&archive, &extension.name, release).iter().map(ToString::to_string).collect();
    let root = Root::new(store, made.tree.digest);
    wrong.extend(unstartable(store, &root, &specs(&archive))?);
    if !wrong.is_empty() {
        return Err(Error::Refused(wrong.join("\n")));
    }
    let Some(Node::Directory(tree)) = root.node(&RelPath::constant(ROOTFS))? else {
        return Err(Error::Refused(format!("BUG: there is no {ROOTFS}")));
    };
    let image = image(extension);
    Ok((Output::Tree(layout::write(store, &image, &[made])?), Output::Tree(tree)))
}

/// The image that it is: nothing is run of it.
fn image(extension: &Extension<Output>) -> derivation::Image<Output> {
    derivation::Image {
        name: extension.name.clone(),
        layers: Vec::new(),
        own: Vec::new(),
        compression: Compression::Gzip,
        config: Config { architecture: extension.architecture.clone(), ..Config::default() },
        present: Vec::new(),
        links: Default::default(),
        waivers: Waivers::default(),
    }
}

/// What the archive of a layer holds.
fn archive(store: &Store, layer: &Blob) -> Result<Archive, Error> {
    let failed = failed(store);
    let mut tar = tar::Archive::new(MultiGzDecoder::new(store.read(layer)?));
    let mut archive = Archive::default();
    for entry in tar.entries().map_err(&failed)? {
        let mut entry = entry.map_err(&failed)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let header = entry.header();
        let found = Entry::new(&name, kind(header.entry_type()), header.mode().map_err(&failed)?);
        if found.is_read() {
            let mut text = Vec::new();
            entry.by_ref().take(MOST_TEXT).read_to_end(&mut text).map_err(&failed)?;
            archive.texts.insert(found.path().to_owned(), text);
        }
        archive.entries.push(found);
    }
    Ok(archive)
}

fn kind(kind: EntryType) -> Kind {
    match kind {
        EntryType::Directory => Kind::Directory,
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => Kind::File,
        EntryType::Symlink => Kind::Symlink,
        EntryType::Link => Kind::HardLink,
        EntryType::Char | EntryType::Block => Kind::Special("device"),
        EntryType::Fifo => Kind::Special("pipe"),
        _ => Kind::Special("file of no kind that is known"),
    }
}

/// Why services can't be started.
fn unstartable(store: &Store, root: &Root<'_>, specs: &[(&str, Spec)]) -> Result<Vec<String>, Error> {
    let (mut wrong, mut seen) = (Vec::new(), BTreeSet::new());
    for (path, Spec { name, container, .. }) in specs.iter().filter(|(_, spec)| spec.mistakes().is_empty()) {
        if !seen.insert(name) {
            wrong.push(format!("{path}: a second service is called `{name}`; Talos starts the first alone"));
        }
        let place = format!("{ROOTS}/{name}");
        match root.node(&files::path(&format!("{ROOTFS}/{place}"))?)? {
            Some(Node::Directory(blob)) => {
                let program = &container.entrypoint;
                // A bare name is looked for when it is started.
                let found = program.contains('/').then(|| Root::new(store, blob.digest).follow(program)).transpose()?;
                if !matches!(found, None | Some(Some(Node::File { executable: true, .. }))) {
                    wrong.push(format!("{path}: its entrypoint {program} is no program in /{place}"));
                }
            }
            _ => wrong.push(format!("{path}: its file system is not there: say `root`, or bring /{place} by [files]")),
        }
    }
    Ok(wrong)
}
