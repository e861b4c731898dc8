//! The packages of a git repository: in which folders, and of which workspaces, as cargo finds them.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::Error;
use super::files::{clean, text};
use super::inherit::{READMES, Workspace};
use super::manifest::identity;
use crate::path::RelPath;
use crate::store::{Blob, Store};

/// What stands in the folder of a package.
pub(super) const MANIFEST: &str = "Cargo.toml";

/// The packages of a repository.
pub(super) struct Packages {
    files: Vec<RelPath>,
    /// By folder; `` is the top.
    manifests: BTreeMap<String, Table>,
    /// The folders of each package, by `name version`.
    folders: BTreeMap<String, Vec<String>>,
}

impl Packages {
    /// Those of a repository with these files.
    pub(super) fn read(store: &Store, files: Vec<(RelPath, Blob)>) -> Result<Self, Error> {
        let mut manifests = BTreeMap::new();
        for (path, blob) in files.iter().filter(|(path, _)| path.file_name() == MANIFEST) {
            let table = match text(store, blob) {
                Ok(text) => text.parse().ok(),
                Err(Error::Refused(_)) => None,
                Err(error) => return Err(error),
            };
            // What is no manifest may be there for a test; cargo leaves it out, too.
            manifests.extend(table.map(|table| (folder_of(path), table)));
        }
        let files = files.into_iter().map(|(path, _)| path).collect();
        let mut read = Self { files, manifests, folders: BTreeMap::new() };
        read.folders = read.folders();
        Ok(read)
    }

    /// The folders of each package.
    fn folders(&self) -> BTreeMap<String, Vec<String>> {
        let mut folders: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (folder, manifest) in self.manifests.iter().filter(|(folder, _)| self.is_seen(folder)) {
            if let Some((name, version)) = identity(manifest, self.workspace(folder).as_ref()) {
                folders.entry(format!("{name} {version}")).or_default().push(folder.clone());
            }
        }
        folders
    }

    /// The folder of the package `name version`.
    pub(super) fn find(&self, package: &str) -> Result<&str, Error> {
        match self.folders.get(package).map(Vec::as_slice) {
            Some([folder]) => Ok(folder),
            None | Some([]) => Err(Error::Refused("the repository has no such package at this commit".to_owned())),
            Some(folders) => {
                let places: Vec<_> = folders.iter().map(|folder| clean(&format!("{folder}/{MANIFEST}"))).collect();
                let places = places.join(" and ");
                Err(Error::Refused(format!("the repository has it twice, {places}: forge can't tell which is meant")))
            }
        }
    }

    /// Whether cargo looks for packages in that folder.
    fn is_seen(&self, folder: &str) -> bool {
        let mut above = String::new();
        for part in folder.split('/') {
            if part.starts_with('.') || part == "target" && self.manifests.contains_key(&above) {
                return false;
            }
            above = if above.is_empty() { part.to_owned() } else { format!("{above}/{part}") };
        }
        true
    }

    /// The workspace of the package in `folder`: its own, the one that it names, or the nearest above it.
    pub(super) fn workspace(&self, folder: &str) -> Option<Workspace<'_>> {
        let named = self.manifests.get(folder).and_then(|manifest| manifest.get("package")?.get("workspace")?.as_str());
        if let Some(named) = named {
            return self.root(&clean(&format!("{folder}/{named}")));
        }
        let mut at = folder;
        loop {
            if let Some(found) = self.root(at) {
                return Some(found);
            }
            if at.is_empty() {
                return None;
            }
            at = at.rsplit_once('/').map_or("", |(above, _)| above);
        }
    }

    /// The workspace whose root is in `folder`.
    fn root(&self, folder: &str) -> Option<Workspace<'_>> {
        let (folder, manifest) = self.manifests.get_key_value(folder)?;
        let table = manifest.get("workspace").and_then(Value::as_table)?;
        let has = |name: &&str| {
            let wanted = clean(&format!("{folder}/{name}"));
            self.files.iter().any(|path| path.as_str() == wanted)
        };
        Some(Workspace { folder, table, readme: READMES.into_iter().find(has) })
    }

    /// The manifest of the package in `folder`.
    pub(super) fn manifest(&self, folder: &str) -> &Table {
        &self.manifests[folder]
    }
}

fn folder_of(path: &RelPath) -> String {
    path.parent().map(|folder| folder.to_string()).unwrap_or_default()
}
