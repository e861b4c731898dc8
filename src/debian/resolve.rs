//! Which packages a set of names comes to: the same that `apt-get install
//! --no-install-recommends` chooses on a system without any.
//!
//! Roots and what they need are marked ([`super::mark`]), what no one needs in the end is swept
//! away, and the rest is checked as if someone else had chosen it ([`super::verify`]). Where apt
//! would start to mend a broken set, this is an error: a recipe that pins an alternative says what
//! is meant, and stays true when the suite changes.

use std::collections::BTreeSet;

use super::index::{Index, PackageId};
use super::mark::Marks;
use super::need::{answers, groups};
use super::package::{Package, RelationField};
use super::root::{Root, find, is_highest};
use super::unresolved::{Unresolved, explain};
use super::verify::verify;

/// The packages that `roots` come to, in the order of the index; with `essential`, also what every
/// system has.
///
/// # Errors
/// Says which package is unknown or can't be had, and the chain of dependencies that wants it.
pub fn resolve<'i, 't>(
    index: &'i Index<'t>,
    roots: &[Root],
    essential: bool,
) -> Result<Vec<&'i Package<'t>>, Unresolved> {
    let mut wanted: Vec<_> = roots.iter().map(|root| find(index, root)).collect::<Result<_, _>>()?;
    if essential {
        let essentials = index.numbered().filter(|(id, package)| package.essential && is_highest(index, *id));
        let pinned: BTreeSet<_> = wanted.iter().map(|id| index.owner(*id)).collect();
        wanted.splice(..0, essentials.map(|(id, _)| id).filter(|id| !pinned.contains(&index.owner(*id))));
    }
    let mut marks = Marks::new(index);
    marks.install(&wanted);
    let set = sweep(index, &marks, &wanted);
    match verify(index, &set) {
        Ok(()) => Ok(set.into_iter().map(|id| index.package(id)).collect()),
        Err(fault) => Err(explain(index, &marks, &fault)),
    }
}

/// What of the chosen packages is needed or, if only chosen, wished for: apt's notion of garbage.
fn sweep(index: &Index<'_>, marks: &Marks<'_, '_>, roots: &[PackageId]) -> BTreeSet<PackageId> {
    use RelationField::{Depends, PreDepends, Recommends, Suggests};
    let chosen = |id: &PackageId| marks.is_chosen(*id);
    let lasting = index.numbered().filter(|(_, package)| package.essential || package.protected).map(|(id, _)| id);
    let mut open: Vec<_> = roots.iter().copied().chain(lasting).filter(chosen).collect();
    let mut kept: BTreeSet<_> = open.iter().copied().collect();
    while let Some(package) = open.pop() {
        let wishes =
            [PreDepends, Depends, Recommends, Suggests].map(|field| groups(index, package, field)).concat().concat();
        for other in wishes.iter().flat_map(|want| answers(index, want)).filter(chosen) {
            if kept.insert(other) {
                open.push(other);
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::debian::index::tests::stanza;
    use crate::debian::relation::Relation;
    use crate::debian::version::Version;

    /// Resolves roots (`+essential` among them) in a universe of lines `name version: fields`,
    /// fields separated by `;`.
    fn chosen(universe: &[&str], roots: &str) -> Result<String, String> {
        let line = |line: &&str| {
            let (head, fields) = line.split_once(": ").unwrap_or((line, ""));
            let (name, version) = head.split_once(' ').expect("name and version");
            stanza(name, version, &fields.replace("; ", "\n"))
        };
        let text: String = universe.iter().map(line).collect();
        let index = Index::parse(&text, "amd64").expect("well-formed");
        let names = roots.split(' ').filter(|root| *root != "+essential");
        let names: Vec<Root> = names.map(|root| root.parse().expect(root)).collect();
        let set = resolve(&index, &names, roots.ends_with("+essential")).map_err(|error| error.to_string())?;
        Ok(set.iter().map(|package| format!("{} {}", package.name, package.version)).collect::<Vec<_>>().join(", "))
    }

    #[test]
    fn sets() {
        let table: [(&str, &[&str], &str, &str); 17] = [
            ("closure", &["a 1: Depends: b; Pre-Depends: c", "b 1", "c 1", "d 1"], "a", "a 1, b 1, c 1"),
            ("circle", &["a 1: Depends: b", "b 1: Depends: a"], "a", "a 1, b 1"),
            ("first alternative", &["a 1: Depends: b | c", "b 1", "c 1"], "a", "a 1, b 1"),
            ("satisfied already", &["a 1: Depends: b | c", "b 1", "c 1"], "c a", "a 1, c 1"),
            ("alternative absent", &["a 1: Depends: x | c", "c 1"], "a", "a 1, c 1"),
            ("alternative too old", &["a 1: Depends: b (>= 2) | c", "b 1", "c 1"], "a", "a 1, c 1"),
            ("alternative impossible", &["a 1: Depends: b | c", "b 1: Depends: x", "c 1"], "a", "a 1, c 1"),
            (
                "nothing left of a failed try",
                &["a 1: Depends: b | c", "b 1: Depends: d, e", "c 1", "d 1", "e 1: Depends: f", "f 1: Depends: x"],
                "a",
                "a 1, c 1",
            ),
            ("real before provider", &["p 1: Provides: b", "a 1: Depends: b", "b 1"], "a", "a 1, b 1"),
            (
                "provider of better priority",
                &["p 1: Provides: v; Priority: optional", "q 1: Provides: v; Priority: extra", "a 1: Depends: v"],
                "a",
                "p 1, a 1",
            ),
            ("provider mentioned last", &["p 1: Provides: v", "q 1: Provides: v", "a 1: Depends: v"], "a", "q 1, a 1"),
            (
                "mentioned, not defined, last",
                &["z 1: Suggests: q", "p 1: Provides: v", "q 1: Provides: v", "a 1: Depends: v"],
                "a",
                "p 1, a 1",
            ),
            (
                "versioned provides",
                &["p 1: Provides: v (= 3)", "q 1: Provides: v", "a 1: Depends: v (>= 2)"],
                "a",
                "p 1, a 1",
            ),
            ("any", &["p 1: Multi-Arch: allowed", "a 1: Depends: p:any, p:amd64, p:native"], "a", "p 1, a 1"),
            ("pin", &["a 1: Depends: b", "a 2", "b 1"], "a=1", "a 1, b 1"),
            ("essential", &["a 1", "e 1: Essential: yes; Depends: f", "f 1"], "a +essential", "a 1, e 1, f 1"),
            ("yields to a root", &["a 1: Depends: b | c", "b 1", "c 1", "r 1: Conflicts: b"], "r a", "a 1, c 1, r 1"),
        ];
        for (case, universe, roots, want) in table {
            assert_eq!(chosen(universe, roots).as_deref(), Ok(want), "{case}");
        }
    }

    #[test]
    fn refused() {
        let table: [(&[&str], &str, &[&str]); 10] = [
            (&[], "a", &["no package `a`"]),
            (&["a 1: Depends: b"], "b", &["no package `b`"]),
            (&["a 1", "a 2"], "a=3", &["want: 3", "got: 2, 1"]),
            (&["p 1: Provides: v", "q 1: Provides: v"], "v", &["p, q"]),
            (
                &["a 1: Depends: b", "b 1: Depends: c (>= 2) | d", "c 1"],
                "a",
                &["b 1 needs `c (>= 2) | d`", "wanted: a → b"],
            ),
            (&["a 1: Depends: b, x", "b 1"], "a", &["a 1 needs `x`"]),
            (
                &["a 1: Depends: b", "b 1: Depends: c", "c 1: Conflicts: d", "d 1"],
                "a d",
                &["c 1 can't be installed beside d 1", "wanted: a → b → c", "wanted: d"],
            ),
            (
                &["a 1: Breaks: b (<< 2)", "b 1"],
                "a b",
                &["a 1 can't be installed beside b 1", "wanted: a\n", "wanted: b\n"],
            ),
            (&["p 1", "a 1: Depends: p:any"], "a", &["a 1 needs `p:any`"]),
            (&["a 1: Depends: p:i386", "p 1"], "a", &["a 1 needs `p:i386`"]),
        ];
        for (universe, roots, words) in table {
            let error = chosen(universe, roots).expect_err(roots);
            assert!(words.iter().all(|word| error.contains(word)), "{error}");
        }
    }

    #[test]
    fn a_chain_without_end_is_an_error() {
        let link = |at: usize| format!("a{at} 1: Depends: a{}", at + 1);
        let universe: Vec<_> = (0..5000).map(link).collect();
        let universe: Vec<_> = universe.iter().map(String::as_str).collect();
        assert!(chosen(&universe, "a0").expect_err("too deep").contains("wanted: a0 → a1 → a2 → a3 → … → a"));
    }

    prop_compose! {
        /// A package called by a letter, with relations to others of a small universe.
        fn any_package()(
            name in "[a-h]",
            version in 1..4_u8,
            fields in prop::collection::btree_map(
                prop::sample::select(vec!["Depends", "Pre-Depends", "Conflicts", "Breaks", "Recommends"]),
                "[a-hv]( \\((<<|<=|=|>=|>>) [1-3]\\))?( \\| [a-hv])?(, [a-h]){0,2}", 0..3),
            provides in prop::option::of("[v-w]( \\(= [1-3]\\))?"),
        ) -> (String, String) {
            let fields: Vec<_> = fields.iter().map(|(field, value)| {
                let value = if matches!(*field, "Conflicts" | "Breaks") { value.replace(" |", ",") } else { value.clone() };
                format!("{field}: {value}")
            }).chain(provides.map(|provides| format!("Provides: {provides}"))).collect();
            (format!("{name} {version}"), fields.join("; "))
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]
        /// Whatever the universe, a result holds the root and nothing is missing from it or clashes
        /// in it; the check here reads the relations anew.
        #[test]
        fn a_result_is_closed(universe in prop::collection::btree_map("[a-h] [1-3]", any_package(), 1..12)) {
            let lines: Vec<_> = universe.iter().map(|(head, (_, fields))| format!("{head}: {fields}")).collect();
            let lines: Vec<_> = lines.iter().map(String::as_str).collect();
            let root = lines[0].split(' ').next().expect("a name");
            if let Ok(set) = chosen(&lines, root) {
                let set: Vec<_> = set.split(", ").collect();
                prop_assert!(set.iter().any(|package| package.starts_with(root)));
                for package in &set {
                    let fields = &universe[*package].1;
                    prop_assert!(is_content(package, fields, &set, &universe), "{package} in {set:?} of {lines:?}");
                }
            }
        }
    }

    /// Whether a package's needs are met by a set, and its clashes not.
    fn is_content(
        package: &str,
        fields: &str,
        set: &[&str],
        universe: &std::collections::BTreeMap<String, (String, String)>,
    ) -> bool {
        let answers = |want: &Relation<'_>, other: &str| {
            let admits = |version: Option<&str>| match (want.constraint, version) {
                (None, _) => true,
                (Some(constraint), Some(version)) => constraint.admits(Version::parse(version).expect("checked")),
                (Some(_), None) => false,
            };
            let (name, version) = other.split_once(' ').expect("name and version");
            let provides = universe[other].1.split("; ").find_map(|field| field.strip_prefix("Provides: "));
            let provided = provides.map(|text| Relation::parse(text).expect("checked"));
            let real = name == want.name && admits(Some(version));
            real || provided.is_some_and(|provided| {
                provided.name == want.name && admits(provided.constraint.map(|constraint| constraint.version.as_str()))
            })
        };
        fields.split("; ").filter(|field| !field.is_empty()).all(|field| {
            let (field, value) = field.split_once(": ").expect("a field");
            let mut groups = Relation::groups(value).expect("checked").into_iter();
            let own = |other: &str| other[..1] == package[..1];
            match field {
                "Depends" | "Pre-Depends" => {
                    groups.all(|group| group.iter().any(|want| set.iter().any(|other| answers(want, other))))
                }
                "Conflicts" | "Breaks" => {
                    groups.flatten().all(|clash| !set.iter().any(|other| !own(other) && answers(&clash, other)))
                }
                _ => true,
            }
        })
    }
}
