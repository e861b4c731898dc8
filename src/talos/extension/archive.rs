//! An extension's archive, entry by entry, and what Talos' imager trips over when it unpacks one.
//!
//! Source: archiver/untar.go@v1.10.3, and @v1.14.0-rc.1, which makes folders that are missing. The imager takes what is
//! neither a folder nor a symlink for a file with the content that stands behind the entry: a hard link has none.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Release;
use super::refusal::{Refusal, Rule};
use super::{MANIFEST, ROOTFS, spec};

/// From this version on the imager makes folders that are missing.
const MAKES_PARENTS: Release = Release::new(14, 0);
/// How the name of an entry begins that removes another.
const WHITEOUT: &str = ".wh.";

/// What stands in the archive of an extension's image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Archive {
    /// Its entries, in their order.
    pub entries: Vec<Entry>,
    /// The content of those that are read, by path: see [`Entry::is_read`].
    pub texts: BTreeMap<String, Vec<u8>>,
}

/// One entry of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    path: String,
    /// What it is.
    pub kind: Kind,
    /// Its mode.
    pub mode: u32,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A folder.
    Directory,
    /// A file.
    File,
    /// A symlink.
    Symlink,
    /// A second name of a file.
    HardLink,
    /// Something else, in a word: `device`.
    Special(&'static str),
}

impl Entry {
    /// The entry of that name, which is cleaned as the imager does (safepath.go@v1.10.3): nothing leads out.
    #[must_use]
    pub fn new(name: &str, kind: Kind, mode: u32) -> Self {
        let mut parts: Vec<&str> = Vec::new();
        for part in name.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        Self { path: parts.join("/"), kind, mode }
    }

    /// Its path, relative to the archive; empty for the archive's top.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Where Talos will have it, as an absolute path; nothing if it is not of the tree.
    #[must_use]
    pub fn installed(&self) -> Option<String> {
        let below = self.path.strip_prefix(ROOTFS)?;
        if below.is_empty() { Some("/".to_owned()) } else { below.starts_with('/').then(|| below.to_owned()) }
    }

    /// Whether its content is looked at.
    #[must_use]
    pub fn is_read(&self) -> bool {
        self.kind == Kind::File && (self.path == MANIFEST || spec::is_spec(&self.path))
    }
}

/// What the imager trips over.
pub(super) fn traps(entries: &[Entry], release: Release) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    let mut seen = BTreeMap::from([("", Kind::Directory)]);
    let mut gone = BTreeSet::new();
    for entry in entries {
        let path = entry.path.as_str();
        let mut refuse = |rule, why: String, help: &str| refusals.push(Refusal::new(rule, path, why, help));
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        if name.starts_with(WHITEOUT) {
            refuse(
                Rule::Whiteouts,
                "it removes what no layer has".to_owned(),
                "make the image of one layer, without it",
            );
        }
        if entry.kind == Kind::HardLink {
            refuse(Rule::HardLinks, "the imager makes an empty file of it".to_owned(), "make it a file or a symlink");
        }
        match nearest(&seen, folder) {
            (above, Kind::Directory) => {
                let missing = above != folder && release < MAKES_PARENTS;
                if missing && gone.insert(folder) {
                    let why = format!("it comes before the folder {folder}");
                    refuse(Rule::Parents, why, "let each folder stand before what is in it");
                }
            }
            (above, _) => refuse(Rule::BelowLinks, format!("{above} is no folder"), "let it stand where that leads"),
        }
        match seen.insert(path, entry.kind) {
            Some(Kind::Directory) if entry.kind == Kind::Directory => {}
            Some(_) => refuse(Rule::Duplicates, "it comes a second time".to_owned(), "leave one of them out"),
            None => {}
        }
    }
    refusals
}

/// The nearest of what was seen that `folder` stands in or is.
fn nearest<'a>(seen: &BTreeMap<&'a str, Kind>, folder: &'a str) -> (&'a str, Kind) {
    let mut at = folder;
    loop {
        if let Some(kind) = seen.get(at) {
            return (at, *kind);
        }
        at = at.rsplit_once('/').map_or("", |(above, _)| above);
    }
}
