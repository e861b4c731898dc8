//! System extensions: an image with a manifest and a tree, which Talos' imager makes a part of the initramfs.
//!
//! An extension is judged as its image's archive has it, entry by entry. The rules up to `service` are those of Talos'
//! validator; the others are of what its imager trips over, or takes and makes something else of. `tests` has a table of
//! what is refused and what is not.
//!
//! | rule | what it says | where Talos has it |
//! |---|---|---|
//! | `top-level` | nothing beside `manifest.yaml` and `rootfs` | machinery/extensions/load.go@v1.10.3:38 |
//! | `manifest` | it is there, is YAML, and of the version `v1alpha1` | load.go:45, 64, 68; metadata.go |
//! | `rootfs` | it is there, and a folder | load.go:49 |
//! | `name` | it is that of the unit | extensions-validator@84cecb0, validate.go:78 |
//! | `version` | it has one of five forms | validate.go:36-56 |
//! | `compatibility` | a range of versions that has the one it is for | machinery/extensions/validate.go@v1.10.3:92-126 |
//! | `allowed-paths` | files stand below paths of a list | validate.go:153-170, extensions.go:11 |
//! | `world-writable` | no file or folder that anybody may write | validate.go:143; extensions@26822f5, README.md |
//! | `special-files` | no device, pipe or socket | validate.go:148 |
//! | `service` | each file of a service is good | extensions-validator, validate.go:94-118; services.go@v1.10.3:89-186 |
//! | `hard-links` | none: the imager makes empty files of them | archiver/untar.go@v1.10.3:66 |
//! | `parents` | a folder comes before what is in it; 1.14 makes what is missing | untar.go@v1.10.3:53, untar.go@v1.14.0-rc.1:59 |
//! | `duplicates` | no file comes twice | untar.go@v1.10.3:69 |
//! | `below-links` | nothing stands below a file, or a link: the imager would write through it | untar.go@v1.10.3:69 |
//! | `whiteouts` | nothing that removes what another layer has | go-containerregistry, `mutate.Extract` |
//!
//! The official validator looks for the bit of `world-writable` where Go's `fs::DirEntry` has no such bits, so it never
//! finds one; here the rule holds as it is published.

mod archive;
mod contents;
mod layout;
mod list;
mod manifest;
mod place;
mod range;
mod refusal;
mod service;
mod spec;
#[cfg(test)]
mod tests;
mod version;
mod yaml;

pub use archive::{Archive, Entry, Kind};
pub use list::layers;
pub use manifest::{Manifest, Metadata};
pub use place::{advice, may_hold};
pub use range::accepts;
pub use refusal::{Refusal, Rule};
pub use service::{At, Mistake, specs};
pub use spec::{Container, Dependency, Mount, ROOTS, Security, Spec, spec_path};
pub use version::{FORMS, has_form};

use super::Release;

/// The description of an extension.
pub const MANIFEST: &str = "manifest.yaml";
/// The folder of what it brings.
pub const ROOTFS: &str = "rootfs";

/// What is wrong with the extension of that name in an archive, for a version of Talos.
#[must_use]
pub fn judge(archive: &Archive, name: &str, release: Release) -> Vec<Refusal> {
    let mut refusals = archive::traps(&archive.entries, release);
    refusals.extend(layout::wrong(&archive.entries));
    refusals.extend(manifest::wrong(archive, name, release));
    refusals.extend(contents::wrong(&archive.entries, release));
    refusals.extend(service::wrong(archive));
    refusals
}
