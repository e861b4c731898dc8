//! What an image is to a registry: a manifest, and the blobs that it names.

use oci_spec::image::{Descriptor, ImageIndex, ImageManifest};

use super::Error;
use crate::digest::Digest;
use crate::store::Blob;

/// An image that can be pushed.
#[derive(Clone, Debug)]
pub struct Image {
    /// The manifest as it is, byte for byte.
    pub manifest: Vec<u8>,
    /// What kind of manifest it is.
    pub media_type: String,
    /// Its configuration.
    pub config: Blob,
    /// Its layers, the lowest first.
    pub layers: Vec<Blob>,
}

impl Image {
    /// The first image of an OCI layout, whose small files `read` reads.
    ///
    /// # Errors
    /// Those of `read`, and for a layout without an image.
    pub fn of_layout(read: impl Fn(&str) -> Result<Vec<u8>, Error>) -> Result<Self, Error> {
        let wrong = |path: &str, why: String| Error::Image(format!("{path}: {why}"));
        let index = read("index.json")?;
        let index: ImageIndex =
            serde_json::from_slice(&index).map_err(|error| wrong("index.json", error.to_string()))?;
        let first = index.manifests().first().ok_or_else(|| wrong("index.json", "names no manifest".to_owned()))?;
        let path = format!("blobs/sha256/{}", blob(first)?.digest.hex());
        let manifest = read(&path)?;
        let parsed: ImageManifest =
            serde_json::from_slice(&manifest).map_err(|error| wrong(&path, error.to_string()))?;
        let layers = parsed.layers().iter().map(blob).collect::<Result<_, _>>()?;
        Ok(Self { manifest, media_type: first.media_type().to_string(), config: blob(parsed.config())?, layers })
    }

    /// Its configuration, then its layers; each once.
    #[must_use]
    pub fn blobs(&self) -> Vec<Blob> {
        let mut blobs = vec![self.config];
        for layer in &self.layers {
            if !blobs.contains(layer) {
                blobs.push(*layer);
            }
        }
        blobs
    }

    /// What names it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.manifest)
    }
}

pub(super) fn blob(descriptor: &Descriptor) -> Result<Blob, Error> {
    let text = descriptor.digest().to_string();
    let digest = text.parse().map_err(|_| Error::Image(format!("`{text}` is no sha256 digest")))?;
    Ok(Blob { digest, size: descriptor.size() })
}
