//! The packages that the suites of a lockfile list, found by the name that sources use.
//!
//! A line is taken apart when a source names it; one that none names is an error, so every line is looked at.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Display;
use std::ops::Range;
use std::str::FromStr;

use serde::Deserialize;
use toml::Spanned;

use super::{Deb, Index, Pin, Place};
use crate::path::Name;
use crate::recipe::Fault;

/// What to do about a file that is not as it was written.
pub(super) const RESTORE: &str =
    "only `forge lock` writes this file: take it back from version control, or delete it and run `forge lock`";

/// A text that is borrowed from the file unless it has escapes; a lockfile has thousands of them.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(transparent)]
pub(super) struct Words<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

pub(super) type Text<'a> = Spanned<Words<'a>>;

/// What was found to be wrong.
#[derive(Default)]
pub(super) struct Faults(pub(super) Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, at: Range<usize>, title: impl Into<String>) {
        self.0.push(Fault::new(at, title).help(RESTORE));
    }

    /// A fault in place of a value.
    pub(super) fn refuse<T>(&mut self, at: Range<usize>, title: impl Into<String>) -> Option<T> {
        self.add(at, title);
        None
    }

    pub(super) fn parsed<T: FromStr<Err: Display>>(&mut self, text: &Text<'_>) -> Option<T> {
        self.word(&text.get_ref().0, text)
    }

    /// The value of one word of `text`.
    pub(super) fn word<T: FromStr<Err: Display>>(&mut self, word: &str, text: &Text<'_>) -> Option<T> {
        match word.parse() {
            Ok(value) => Some(value),
            Err(error) => self.refuse(text.span(), format!("`{}`: {error}", word.escape_debug())),
        }
    }

    /// A line of a suite's `indexes`.
    pub(super) fn index(&mut self, text: &Text<'_>) -> Option<Index> {
        let mut words = text.get_ref().0.splitn(3, ' ');
        let (Some(size), Some(digest), Some(path)) = (words.next(), words.next(), words.next()) else {
            return self.refuse(text.span(), "an index is `size sha256 path`");
        };
        Some(Index { size: self.word(size, text)?, digest: self.word(digest, text)?, path: self.word(path, text)? })
    }
}

/// A line of a suite's `debs`.
struct Line<'f> {
    archive: Name,
    date: &'f str,
    text: &'f Text<'f>,
    used: bool,
}

/// All lines, by archive and `package:architecture`.
#[derive(Default)]
pub(super) struct Listed<'f>(HashMap<(&'f str, &'f str), Line<'f>>);

impl<'f> Listed<'f> {
    /// Takes in the packages of one suite; `name` is how the file writes `archive`.
    pub(super) fn suite(
        &mut self,
        (name, archive): (&'f str, &Name),
        date: &'f str,
        lines: &'f [Text<'f>],
        faults: &mut Faults,
    ) {
        self.0.reserve(lines.len());
        for text in lines {
            let key = text.get_ref().0.split(' ').next().unwrap_or_default();
            let line = Line { archive: archive.clone(), date, text, used: false };
            if self.0.insert((name, key), line).is_some() {
                faults.add(text.span(), format!("the package `{name}/{}` stands here twice", key.escape_debug()));
            }
        }
    }

    /// The package that a source names (`debian/gcc:amd64`).
    pub(super) fn named(&mut self, name: &'f Text<'f>, faults: &mut Faults) -> Option<Deb> {
        let words = &*name.get_ref().0;
        match words.split_once('/').and_then(|key| self.0.get_mut(&key)) {
            Some(line) => {
                line.used = true;
                line.deb(faults)
            }
            None => faults.refuse(name.span(), format!("no suite lists the package `{}`", words.escape_debug())),
        }
    }

    /// Finds packages that no source names.
    pub(super) fn unused(&self, faults: &mut Faults) {
        for ((archive, key), line) in self.0.iter().filter(|(_, line)| !line.used) {
            faults.add(line.text.span(), format!("no source uses `{archive}/{}`", key.escape_debug()));
        }
    }
}

impl Line<'_> {
    fn deb(&self, faults: &mut Faults) -> Option<Deb> {
        let text = self.text;
        let mut words = text.get_ref().0.splitn(5, ' ');
        let mut next = || words.next().filter(|word| !word.is_empty());
        let (Some(key), Some(version), Some(size), Some(digest), Some(path)) = (next(), next(), next(), next(), next())
        else {
            return faults.refuse(text.span(), "a package is `name:architecture version size sha256 path`");
        };
        let Some((package, architecture)) = key.split_once(':') else {
            return faults.refuse(text.span(), format!("`{}` is not `name:architecture`", key.escape_debug()));
        };
        let path = faults.word(path, text)?;
        let place = Place::Archive { archive: self.archive.clone(), path, date: self.date.to_owned() };
        let pin = Pin { place, size: faults.word(size, text)?, digest: faults.word(digest, text)? };
        let (package, version, architecture) = (package.to_owned(), version.to_owned(), architecture.to_owned());
        Some(Deb { package, version, architecture, pin })
    }
}
