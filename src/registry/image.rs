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
    /// Its configuration, then its layers; each once.
    pub blobs: Vec<Blob>,
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
        let mut blobs = Vec::new();
        for descriptor in [parsed.config()].into_iter().chain(parsed.layers()) {
            let blob = blob(descriptor)?;
            if !blobs.contains(&blob) {
                blobs.push(blob);
            }
        }
        Ok(Self { manifest, media_type: first.media_type().to_string(), blobs })
    }

    /// What names it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.manifest)
    }
}

fn blob(descriptor: &Descriptor) -> Result<Blob, Error> {
    let text = descriptor.digest().to_string();
    let digest = text.parse().map_err(|_| Error::Image(format!("`{text}` is no sha256 digest")))?;
    Ok(Blob { digest, size: descriptor.size() })
}
