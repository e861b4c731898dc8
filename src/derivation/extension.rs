//! The last step of a system extension: its one layer, judged and laid out.

use super::Value;
use super::walk::Visit;

/// A system extension of Talos.
#[derive(Clone, Debug, PartialEq)]
pub struct Extension<I> {
    /// What it is called.
    pub name: String,
    /// Its layer: the manifest, and the tree.
    pub layer: I,
    /// The version of Talos by whose rules it is judged.
    pub talos: String,
    /// The architecture, as Go calls it.
    pub architecture: String,
}

impl<I> Extension<I> {
    pub(super) fn resolve<O, E>(&self, output: &mut impl FnMut(&I) -> Result<O, E>) -> Result<Extension<O>, E> {
        Ok(Extension {
            name: self.name.clone(),
            layer: output(&self.layer)?,
            talos: self.talos.clone(),
            architecture: self.architecture.clone(),
        })
    }

    pub(super) fn walk(&self, visit: Visit<'_, I>) {
        let Self { name, layer, talos, architecture } = self;
        visit("name", Value::Text(name));
        visit("layer", Value::Input(layer));
        visit("talos", Value::Text(talos));
        visit("architecture", Value::Text(architecture));
    }
}
