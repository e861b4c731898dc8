//! Packages of a git repository as cargo's directory sources want them: one folder a package, with a
//! manifest that stands alone and a `.cargo-checksum.json` that names no checksum, for Cargo.lock has none.
//!
//! A package's folder is taken whole. A symlink that leads out of it, as to a licence at the top of the repository, is
//! replaced by what it leads to.
//!
//! Source: what `cargo vendor` writes.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::Error;
use super::files::{Files, clean, path, text};
use super::inherit::{READMES, Workspace};
use super::links::Links;
use super::manifest::{alone, identity};
use super::vendor::CHECKSUM;
use crate::path::RelPath;
use crate::store::{Blob, Node, Output, Store, TreeBuilder};

const MANIFEST: &str = "Cargo.toml";

/// What stands in the file [`CHECKSUM`].
const NO_CHECKSUM: &str = r#"{"files":{},"package":null}"#;

/// Takes `packages`, each `name version`, out of the tree `repository`, each into a folder `name-version`.
///
/// # Errors
/// For a package that is not there, or inherits what its workspace does not have.
pub fn assemble(store: &Store, repository: &Output, packages: &[String]) -> Result<Output, Error> {
    let Output::Tree(top) = repository else {
        return Err(Error::Refused("a git repository is a folder, and a file was given".to_owned()));
    };
    let repository = Repository::read(store, *top)?;
    let mut all = TreeBuilder::new();
    for package in packages {
        let named = |error: Error| match error {
            Error::Refused(why) => Error::Refused(format!("{package}: {why}")),
            error => error,
        };
        let tree = repository.find(package).and_then(|folder| repository.package(folder)).map_err(named)?;
        all.graft(store, Some(&path(&package.replace(' ', "-"))?), &tree.digest)?;
    }
    Ok(Output::Tree(all.finish(store)?))
}

struct Repository<'a> {
    store: &'a Store,
    files: Vec<(RelPath, Blob)>,
    links: Links<'a>,
    /// By folder; `` is the top.
    manifests: BTreeMap<String, Table>,
    /// The folders of each package, by `name version`.
    packages: BTreeMap<String, Vec<String>>,
}

impl<'a> Repository<'a> {
    fn read(store: &'a Store, top: Blob) -> Result<Self, Error> {
        let Files { files, links } = Files::of(store, &top.digest)?;
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
        let links = Links::new(store, top, links)?;
        let mut read = Self { store, files, links, manifests, packages: BTreeMap::new() };
        read.packages = read.packages();
        Ok(read)
    }

    fn packages(&self) -> BTreeMap<String, Vec<String>> {
        let mut packages: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (folder, manifest) in self.manifests.iter().filter(|(folder, _)| self.is_seen(folder)) {
            if let Some((name, version)) = identity(manifest, self.workspace(folder).as_ref()) {
                packages.entry(format!("{name} {version}")).or_default().push(folder.clone());
            }
        }
        packages
    }

    /// The folder of the package `name version`.
    fn find(&self, package: &str) -> Result<&str, Error> {
        match self.packages.get(package).map(Vec::as_slice) {
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
    fn workspace(&self, folder: &str) -> Option<Workspace<'_>> {
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
            self.files.iter().any(|(path, _)| path.as_str() == wanted)
        };
        Some(Workspace { folder, table, readme: READMES.into_iter().find(has) })
    }

    /// The tree of the package in `folder`.
    fn package(&self, folder: &str) -> Result<Blob, Error> {
        let mut tree = TreeBuilder::new();
        let node = self.links.node(folder)?;
        let Some(Node::Directory(blob)) = node else { unreachable!("BUG: a manifest in no folder") };
        tree.graft(self.store, None, &blob.digest)?;
        self.links.follow(&mut tree, folder)?;
        let manifest = alone(self.manifests[folder].clone(), folder, self.workspace(folder).as_ref());
        let manifest = manifest.and_then(|manifest| toml::to_string(&manifest).map_err(|error| error.to_string()));
        for (name, text) in [(MANIFEST, &*manifest.map_err(Error::Refused)?), (CHECKSUM, NO_CHECKSUM)] {
            let name = path(name)?;
            tree.remove(&name)?;
            tree.file(&name, self.store.put(text.as_bytes())?, false)?;
        }
        Ok(tree.finish(self.store)?)
    }
}

fn folder_of(path: &RelPath) -> String {
    path.parent().map(|folder| folder.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "[workspace]\nmembers = ['crates/*']\n[workspace.package]\nversion = '1.0.0'\n\
                        [workspace.dependencies]\nb = { path = 'crates/b' }\n";
    const A: &str = "[package]\nname = 'a'\nversion.workspace = true\n[dependencies]\nb.workspace = true\n";

    struct Home {
        store: Store,
        _folder: tempfile::TempDir,
    }

    impl Home {
        fn new() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            Self { store: Store::open(&folder.path().join("store")).expect("a store"), _folder: folder }
        }

        /// A repository with these files; what starts with `->` is a symlink.
        fn repository(&self, files: &[(&str, &str)]) -> Output {
            let mut tree = TreeBuilder::new();
            for (at, text) in files {
                let at = path(at).expect("clean");
                match text.strip_prefix("->") {
                    Some(target) => tree.symlink(&at, target).expect("a link"),
                    None => tree.file(&at, self.store.put(text.as_bytes()).expect("put"), false).expect("a file"),
                }
            }
            Output::Tree(tree.finish(&self.store).expect("a tree"))
        }

        fn assemble(&self, files: &[(&str, &str)], packages: &[&str]) -> Result<Vec<(String, String)>, String> {
            let packages: Vec<String> = packages.iter().map(|package| (*package).to_owned()).collect();
            let output =
                assemble(&self.store, &self.repository(files), &packages).map_err(|error| error.to_string())?;
            let found = Files::of(&self.store, &output.digest()).expect("listed");
            let read = |(path, blob): &(RelPath, Blob)| (path.to_string(), text(&self.store, blob).expect("a text"));
            let links = found.links.into_iter().map(|(path, target)| (path.to_string(), format!("->{target}")));
            Ok(found.files.iter().map(read).chain(links).collect())
        }
    }

    #[test]
    fn packages_stand_alone() {
        let files = [
            ("Cargo.toml", ROOT),
            ("LICENSE", "free"),
            ("shared/x.rs", "x"),
            ("crates/a/Cargo.toml", A),
            ("crates/a/LICENSE", "->../../LICENSE"),
            ("crates/a/src/lib.rs", "lib"),
            ("crates/a/src/same.rs", "->lib.rs"),
            ("crates/a/src/shared", "->../../../shared"),
            ("crates/a/gone", "->../../none"),
            ("crates/b/Cargo.toml", "[package]\nname = 'b'\nversion = '2.0.0'\n"),
        ];
        let found = Home::new().assemble(&files, &["a 1.0.0"]).expect("assembled");
        let manifest = "[dependencies.b]\npath = \"../b\"\n\n[package]\nname = \"a\"\nversion = \"1.0.0\"\n";
        let expected = [
            ("a-1.0.0/.cargo-checksum.json", NO_CHECKSUM),
            ("a-1.0.0/Cargo.toml", manifest),
            ("a-1.0.0/LICENSE", "free"),
            ("a-1.0.0/src/lib.rs", "lib"),
            ("a-1.0.0/src/shared/x.rs", "x"),
            ("a-1.0.0/gone", "->../../none"),
            ("a-1.0.0/src/same.rs", "->lib.rs"),
        ];
        assert_eq!(found, expected.map(|(path, text)| (path.to_owned(), text.to_owned())));
    }

    #[test]
    fn the_package_at_the_top() {
        let files = [("Cargo.toml", "[workspace]\n[package]\nname = 'a'\nversion = '1.0.0'\n"), ("x/y", "y")];
        let found = Home::new().assemble(&files, &["a 1.0.0"]).expect("assembled");
        let names: Vec<_> = found.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(names, ["a-1.0.0/.cargo-checksum.json", "a-1.0.0/Cargo.toml", "a-1.0.0/x/y"]);
        assert_eq!(found[1].1, "[package]\nname = \"a\"\nversion = \"1.0.0\"\n");
    }

    #[test]
    fn what_is_refused() {
        let package = "[package]\nname = 'a'\nversion = '1.0.0'\n";
        let circle = [("a/Cargo.toml", package), ("a/b", "->../b"), ("b/a", "->../a")];
        for (files, words) in [
            (&[("Cargo.toml", "[package]\nname = 'b'\n")][..], "a 1.0.0: the repository has no such package"),
            (&[("x/Cargo.toml", package), ("y/Cargo.toml", package)], "has it twice, x/Cargo.toml and y/Cargo.toml"),
            (&[(".x/Cargo.toml", package)], "has no such package"),
            (&[("Cargo.toml", "[workspace]"), ("target/Cargo.toml", package)], "has no such package"),
            (&[("Cargo.toml", &format!("{package}lints.workspace = true\n"))], "and is in none"),
            (&circle, "lead in a circle"),
        ] {
            let error = Home::new().assemble(files, &["a 1.0.0"]).expect_err(words);
            assert!(error.contains(words), "{error}");
        }
    }
}
