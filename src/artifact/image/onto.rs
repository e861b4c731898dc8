//! An image of others with a layer on top: their layers as they are, their configuration with one layer more.
//!
//! The time of creation is that of all that is built, so nothing in the result varies.

use serde_json::{Value, json};

use super::super::Error;
use super::layer::Made;
use super::layout;
use super::opened::Opened;
use crate::store::{Output, Store};

/// The types of docker's manifests, and OCI's for the same.
const LAYERS: [(&str, &str); 2] = [
    ("application/vnd.docker.image.rootfs.diff.tar.gzip", GZIP),
    ("application/vnd.docker.image.rootfs.diff.tar", "application/vnd.oci.image.layer.v1.tar"),
];
const GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// The layout of the image `name`: that of `base` with `layer`, which is packed with gzip, on top.
///
/// # Errors
/// For a base that can't be read.
pub fn onto(store: &Store, base: &Output, layer: &Output, name: &str) -> Result<Output, Error> {
    let Opened { mut config, layers } = Opened::read(store, base)?;
    let made = Made::read(store, name, layer)?;
    add(&mut config, &made)?;
    let platform = json!({"architecture": config["architecture"], "os": config["os"]});
    let config = layout::json(store, &config)?;
    let mut descriptors: Vec<Value> =
        layers.iter().map(|(kind, blob)| descriptor(oci(kind), blob.digest.to_string(), blob.size)).collect();
    descriptors.push(descriptor(GZIP, made.blob.digest.to_string(), made.blob.size));
    let manifest = layout::json(
        store,
        &json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": descriptor(CONFIG, config.digest.to_string(), config.size),
            "layers": descriptors,
        }),
    )?;
    let mut named = descriptor(MANIFEST, manifest.digest.to_string(), manifest.size);
    named["platform"] = platform;
    named["annotations"] = json!({(layout::REFERENCE): name});
    let index = json!({"schemaVersion": 2, "mediaType": layout::INDEX, "manifests": [named]});
    let blobs = layers.iter().map(|(_, blob)| *blob).chain([made.blob, config, manifest]);
    Ok(Output::Tree(layout::lay(store, blobs, &index)?))
}

/// Tells of a layer more. A history need not be there.
fn add(config: &mut Value, layer: &Made) -> Result<(), Error> {
    let diff_ids = config["rootfs"]["diff_ids"].as_array_mut();
    let diff_ids =
        diff_ids.ok_or_else(|| Error::Refused("the base image's configuration names no layers".to_owned()))?;
    diff_ids.push(json!(layer.diff_id.to_string()));
    if let Some(history) = config["history"].as_array_mut() {
        history.push(json!({"created": layout::created(), "created_by": format!("forge {}", layer.name)}));
    }
    config["created"] = json!(layout::created());
    Ok(())
}

/// OCI's type for one of docker's.
fn oci(kind: &str) -> &str {
    LAYERS.iter().find(|(docker, _)| *docker == kind).map_or(kind, |(_, oci)| oci)
}

fn descriptor(kind: &str, digest: String, size: u64) -> Value {
    json!({"mediaType": kind, "digest": digest, "size": size})
}
