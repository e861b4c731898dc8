//! Blobs that a repository keeps because they are wanted, not because an image names them.
//!
//! Registries sweep away blobs that no manifest names, and manifests that no tag leads to. So the blobs stand in
//! artifact manifests with an empty configuration, and an index lists these; one tag names the index. What it listed
//! before it goes on listing: many projects can keep their sources in one repository. Each manifest has a tag of its
//! own too, as distribution's garbage collector takes those that only an index names.
//!
//! Source: image-spec 1.1, "Guidelines for Artifact Usage".

use std::collections::BTreeMap;

use oci_spec::image::ImageIndex;
use serde_json::{Value, json};

use super::image::blob;
use super::token::Access;
use super::{Error, Registry, Repository};
use crate::digest::Digest;
use crate::store::Blob;

/// What the artifacts are.
const ARTIFACT: &str = "application/vnd.forge.sources.v1";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// What the configuration of an artifact is, and its bytes.
const EMPTY: (&str, &[u8]) = ("application/vnd.oci.empty.v1+json", b"{}");
/// How much of a manifest's digest is in its tag.
const SHORT: usize = 16;
/// How many blobs one manifest names: some registries take no manifest of more than 4 MiB.
const MOST: usize = 5000;

impl Registry {
    /// Has the repository keep `blobs`, which it has, with what people call them.
    ///
    /// # Errors
    /// Where the registry fails; what it kept before it keeps.
    pub fn keep(
        &self,
        repository: &Repository,
        tag: &str,
        blobs: &BTreeMap<Digest, (u64, String)>,
    ) -> Result<(), Error> {
        let empty = Blob { digest: Digest::of(EMPTY.1), size: EMPTY.1.len() as u64 };
        self.put(repository, &empty, &|_| Ok(Box::new(EMPTY.1)))?;
        let mut listed = self.listed(repository, tag)?;
        let before = listed.len();
        for part in blobs.iter().collect::<Vec<_>>().chunks(MOST) {
            let bytes = artifact(&empty, part).to_string().into_bytes();
            let digest = Digest::of(&bytes);
            if listed.insert(digest, bytes.len() as u64).is_none() {
                self.put_manifest(repository, &format!("{tag}-{}", &digest.hex()[..SHORT]), MANIFEST, &bytes)?;
            }
        }
        if listed.len() == before {
            return Ok(());
        }
        self.put_manifest(repository, tag, INDEX, index(&listed).to_string().as_bytes())
    }

    /// Puts a blob where it is missing.
    ///
    /// # Errors
    /// Where the registry fails.
    pub fn put(&self, repository: &Repository, blob: &Blob, source: &super::push::Source<'_>) -> Result<(), Error> {
        if !self.has(repository, &Access::push(repository), blob)? {
            self.bring(repository, blob, None, source)?;
        }
        Ok(())
    }

    /// Whether a repository has a blob.
    ///
    /// # Errors
    /// Where the registry fails.
    pub fn keeps(&self, repository: &Repository, blob: &Blob) -> Result<bool, Error> {
        self.has(repository, &Access::push(repository), blob)
    }

    /// The manifests that the tag's index lists, and their sizes; none where there is no such tag.
    fn listed(&self, repository: &Repository, tag: &str) -> Result<BTreeMap<Digest, u64>, Error> {
        let bytes = match self.manifest(repository, tag) {
            Err(Error::Answer { code: 404, .. }) => return Ok(BTreeMap::new()),
            bytes => bytes?,
        };
        let index: ImageIndex = serde_json::from_slice(&bytes).map_err(|error| {
            Error::Image(format!("{repository}:{tag} is something else than an index of sources: {error}"))
        })?;
        index.manifests().iter().map(|one| blob(one).map(|blob| (blob.digest, blob.size))).collect()
    }
}

fn artifact(empty: &Blob, blobs: &[(&Digest, &(u64, String))]) -> Value {
    let layer = |(digest, (size, name)): &(&Digest, &(u64, String))| {
        json!({
            "annotations": {"org.opencontainers.image.title": name},
            "digest": digest.to_string(),
            "mediaType": "application/octet-stream",
            "size": size,
        })
    };
    json!({
        "artifactType": ARTIFACT,
        "config": {"digest": empty.digest.to_string(), "mediaType": EMPTY.0, "size": empty.size},
        "layers": blobs.iter().map(layer).collect::<Vec<_>>(),
        "mediaType": MANIFEST,
        "schemaVersion": 2,
    })
}

fn index(listed: &BTreeMap<Digest, u64>) -> Value {
    let manifest = |(digest, size): (&Digest, &u64)| json!({"artifactType": ARTIFACT, "digest": digest.to_string(), "mediaType": MANIFEST, "size": size});
    json!({"manifests": listed.iter().map(manifest).collect::<Vec<_>>(), "mediaType": INDEX, "schemaVersion": 2})
}
