//! The crates that a lockfile lists, found by the name and version that sources use.

use std::collections::HashMap;

use super::Crate;
use super::listed::{Faults, Text};

/// All lines, by `name version`.
#[derive(Default)]
pub(super) struct Crates<'f>(HashMap<String, (Crate, &'f Text<'f>, bool)>);

impl<'f> Crates<'f> {
    /// Takes in the lines of a lockfile.
    pub(super) fn new(lines: &'f [Text<'f>], faults: &mut Faults) -> Self {
        let mut all = Self(HashMap::with_capacity(lines.len()));
        for text in lines {
            let Some(line) = line(text, faults) else { continue };
            let key = line.reference();
            if all.0.insert(key.clone(), (line, text, false)).is_some() {
                faults.add(text.span(), format!("the crate `{}` stands here twice", key.escape_debug()));
            }
        }
        all
    }

    /// The crate that a source names.
    pub(super) fn named(&mut self, name: &Text<'_>, faults: &mut Faults) -> Option<Crate> {
        let words = &*name.get_ref().0;
        match self.0.get_mut(words) {
            Some((found, _, used)) => {
                *used = true;
                Some(found.clone())
            }
            None => {
                faults.refuse(name.span(), format!("the crate `{}` is not in the list `crates`", words.escape_debug()))
            }
        }
    }

    /// Finds crates that no source names.
    pub(super) fn unused(&self, faults: &mut Faults) {
        for (name, (_, text, _)) in self.0.iter().filter(|(_, (.., used))| !used) {
            faults.add(text.span(), format!("no source uses the crate `{}`", name.escape_debug()));
        }
    }
}

fn line(text: &Text<'_>, faults: &mut Faults) -> Option<Crate> {
    let words: Vec<&str> = text.get_ref().0.split(' ').collect();
    let [name, version, size, digest] = words[..] else {
        return faults.refuse(text.span(), "a crate is `name version size sha256`");
    };
    let (size, digest) = (faults.word(size, text)?, faults.word(digest, text)?);
    Some(Crate { name: name.to_owned(), version: version.to_owned(), size, digest })
}
