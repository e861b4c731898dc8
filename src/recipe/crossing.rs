//! What crosses from a program to its plugins: the features of those crates are locked with both.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Build, Cargo, Recipe};
use super::root::Target;
use super::source::{Crossing, Source};
use crate::path::Name;

/// Has the features of what a plugin names under `abi` looked at, in its own crates and in those of its host.
pub(super) fn mark(units: &mut BTreeMap<Name, Recipe>, target: Target) {
    for (unit, crates) in named(units) {
        let Some(Recipe { build: Build::Cargo(cargo), sources, .. }) = units.get_mut(&unit) else { continue };
        if let Some(Source::Crates(closure)) = sources.get_mut(Cargo::CRATES) {
            closure.crossing = Some(crossing(cargo, crates, target));
        }
    }
}

/// The crates that plugins name, by the unit that has them.
fn named(units: &BTreeMap<Name, Recipe>) -> BTreeMap<Name, BTreeSet<String>> {
    let mut named = BTreeMap::<Name, BTreeSet<String>>::new();
    for recipe in units.values() {
        let Build::Cargo(cargo) = &recipe.build else { continue };
        for (abi, (here, there)) in cargo.abi.iter().flat_map(|abi| abi.crates.iter().map(move |pair| (abi, pair))) {
            named.entry(recipe.name.clone()).or_default().insert(here.clone());
            named.entry(abi.host.clone()).or_default().insert(there.clone());
        }
    }
    named
}

fn crossing(cargo: &Cargo, crates: BTreeSet<String>, target: Target) -> Crossing {
    Crossing {
        crates,
        package: cargo.package.clone(),
        features: cargo.features.clone(),
        default_features: cargo.default_features,
        rustflags: [cargo.processor_flag()].into_iter().chain(cargo.rustflags.iter().cloned()).collect(),
        target: target.triple().to_owned(),
    }
}
