//! `extension`: one layer, and a look at what came out.
//!
//! ```text
//! manifest, services ─┐
//! unit ───────────────┼→ layer ─→ extension ─→ out: the OCI layout
//! source ─────────────┘                     └→ rootfs: its tree
//! ```
//!
//! All is in one layer, so that its archive is what the imager sees. It is gzip, which every program reads.

use std::collections::BTreeMap;

use super::{Error, Input, Planner, Unit};
use crate::derivation::{self, Assemble, Layer};
use crate::lockfile::Locked;
use crate::path::RelPath;
use crate::recipe::{Compression, Extension, Origin, Recipe};
use crate::talos::extension::{MANIFEST, ROOTFS, spec_path};

impl Planner<'_> {
    pub(super) fn extension(&mut self, recipe: &Recipe<Locked>, extension: &Extension) -> Result<Unit, Error> {
        let mut files = Vec::new();
        for (place, Origin { source, name, path }) in &extension.files {
            let from = match source {
                true => self.source(recipe, name, &recipe.sources[name])?,
                false => self.reference(&extension.deps[name])?,
            };
            files.push((below(place), from, path.clone()));
        }
        let layer = Assemble::Layer(Box::new(layer(files, texts(extension))));
        let layer = self.assemble(&recipe.name, format!("{}: layer", recipe.name), layer);
        let whole = derivation::Extension {
            name: recipe.name.to_string(),
            layer,
            talos: extension.release.to_string(),
            architecture: extension.architecture.clone(),
        };
        Ok(self.assembled(recipe, Assemble::Extension(whole)))
    }
}

/// What forge writes itself.
fn texts(extension: &Extension) -> BTreeMap<RelPath, String> {
    let spec = |name: &str| RelPath::new(spec_path(name)).expect("BUG: names of services are clean");
    let services = extension.services.iter().map(|service| (below(&spec(&service.name)), service.text()));
    services.chain([(RelPath::constant(MANIFEST), extension.manifest.text())]).collect()
}

/// A place of Talos in the archive.
fn below(place: &RelPath) -> RelPath {
    RelPath::constant(ROOTFS).join(place)
}

fn layer(files: Vec<(RelPath, Input, Option<RelPath>)>, texts: BTreeMap<RelPath, String>) -> Layer<Input> {
    Layer { files, texts, directories: vec![RelPath::constant(ROOTFS)], ..Layer::empty(Compression::Gzip) }
}
