//! The layout of an image that others made, out of its manifest and its blobs, all as they are.
//!
//! It is as forge's own, but for the name in `index.json`: by which tag an image was found is not part of it.

use serde_json::{Value, json};

use super::super::Error;
use super::layout;
use super::opened::document;
use crate::store::{Blob, Output, Store};

/// What a manifest is that does not say it.
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Lays out an image. `blobs` are those that its manifest names, by digest.
///
/// # Errors
/// For a manifest that names others.
pub fn pulled(store: &Store, manifest: &Output, blobs: &[(String, Output)]) -> Result<Output, Error> {
    let read = document(store, &manifest.blob())?;
    let named = std::iter::once(&read["config"]).chain(read["layers"].as_array().into_iter().flatten());
    for digest in named.map(|descriptor| descriptor["digest"].as_str().unwrap_or_default()) {
        if !blobs.iter().any(|(known, _)| known == digest) {
            return Err(Error::Refused(format!("its manifest names {digest}, which is not locked: `forge lock`")));
        }
    }
    let index = index(store, &read, &manifest.blob(), blobs)?;
    let all = blobs.iter().map(|(_, blob)| blob.blob()).chain([manifest.blob()]);
    Ok(Output::Tree(layout::lay(store, all, &index)?))
}

fn index(store: &Store, read: &Value, manifest: &Blob, blobs: &[(String, Output)]) -> Result<Value, Error> {
    let config = read["config"]["digest"].as_str().unwrap_or_default();
    let config = blobs.iter().find(|(digest, _)| digest == config);
    let config = config.map_or(Ok(Value::Null), |(_, blob)| document(store, &blob.blob()))?;
    let kind = read["mediaType"].as_str().unwrap_or(MANIFEST);
    let mut descriptor = json!({"digest": manifest.digest.to_string(), "mediaType": kind, "size": manifest.size});
    if let (Some(architecture), Some(os)) = (config["architecture"].as_str(), config["os"].as_str()) {
        descriptor["platform"] = json!({"architecture": architecture, "os": os});
    }
    Ok(json!({"manifests": [descriptor], "mediaType": layout::INDEX, "schemaVersion": 2}))
}
