//! `extensions.yaml`, in the second segment of an initramfs: the layers that Talos' init lays over its own file system, the
//! lowest first.
//!
//! ```yaml
//! layers:
//!   - image: 0.sqsh
//!     metadata:
//!       name: modules
//! ```
//!
//! Source: machinery/extensions/metadata.go@v1.10.3, internal/pkg/extensions/compress.go@v1.10.3.

use serde::Serialize;

use super::manifest::Metadata;
use super::yaml;

#[derive(Serialize)]
struct List<'a> {
    layers: Vec<Layer<'a>>,
}

#[derive(Serialize)]
struct Layer<'a> {
    image: String,
    metadata: &'a Metadata,
}

/// The list of layers that are called `0.sqsh`, `1.sqsh` and so on.
#[must_use]
pub fn layers(layers: &[Metadata]) -> String {
    let layer = |(number, metadata)| Layer { image: format!("{number}.sqsh"), metadata };
    yaml::write(&List { layers: layers.iter().enumerate().map(layer).collect() })
}
