//! The crates that a lockfile lists, found by the words that sources use: packages of the registry by
//! name and version, those of repositories by their repository's URL and commit too.

use std::collections::{BTreeMap, HashMap};

use super::listed::{Faults, Text};
use super::{Asked, Crate, Entry, GitCrate, Repository};
use crate::digest::Digest;
use crate::store::Blob;

/// All lines.
#[derive(Default)]
pub(super) struct Crates<'f> {
    /// By `name version`.
    published: HashMap<String, Line<'f, Crate>>,
    /// By `url commit`.
    repositories: HashMap<String, Line<'f, Repository>>,
}

struct Line<'f, T> {
    what: T,
    text: &'f Text<'f>,
    used: bool,
}

/// What a source names.
pub(super) enum Named {
    /// A package of the registry.
    Published(Crate),
    /// A package of a repository.
    Git(GitCrate),
}

impl<'f> Crates<'f> {
    /// Takes in the lines of a lockfile.
    pub(super) fn new(crates: &'f [Text<'f>], repositories: &'f [Text<'f>], faults: &mut Faults) -> Self {
        Self {
            published: all(crates, ("crate", krate, Crate::reference), faults),
            repositories: all(repositories, ("repository", repository, Repository::reference), faults),
        }
    }

    /// The package that a source names.
    pub(super) fn named(&mut self, name: &Text<'_>, faults: &mut Faults) -> Option<Named> {
        let words: Vec<&str> = name.get_ref().0.split(' ').collect();
        match words[..] {
            [_, _, url, commit] => self.of_git((words[0], words[1], Asked::Default), (url, commit), name, faults),
            [_, _, url, asked, commit] => {
                let asked = faults.word(asked, name)?;
                self.of_git((words[0], words[1], asked), (url, commit), name, faults)
            }
            _ => self.published(name, faults).map(Named::Published),
        }
    }

    /// The package of the registry that a source names.
    pub(super) fn published(&mut self, name: &Text<'_>, faults: &mut Faults) -> Option<Crate> {
        find(&mut self.published, &name.get_ref().0, name, ("crate", "crates"), faults)
    }

    fn of_git(
        &mut self,
        (package, version, asked): (&str, &str, Asked),
        (url, commit): (&str, &str),
        text: &Text<'_>,
        faults: &mut Faults,
    ) -> Option<Named> {
        let key = format!("{url} {commit}");
        let repository = find(&mut self.repositories, &key, text, ("repository", "repositories"), faults)?;
        Some(Named::Git(GitCrate { name: package.to_owned(), version: version.to_owned(), repository, asked }))
    }

    /// Finds lines that no source names.
    pub(super) fn unused(&self, faults: &mut Faults) {
        unused(&self.published, "crate", faults);
        unused(&self.repositories, "repository", faults);
    }
}

/// The lines of one list; `kind` is what one is, how it is read, and what it is found by.
fn all<'f, T>(
    lines: &'f [Text<'f>],
    (what, read, key): (&str, impl Fn(&Text<'_>, &mut Faults) -> Option<T>, impl Fn(&T) -> String),
    faults: &mut Faults,
) -> HashMap<String, Line<'f, T>> {
    let mut found = HashMap::with_capacity(lines.len());
    for text in lines {
        let Some(one) = read(text, faults) else { continue };
        let key = key(&one);
        if found.insert(key.clone(), Line { what: one, text, used: false }).is_some() {
            faults.add(text.span(), format!("the {what} `{}` stands here twice", key.escape_debug()));
        }
    }
    found
}

fn find<T: Clone>(
    lines: &mut HashMap<String, Line<'_, T>>,
    key: &str,
    at: &Text<'_>,
    (what, list): (&str, &str),
    faults: &mut Faults,
) -> Option<T> {
    match lines.get_mut(key) {
        Some(line) => {
            line.used = true;
            Some(line.what.clone())
        }
        None => faults.refuse(at.span(), format!("the {what} `{}` is not in the list `{list}`", key.escape_debug())),
    }
}

fn unused<T>(lines: &HashMap<String, Line<'_, T>>, what: &str, faults: &mut Faults) {
    for (key, Line { text, .. }) in lines.iter().filter(|(_, line)| !line.used) {
        faults.add(text.span(), format!("no source uses the {what} `{}`", key.escape_debug()));
    }
}

fn krate(text: &Text<'_>, faults: &mut Faults) -> Option<Crate> {
    let words: Vec<&str> = text.get_ref().0.split(' ').collect();
    let [name, version, size, digest] = words[..] else {
        return faults.refuse(text.span(), "a crate is `name version size sha256`");
    };
    let (size, digest) = (faults.word(size, text)?, faults.word(digest, text)?);
    Some(Crate { name: name.to_owned(), version: version.to_owned(), size, digest })
}

fn repository(text: &Text<'_>, faults: &mut Faults) -> Option<Repository> {
    let words: Vec<&str> = text.get_ref().0.split(' ').collect();
    let [url, id, size, digest] = words[..] else {
        return faults.refuse(text.span(), "a repository is `url commit size sha256`");
    };
    let tree = Blob { size: faults.word(size, text)?, digest: faults.word(digest, text)? };
    Some(Repository { url: url.to_owned(), commit: commit(id, text, faults)?, tree })
}

/// A commit that stands in `text`.
pub(super) fn commit(commit: &str, text: &Text<'_>, faults: &mut Faults) -> Option<String> {
    if commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(commit.to_owned());
    }
    faults.refuse(text.span(), "a commit has 40 hex digits")
}

/// What `entry` pins to other content than `others` do: what it is, and both digests.
pub(super) fn clash<'a>(others: impl Iterator<Item = &'a Entry>, entry: &Entry) -> Option<(String, String, String)> {
    let have: BTreeMap<String, Digest> = others.flat_map(contents).collect();
    let other = |(what, got): (String, Digest)| {
        let have = have.get(&what).filter(|have| **have != got)?;
        Some((what, have.to_string(), got.to_string()))
    };
    contents(entry).find_map(other)
}

fn contents(entry: &Entry) -> impl Iterator<Item = (String, Digest)> {
    let published = entry.locked.crates().iter().map(|one| (one.reference(), one.digest));
    let repositories = entry.locked.git_crates().iter().map(|one| &one.repository);
    published.chain(repositories.map(|one| (one.reference(), one.tree.digest)))
}
