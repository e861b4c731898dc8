//! What a container image is made of, and how it is run.

use std::collections::BTreeMap;
use std::fmt;

use super::Reference;
use crate::path::{Name, RelPath};

/// A container image: put together from packages and files, with no command run. Its packages, if it has some,
/// stand in [`DEBS`](super::DEBS).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Symlinks that maintainer scripts would have made: name in /usr/bin (or absolute path) → target.
    pub links: BTreeMap<String, String>,
    /// Directories of packages that are left out.
    pub trim: Vec<RelPath>,
    /// Alternatives that `links` need not answer, by name.
    pub ignore_alternatives: Vec<String>,
    /// Outputs of other units that files are taken from.
    pub deps: BTreeMap<Name, Reference>,
    /// Where each file or folder comes from, by its place in the image.
    pub files: BTreeMap<RelPath, Origin>,
    /// Users beside root and nobody, with the number of each and of its group.
    pub users: BTreeMap<String, u32>,
    /// Directories that nothing else brings.
    pub directories: BTreeMap<RelPath, Attributes>,
    /// What is not as usual: owners, modes, capabilities.
    pub attributes: BTreeMap<RelPath, Attributes>,
    /// The most layers that it may have.
    pub budget: usize,
    /// How layers are compressed.
    pub compression: Compression,
    /// How it is run.
    pub config: Config,
    /// What a good image has not, and why this one has it.
    pub waivers: Waivers,
}

impl Image {
    /// The word for it in recipes and in `forge list`.
    pub const KIND: &str = "image";
    /// The output with the image's file system, beside the main one, which is an OCI layout.
    pub const ROOT: &str = "root";
}

/// Where a file of an image comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Whether it is a source; else a dep.
    pub source: bool,
    /// The name of the source or dep.
    pub name: Name,
    /// The place in it; the whole of it if there is none.
    pub path: Option<RelPath>,
}

/// What a file of an image has that a tree does not keep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// The number of its user.
    pub uid: u32,
    /// The number of its group.
    pub gid: u32,
    /// Its mode, where that is not 0644 or 0755.
    pub mode: Option<u32>,
    /// Its capabilities, permitted and effective: `cap_net_raw`.
    pub capabilities: Vec<String>,
}

impl fmt::Display for Attributes {
    /// `1000:1000 0750 cap_net_raw`, as keys and explanations have it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.uid, self.gid)?;
        if let Some(mode) = self.mode {
            write!(f, " {mode:04o}")?;
        }
        self.capabilities.iter().try_for_each(|capability| write!(f, " {capability}"))
    }
}

/// How layers are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// zstd: what containerd, Docker, podman and skopeo read.
    Zstd,
    /// gzip, which everything reads.
    Gzip,
}

/// How an image is run, and what it says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// The architecture, as Go calls it: `amd64`.
    pub architecture: String,
    /// The numbers of user and group.
    pub user: (u32, u32),
    /// The program and its first arguments.
    pub entrypoint: Vec<String>,
    /// Arguments that who runs it may replace.
    pub command: Vec<String>,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// The folder it starts in.
    pub workdir: Option<String>,
    /// Labels, in the configuration.
    pub labels: BTreeMap<String, String>,
    /// Annotations, on the manifest.
    pub annotations: BTreeMap<String, String>,
    /// The ports it listens on: `8899/tcp`.
    pub ports: Vec<String>,
    /// The signal that ends it: `SIGINT`.
    pub stop_signal: Option<String>,
}

/// Reasons for what a good image has not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waivers {
    /// Why it runs as root.
    pub root: Option<String>,
    /// Why there is a shell in it.
    pub shell: Option<String>,
}
