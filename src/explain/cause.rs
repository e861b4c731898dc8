//! What differs between two accounts of a step, and how that is said.

use std::collections::{BTreeMap, BTreeSet};

use super::account::{Account, Content, Fact};
use super::symbols;
use super::tree::{self, MAX_NAMED, Shelf};
use crate::path::Name;
use crate::plan::FIRST_STEP;
use crate::store::Output;

/// Values longer than this are not shown.
const MAX_SHOWN: usize = 40;

/// One difference between two accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Of a value.
    Text {
        /// The field.
        field: String,
        /// Which item of it: its name, its place in `argv`, or itself.
        item: Option<String>,
        /// What was there.
        old: Option<String>,
        /// What is there now.
        new: Option<String>,
    },
    /// Of an input.
    Input {
        /// The field.
        field: String,
        /// The input's name; empty where there is just one.
        item: String,
        /// What it was.
        old: Option<Content>,
        /// What it is now.
        new: Option<Content>,
    },
}

impl Change {
    /// Whether it only passes on what an earlier step of the same unit made, which tells of itself. A kernel's
    /// configuration is more than what it was made of.
    #[must_use]
    pub fn is_within(&self, unit: &Name) -> bool {
        match self {
            Self::Input { field, item, old: Some(old), new: Some(new) } => {
                old.is_of(unit) && new.is_of(unit) && (field.as_str(), item.as_str()) != ("deps", "config")
            }
            Self::Input { .. } | Self::Text { .. } => false,
        }
    }
}

impl Content {
    /// Whether a step of that unit makes it.
    pub(super) fn is_of(&self, unit: &Name) -> bool {
        self.from.split(':').next() == Some(unit.as_str())
    }

    /// Whether two contents are the same, as far as can be told.
    fn same(&self, other: &Self) -> bool {
        match (self.output, other.output, self.made, other.made) {
            (Some(one), Some(two), ..) => one == two,
            (_, _, Some(one), Some(two)) => one == two,
            _ => true,
        }
    }
}

/// Every difference between two accounts, in the order of fields. Where a step is of another kind,
/// that alone.
#[must_use]
pub fn compare(old: &Account, new: &Account) -> Vec<Change> {
    let mut changes = Vec::new();
    for field in ["kind", "assembly"].into_iter().map(str::to_owned) {
        fields(&field, old.0.get(&field), new.0.get(&field), &mut changes);
    }
    if changes.is_empty() {
        let all: BTreeSet<&String> = old.0.keys().chain(new.0.keys()).collect();
        all.into_iter().for_each(|field| fields(field, old.0.get(field), new.0.get(field), &mut changes));
    }
    changes
}

/// The differences of one field; one that is not there holds nothing.
fn fields(field: &str, old: Option<&Fact>, new: Option<&Fact>, changes: &mut Vec<Change>) {
    let text = |item: Option<&String>, old: Option<&String>, new: Option<&String>| Change::Text {
        field: field.to_owned(),
        item: item.cloned(),
        old: old.cloned(),
        new: new.cloned(),
    };
    let input = |item: &String, old: Option<&Content>, new: Option<&Content>| Change::Input {
        field: field.to_owned(),
        item: item.clone(),
        old: old.cloned(),
        new: new.cloned(),
    };
    match old.or(new) {
        None => {}
        Some(Fact::Text(_)) => {
            let (old, new) = (one(old), one(new));
            changes.extend((old != new).then(|| text(None, old, new)));
        }
        Some(Fact::List(_)) if field == "argv" => changes.extend(
            in_order(items(old), items(new)).into_iter().map(|(at, old, new)| text(Some(&at.to_string()), old, new)),
        ),
        Some(Fact::List(_)) => {
            let (old, new) = (items(old), items(new));
            let gone = old.iter().filter(|item| !new.contains(item)).map(|item| text(Some(item), Some(item), None));
            let fresh = new.iter().filter(|item| !old.contains(item)).map(|item| text(Some(item), None, Some(item)));
            let before = changes.len();
            changes.extend(gone.chain(fresh));
            changes.extend((changes.len() == before && old != new).then(|| text(None, None, None)));
        }
        Some(Fact::Table(_)) => {
            for (name, old, new) in pairs(table(old), table(new)) {
                changes.extend((old != new).then(|| text(Some(name), old, new)));
            }
        }
        Some(Fact::Inputs(_)) => {
            for (name, old, new) in pairs(inputs(old), inputs(new)) {
                let same = old.zip(new).is_some_and(|(old, new)| old.same(new));
                changes.extend((!same).then(|| input(name, old, new)));
            }
        }
    }
}

/// What differs in two lists between what they start and what they end with alike.
fn in_order<'a>(old: &'a [String], new: &'a [String]) -> Vec<(usize, Option<&'a String>, Option<&'a String>)> {
    let head = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let (old, new) = (&old[head..], &new[head..]);
    let tail = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    let (old, new) = (&old[..old.len() - tail], &new[..new.len() - tail]);
    let pair = |at: usize| (head + at, old.get(at), new.get(at));
    (0..old.len().max(new.len())).map(pair).filter(|(_, old, new)| old != new).collect()
}

/// The items of two maps by name.
fn pairs<'a, T>(
    old: &'a BTreeMap<String, T>,
    new: &'a BTreeMap<String, T>,
) -> impl Iterator<Item = (&'a String, Option<&'a T>, Option<&'a T>)> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    names.into_iter().map(|name| (name, old.get(name), new.get(name)))
}

fn one(fact: Option<&Fact>) -> Option<&String> {
    match fact {
        Some(Fact::Text(text)) => text.as_ref(),
        _ => None,
    }
}

fn items(fact: Option<&Fact>) -> &[String] {
    match fact {
        Some(Fact::List(items)) => items,
        _ => &[],
    }
}

fn table(fact: Option<&Fact>) -> &BTreeMap<String, String> {
    const NONE: &BTreeMap<String, String> = &BTreeMap::new();
    match fact {
        Some(Fact::Table(items)) => items,
        _ => NONE,
    }
}

fn inputs(fact: Option<&Fact>) -> &BTreeMap<String, Content> {
    const NONE: &BTreeMap<String, Content> = &BTreeMap::new();
    match fact {
        Some(Fact::Inputs(items)) => items,
        _ => NONE,
    }
}

/// Changes in words, packages together; what trees hold is read from `shelf`.
#[must_use]
pub fn words(changes: &[Change], shelf: &dyn Shelf) -> Vec<String> {
    let (packages, others): (Vec<_>, Vec<_>) =
        changes.iter().partition(|change| matches!(change, Change::Input { field, .. } if field == "debs"));
    let mut words: Vec<String> = others.into_iter().map(|change| say(change, shelf)).collect();
    if !packages.is_empty() {
        let named = packages.iter().take(MAX_NAMED).map(|change| say(change, shelf)).collect::<Vec<_>>().join(", ");
        let more = packages.len().saturating_sub(MAX_NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        words.push(format!("packages: {named}{more}"));
    }
    let mut told = BTreeSet::new();
    words.retain(|word| told.insert(word.clone()));
    words
}

fn say(change: &Change, shelf: &dyn Shelf) -> String {
    match change {
        Change::Text { field, .. } if field == "kind" || field == "assembly" => "it is made in another way".to_owned(),
        Change::Text { field, item, old, new } => {
            let what = name(field, item.as_deref());
            match (old, new) {
                (None, None) => format!("the order of {field} changed"),
                (None, Some(_)) => format!("{what} added"),
                (Some(_), None) => format!("{what} removed"),
                (Some(old), Some(new)) => format!("{what} changed{}", arrow(old, new)),
            }
        }
        Change::Input { field, item, old, new } => say_input(field, item, old.as_ref(), new.as_ref(), shelf),
    }
}

/// How a recipe calls an item of a field.
fn name(field: &str, item: Option<&str>) -> String {
    let step = |at: &str| at.parse().ok().and_then(|at: usize| at.checked_sub(FIRST_STEP));
    match (field, item) {
        ("argv", Some(at)) => step(at).map_or("the command".to_owned(), |step| format!("step {}", step + 1)),
        ("ignore", Some(item)) => format!("ignored alternative {item}"),
        ("links" | "outputs" | "sections", Some(item)) => format!("{} {item}", field.trim_end_matches('s')),
        (field, Some(item)) => format!("{field} {item}"),
        (field, None) => field.to_owned(),
    }
}

fn say_input(field: &str, item: &str, old: Option<&Content>, new: Option<&Content>, shelf: &dyn Shelf) -> String {
    let from = new.or(old).map_or("", |content| content.from.as_str());
    let what = match field {
        "debs" => item.to_owned(),
        "root" => format!("toolroot {from}"),
        "sources" => item.to_owned(),
        "deps" => format!("deps {item}"),
        _ => field.to_owned(),
    };
    match (old, new) {
        (Some(old), Some(new)) if field == "debs" && old.from != new.from => {
            format!("{what} {} → {}", old.from, new.from)
        }
        (Some(old), Some(new)) => {
            let files = || Some(format!("{what}: {}", files(old.output, new.output, shelf)?));
            let inside = symbols(field, item, (old.output, new.output), shelf).or_else(files);
            inside.unwrap_or_else(|| format!("{what} changed{}", arrow(&old.from, &new.from)))
        }
        (None, _) => format!("{what} added"),
        (_, None) => format!("{what} removed"),
    }
}

/// Which symbols of a kernel's configuration differ, where that is what an input holds.
fn symbols(field: &str, item: &str, (old, new): (Option<Output>, Option<Output>), shelf: &dyn Shelf) -> Option<String> {
    match (field, item) {
        ("files", "") => symbols::asked(old, new, shelf),
        ("deps", "config") => symbols::resolved(old, new, shelf).map(|symbols| format!("configuration: {symbols}")),
        _ => None,
    }
}

/// Which files differ, where both are trees that can be read.
fn files(old: Option<Output>, new: Option<Output>, shelf: &dyn Shelf) -> Option<String> {
    let (Some(Output::Tree(old)), Some(Output::Tree(new))) = (old, new) else { return None };
    let found = tree::differences(&old.digest, &new.digest, shelf)?;
    Some(tree::words(&found))
}

/// `: old → new`, where that is short and says something.
fn arrow(old: &str, new: &str) -> String {
    let short = |text: &str| !text.is_empty() && text.chars().count() <= MAX_SHOWN && !text.contains('\n');
    if old != new && short(old) && short(new) { format!(": {old} → {new}") } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::super::account::tests::{account, name, run, toolroot, tree};
    use super::super::tree::tests::Shelf;
    use super::*;
    use crate::derivation::{Assemble, Derivation, Run};
    use crate::path::RelPath;
    use crate::store::Output;

    fn said(old: &Derivation<Output>, new: &Derivation<Output>) -> Vec<String> {
        words(&compare(&account(old), &account(new)), &Shelf::default())
    }

    #[test]
    fn every_field_of_a_run_is_named() {
        type Change = fn(&mut Run<Output>);
        let changes: [(Change, &str); 14] = [
            (|run| run.root = tree("other"), "toolroot its origin changed"),
            (|run| run.sources = [(name("src"), tree("other"))].into(), "src changed"),
            (|run| _ = run.sources.insert(name("more"), tree("src")), "more added"),
            (|run| run.deps = [(name("lib"), tree("other"))].into(), "deps lib changed"),
            (|run| run.deps.clear(), "deps lib removed"),
            (|run| run.argv[3].push('x'), "the command changed"),
            (|run| run.argv[6] = "make install -j".to_owned(), "step 2 changed: make install → make install -j"),
            (|run| run.argv.insert(5, "true".to_owned()), "step 1 added"),
            (|run| drop(run.argv.remove(5)), "step 1 removed"),
            (|run| _ = run.env.insert("CC".to_owned(), "clang".to_owned()), "env CC changed: gcc \\ → clang"),
            (|run| _ = run.env.insert("LD".to_owned(), "lld".to_owned()), "env LD added"),
            (|run| run.env.clear(), "env CC removed"),
            (|run| run.outputs.push(name("dev")), "output dev added"),
            (|run| run.outputs.clear(), "output out removed"),
        ];
        for (change, want) in changes {
            let mut changed = run();
            change(&mut changed);
            assert_eq!(said(&Derivation::Run(run()), &Derivation::Run(changed)), [want]);
        }
        assert_eq!(said(&Derivation::Run(run()), &Derivation::Run(run())), [""; 0]);
    }

    #[test]
    fn every_field_of_an_assembly_is_named() {
        let path = |text: &str| RelPath::new(text).expect("clean");
        let bpf = |text: &str, license: &str, sections: &[&str]| Assemble::Bpf {
            objects: tree(text),
            debug: tree("debug"),
            license: license.to_owned(),
            sections: sections.iter().map(|text| (*text).to_owned()).collect(),
        };
        let debs = |change: fn(&mut Vec<(String, Output)>)| {
            let Assemble::Toolroot { mut debs, links, trim, ignore } = toolroot() else { panic!("a toolroot") };
            change(&mut debs);
            Assemble::Toolroot { debs, links, trim, ignore }
        };
        let more = || {
            let Assemble::Toolroot { debs, .. } = toolroot() else { panic!("a toolroot") };
            let links = BTreeMap::from([("cc".to_owned(), "clang".to_owned())]);
            Assemble::Toolroot { debs, links, trim: vec![path("usr/share/man")], ignore: vec!["awk".to_owned()] }
        };
        let unpack = |text: &str, strip| Assemble::Unpack { archive: tree(text), strip };
        let member =
            |text: &str, member: Option<&str>| Assemble::DebMember { deb: tree(text), member: member.map(path) };
        let cases: [(Assemble<Output>, Assemble<Output>, &[&str]); 8] = [
            (toolroot(), debs(|debs| debs[0].1 = tree("gcc 2")), &["packages: gcc changed"]),
            (toolroot(), debs(|debs| drop(debs.pop())), &["packages: libc6 removed"]),
            (
                toolroot(),
                more(),
                &[
                    "ignored alternative awk added",
                    "link cc changed: gcc → clang",
                    "trim usr/share/doc removed",
                    "trim usr/share/man added",
                ],
            ),
            (unpack("a", 1), unpack("b", 2), &["archive changed", "strip changed: 1 → 2"]),
            (member("a", Some("x")), member("b", None), &["deb changed", "member removed"]),
            (
                bpf("a", "GPL", &["xdp"]),
                bpf("b", "MIT", &["tc"]),
                &["license changed: GPL → MIT", "objects changed", "section xdp removed", "section tc added"],
            ),
            (bpf("a", "GPL", &["a", "b"]), bpf("a", "GPL", &["b", "a"]), &["the order of sections changed"]),
            (unpack("a", 1), member("a", None), &["it is made in another way"]),
        ];
        for (old, new, want) in cases {
            assert_eq!(said(&Derivation::Assemble(old), &Derivation::Assemble(new)), want);
        }
    }

    #[test]
    fn a_field_that_counts_for_the_key_is_never_silent() {
        // Whatever the walk shows is compared: an account with any one value changed says so.
        for derivation in [Derivation::Run(run()), Derivation::Assemble(toolroot())] {
            let base = account(&derivation);
            for (field, fact) in &base.0 {
                let other = match fact {
                    Fact::Text(_) => Fact::Text(Some("other".to_owned())),
                    Fact::List(_) => Fact::List(vec!["other".to_owned()]),
                    Fact::Table(_) => Fact::Table([("other".to_owned(), "x".to_owned())].into()),
                    Fact::Inputs(_) => Fact::Inputs([("other".to_owned(), known("other", ""))].into()),
                };
                let mut changed = base.clone();
                changed.0.insert(field.clone(), other);
                assert!(!words(&compare(&base, &changed), &Shelf::default()).is_empty(), "{field}");
            }
        }
    }

    fn known(text: &str, from: &str) -> Content {
        Content { output: Some(tree(text)), made: None, from: from.to_owned() }
    }

    fn inputs(field: &str, items: &[(&str, Content)]) -> Account {
        let items = items.iter().map(|(name, content)| ((*name).to_owned(), content.clone())).collect();
        Account([(field.to_owned(), Fact::Inputs(items))].into())
    }

    #[test]
    fn packages_are_told_by_version_and_counted() {
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        let old: Vec<_> = names.iter().map(|name| (*name, known("old", "1"))).collect();
        let new: Vec<_> = names.iter().map(|name| (*name, known("new", "2"))).collect();
        let said = words(&compare(&inputs("debs", &old), &inputs("debs", &new)), &Shelf::default());
        assert_eq!(said, ["packages: a 1 → 2, b 1 → 2, c 1 → 2, d 1 → 2, e 1 → 2 and 2 more"]);
    }

    #[test]
    fn what_is_not_known_yet_is_told_by_how_it_is_made() {
        let made = |text: &str| Content {
            output: None,
            made: Some(crate::digest::Digest::of(text.as_bytes())),
            from: "x".to_owned(),
        };
        let unknown = Content { output: None, made: None, from: "x".to_owned() };
        for (old, new, differ) in [
            (made("a"), made("a"), false),
            (made("a"), made("b"), true),
            (known("a", "x"), unknown, false),
            (Content { output: Some(tree("a")), ..made("1") }, Content { output: Some(tree("a")), ..made("2") }, false),
            (Content { output: Some(tree("a")), ..made("1") }, made("2"), true),
        ] {
            let changes = compare(&inputs("deps", &[("x", old)]), &inputs("deps", &[("x", new)]));
            assert_eq!(changes.len(), usize::from(differ), "{changes:?}");
        }
    }
}
