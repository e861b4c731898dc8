//! What one package asks of the others, with the names looked up.

use super::index::{Index, NameId, PackageId};
use super::package::RelationField;
use super::relation::{Relation, RelationError};

/// A relation whose name is looked up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Want<'t> {
    pub(super) relation: Relation<'t>,
    pub(super) name: NameId,
}

/// Alternatives, of which one is enough.
pub(super) type Group<'t> = Vec<Want<'t>>;

/// What must and must not be installed beside a package.
#[derive(Debug)]
pub(super) struct Needs<'t> {
    /// Pre-Depends, then Depends.
    pub(super) groups: Vec<Group<'t>>,
    /// Conflicts, then Breaks.
    pub(super) clashes: Vec<Want<'t>>,
}

impl<'t> Needs<'t> {
    pub(super) fn of(index: &Index<'t>, package: PackageId) -> Self {
        let mut groups = groups(index, package, RelationField::PreDepends);
        groups.extend(self::groups(index, package, RelationField::Depends));
        let mut clashes = self::groups(index, package, RelationField::Conflicts);
        clashes.extend(self::groups(index, package, RelationField::Breaks));
        Self { groups, clashes: clashes.concat() }
    }
}

/// One relation field of a package.
pub(super) fn groups<'t>(index: &Index<'t>, package: PackageId, field: RelationField) -> Vec<Group<'t>> {
    let text = index.package(package).relations(field);
    if text.is_empty() {
        return Vec::new();
    }
    let look_up = |relation: Relation<'t>| Want {
        relation,
        name: index.id(&relation).expect("BUG: the index has every name in it"),
    };
    let parsed: Result<Vec<_>, RelationError> = Relation::groups(text);
    parsed
        .expect("BUG: the index checks relations")
        .into_iter()
        .map(|group| group.into_iter().map(look_up).collect())
        .collect()
}

/// The packages that answer a want: those with the name, then those that provide it.
pub(super) fn answers<'a, 't>(index: &'a Index<'t>, want: &'a Want<'t>) -> impl Iterator<Item = PackageId> + 'a {
    let name = index.name(want.name);
    let constraint = want.relation.constraint;
    let real = name.packages.iter().map(|id| (*id, Some(index.package(*id).version)));
    let admitted = move |version: Option<_>| match (constraint, version) {
        (None, _) => true,
        (Some(constraint), Some(version)) => constraint.admits(version),
        (Some(_), None) => false,
    };
    real.chain(name.providers.iter().copied()).filter(move |(_, version)| admitted(*version)).map(|(id, _)| id)
}

/// The packages that `package` must not stand beside, by one of its clashes: never one of its own name.
pub(super) fn victims<'a, 't>(
    index: &'a Index<'t>,
    package: PackageId,
    clash: &'a Want<'t>,
) -> impl Iterator<Item = PackageId> + 'a {
    answers(index, clash).filter(move |other| index.owner(*other) != index.owner(package))
}
