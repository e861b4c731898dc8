//! A toolroot: many .debs, one root file system.
//!
//! Each .deb is unpacked once into a tree of its own, whichever toolroots it is in; that tree is
//! recorded in the store under a key made of the .deb's digest and the trim list. The merge moves
//! no file.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Error, Parts, Say};
use crate::canon::identity;
use crate::debian::rules::Rules;
use crate::debian::toolroot::{lint, merge, unpack_deb};
use crate::digest::Digest;
use crate::parallel;
use crate::path::{Name, RelPath};
use crate::recipe::OUTPUT;
use crate::store::{ActionResult, Blob, Output, Store};

/// The tag of the keys of unpacked .debs; its number changes with the rules of unpacking.
const TAG: &str = "forge unpacked deb 1";

/// What a toolroot is made of.
#[derive(Clone, Copy, Debug)]
pub struct Toolroot<'a> {
    /// Package name and .deb.
    pub debs: &'a [(String, Output)],
    /// Links in place of what maintainer scripts would have made.
    pub links: &'a BTreeMap<String, String>,
    /// Directories left out.
    pub trim: &'a [RelPath],
    /// Alternatives that need no answer.
    pub ignore: &'a [String],
}

impl Toolroot<'_> {
    /// Makes it.
    ///
    /// # Errors
    /// For a damaged .deb, packages that clash, and alternatives that the links do not answer.
    pub fn assemble(&self, store: &Store, parts: Parts, threads: usize, say: &Say<'_>) -> Result<Output, Error> {
        let rules = Rules::toolroot(self.trim.to_vec());
        let files = self.files(store)?;
        self.check_links(&files, &rules)?;
        let trees = self.unpack(store, &files, &rules, parts, threads, say)?;
        Ok(Output::Tree(merge(store, &trees, self.links)?))
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

    /// The packages' trees: recorded ones where those may be taken, and the rest unpacked now, the
    /// largest first, so that no thread is left alone with it at the end.
    fn unpack(
        &self,
        store: &Store,
        files: &[(String, PathBuf)],
        rules: &Rules,
        parts: Parts,
        threads: usize,
        say: &Say<'_>,
    ) -> Result<Vec<(String, Blob)>, Error> {
        let mut order: Vec<usize> = (0..files.len()).collect();
        order.sort_by_key(|index| Reverse(size(&self.debs[*index].1)));
        let done = AtomicUsize::new(0);
        let mut trees = parallel::each(&order, threads, |index| {
            let (package, path) = &files[*index];
            let tree = match parts {
                Parts::Known => unpacked(store, &self.key(&self.debs[*index].1), package, path, rules)?,
                Parts::Anew => unpack_deb(package, path, rules, store)?.tree,
            };
            match say(&format!("{} of {} packages", done.fetch_add(1, Ordering::Relaxed) + 1, files.len())) {
                ControlFlow::Continue(()) => Ok((*index, package.clone(), tree)),
                ControlFlow::Break(()) => Err(Error::Stopped),
            }
        })?;
        trees.sort_by_key(|(index, ..)| *index);
        Ok(trees.into_iter().map(|(_, package, tree)| (package, tree)).collect())
    }

    fn key(&self, deb: &Output) -> Digest {
        identity(TAG, &(deb.digest(), self.trim.to_vec()))
    }
}

/// A package's tree; another toolroot that wants it at the same time waits for it.
fn unpacked(store: &Store, key: &Digest, package: &str, path: &Path, rules: &Rules) -> Result<Blob, Error> {
    if let Some(tree) = recorded(store, key)? {
        return Ok(tree);
    }
    let _lock = store.lock(key)?;
    if let Some(tree) = recorded(store, key)? {
        return Ok(tree);
    }
    let tree = unpack_deb(package, path, rules, store)?.tree;
    store.record(key, &result(package, tree))?;
    Ok(tree)
}

fn recorded(store: &Store, key: &Digest) -> Result<Option<Blob>, Error> {
    let result = store.result(key)?;
    Ok(result.and_then(|result| match result.outputs.get(OUTPUT) {
        Some(Output::Tree(tree)) => Some(*tree),
        _ => None,
    }))
}

fn result(package: &str, tree: Blob) -> ActionResult {
    let name = Name::new(OUTPUT).expect("BUG: `out` is a name");
    let outputs = BTreeMap::from([(name, Output::Tree(tree))]);
    ActionResult { label: format!("unpacked packages: {package}"), outputs, ..ActionResult::default() }
}

fn size(deb: &Output) -> u64 {
    match deb {
        Output::File { blob, .. } | Output::Tree(blob) => blob.size,
    }
}
