//! An OCI layout with one image for this machine's kind, opened: manifest, configuration and layers.

use serde_json::Value;

use super::super::{Error, files};
use super::layout::BLOBS;
use super::root::Root;
use crate::store::{Blob, Node, Output, Store};

/// The largest document: far above what manifests and configurations come to.
const MOST: u64 = 4 << 20;
/// The platform that is taken where an index has several.
const ARCHITECTURE: &str = "amd64";

/// The image of a layout.
pub(super) struct Opened {
    pub(super) config: Value,
    /// The media type and the blob of each layer, the lowest first.
    pub(super) layers: Vec<(String, Blob)>,
}

impl Opened {
    /// Reads `index.json` and what it names.
    ///
    /// # Errors
    /// If it is no layout, or has no image for this platform.
    pub(super) fn read(store: &Store, layout: &Output) -> Result<Self, Error> {
        let root = Root::new(store, layout.digest());
        let index = document(store, &file(&root, "index.json")?)?;
        let manifests = index["manifests"].as_array().map(Vec::as_slice).unwrap_or_default();
        let ours = |manifest: &&Value| manifest["platform"]["architecture"] == ARCHITECTURE;
        let found = manifests.iter().find(ours).or(manifests.first().filter(|_| manifests.len() == 1));
        let found = found.ok_or_else(|| Error::Refused(format!("index.json names no image for {ARCHITECTURE}")))?;
        let manifest = document(store, &blob(&root, found)?)?;
        let config = document(store, &blob(&root, &manifest["config"])?)?;
        let layers = manifest["layers"].as_array().map(Vec::as_slice).unwrap_or_default();
        let layer = |layer: &Value| Ok((text(layer, "mediaType")?, blob(&root, layer)?));
        let layers = layers.iter().map(layer).collect::<Result<_, Error>>()?;
        Ok(Self { config, layers })
    }
}

/// The blob that a descriptor names.
fn blob(root: &Root<'_>, descriptor: &Value) -> Result<Blob, Error> {
    let digest = text(descriptor, "digest")?;
    let hex = digest.strip_prefix("sha256:").ok_or_else(|| Error::Refused(format!("{digest} is not a SHA-256")))?;
    file(root, &format!("{BLOBS}/{hex}"))
}

fn text(descriptor: &Value, field: &str) -> Result<String, Error> {
    let text = descriptor[field].as_str().map(str::to_owned);
    text.ok_or_else(|| Error::Refused(format!("the image's documents are damaged: a descriptor has no {field}")))
}

fn file(root: &Root<'_>, path: &str) -> Result<Blob, Error> {
    match root.node(&files::path(path)?)? {
        Some(Node::File { blob, .. }) => Ok(blob),
        _ => Err(Error::Refused(format!("the image's layout has no file {path}"))),
    }
}

/// A manifest, a configuration or an index.
///
/// # Errors
/// If it is none, or too large for one.
pub(super) fn document(store: &Store, blob: &Blob) -> Result<Value, Error> {
    if blob.size > MOST {
        return Err(Error::Refused(format!("{} is larger than any manifest or configuration", blob.digest)));
    }
    let damaged = |error: serde_json::Error| Error::Refused(format!("{}: {error}", blob.digest));
    serde_json::from_str(&files::text(store, blob)?).map_err(damaged)
}
