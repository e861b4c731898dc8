//! The features that crates have in a unit as it is built: what cargo's own resolver says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{Cargo, Error};
use crate::lockfile::{GitCrate, Linked};
use crate::recipe::Crossing;
use crate::store::Store;

/// What is linked into the unit; build scripts and macros run beside it, with features of their own.
const EDGES: &str = "normal,no-proc-macro";

/// Package and features, apart by what is in neither.
const FORMAT: &str = "{p}\t{f}";

/// What stands behind a package that was told before.
const TOLD: &str = " (*)";

impl Cargo {
    /// Those crates of `crossing` that the unit is linked with, and their features; its Cargo.lock must fit its
    /// manifests, and what it names be in cargo's cache, or be of `git` and lie where this cargo looks for it.
    pub(super) fn linked(
        &self,
        store: &Store,
        folder: &Path,
        crossing: &Crossing,
        git: &[GitCrate],
    ) -> Result<Vec<Linked>, Error> {
        let Crossing { crates, package, features, default_features, rustflags, target } = crossing;
        let manifest = folder.join("Cargo.toml").display().to_string();
        let mut arguments = vec!["tree", "--locked", "--offline", "--color=never", "--prefix", "none"];
        arguments.extend(["--format", FORMAT, "--edges", EDGES, "--target", target, "--manifest-path", &manifest]);
        arguments.extend(package.iter().flat_map(|package| ["--package", package]));
        arguments.extend((!default_features).then_some("--no-default-features"));
        arguments.extend(features.iter().flat_map(|feature| ["--features", feature]));
        Ok(read(&self.with_rustflags(rustflags).answer(store, &arguments)?, crates, git))
    }
}

/// What a tree in [`FORMAT`] has of `crates`, of which those of repositories are in `git`.
fn read(tree: &str, crates: &BTreeSet<String>, git: &[GitCrate]) -> Vec<Linked> {
    let mut found = BTreeMap::<(&str, &str, Option<&str>), BTreeSet<String>>::new();
    for (package, features) in tree.lines().filter_map(|line| line.split_once('\t')) {
        let mut words = package.split(' ');
        let (name, version) = (words.next(), words.next().and_then(|word| word.strip_prefix('v')));
        if let Some((name, version)) = name.zip(version).filter(|(name, _)| crates.contains(*name)) {
            let features = features.strip_suffix(TOLD).unwrap_or(features).split(',');
            let on = features.filter(|feature| !feature.is_empty()).map(str::to_owned);
            found.entry((name, version, commit(package, (name, version), git))).or_default().extend(on);
        }
    }
    let linked = |((name, version, commit), features): ((&str, &str, Option<&str>), _)| Linked {
        name: name.to_owned(),
        version: version.to_owned(),
        commit: commit.map(str::to_owned),
        features,
    };
    found.into_iter().map(linked).collect()
}

/// The commit of a package from a repository; cargo tells its first digits, `a v1.0.0 (https://host/a?tag=v1#0a0a0a0a)`.
fn commit<'g>(package: &str, own: (&str, &str), git: &'g [GitCrate]) -> Option<&'g str> {
    let (_, digits) = package.strip_suffix(')')?.rsplit_once('#')?;
    let same = git.iter().filter(|one| (one.name.as_str(), one.version.as_str()) == own);
    same.map(|one| one.repository.commit.as_str()).find(|commit| commit.starts_with(digits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::lockfile::{Asked, Repository};
    use crate::store::Blob;

    #[test]
    fn what_cargo_tells() {
        let tree = "own v0.1.0 (/tmp/own)\tapi\napi v1.2.0\tdefault,std\nother v1.0.0\tdefault\napi v0.3.0\t\n\
                    api v1.2.0\tdefault,std (*)\napi v0.3.0\t (*)\n\nmore v2.0.0-rc.1+x (proc-macro)\tdefault\n\
                    api v0.3.0 (https://host/a?tag=v1#0a0a0a0a)\tfull\napi v0.3.0 (https://host/a#0b0b0b0b)\tbare\n";
        let crates = BTreeSet::from(["api", "more", "none"].map(str::to_owned));
        let git = ["0a", "0b"].map(|digits| of_git(&digits.repeat(20)));
        let lines: Vec<_> = read(tree, &crates, &git).iter().map(ToString::to_string).collect();
        let expected = [
            "api 0.3.0".to_owned(),
            format!("api 0.3.0#{} full", "0a".repeat(20)),
            format!("api 0.3.0#{} bare", "0b".repeat(20)),
            "api 1.2.0 default,std".to_owned(),
            "more 2.0.0-rc.1+x default".to_owned(),
        ];
        assert_eq!(lines, expected);
    }

    fn of_git(commit: &str) -> GitCrate {
        let tree = Blob { digest: Digest::of(commit.as_bytes()), size: 1 };
        let repository = Repository { url: "https://host/a".to_owned(), commit: commit.to_owned(), tree };
        GitCrate { name: "api".to_owned(), version: "0.3.0".to_owned(), repository, asked: Asked::Default }
    }
}
