//! `kind = "extension"`: a system extension of Talos.

mod draft;
mod service;

use std::collections::BTreeMap;

use super::{Origin, Reference};
use crate::path::{Name, RelPath};
use crate::talos::Release;
use crate::talos::extension::{Manifest, Spec};

/// A system extension: files in a tree, with a manifest, as an image of one layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Outputs of other units that files are taken from.
    pub deps: BTreeMap<Name, Reference>,
    /// Where each file or folder comes from, by its place in Talos; the file systems of services are among them.
    pub files: BTreeMap<RelPath, Origin>,
    /// What it says of itself.
    pub manifest: Manifest,
    /// What Talos runs of it.
    pub services: Vec<Spec>,
    /// The version of Talos by whose rules it is judged.
    pub release: Release,
    /// The architecture, as Go calls it: `amd64`.
    pub architecture: String,
}

impl Extension {
    /// The word for it in recipes and in `forge list`.
    pub const KIND: &str = "extension";
    /// The output with the tree, beside the main one, which is an OCI layout.
    pub const ROOTFS: &str = "rootfs";
}
