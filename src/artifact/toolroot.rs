//! A toolroot: many .debs, one root file system.
//!
//! Each .deb is unpacked once into a tree of its own, whichever toolroots it is in; that tree is
//! recorded in the store under a key made of the .deb's digest and the trim list. The merge moves
//! no file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::{Error, Parts, Say, part};
use crate::canon::identity;
use crate::debian::rules::Rules;
use crate::debian::toolroot::{lint, merge, unpack_deb};
use crate::digest::Digest;
use crate::path::RelPath;
use crate::store::{Blob, Output, Store};

/// The tag of the keys of unpacked .debs; its number changes with the rules of unpacking.
const TAG: &str = "forge unpacked deb 1";

/// Packages that go into one tree.
#[derive(Clone, Copy, Debug)]
pub struct Packages<'a> {
    /// Package name and .deb.
    pub debs: &'a [(String, Output)],
    /// Links in place of what maintainer scripts would have made.
    pub links: &'a BTreeMap<String, String>,
    /// Directories left out.
    pub trim: &'a [RelPath],
    /// Alternatives that need no answer.
    pub ignore: &'a [String],
}

impl Packages<'_> {
    /// The toolroot of them.
    ///
    /// # Errors
    /// For a damaged .deb, packages that clash, and alternatives that the links do not answer.
    pub fn toolroot(&self, store: &Store, parts: Parts, threads: usize, say: &Say<'_>) -> Result<Output, Error> {
        let trees = self.unpacked(store, parts, threads, say)?;
        Ok(Output::Tree(merge(store, &trees, self.links)?))
    }

    /// The name and the tree of each.
    ///
    /// # Errors
    /// For a damaged .deb, and alternatives that the links do not answer.
    pub(super) fn unpacked(
        &self,
        store: &Store,
        parts: Parts,
        threads: usize,
        say: &Say<'_>,
    ) -> Result<Vec<(String, Blob)>, Error> {
        let rules = Rules::toolroot(self.trim.to_vec());
        let files = self.files(store)?;
        self.check_links(&files, &rules)?;
        let debs: Vec<Output> = self.debs.iter().map(|(_, deb)| *deb).collect();
        part::each(&debs, threads, (say, "packages"), |index| {
            let (package, path) = &files[index];
            let label = format!("unpacked packages: {package}");
            let make = || Ok(unpack_deb(package, path, &rules, store)?.tree);
            Ok((package.clone(), part::made(store, parts, &self.key(&debs[index]), &label, make)?))
        })
    }

    fn files(&self, store: &Store) -> Result<Vec<(String, PathBuf)>, Error> {
        self.debs.iter().map(|(package, deb)| Ok((package.clone(), store.realise(deb)?))).collect()
    }

    fn check_links(&self, files: &[(String, PathBuf)], rules: &Rules) -> Result<(), Error> {
        let ignore: BTreeSet<String> = self.ignore.iter().cloned().collect();
        let open = lint(files, self.links, &ignore, rules)?;
        if open.is_empty() {
            return Ok(());
        }
        let lines: String = open.iter().map(|question| format!("\n  {question}")).collect();
        Err(Error::Refused(format!(
            "maintainer scripts, which do not run, would make links that the recipe does not mention; \
             put them into [links] or their names into `ignore-alternatives`:{lines}"
        )))
    }

    fn key(&self, deb: &Output) -> Digest {
        identity(TAG, &(deb.digest(), self.trim.to_vec()))
    }
}
