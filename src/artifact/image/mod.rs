//! Container images: layers, and the OCI layout that they make.
//!
//! | module | what it makes |
//! |---|---|
//! | `layer` | one layer: a tree, packed |
//! | `tarball` `capability` | the tree as a tar archive |
//! | `compress` | the archive's bytes, made smaller |
//! | `judge` `link` `linkage` `root` | whether the whole can run: programs, libraries, users, shells |
//! | [`extension`](extension()) | a layer that is a system extension of Talos |
//! | `layout` | configuration, manifest, index |
//! | [`pulled`](pulled()) | the layout of an image that others made |
//! | [`taken`](taken()) | files out of such an image |
//! | [`onto`](onto()) | such an image with a layer on top |
//! | `opened` | what such a layout says, read back |
//! | [`archive`](archive()) | a layout as one file |
//! | [`validate`](validate()) | every digest, size and diff-id of a layout, read back |
//!
//! Source: OCI image-spec 1.1.

mod archive;
mod capability;
mod compress;
mod extension;
mod judge;
mod layer;
mod layout;
mod link;
mod linkage;
mod onto;
mod opened;
mod pulled;
mod root;
mod taken;
mod tarball;
mod validate;

use std::io;

use super::Error;
use crate::derivation::Image;
use crate::store::{self, Output, Store, TreeBuilder};
pub use archive::{Docker, archive};
pub use extension::extension;
pub use layer::assemble as layer;
pub use layout::manifest_digest;
pub use onto::onto;
pub use pulled::pulled;
pub use taken::taken;
pub use validate::{Content, Invalid, validate};

/// Puts an image together: its OCI layout and its file system.
///
/// # Errors
/// For layers that clash, and for an image that can't run or is not as it should be.
pub fn image(image: &Image<Output>, store: &Store) -> Result<(Output, Output), Error> {
    let layers = image.layers.iter().map(|(name, made)| layer::Made::read(store, name, made));
    let layers: Vec<layer::Made> = layers.collect::<Result<_, _>>()?;
    let mut tree = TreeBuilder::new();
    for layer in &layers {
        let clash =
            |error| Error::Refused(format!("the layer `{}` does not fit on those below it: {error}", layer.name));
        tree.graft(store, None, &layer.tree.digest).map_err(clash)?;
    }
    let tree = tree.finish(store)?;
    judge::judge(store, image, &tree, &layers)?;
    Ok((Output::Tree(layout::write(store, image, &layers)?), Output::Tree(tree)))
}

/// For `map_err`: what stopped a writer or a reader of the store.
fn failed(store: &Store) -> impl Fn(io::Error) -> Error {
    let path = store.root().to_owned();
    move |error| match error.downcast::<Error>() {
        Ok(error) => error,
        Err(error) => {
            Error::Store(error.downcast().unwrap_or_else(|source| store::Error::Io { path: path.clone(), source }))
        }
    }
}
