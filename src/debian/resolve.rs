//! Which packages a set of names comes to: the same that `apt-get install
//! --no-install-recommends` chooses on a system without any.
//!
//! Roots and what they need are marked ([`super::mark`]), what no one needs in the end is swept
//! away, and the rest is checked as if someone else had chosen it ([`super::verify`]). Where apt
//! would start to mend a broken set, this is an error: a recipe that pins an alternative says what
//! is meant, and stays true when the suite changes.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::index::{Index, NameId, PackageId};
use super::mark::{Marks, Obstacle};
use super::need::{Group, Needs, answers, groups};
use super::package::{Package, RelationField};
use super::relation::{Relation, is_name};
use super::verify::{Fault, verify};
use super::version::{Version, VersionError};

/// A package that the user asks for: `name`, or `name=version`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    name: String,
    version: Option<String>,
}

/// A text that is no root.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RootError {
    /// The part before `=`.
    #[error("`{0}` is no name of a package (write `name` or `name=version`)")]
    Name(String),
    /// The part after `=`.
    #[error("the package `{name}`: {error}")]
    Version {
        /// The part before `=`.
        name: String,
        /// What is wrong with the version.
        error: VersionError,
    },
}

impl FromStr for Root {
    type Err = RootError;

    fn from_str(text: &str) -> Result<Self, RootError> {
        let (name, version) = match text.split_once('=') {
            Some((name, version)) => (name, Some(version)),
            None => (text, None),
        };
        if !is_name(name) {
            return Err(RootError::Name(text.to_owned()));
        }
        let checked = version.map(Version::parse).transpose();
        checked.map_err(|error| RootError::Version { name: name.to_owned(), error })?;
        Ok(Self { name: name.to_owned(), version: version.map(str::to_owned) })
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            Some(version) => write!(f, "{}={version}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// Why there is no set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    /// A root that is in no form there.
    #[error("the suite has no package `{0}`: check the name, or ask for another")]
    Unknown(String),
    /// A root of which there are other versions only.
    #[error(
        "the suite has no `{name}` of version {want}\n  want: {want}\n  got: {got}\nask for another version, or for none in particular"
    )]
    Version {
        /// The root's name.
        name: String,
        /// The version asked for.
        want: String,
        /// The versions there are.
        got: String,
    },
    /// A root that is only provided, by more than one package.
    #[error("`{name}` is no package; these provide it, ask for one of them: {providers}")]
    Virtual {
        /// The root's name.
        name: String,
        /// Those who provide it.
        providers: String,
    },
    /// Nothing meets a need.
    #[error(
        "{package} needs `{need}`, which nothing chosen meets\n  wanted: {chain}\n{reasons}pin an alternative that works in the recipe, or drop the package that wants it"
    )]
    Unmet {
        /// The package and its version.
        package: String,
        /// The group of alternatives.
        need: String,
        /// From a root to the package.
        chain: String,
        /// Why the alternatives were not taken, one a line.
        reasons: String,
    },
    /// Two chosen packages exclude each other.
    #[error(
        "{package} can't be installed beside {other}\n  wanted: {chain}\n  wanted: {other_chain}\npin an alternative to one of them in the recipe, or drop what wants it"
    )]
    Clash {
        /// The package that says so, and its version.
        package: String,
        /// The other one.
        other: String,
        /// From a root to the package.
        chain: String,
        /// From a root to the other one.
        other_chain: String,
    },
}

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

/// Whether a package is the candidate of its name.
fn is_highest(index: &Index<'_>, id: PackageId) -> bool {
    index.name(index.owner(id)).packages.first() == Some(&id)
}

/// The package that a root means.
fn find(index: &Index<'_>, root: &Root) -> Result<PackageId, Unresolved> {
    let relation = Relation { name: &root.name, qualifier: None, constraint: None };
    let name = index.id(&relation).map(|id| index.name(id)).ok_or_else(|| Unresolved::Unknown(root.to_string()))?;
    let version = |id: &PackageId| index.package(*id).version;
    let wanted = root
        .version
        .as_deref()
        .map(|text| Version::parse(text).expect("BUG: a root's version is checked when it is parsed"));
    if let Some(id) = name.packages.iter().find(|id| wanted.is_none_or(|wanted| version(id) == wanted)) {
        return Ok(*id);
    }
    let list = |ids: &mut dyn Iterator<Item = String>| ids.collect::<Vec<_>>().join(", ");
    if let (Some(want), false) = (wanted, name.packages.is_empty()) {
        let got = list(&mut name.packages.iter().map(|id| version(id).to_string()));
        return Err(Unresolved::Version { name: root.name.clone(), want: want.to_string(), got });
    }
    let providers: BTreeSet<_> = name.providers.iter().map(|(id, _)| *id).filter(|id| is_highest(index, *id)).collect();
    match (providers.first(), providers.len()) {
        (Some(only), 1) => Ok(*only),
        (None, _) => Err(Unresolved::Unknown(root.to_string())),
        (Some(_), _) => {
            let providers = list(&mut providers.iter().map(|id| index.package(*id).name.to_owned()));
            Err(Unresolved::Virtual { name: root.name.clone(), providers })
        }
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

/// An error shows at most this many steps of why an alternative was not taken.
const MAX_REASONS: usize = 8;

fn explain(index: &Index<'_>, marks: &Marks<'_, '_>, fault: &Fault) -> Unresolved {
    match *fault {
        Fault::Clash { package, other } => Unresolved::Clash {
            package: label(index, package),
            other: label(index, other),
            chain: chain(index, marks, package),
            other_chain: chain(index, marks, other),
        },
        Fault::Unmet { package, group } => {
            let need = &Needs::of(index, package).groups[group];
            Unresolved::Unmet {
                package: label(index, package),
                need: show(need),
                chain: chain(index, marks, package),
                reasons: reasons(index, marks, need).iter().map(|reason| format!("  {reason}\n")).collect(),
            }
        }
    }
}

/// `name version`
fn label(index: &Index<'_>, id: PackageId) -> String {
    let package = index.package(id);
    format!("{} {}", package.name, package.version)
}

fn show(group: &Group<'_>) -> String {
    group.iter().map(|want| want.relation.to_string()).collect::<Vec<_>>().join(" | ")
}

/// A chain shows at most this many packages, half of them at each end.
const MAX_CHAIN: usize = 8;

/// `root → … → package`
fn chain(index: &Index<'_>, marks: &Marks<'_, '_>, package: PackageId) -> String {
    let mut names = vec![index.package(package).name];
    let mut at: Option<NameId> = marks.state(index.owner(package)).wanted_by;
    // A package that was taken back and chosen again may close a circle.
    let mut seen = BTreeSet::new();
    while let Some(name) = at.filter(|name| seen.insert(*name)) {
        names.extend(index.name(name).packages.first().map(|id| index.package(*id).name));
        at = marks.state(name).wanted_by;
    }
    names.reverse();
    if names.len() > MAX_CHAIN {
        names.splice(MAX_CHAIN / 2..names.len() - MAX_CHAIN / 2, ["…"]);
    }
    names.join(" → ")
}

/// Why no alternative of a need was taken, followed down to the first obstacle.
fn reasons(index: &Index<'_>, marks: &Marks<'_, '_>, need: &Group<'_>) -> Vec<String> {
    let mut reasons = Vec::new();
    let mut need = need.clone();
    while reasons.len() < MAX_REASONS {
        let refused = need
            .iter()
            .flat_map(|want| answers(index, want))
            .find_map(|id| marks.state(index.owner(id)).refused.clone());
        let Some(refusal) = refused else { break };
        match refusal.obstacle {
            Obstacle::Clash(other) => {
                let other = index.name(other).packages.first().map_or_else(String::new, |id| label(index, *id));
                reasons.push(format!("{} clashes with {other}", label(index, refusal.package)));
                break;
            }
            Obstacle::Unmet(group) => {
                need = Needs::of(index, refusal.package).groups[group].clone();
                reasons.push(format!("{} needs `{}`", label(index, refusal.package), show(&need)));
            }
        }
    }
    reasons
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::debian::index::tests::stanza;

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

    #[test]
    fn roots() {
        for (text, want) in [("g++", None), ("gcc=4:14.2.0-1", Some("4:14.2.0-1"))] {
            let root: Root = text.parse().expect(text);
            assert_eq!((root.version.as_deref(), root.to_string().as_str()), (want, text));
        }
        for text in ["", "A", "a b", "a=", "a=x", "=1"] {
            text.parse::<Root>().expect_err(text);
        }
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
