//! An image as an OCI layout on disk: `oci-layout`, `index.json`, and `blobs/sha256/<hex>`.
//!
//! `index.json` names the manifest itself, with its platform and with the unit's name as its reference. Nothing in a
//! layout varies: the time is that of all builds, a layer's history is its name, and keys stand in the order of their
//! bytes, as the maps of the library have none.
//!
//! Source: image-spec 1.1, image-layout.md, config.md, manifest.md.

use std::collections::{BTreeMap, HashMap};

use oci_spec::OciSpecError;
use oci_spec::image::{
    Arch, ConfigBuilder, Descriptor, DescriptorBuilder, HistoryBuilder, ImageConfigurationBuilder, ImageIndex,
    ImageIndexBuilder, ImageManifestBuilder, MediaType, OciLayoutBuilder, Os, PlatformBuilder, RootFsBuilder,
    SCHEMA_VERSION,
};
use serde::Serialize;

use super::super::{Error, files};
use super::layer::Made;
use crate::debian::date::Date;
use crate::derivation::Image;
use crate::path::RelPath;
use crate::recipe::{self, Compression};
use crate::store::{Blob, MTIME, Output, Store, TreeBuilder};

/// The annotation by which tools find an image in a layout.
pub(super) const REFERENCE: &str = "org.opencontainers.image.ref.name";
/// The type of `index.json`.
pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// The folder of blobs.
pub(super) const BLOBS: &str = "blobs/sha256";

/// Writes the layout of an image with these layers.
///
/// # Errors
/// Where the store fails, and for what the specification forbids.
pub(super) fn write(store: &Store, image: &Image<Output>, layers: &[Made]) -> Result<Blob, Error> {
    let config = json(store, &config(&image.config, layers)?)?;
    let manifest = json(store, &manifest(image, config, layers)?)?;
    let blobs = layers.iter().map(|layer| layer.blob).chain([config, manifest]);
    lay(store, blobs, &index(image, manifest)?)
}

/// A layout of blobs, and of the index that names what is in them.
///
/// # Errors
/// Where the store fails.
pub(super) fn lay(store: &Store, blobs: impl Iterator<Item = Blob>, index: &impl Serialize) -> Result<Blob, Error> {
    let mut tree = TreeBuilder::new();
    for blob in blobs {
        tree.file(&files::path(&format!("{BLOBS}/{}", blob.digest.hex()))?, blob, false)?;
    }
    let version = OciLayoutBuilder::default().image_layout_version("1.0.0").build()?;
    tree.file(&RelPath::constant("index.json"), json(store, index)?, false)?;
    tree.file(&RelPath::constant("oci-layout"), json(store, &version)?, false)?;
    Ok(tree.finish(store)?)
}

/// The digest of the manifest that an `index.json` names first; nothing if it names none.
#[must_use]
pub fn manifest_digest(index: &[u8]) -> Option<String> {
    let index: ImageIndex = serde_json::from_slice(index).ok()?;
    index.manifests().first().map(|manifest| manifest.digest().to_string())
}

fn config(config: &recipe::Config, layers: &[Made]) -> Result<impl Serialize, Error> {
    let mut run = ConfigBuilder::default().user(format!("{}:{}", config.user.0, config.user.1));
    if !config.entrypoint.is_empty() {
        run = run.entrypoint(config.entrypoint.clone());
    }
    if !config.command.is_empty() {
        run = run.cmd(config.command.clone());
    }
    if !config.env.is_empty() {
        run = run.env(config.env.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>());
    }
    if !config.labels.is_empty() {
        run = run.labels(unordered(&config.labels));
    }
    if !config.ports.is_empty() {
        run = run.exposed_ports(config.ports.clone());
    }
    if let Some(workdir) = &config.workdir {
        run = run.working_dir(workdir.clone());
    }
    if let Some(signal) = &config.stop_signal {
        run = run.stop_signal(signal.clone());
    }
    let diff_ids: Vec<String> = layers.iter().map(|layer| layer.diff_id.to_string()).collect();
    let history = layers
        .iter()
        .map(|layer| HistoryBuilder::default().created(created()).created_by(format!("forge {}", layer.name)).build());
    Ok(ImageConfigurationBuilder::default()
        .created(created())
        .architecture(Arch::from(config.architecture.as_str()))
        .os(Os::Linux)
        .config(run.build()?)
        .rootfs(RootFsBuilder::default().typ("layers").diff_ids(diff_ids).build()?)
        .history(history.collect::<Result<Vec<_>, _>>()?)
        .build()?)
}

fn manifest(image: &Image<Output>, config: Blob, layers: &[Made]) -> Result<impl Serialize, Error> {
    let kind = match image.compression {
        Compression::Zstd => MediaType::ImageLayerZstd,
        Compression::Gzip => MediaType::ImageLayerGzip,
    };
    let layers = layers.iter().map(|layer| descriptor(kind.clone(), layer.blob));
    let mut manifest = ImageManifestBuilder::default()
        .schema_version(SCHEMA_VERSION)
        .media_type(MediaType::ImageManifest)
        .config(descriptor(MediaType::ImageConfig, config)?)
        .layers(layers.collect::<Result<Vec<_>, Error>>()?);
    if !image.config.annotations.is_empty() {
        manifest = manifest.annotations(unordered(&image.config.annotations));
    }
    Ok(manifest.build()?)
}

fn index(image: &Image<Output>, manifest: Blob) -> Result<impl Serialize, Error> {
    let architecture = Arch::from(image.config.architecture.as_str());
    let platform = PlatformBuilder::default().architecture(architecture).os(Os::Linux).build()?;
    let mut descriptor = descriptor(MediaType::ImageManifest, manifest)?;
    descriptor.set_platform(Some(platform));
    descriptor.set_annotations(Some(HashMap::from([(REFERENCE.to_owned(), image.name.clone())])));
    let index = ImageIndexBuilder::default().schema_version(SCHEMA_VERSION).media_type(MediaType::ImageIndex);
    Ok(index.manifests(vec![descriptor]).build()?)
}

fn descriptor(kind: MediaType, blob: Blob) -> Result<Descriptor, Error> {
    let digest: oci_spec::image::Digest = blob.digest.to_string().parse()?;
    Ok(DescriptorBuilder::default().media_type(kind).digest(digest).size(blob.size).build()?)
}

/// The time of everything that is built.
pub(super) fn created() -> String {
    Date::from_unix(MTIME.unsigned_abs()).rfc3339()
}

fn unordered(table: &BTreeMap<String, String>) -> HashMap<String, String> {
    table.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// A document with its keys in order, in the store.
pub(super) fn json(store: &Store, document: &impl Serialize) -> Result<Blob, Error> {
    let refused = |error: serde_json::Error| Error::Refused(error.to_string());
    let ordered = serde_json::to_value(document).map_err(refused)?;
    Ok(store.put(&serde_json::to_vec(&ordered).map_err(refused)?)?)
}

impl From<OciSpecError> for Error {
    fn from(error: OciSpecError) -> Self {
        Self::Refused(error.to_string())
    }
}
