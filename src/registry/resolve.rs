//! What a name means now: the manifest for one platform, and the blobs that it names.

use oci_spec::image::{Arch, Descriptor, ImageIndex, ImageManifest, Os};

use super::image::blob;
use super::{Error, Registry, Repository};
use crate::digest::Digest;
use crate::store::Blob;

/// An image as a registry has it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// What the name leads to: the index of an image for many platforms, else the manifest.
    pub index: Digest,
    /// The manifest.
    pub manifest: Blob,
    /// The configuration, then the layers; each once.
    pub blobs: Vec<Blob>,
}

impl Registry {
    /// What `name`, a tag or a digest, leads to for linux on amd64.
    ///
    /// # Errors
    /// Where the registry fails, or has no such image.
    pub fn resolve(&self, repository: &Repository, name: &str) -> Result<Resolved, Error> {
        let top = self.manifest(repository, name)?;
        let index = Digest::of(&top);
        let Ok(many) = serde_json::from_slice::<ImageIndex>(&top) else {
            return read(repository, name, index, &top);
        };
        let ours = many
            .manifests()
            .iter()
            .find(|one| is_ours(one))
            .ok_or_else(|| Error::Image(format!("{repository}: {name} has no image for linux on amd64")))?;
        let manifest = self.manifest(repository, &blob(ours)?.digest.to_string())?;
        read(repository, name, index, &manifest)
    }
}

fn is_ours(descriptor: &Descriptor) -> bool {
    let platform = descriptor.platform().as_ref();
    platform.is_some_and(|platform| *platform.os() == Os::Linux && *platform.architecture() == Arch::Amd64)
}

fn read(repository: &Repository, name: &str, index: Digest, bytes: &[u8]) -> Result<Resolved, Error> {
    let manifest: ImageManifest = serde_json::from_slice(bytes)
        .map_err(|error| Error::Image(format!("{repository}: the manifest of {name}: {error}")))?;
    let mut blobs = Vec::new();
    for descriptor in [manifest.config()].into_iter().chain(manifest.layers()) {
        let blob = blob(descriptor)?;
        if !blobs.contains(&blob) {
            blobs.push(blob);
        }
    }
    Ok(Resolved { index, manifest: Blob { digest: Digest::of(bytes), size: bytes.len() as u64 }, blobs })
}
