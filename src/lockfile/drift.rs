//! What of a source changed in its recipe since it was locked, as far as its entry tells.
//!
//! An entry holds the digest of what the recipe said, not its words; [`super::edits`] finds those of a set of packages.

use std::collections::BTreeSet;

use super::edits::Set;
use super::{Entry, Locked, Pin, Place};
use crate::recipe::{Closure, Crossing, Rev, Source};

/// What changed, in words; nothing where the entry does not tell.
pub(super) fn drift(entry: &Entry, source: &Source) -> Vec<String> {
    let moved = |what: &str, old: &str, new: &str| vec![format!("{what}{old} → {new}")];
    match (&entry.locked, source) {
        (Locked::Debs(debs), Source::Debs { archive, packages, essential }) => {
            Set { archive, packages, essential: *essential, debs }.drift(entry)
        }
        (Locked::DebMember { deb, .. }, Source::DebMember { package, .. }) if deb.package != *package => {
            moved("package ", &deb.package, package)
        }
        (Locked::File { pin: Pin { place: Place::Url(old), .. }, .. }, Source::Url { url, .. }) if old != url => {
            moved("", old, url)
        }
        (Locked::File { pin: Pin { place: Place::Supplied(old), .. }, .. }, Source::Supplied { name, .. })
            if old != name =>
        {
            moved("", old, name)
        }
        (Locked::Git { url: old, .. }, Source::Git { url, .. }) if old != url => moved("", old, url),
        (Locked::Git { commit, .. }, Source::Git { rev: Rev::Commit(new), .. }) if commit != new => {
            moved("commit ", commit, new)
        }
        (Locked::Crates { .. }, Source::Crates(closure)) => {
            closure.crossing.as_ref().map(|crossing| unasked(entry, closure, crossing)).unwrap_or_default()
        }
        (Locked::Oci { repository, .. }, Source::Oci { reference }) if *repository != reference.repository => {
            moved("", &repository.to_string(), &reference.repository.to_string())
        }
        _ => Vec::new(),
    }
}

/// The crates whose features plugins depend on only since the entry was made, if that is all that changed.
fn unasked(entry: &Entry, closure: &Closure, crossing: &Crossing) -> Vec<String> {
    let locked: BTreeSet<String> = entry.locked.linked().iter().map(|one| one.name.clone()).collect();
    let earlier = (!locked.is_empty()).then(|| Crossing { crates: locked.clone(), ..crossing.clone() });
    if (Source::Crates(Closure { crossing: earlier, ..closure.clone() })).specification() != entry.spec {
        return Vec::new();
    }
    let names: Vec<_> = crossing.crates.difference(&locked).map(String::as_str).collect();
    vec![format!("the features of {} are not locked", names.join(", "))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::store::Blob;

    #[test]
    fn crates_that_plugins_begin_to_name() {
        let crossing = |crates: &[&str]| Crossing {
            crates: crates.iter().map(|name| (*name).to_owned()).collect(),
            package: None,
            features: Vec::new(),
            default_features: true,
            rustflags: Vec::new(),
            target: "x86_64-unknown-linux-gnu".to_owned(),
        };
        let source = |crossing| {
            let source = Box::new(Source::Url { url: "https://a.example/x".to_owned(), unpack: None });
            Source::Crates(Closure { source, updates: Vec::new(), beside: Vec::new(), content: None, crossing })
        };
        let linked = |lines: &[&str]| lines.iter().map(|line| line.parse().expect("a line")).collect();
        for (old, lines, want) in [
            (None, &[][..], &["the features of api, types are not locked"][..]),
            (Some(crossing(&["api"])), &["api 1.0.0 std"], &["the features of types are not locked"]),
            (Some(crossing(&["api", "more"])), &["api 1.0.0"], &[]),
        ] {
            let locked = Locked::Crates { published: Vec::new(), git: Vec::new(), features: linked(lines) };
            let entry = Entry { spec: source(old).specification(), locked };
            assert_eq!(drift(&entry, &source(Some(crossing(&["api", "types"])))), want);
        }
    }

    #[test]
    fn edits_of_other_sources() {
        let entry = |locked| Entry { spec: Digest::of(b"spec"), locked };
        let pin = Pin { place: Place::Url("https://a.example/x".to_owned()), size: 1, digest: Digest::of(b"x") };
        let file = entry(Locked::File { pin, unpack: None });
        let (commit, tree) = ("0a".repeat(20), Blob { digest: Digest::of(b"tree"), size: 4 });
        let git = entry(Locked::Git { url: "https://a.example/g".to_owned(), commit: commit.clone(), tree });
        let url = |url: &str| Source::Url { url: url.to_owned(), unpack: None };
        let rev = |url: &str, rev| Source::Git { url: url.to_owned(), rev };
        let other = "0b".repeat(20);
        for (entry, source, want) in [
            (&file, url("https://b.example/x"), "https://a.example/x → https://b.example/x".to_owned()),
            (&file, url("https://a.example/x"), String::new()),
            (&git, rev("https://a.example/g", Rev::Commit(other.clone())), format!("commit {commit} → {other}")),
            (&git, rev("https://a.example/g", Rev::Tag("v2".to_owned())), String::new()),
        ] {
            assert_eq!(drift(entry, &source).join(", "), want);
        }
    }
}
