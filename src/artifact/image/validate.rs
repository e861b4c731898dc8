//! An OCI layout read back: every digest, every size and every diff-id computed again.

use std::collections::BTreeSet;
use std::io::{self, Read};

use oci_spec::image::{Descriptor, ImageConfiguration, ImageIndex, ImageManifest, MediaType, OciLayout};
use serde::de::DeserializeOwned;

use super::layout::BLOBS;
use crate::digest::{Digest, Hasher};

/// How much of a blob is read at once.
const BUFFER: usize = 128 << 10;
/// The largest document: far above what manifests and configurations come to.
const DOCUMENT: u64 = 4 << 20;

/// What is wrong with a layout.
#[derive(Debug, thiserror::Error)]
pub enum Invalid {
    /// A file is missing or can't be read.
    #[error("{path}: {source}")]
    Read {
        /// The file, relative to the layout.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A document that is none.
    #[error("{path}: {source}")]
    Document {
        /// The file, relative to the layout.
        path: String,
        /// Why.
        source: serde_json::Error,
    },
    /// Content is not what it is said to be.
    #[error("{what}:\n  want {want}\n  got  {got}")]
    Differs {
        /// Of what.
        what: String,
        /// What is said.
        want: String,
        /// What is.
        got: String,
    },
}

/// What a valid layout holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// The digest of each manifest of the index.
    pub manifests: Vec<Digest>,
    /// Every blob that is named.
    pub blobs: BTreeSet<Digest>,
}

/// Opens a file of a layout.
pub type Open<'a> = dyn Fn(&str) -> io::Result<Box<dyn Read>> + 'a;

/// Reads a layout, whose files `open` opens, in whole.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn validate(open: &Open<'_>) -> Result<Content, Invalid> {
    let layout: OciLayout = document(open, "oci-layout", DOCUMENT)?;
    same("the version of the layout", "1.0.0", layout.image_layout_version())?;
    let index: ImageIndex = document(open, "index.json", DOCUMENT)?;
    let mut content = Content::default();
    for manifest in index.manifests() {
        let digest = digest(manifest)?;
        content.manifests.push(digest);
        image(open, manifest, &mut content)?;
    }
    Ok(content)
}

fn image(open: &Open<'_>, descriptor: &Descriptor, content: &mut Content) -> Result<(), Invalid> {
    let manifest: ImageManifest = described(open, descriptor, content)?;
    let config: ImageConfiguration = described(open, manifest.config(), content)?;
    let diff_ids = config.rootfs().diff_ids();
    same("layers, and diff-ids of them", &manifest.layers().len().to_string(), &diff_ids.len().to_string())?;
    for (layer, diff_id) in manifest.layers().iter().zip(diff_ids) {
        blob(open, layer, content)?;
        let got = unpacked(open, layer)?;
        same(&format!("the diff-id of {}", layer.digest()), diff_id, &got.to_string())?;
    }
    Ok(())
}

/// The document that a descriptor names.
fn described<T: DeserializeOwned>(
    open: &Open<'_>,
    descriptor: &Descriptor,
    content: &mut Content,
) -> Result<T, Invalid> {
    blob(open, descriptor, content)?;
    document(open, &path(&digest(descriptor)?), descriptor.size())
}

/// Compares a blob with its descriptor.
fn blob(open: &Open<'_>, descriptor: &Descriptor, content: &mut Content) -> Result<(), Invalid> {
    let digest = digest(descriptor)?;
    let path = path(&digest);
    let (got, size) = sum(open(&path), &path)?;
    same(&format!("the digest of {path}"), &digest.to_string(), &got.to_string())?;
    same(&format!("the size of {path}"), &descriptor.size().to_string(), &size.to_string())?;
    content.blobs.insert(digest);
    Ok(())
}

/// The digest of a layer's archive.
fn unpacked(open: &Open<'_>, layer: &Descriptor) -> Result<Digest, Invalid> {
    let path = path(&digest(layer)?);
    let file = open(&path).map_err(|source| Invalid::Read { path: path.clone(), source })?;
    let archive: io::Result<Box<dyn Read>> = match layer.media_type() {
        MediaType::ImageLayerZstd => zstd::Decoder::new(file).map(|decoder| Box::new(decoder) as Box<dyn Read>),
        MediaType::ImageLayerGzip => Ok(Box::new(flate2::read::MultiGzDecoder::new(file))),
        _ => Ok(file),
    };
    Ok(sum(archive, &path)?.0)
}

fn sum(file: io::Result<Box<dyn Read>>, path: &str) -> Result<(Digest, u64), Invalid> {
    let failed = |source| Invalid::Read { path: path.to_owned(), source };
    let mut file = file.map_err(failed)?;
    let (mut hasher, mut buffer) = (Hasher::default(), vec![0; BUFFER]);
    loop {
        match file.read(&mut buffer).map_err(failed)? {
            0 => return Ok(hasher.finish()),
            count => hasher.update(&buffer[..count]),
        }
    }
}

fn document<T: DeserializeOwned>(open: &Open<'_>, path: &str, most: u64) -> Result<T, Invalid> {
    let failed = |source| Invalid::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    open(path).map_err(failed)?.take(most.min(DOCUMENT)).read_to_end(&mut bytes).map_err(failed)?;
    serde_json::from_slice(&bytes).map_err(|source| Invalid::Document { path: path.to_owned(), source })
}

fn digest(descriptor: &Descriptor) -> Result<Digest, Invalid> {
    let text = descriptor.digest().to_string();
    text.strip_prefix("sha256:").and_then(|hex| hex.parse().ok()).ok_or_else(|| Invalid::Differs {
        what: "the kind of a digest".to_owned(),
        want: "sha256:".to_owned(),
        got: text.clone(),
    })
}

fn path(digest: &Digest) -> String {
    format!("{BLOBS}/{}", digest.hex())
}

fn same(what: &str, want: &str, got: &str) -> Result<(), Invalid> {
    if want == got {
        return Ok(());
    }
    Err(Invalid::Differs { what: what.to_owned(), want: want.to_owned(), got: got.to_owned() })
}
