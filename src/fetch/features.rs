//! The features that crates have in a unit as it is built: what cargo's own resolver says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{Cargo, Error};
use crate::lockfile::Linked;
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
    /// manifests, and what it names be in cargo's cache.
    pub(super) fn linked(&self, store: &Store, folder: &Path, crossing: &Crossing) -> Result<Vec<Linked>, Error> {
        let Crossing { crates, package, features, default_features, rustflags, target } = crossing;
        let manifest = folder.join("Cargo.toml").display().to_string();
        let mut arguments = vec!["tree", "--locked", "--offline", "--color=never", "--prefix", "none"];
        arguments.extend(["--format", FORMAT, "--edges", EDGES, "--target", target, "--manifest-path", &manifest]);
        arguments.extend(package.iter().flat_map(|package| ["--package", package]));
        arguments.extend((!default_features).then_some("--no-default-features"));
        arguments.extend(features.iter().flat_map(|feature| ["--features", feature]));
        Ok(read(&self.with_rustflags(rustflags).answer(store, &arguments)?, crates))
    }
}

/// What a tree in [`FORMAT`] has of `crates`.
fn read(tree: &str, crates: &BTreeSet<String>) -> Vec<Linked> {
    let mut found = BTreeMap::<(&str, &str), BTreeSet<String>>::new();
    for (package, features) in tree.lines().filter_map(|line| line.split_once('\t')) {
        let mut words = package.split(' ');
        let (name, version) = (words.next(), words.next().and_then(|word| word.strip_prefix('v')));
        if let Some((name, version)) = name.zip(version).filter(|(name, _)| crates.contains(*name)) {
            let features = features.strip_suffix(TOLD).unwrap_or(features).split(',');
            let on = features.filter(|feature| !feature.is_empty()).map(str::to_owned);
            found.entry((name, version)).or_default().extend(on);
        }
    }
    let linked = |((name, version), features): ((&str, &str), _)| Linked {
        name: name.to_owned(),
        version: version.to_owned(),
        features,
    };
    found.into_iter().map(linked).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_tells() {
        let tree = "own v0.1.0 (/tmp/own)\tapi\napi v1.2.0\tdefault,std\nother v1.0.0\tdefault\napi v0.3.0\t\n\
                    api v1.2.0\tdefault,std (*)\napi v0.3.0\t (*)\n\nmore v2.0.0-rc.1+x (proc-macro)\tdefault\n";
        let crates = BTreeSet::from(["api", "more", "none"].map(str::to_owned));
        let lines: Vec<_> = read(tree, &crates).iter().map(ToString::to_string).collect();
        assert_eq!(lines, ["api 0.3.0", "api 1.2.0 default,std", "more 2.0.0-rc.1+x default"]);
    }
}
