//! The package index: which packages a suite has, and what stands behind a name.
//!
//! Every name that occurs in a Packages file, be it real, virtual or only wished for, has a number.
//! Numbers count up in the order of first mention, because apt decides its last ties by that order.
//! `name:any` is a name of its own, which packages with `Multi-Arch: allowed` provide. Relations
//! are checked here and read again by the resolver, for the few packages that it looks at.

use std::collections::HashMap;

use super::control::{Reader, line_number};
use super::package::{IndexError, MultiArch, Package, RELATIONS, Record, RelationField, ValueFault, value_error};
use super::relation::{Operator, Relation};
use super::version::Version;

/// The packages of one suite for one architecture. Borrows the text of the Packages file.
#[derive(Debug)]
pub struct Index<'t> {
    architecture: &'t str,
    packages: Vec<Package<'t>>,
    /// The number of each package's name.
    owners: Vec<NameId>,
    ids: HashMap<(&'t str, &'t str), NameId>,
    names: Vec<Name<'t>>,
}

/// The number of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct NameId(u32);

/// The number of a package: its place in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct PackageId(u32);

impl NameId {
    /// Its place in a list that has an element for every name.
    pub(super) fn at(self) -> usize {
        self.0 as usize
    }
}

/// What stands behind a name.
#[derive(Debug, Default)]
pub(super) struct Name<'t> {
    /// The packages called so, highest version first.
    pub(super) packages: Vec<PackageId>,
    /// The packages that provide it, and as which version.
    pub(super) providers: Vec<(PackageId, Option<Version<'t>>)>,
}

/// Bytes in a stanza of Debian 13, about; only room is made by it.
const STANZA: usize = 800;

/// The qualifier of names that packages of any architecture may use.
const ANY: &str = "any";

impl<'t> Index<'t> {
    /// Reads a Packages file, whole. Several may be joined with an empty line between them.
    ///
    /// # Errors
    /// Says in which line the text is not what an index for `architecture` must be.
    pub fn parse(packages: &'t str, architecture: &'t str) -> Result<Self, IndexError> {
        let (packages_text, mut reader) = (packages, Reader::new(packages));
        let expected = packages.len() / STANZA;
        let mut index = Self {
            architecture,
            packages: Vec::with_capacity(expected),
            owners: Vec::with_capacity(expected),
            ids: HashMap::with_capacity(2 * expected),
            names: Vec::with_capacity(2 * expected),
        };
        while reader.stanza() {
            let package = Record::read(packages_text, &mut reader)?.package(architecture)?;
            index.add(packages_text, package)?;
        }
        index.sort(packages_text)?;
        Ok(index)
    }

    /// All packages, in the order of the text.
    #[must_use]
    pub fn packages(&self) -> &[Package<'t>] {
        &self.packages
    }

    /// The versions of a package, highest first; the first is the candidate.
    pub fn versions(&self, name: &str) -> impl Iterator<Item = &Package<'t>> {
        let id = self.ids.get(&(name, "")).copied();
        id.into_iter().flat_map(|id| &self.name(id).packages).map(|package| self.package(*package))
    }

    /// The packages that provide a name that is not their own, in the order of the text.
    pub fn providers(&self, name: &str) -> impl Iterator<Item = &Package<'t>> {
        let id = self.ids.get(&(name, "")).copied();
        id.into_iter().flat_map(|id| &self.name(id).providers).map(|(package, _)| self.package(*package))
    }

    pub(super) fn package(&self, id: PackageId) -> &Package<'t> {
        &self.packages[id.0 as usize]
    }

    pub(super) fn name(&self, id: NameId) -> &Name<'t> {
        &self.names[id.at()]
    }

    /// The name of a package.
    pub(super) fn owner(&self, id: PackageId) -> NameId {
        self.owners[id.0 as usize]
    }

    /// The name that a relation asks for.
    pub(super) fn id(&self, relation: &Relation<'_>) -> Option<NameId> {
        self.ids.get(&self.key(relation)).copied()
    }

    /// How many names there are; numbers are below it.
    pub(super) fn name_count(&self) -> usize {
        self.names.len()
    }

    /// Every package with its number.
    pub(super) fn numbered(&self) -> impl Iterator<Item = (PackageId, &Package<'t>)> {
        (0..).map(PackageId).zip(&self.packages)
    }

    /// A name as it is filed: our own architecture needs no qualifier.
    fn key<'r>(&self, relation: &Relation<'r>) -> (&'r str, &'r str) {
        match relation.qualifier {
            None | Some("native") => (relation.name, ""),
            Some(own) if own == self.architecture => (relation.name, ""),
            Some(other) => (relation.name, other),
        }
    }

    fn mention(&mut self, name: &'t str, qualifier: &'t str) -> NameId {
        let next = NameId(u32::try_from(self.names.len()).expect("BUG: an index has fewer than 2^32 names"));
        let id = *self.ids.entry((name, qualifier)).or_insert(next);
        if id == next {
            self.names.push(Name::default());
        }
        id
    }

    fn add(&mut self, text: &'t str, package: Package<'t>) -> Result<(), IndexError> {
        let id = PackageId(u32::try_from(self.packages.len()).expect("BUG: an index has fewer than 2^32 packages"));
        let owner = self.mention(package.name, "");
        self.names[owner.at()].packages.push(id);
        for (value, field) in package.all_relations().zip(RELATIONS).filter(|(value, _)| !value.is_empty()) {
            for relation in value.split([',', '|']) {
                let relation = Relation::parse(relation)
                    .map_err(|error| value_error(text, relation.trim_ascii_start(), field, error))?;
                let (name, qualifier) = self.key(&relation);
                self.mention(name, qualifier);
            }
        }
        self.provide(text, id, &package)?;
        self.packages.push(package);
        self.owners.push(owner);
        Ok(())
    }

    /// Files a package under the names that it provides.
    fn provide(&mut self, text: &'t str, id: PackageId, package: &Package<'t>) -> Result<(), IndexError> {
        let allowed = package.multi_arch == MultiArch::Allowed;
        if allowed {
            let any = self.mention(package.name, ANY);
            self.names[any.at()].providers.push((id, Some(package.version)));
        }
        let field = package.relations(RelationField::Provides);
        for provided in field.split(',').filter(|_| !field.is_empty()) {
            let fault =
                || ValueFault::Other { got: provided.to_owned(), want: "`name` or `name (= version)`".to_owned() };
            let relation = Relation::parse(provided).map_err(|_| value_error(text, provided, "Provides", fault()))?;
            if relation.constraint.is_some_and(|constraint| constraint.operator != Operator::Equal) {
                return Err(value_error(text, provided, "Provides", fault()));
            }
            let version = relation.constraint.map(|constraint| constraint.version);
            let (name, qualifier) = self.key(&relation);
            if (name, qualifier) == (package.name, "") && version.is_none_or(|version| version == package.version) {
                continue;
            }
            let qualifiers = if allowed && qualifier.is_empty() { vec![ANY, ""] } else { vec![qualifier] };
            for qualifier in qualifiers {
                let provided = self.mention(name, qualifier);
                self.names[provided.at()].providers.push((id, version));
            }
        }
        Ok(())
    }

    /// Puts the versions of each package in order.
    fn sort(&mut self, text: &str) -> Result<(), IndexError> {
        let Self { names, packages, .. } = self;
        for versions in names.iter_mut().map(|name| &mut name.packages).filter(|versions| versions.len() > 1) {
            let version = |id: &PackageId| packages[id.0 as usize].version;
            versions.sort_by_key(|id| std::cmp::Reverse(version(id)));
            if let Some(pair) = versions.windows(2).find(|pair| version(&pair[0]) == version(&pair[1])) {
                let Package { name, version, .. } = &packages[pair[1].0 as usize];
                return Err(IndexError::Duplicate {
                    line: line_number(text, name),
                    name: (*name).to_owned(),
                    version: version.to_string(),
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A stanza with the fields that every package needs, and `more` of them.
    pub(in crate::debian) fn stanza(name: &str, version: &str, more: &str) -> String {
        let sha256 = "0".repeat(64);
        let filename = format!("pool/{name}_{version}.deb");
        format!(
            "Package: {name}\nVersion: {version}\nArchitecture: amd64\nFilename: {filename}\nSize: 1\nSHA256: {sha256}\n{more}\n\n"
        )
    }

    fn names<'p>(packages: impl Iterator<Item = &'p Package<'p>>) -> Vec<String> {
        packages.map(|package| format!("{} {}", package.name, package.version)).collect()
    }

    #[test]
    fn the_highest_version_is_the_candidate() {
        let text = ["1", "1.10", "1.9"].map(|version| stanza("a", version, "")).concat();
        let index = Index::parse(&text, "amd64").expect("well-formed");
        assert_eq!(names(index.versions("a")), ["a 1.10", "a 1.9", "a 1"]);
        assert_eq!(names(index.versions("b")), [""; 0]);
    }

    #[test]
    fn fields() {
        let more = "essential: yes\nMULTI-ARCH: foreign\nPriority: required\nDepends: b,\n c\nDescription: x\n y";
        let text = stanza("a", "1", more);
        let index = Index::parse(&text, "amd64").expect("well-formed");
        let package = &index.packages()[0];
        assert!(package.essential && !package.protected);
        assert_eq!(package.multi_arch, MultiArch::Foreign);
        assert_eq!(package.filename.as_str(), "pool/a_1.deb");
        assert_eq!(package.relations(RelationField::Depends), "b,\n c");
        assert_eq!(package.relations(RelationField::PreDepends), "");
    }

    #[test]
    fn provided_names() {
        let text = [stanza("a", "1", "Provides: v, w (= 2), a (= 1)"), stanza("b", "1", "Provides: v")].concat();
        let index = Index::parse(&text, "amd64").expect("well-formed");
        assert_eq!(names(index.providers("v")), ["a 1", "b 1"]);
        assert_eq!(names(index.providers("w")), ["a 1"]);
        assert_eq!(names(index.providers("a")), [""; 0]);
    }

    #[test]
    fn refused_with_the_line() {
        let second = |text: &str| stanza("a", "1", "") + text;
        let table = [
            (second("x"), "line 9: a line that is no field"),
            (second("Package: b\n"), "line 9: the package that starts here has no field `Version`"),
            (stanza("a", "1", "Size: 2"), "line 7: the field `Size` stands a second time"),
            (stanza("a", "1", "") + &stanza("a", "01", ""), "line 9: a second `a` of version 01"),
            (stanza("A", "1", ""), "line 1: the field `Package`: `A` is not the name of a package"),
            (stanza("a", "x", ""), "line 2: the field `Version`: `x` is no Debian version"),
            (stanza("a", "1", "Depends: b,\n c d"), "line 8: the field `Depends`: `c d` is no relation"),
            (stanza("a", "1", "Provides: b (>= 1)"), "line 7: the field `Provides`: `b (>= 1)` is not"),
            (stanza("a", "1", "Multi-Arch: maybe"), "line 7: the field `Multi-Arch`: `maybe` is not"),
            (stanza("a", "1", "Essential: 1"), "line 7: the field `Essential`: `1` is not"),
            (stanza("a", "1", "").replace("amd64", "i386"), "line 3: the field `Architecture`: `i386` is not"),
            (stanza("a", "1", "").replace("pool/", "../"), "line 4: the field `Filename`"),
            (stanza("a", "1", "").replace("Size: 1", "Size: -1"), "line 5: the field `Size`: `-1` is not"),
            (stanza("a", "1", "").replace("256: 0", "256: g"), "line 6: the field `SHA256`"),
        ];
        for (text, want) in table {
            let error = Index::parse(&text, "amd64").expect_err(want).to_string();
            assert!(error.contains(want), "{error}");
        }
    }
}
