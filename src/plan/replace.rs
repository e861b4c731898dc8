//! How cargo is told to take packages of git repositories from folders: source replacement, a table for
//! each repository that a Cargo.lock names, and one for its folder.
//!
//! ```toml
//! [source."git+https://example.org/a.git?tag=v1"]
//! git = "https://example.org/a.git"
//! tag = "v1"
//! replace-with = "git-0123…"
//! [source."git-0123…"]
//! directory = "/deps/crates/git/0123…"
//! ```
//!
//! A repository has a folder of its own, for packages of one name and version may come from several sources.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::lockfile::{Asked, GitCrate, Repository};

/// The host of which cargo knows that it does not tell upper case from lower.
const FOLDED: &str = "//github.com/";

/// Where the packages of a repository are among the unpacked crates.
#[must_use]
pub fn folder(repository: &Repository) -> String {
    format!("git/{}", repository.commit)
}

/// Each repository, and its packages as `name version`. What has one commit is one repository, whatever it is called.
#[must_use]
pub fn repositories(git: &[GitCrate]) -> Vec<(&Repository, Vec<String>)> {
    let mut found: BTreeMap<&str, (&Repository, BTreeSet<String>)> = BTreeMap::new();
    for GitCrate { name, version, repository, .. } in git {
        let known = found.entry(&repository.commit).or_insert_with(|| (repository, BTreeSet::new()));
        known.1.insert(format!("{name} {version}"));
    }
    found.into_values().map(|(repository, packages)| (repository, packages.into_iter().collect())).collect()
}

/// The tables; `place` says which folder has the packages of a repository.
#[must_use]
pub fn tables(git: &[GitCrate], place: impl Fn(&Repository) -> String) -> String {
    let (mut text, mut seen) = (String::new(), BTreeSet::new());
    for GitCrate { repository, asked, .. } in git {
        // Cargo takes no source twice, however it is spelled.
        if seen.insert((canonical(&repository.url), asked)) {
            text.push_str(&table(repository, asked));
        }
    }
    for (repository, _) in repositories(git) {
        let (name, folder) = (quote(&name(repository)), quote(&place(repository)));
        _ = write!(text, "[source.{name}]\ndirectory = {folder}\n");
    }
    text
}

fn table(repository: &Repository, asked: &Asked) -> String {
    let url = &repository.url;
    let (query, field) = match asked.field() {
        None => (String::new(), String::new()),
        Some((field, value)) => (format!("?{asked}"), format!("{field} = {}\n", quote(value))),
    };
    let (key, with) = (quote(&format!("git+{url}{query}")), quote(&name(repository)));
    format!("[source.{key}]\ngit = {}\n{field}replace-with = {with}\n", quote(url))
}

fn name(repository: &Repository) -> String {
    format!("git-{}", repository.commit)
}

/// What cargo compares of the URL of a repository.
fn canonical(url: &str) -> String {
    let url = url.trim_end_matches('/');
    let url = url.strip_suffix(".git").unwrap_or(url);
    let folded = url.to_lowercase();
    match folded.split_once(FOLDED) {
        Some((_, path)) => format!("https:{FOLDED}{path}"),
        None => url.to_owned(),
    }
}

/// A TOML string of a text without control characters.
fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::store::Blob;

    fn one(name: &str, url: &str, asked: Asked, commit: &str) -> GitCrate {
        let tree = Blob { digest: Digest::of(commit.as_bytes()), size: 1 };
        let repository = Repository { url: url.to_owned(), commit: commit.to_owned(), tree };
        GitCrate { name: name.to_owned(), version: "1.0.0".to_owned(), repository, asked }
    }

    #[test]
    fn what_cargo_is_told() {
        let tag = || Asked::Tag("a\"b".to_owned());
        let crates = [
            one("a", "https://host/x", tag(), "aa"),
            one("b", "https://host/x.git/", tag(), "aa"),
            one("a", "https://host/x", Asked::Default, "bb"),
        ];
        let expected = r#"[source."git+https://host/x?tag=a\"b"]
git = "https://host/x"
tag = "a\"b"
replace-with = "git-aa"
[source."git+https://host/x"]
git = "https://host/x"
replace-with = "git-bb"
[source."git-aa"]
directory = "/at/git/aa"
[source."git-bb"]
directory = "/at/git/bb"
"#;
        let text = tables(&crates, |repository| format!("/at/{}", folder(repository)));
        assert_eq!(text, expected);
        assert!(text.parse::<toml::Table>().is_ok());
        let found: Vec<_> = repositories(&crates).into_iter().map(|(at, packages)| (&*at.commit, packages)).collect();
        let packages = |names: &[&str]| names.iter().map(|name| format!("{name} 1.0.0")).collect::<Vec<_>>();
        assert_eq!(found, [("aa", packages(&["a", "b"])), ("bb", packages(&["a"]))]);
        assert_eq!(tables(&[], |_| String::new()), "");
    }

    #[test]
    fn one_repository_in_several_spellings() {
        for (one, other, same) in [
            ("https://host/a", "https://host/a.git", true),
            ("https://host/a", "https://host/a/", true),
            ("https://host/a", "https://host/A", false),
            ("https://github.com/A/b", "http://github.com/a/b.git", true),
            ("https://host/a", "https://other/a", false),
        ] {
            assert_eq!(canonical(one) == canonical(other), same, "{one} {other}");
        }
    }
}
