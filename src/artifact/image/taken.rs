//! Files out of an image that others made, without laying out the rest of it.
//!
//! A file is taken out of the topmost layer that has it, if none above takes it away again: a layer removes a file or a
//! folder by an empty file `.wh.<name>` beside it, and all that a folder had below by `.wh..wh..opq` in it (image-spec
//! 1.1, layer.md).

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use tar::EntryType;

use super::super::{Error, archive, files};
use super::opened::Opened;
use crate::debian::decode::Decoder;
use crate::debian::limits::Limits;
use crate::debian::tarball::{self, Member};
use crate::path::RelPath;
use crate::store::{Blob, Output, Store, TreeBuilder};

/// What the name of a file starts with that removes another.
const WHITEOUT: &str = ".wh.";
/// The file that removes all that its folder had below.
const OPAQUE: &str = ".wh..wh..opq";

/// Takes the files at `paths` out of an image, as a tree with them alone.
///
/// # Errors
/// If one is not there or is a link, and for an image that can't be read.
pub fn taken(store: &Store, layout: &Output, paths: &[RelPath]) -> Result<Output, Error> {
    let mut search = Search { store, wanted: paths.iter().cloned().collect(), found: BTreeMap::new() };
    for (_, layer) in Opened::read(store, layout)?.layers.iter().rev() {
        search.layer(layer)?;
    }
    if let Some(path) = search.wanted.first() {
        return Err(missing(path));
    }
    let mut tree = TreeBuilder::new();
    for (path, blob) in search.found {
        tree.file(&path, blob, false)?;
    }
    Ok(Output::Tree(tree.finish(store)?))
}

fn missing(path: &RelPath) -> Error {
    Error::Refused(format!("the image has no file /{path}: is it the right one?"))
}

struct Search<'a> {
    store: &'a Store,
    /// What was in no layer yet.
    wanted: BTreeSet<RelPath>,
    found: BTreeMap<RelPath, Blob>,
}

impl Search<'_> {
    fn layer(&mut self, layer: &Blob) -> Result<(), Error> {
        if self.wanted.is_empty() {
            return Ok(());
        }
        let content = archive::open(self.store, &Output::File { blob: *layer, executable: false })?;
        let damaged = |error: io::Error| Error::Refused(format!("layer {}: {error}", layer.digest));
        let mut decoder = Decoder::detect(content, Limits::ARCHIVE).map_err(damaged)?;
        let mut removed = Vec::new();
        tarball::members(&mut decoder, |member, content| {
            let name = files::clean(&String::from_utf8_lossy(&member.name));
            match removes(&name) {
                Some(gone) => removed.push(gone),
                None => self.member(&name, &member, content)?,
            }
            Ok::<(), Error>(())
        })?;
        match self.wanted.iter().find(|path| removed.iter().any(|gone| is_in(path.as_str(), gone))) {
            Some(path) => Err(missing(path)),
            None => Ok(()),
        }
    }

    fn member(&mut self, name: &str, member: &Member, content: &mut dyn Read) -> Result<(), Error> {
        let Some(path) = self.wanted.iter().find(|path| path.as_str() == name).cloned() else { return Ok(()) };
        if !matches!(member.kind, EntryType::Regular | EntryType::Continuous) {
            return Err(Error::Refused(format!("/{path} is no plain file in the image")));
        }
        let mut writer = self.store.writer()?;
        io::copy(content, &mut writer).map_err(|error| Error::Refused(format!("/{path}: {error}")))?;
        self.found.insert(path.clone(), writer.finish()?);
        self.wanted.remove(&path);
        Ok(())
    }
}

/// What a member of this name removes: a path, with `/` behind it where the folder itself stays.
fn removes(name: &str) -> Option<String> {
    let (folder, file) = name.rsplit_once('/').map_or(("", name), |(folder, file)| (folder, file));
    let within = |file: &str| if folder.is_empty() { file.to_owned() } else { format!("{folder}/{file}") };
    match file.strip_prefix(WHITEOUT) {
        Some(_) if file == OPAQUE => Some(within("")),
        Some(gone) => Some(within(gone)),
        None => None,
    }
}

/// Whether a path is `gone` or in it.
fn is_in(path: &str, gone: &str) -> bool {
    path.strip_prefix(gone)
        .is_some_and(|rest| gone.is_empty() || gone.ends_with('/') || rest.is_empty() || rest.starts_with('/'))
}

impl From<tarball::Error> for Error {
    fn from(error: tarball::Error) -> Self {
        Self::Refused(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_whiteout_removes() {
        for (name, expected) in [
            ("usr/.wh.install", Some("usr/install")),
            (".wh.usr", Some("usr")),
            ("usr/.wh..wh..opq", Some("usr/")),
            (".wh..wh..opq", Some("")),
            ("usr/install", None),
        ] {
            assert_eq!(removes(name).as_deref(), expected, "{name}");
        }
        for (path, gone, expected) in [
            ("usr/install", "usr/install", true),
            ("usr/install/a", "usr/install", true),
            ("usr/installer", "usr/install", false),
            ("usr/a", "usr/", true),
            ("usr", "usr/", false),
            ("usr", "", true),
        ] {
            assert_eq!(is_in(path, gone), expected, "{path} {gone}");
        }
    }
}
