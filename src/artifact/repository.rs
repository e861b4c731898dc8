//! Packages of a git repository as cargo's directory sources want them: one folder a package, with a
//! manifest that stands alone and a `.cargo-checksum.json` that names no checksum, for Cargo.lock has none.
//!
//! A package's folder is taken whole. A symlink that leads out of it, as to a licence at the top of the repository, is
//! replaced by what it leads to.
//!
//! Source: what `cargo vendor` writes.

use super::Error;
use super::files::{Files, path};
use super::links::Links;
use super::manifest::alone;
use super::packages::{MANIFEST, Packages};
use super::vendor::CHECKSUM;
use crate::store::{Blob, Node, Output, Store, TreeBuilder};

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
        let tree = repository.packages.find(package).and_then(|folder| repository.package(folder)).map_err(named)?;
        all.graft(store, Some(&path(&package.replace(' ', "-"))?), &tree.digest)?;
    }
    Ok(Output::Tree(all.finish(store)?))
}

struct Repository<'a> {
    store: &'a Store,
    links: Links<'a>,
    packages: Packages,
}

impl<'a> Repository<'a> {
    fn read(store: &'a Store, top: Blob) -> Result<Self, Error> {
        let Files { files, links } = Files::of(store, &top.digest)?;
        let packages = Packages::read(store, files)?;
        Ok(Self { store, links: Links::new(store, top, links)?, packages })
    }

    /// The tree of the package in `folder`.
    fn package(&self, folder: &str) -> Result<Blob, Error> {
        let mut tree = TreeBuilder::new();
        let node = self.links.node(folder)?;
        let Some(Node::Directory(blob)) = node else { unreachable!("BUG: a manifest in no folder") };
        tree.graft(self.store, None, &blob.digest)?;
        self.links.follow(&mut tree, folder)?;
        let (manifest, workspace) = (self.packages.manifest(folder), self.packages.workspace(folder));
        let manifest = alone(manifest.clone(), folder, workspace.as_ref());
        let manifest = manifest.and_then(|manifest| toml::to_string(&manifest).map_err(|error| error.to_string()));
        for (name, text) in [(MANIFEST, &*manifest.map_err(Error::Refused)?), (CHECKSUM, NO_CHECKSUM)] {
            let name = path(name)?;
            tree.remove(&name)?;
            tree.file(&name, self.store.put(text.as_bytes())?, false)?;
        }
        Ok(tree.finish(self.store)?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::files::text;
    use super::*;
    use crate::path::RelPath;

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
