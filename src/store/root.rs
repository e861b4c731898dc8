//! Roots: links outside the store, such as `./result/<name>`, whose targets gc keeps.
//!
//! `roots/<SHA-256 of the link's path>` is one line of JSON,
//! `{"link":"/home/…/result/x","outputs":[{"tree":{…}}]}` with outputs as in a result. The root
//! counts while the link is there and leads into the store.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::object::Disk;
use super::result::OutputLine;
use super::{Error, Output, Store};
use crate::digest::Digest;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    link: String,
    outputs: Vec<OutputLine>,
}

/// A registered root.
#[derive(Debug)]
pub(super) struct Root {
    /// Its file below the store.
    pub(super) file: String,
    pub(super) link: PathBuf,
    pub(super) outputs: Vec<Output>,
    /// Whether the link still leads into the store.
    pub(super) stands: bool,
}

impl Store {
    /// Registers a root: gc keeps `outputs` while the symlink at `link` (an absolute path outside
    /// the store) leads into the store. The link itself is the caller's to make.
    ///
    /// # Errors
    /// If the path is not UTF-8 or the root can't be written.
    pub fn add_root(&self, link: &Path, outputs: &[Output]) -> Result<(), Error> {
        let text = link.to_str().ok_or_else(|| Error::NotUtf8(link.display().to_string()))?;
        let outputs = outputs.iter().map(OutputLine::from).collect();
        let mut line = serde_json::to_vec(&Line { link: text.to_owned(), outputs })
            .expect("BUG: strings and numbers always become JSON");
        line.push(b'\n');
        let path = root_file(text);
        if std::fs::read(self.disk.path.join(&path)).is_ok_and(|old| old == line) {
            return Ok(());
        }
        let mut temp = self.disk.temp()?;
        temp.write_all(&line)?;
        temp.rename(&path)
    }

    /// Whether a root is registered for this link.
    #[must_use]
    pub fn has_root(&self, link: &Path) -> bool {
        link.to_str().is_some_and(|text| self.disk.path.join(root_file(text)).is_file())
    }
}

/// The file of the root whose link is `link`, below the store.
fn root_file(link: &str) -> String {
    format!("roots/{}", Digest::of(link.as_bytes()).hex())
}

impl Disk {
    /// The registered roots, by file. A line that does not parse is a root that does not stand.
    pub(super) fn roots(&self) -> Result<Vec<Root>, Error> {
        self.names("roots")?.into_iter().map(|name| self.root(format!("roots/{name}"))).collect()
    }

    fn root(&self, file: String) -> Result<Root, Error> {
        let bytes = std::fs::read(self.path.join(&file)).map_err(self.at(&file))?;
        let Ok(line) = serde_json::from_slice::<Line>(&bytes) else {
            return Ok(Root { link: self.path.join(&file), file, outputs: Vec::new(), stands: false });
        };
        let link = PathBuf::from(line.link);
        let outputs: Option<Vec<_>> = line.outputs.into_iter().map(OutputLine::output).collect();
        let leads_here = std::fs::read_link(&link).is_ok_and(|target| target.starts_with(&self.path));
        Ok(Root { file, link, stands: leads_here && outputs.is_some(), outputs: outputs.unwrap_or_default() })
    }
}
