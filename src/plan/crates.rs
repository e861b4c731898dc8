//! The crates of a unit in one folder, some of them patched. A crate with patches is unpacked by itself, changed in a
//! sandbox, and put beside the others; its checksum stays that of what was fetched, which Cargo.lock has.

use std::collections::BTreeMap;

use super::cargo::apply;
use super::shell::quote;
use super::{Error, Input, Planner, cmd, replace};
use crate::derivation::{Assemble, Run};
use crate::lockfile::{Crate, GitCrate, Locked, Repository};
use crate::path::{Name, RelPath};
use crate::recipe::{Cargo, Recipe};

impl Planner<'_> {
    /// The folder of all crates; `patches` is the source of their patches.
    pub(super) fn crates(
        &mut self,
        recipe: &Recipe<Locked>,
        cargo: &Cargo,
        base: &Run<Input>,
        patches: Option<Input>,
    ) -> Result<Input, Error> {
        if let Some(folder) = self.observed.get(&(recipe.name.clone(), Name::constant(Cargo::CRATES))) {
            return Ok(Input::Known(*folder));
        }
        let Locked::Crates { published, git, .. } = &recipe.sources[Cargo::CRATES] else {
            unreachable!("BUG: a cargo unit has crates")
        };
        let mut patched = BTreeMap::new();
        for (name, files) in &cargo.crate_patches {
            let one = named(&recipe.name, name, published)?;
            let source = patches.clone().expect("BUG: patches without a source");
            patched.insert(one.reference(), self.patched_crate(recipe, cargo, base, (one, files), source));
        }
        Ok(self.vendored(&recipe.name, published, git, &patched))
    }

    /// The step that puts crates into one folder; `patched` are those that are unpacked already, by `name version`.
    fn vendored(
        &mut self,
        unit: &Name,
        published: &[Crate],
        git: &[GitCrate],
        patched: &BTreeMap<String, Input>,
    ) -> Input {
        let named = |one: &Crate| {
            let known = patched.get(&one.reference()).cloned();
            (folder_of(one), known.unwrap_or_else(|| self.one_crate(unit, one)))
        };
        let mut crates: Vec<_> = published.iter().map(named).collect();
        for (repository, packages) in replace::repositories(git) {
            crates.push((replace::folder(repository), self.packages(unit, repository, packages)));
        }
        self.assemble(unit, format!("{unit}: unpack crates"), Assemble::Vendor { crates })
    }

    /// The step that takes packages out of a repository, which another step fetches.
    fn packages(&mut self, unit: &Name, repository: &Repository, packages: Vec<String>) -> Input {
        let Repository { url, commit, tree } = repository;
        let repository = self.git(unit, url, url, commit, *tree);
        let assemble = Assemble::Packages { repository, packages };
        self.assemble(unit, format!("{unit}: take packages out of {url}"), assemble)
    }

    fn patched_crate(
        &mut self,
        recipe: &Recipe<Locked>,
        cargo: &Cargo,
        base: &Run<Input>,
        (one, patches): (&Crate, &[RelPath]),
        source: Input,
    ) -> Input {
        let file = self.one_crate(&recipe.name, one);
        let crates = vec![(folder_of(one), file)];
        let alone = self.assemble(
            &recipe.name,
            format!("{}: unpack {}", recipe.name, one.reference()),
            Assemble::Vendor { crates },
        );
        let folder = quote(&format!("/deps/crates/{}", folder_of(one)));
        let copy = format!("cp -r {folder} /out/out\nchmod -R u+w /out/out");
        let steps = [copy].into_iter().chain(patches.iter().map(apply));
        let run = Run {
            sources: BTreeMap::from([(Name::constant(Cargo::PATCHES), source)]),
            deps: BTreeMap::from([(Name::constant(Cargo::CRATES), alone)]),
            argv: cmd::argv(steps),
            ..base.clone()
        };
        self.run(recipe, cargo, &format!("patch {}", one.reference()), run)
    }
}

/// The crate that `name`, or `name@version`, means.
fn named<'c>(unit: &Name, name: &str, published: &'c [Crate]) -> Result<&'c Crate, Error> {
    let (wanted, version) = name.split_once('@').map_or((name, None), |(name, version)| (name, Some(version)));
    let is_it = |one: &&Crate| one.name == wanted && version.is_none_or(|version| one.version == version);
    let found: Vec<&Crate> = published.iter().filter(is_it).collect();
    match found[..] {
        [one] => Ok(one),
        _ => {
            let versions: Vec<_> = found.iter().map(|one| format!("`{wanted}@{}`", one.version)).collect();
            let found = if versions.is_empty() { "none".to_owned() } else { versions.join(" and ") };
            Err(Error::Patched { unit: unit.clone(), name: name.to_owned(), found })
        }
    }
}

/// The name of a crate's folder among the unpacked crates.
fn folder_of(one: &Crate) -> String {
    format!("{}-{}", one.name, one.version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    #[test]
    fn a_crate_is_meant_by_its_name() {
        let one = |version: &str| Crate {
            name: "a".to_owned(),
            version: version.to_owned(),
            size: 1,
            digest: Digest::of(version.as_bytes()),
        };
        let unit = Name::constant("u");
        let (single, both) = ([one("1.0.0")], [one("1.0.0"), one("2.0.0")]);
        assert_eq!(named(&unit, "a", &single), Ok(&single[0]));
        assert_eq!(named(&unit, "a@2.0.0", &both), Ok(&both[1]));
        for (name, found) in [("a", "`a@1.0.0` and `a@2.0.0`"), ("b", "none"), ("a@3.0.0", "none")] {
            let error = named(&unit, name, &both).expect_err(name).to_string();
            assert!(error.ends_with(&format!("patches the crate `{name}`, and its Cargo.lock has {found}")), "{error}");
        }
    }
}
