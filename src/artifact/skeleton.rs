//! What the dependencies of a Rust package or workspace can be built from: its manifests and
//! Cargo.lock, and an empty program in place of each target. So they are built again only when one of
//! those changes.
//!
//! Targets are where cargo looks for them: `src/lib.rs`, `src/main.rs`, `build.rs`, files of `src/bin`,
//! `examples`, `tests` and `benches` and the `main.rs` in their folders; and where a manifest says.

use std::collections::BTreeSet;

use super::Error;
use super::files::{Files, clean, text};
use crate::path::RelPath;
use crate::recipe::CARGO_LOCK;
use crate::store::{Blob, Output, Store, TreeBuilder};

/// A program, and a library, too.
const STUB: &str = "fn main() {}\n";

const MANIFEST: &str = "Cargo.toml";

/// Folders whose files, and whose folders' `main.rs`, are targets.
const FOLDERS: [&str; 4] = ["src/bin", "examples", "tests", "benches"];

/// Files that are targets.
const FILES: [&str; 3] = ["src/lib.rs", "src/main.rs", "build.rs"];

/// The skeleton of the tree `source`.
///
/// # Errors
/// For a manifest that is no TOML, and where the store fails.
pub fn assemble(store: &Store, source: &Output) -> Result<Output, Error> {
    let Output::Tree(top) = source else {
        return Err(Error::Refused("the source `src` is a file; a package or workspace is a folder".to_owned()));
    };
    let Files { files, .. } = Files::of(store, &top.digest)?;
    let mut tree = TreeBuilder::new();
    let mut targets = BTreeSet::new();
    for (path, blob) in files.iter().filter(|(path, _)| [MANIFEST, CARGO_LOCK].contains(&path.file_name())) {
        tree.file(path, *blob, false)?;
        if path.file_name() == MANIFEST {
            targets.extend(targets_of(path, &text(store, blob)?, &files)?);
        }
    }
    let stub = store.put(STUB.as_bytes())?;
    for (path, _) in files.iter().filter(|(path, _)| targets.contains(path.as_str())) {
        tree.file(path, stub, false)?;
    }
    Ok(Output::Tree(tree.finish(store)?))
}

/// Where the targets of the package at `manifest` may be; those that it names need not be there.
fn targets_of(manifest: &RelPath, text: &str, files: &[(RelPath, Blob)]) -> Result<Vec<String>, Error> {
    let folder = manifest.parent().map(|folder| format!("{folder}/")).unwrap_or_default();
    let named = named(text).map_err(|error| Error::Refused(format!("{manifest}: {error}")))?;
    let mut targets: Vec<String> = named.into_iter().map(|target| clean(&format!("{folder}{target}"))).collect();
    let in_place = |path: &&RelPath| path.as_str().strip_prefix(&folder).is_some_and(found);
    targets.extend(files.iter().map(|(path, _)| path).filter(in_place).map(RelPath::to_string));
    Ok(targets)
}

/// Whether cargo takes a file for a target by its place in a package.
fn found(path: &str) -> bool {
    let in_folder = |folder: &&str| {
        path.strip_prefix(*folder).and_then(|rest| rest.strip_prefix('/')).is_some_and(|rest| {
            match rest.split_once('/') {
                None => rest.ends_with(".rs"),
                Some((_, file)) => file == "main.rs",
            }
        })
    };
    FILES.contains(&path) || FOLDERS.iter().any(in_folder)
}

/// The targets that a manifest gives paths for.
fn named(manifest: &str) -> Result<Vec<String>, toml::de::Error> {
    let table: toml::Table = manifest.parse()?;
    let path = |target: &toml::Value| Some(target.get("path")?.as_str()?.to_owned());
    let mut paths: Vec<String> = table.get("lib").and_then(path).into_iter().collect();
    for kind in ["bin", "example", "test", "bench"] {
        paths.extend(table.get(kind).and_then(toml::Value::as_array).into_iter().flatten().filter_map(path));
    }
    let build = table.get("package").and_then(|package| package.get("build")?.as_str());
    paths.extend(build.map(str::to_owned));
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_by_their_place() {
        for (path, expect) in [
            ("src/lib.rs", true),
            ("src/main.rs", true),
            ("build.rs", true),
            ("src/bin/tool.rs", true),
            ("src/bin/tool/main.rs", true),
            ("src/bin/tool/args.rs", false),
            ("tests/all.rs", true),
            ("src/module.rs", false),
            ("src/binary.rs", false),
            ("benches/data.txt", false),
        ] {
            assert_eq!(found(path), expect, "{path}");
        }
    }

    #[test]
    fn targets_by_name() {
        let manifest =
            "[package]\nname = 'a'\nbuild = 'make.rs'\n[lib]\npath = 'lib.rs'\n[[bin]]\nname = 'b'\npath = 'b/m.rs'";
        assert_eq!(named(manifest).expect("toml"), ["lib.rs", "b/m.rs", "make.rs"]);
        assert!(named("[").is_err());
    }
}
