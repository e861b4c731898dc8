//! SKELETON of the lockfile model.
#![allow(missing_docs, clippy::todo, unused_variables, clippy::missing_errors_doc, dead_code)]
use crate::digest::Digest;
use crate::path::{Name, RelPath};
use crate::recipe::{Project, Unpack};

/// A pinned file: where archives keep it, and what it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin { pub place: Place, pub size: u64, pub digest: Digest }
/// Where a pinned file is to be had; hosts are configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `path` below any base of the archive `archive`; `date` (`20260912T075541Z`) finds it in the permanent snapshot.
    Archive { archive: Name, path: RelPath, date: String },
    Url(String),
}
/// A .deb of a locked set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deb { pub package: String, pub version: String, pub architecture: String, pub pin: Pin }

/// A source, pinned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Locked {
    Debs(Vec<Deb>),
    DebMember { deb: Deb, member: Option<RelPath>, unpack: Option<Unpack> },
    Url { pin: Pin, unpack: Option<Unpack> },
    Git { url: String, commit: String, tree: Digest },
    Path { directory: RelPath, include: Vec<String>, exclude: Vec<String> },
}
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lockfile {}
impl Lockfile {
    /// Pins every source; fails listing each that is missing or stale, or left over.
    pub fn apply(&self, project: Project) -> Result<Project<Locked>, Stale> { todo!() }
}
#[derive(Debug)]
pub struct Stale {}
