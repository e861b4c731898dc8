//! Kernels: what their fragments ask for, what became of it, and what was built, read back.
//!
//! | module | what it makes |
//! |---|---|
//! | [`layers`](mod@layers) | each fragment without comments, as `1`, `2`, …; the last one is what forge adds |
//! | [`resolved`](mod@resolved) | `config`, and the certificate, which are all that is compiled with; the report |
//! | [`report`] | what became of each line: `configuration.json` |
//! | [`built`](mod@built) | the outputs of the kernel |

mod built;
mod layers;
mod report;
mod resolved;

use super::Error;
use super::files::text;
use crate::path::RelPath;
use crate::store::{Node, Output, Store, TreeBuilder};
pub use built::built;
pub use layers::layers;
pub use resolved::resolved;

/// The resolved configuration's file name.
pub const CONFIG: &str = "config";
/// The file name of the certificate that modules must be signed for.
const CERTIFICATE: &str = "certificate.pem";
/// The file with the symbols that a configuration to start from does not answer.
const NEW: &str = "new";

/// A tree of the store, of which a few files are read.
struct Files<'s> {
    store: &'s Store,
    tree: TreeBuilder,
}

impl<'s> Files<'s> {
    fn of(store: &'s Store, output: &Output) -> Result<Self, Error> {
        let Output::Tree(top) = output else {
            return Err(Error::Refused("a folder was wanted, and a file given".to_owned()));
        };
        let mut tree = TreeBuilder::new();
        tree.graft(store, None, &top.digest)?;
        Ok(Self { store, tree })
    }

    /// The text of the file at a path; nothing if there is none.
    fn text(&self, path: &RelPath) -> Result<Option<String>, Error> {
        match self.tree.get(path)? {
            Some(Node::File { blob, .. }) => text(self.store, &blob).map(Some),
            Some(Node::Directory(_) | Node::Symlink(_)) | None => Ok(None),
        }
    }

    /// The text of a file that a recipe names, or a step of forge made.
    fn named(&self, path: &RelPath) -> Result<String, Error> {
        self.text(path)?.ok_or_else(|| Error::Refused(format!("there is no file `{path}`")))
    }
}
