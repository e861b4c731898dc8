//! What a Cargo.lock names, pinned while locking: files of the registry through the host's cargo, states of
//! git repositories as any git source.
//!
//! Cargo itself asks no git repository: it takes their packages from folders that forge put together from the pinned
//! trees, as it does in the sandbox.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::path::{Path, PathBuf};

use super::named::{Named, Unpinned};
use super::{Cargo, Error, Fetcher, Watch};
use crate::artifact::repository;
use crate::lockfile::{Crate, GitCrate, Locked, Repository};
use crate::plan::replace;
use crate::recipe::{CARGO_LOCK, Closure, Rev};
use crate::store::{Blob, Output};

/// Trees by URL and commit.
type Trees = BTreeMap<(String, String), Blob>;

impl Fetcher<'_> {
    /// Pins all crates that the Cargo.lock of `source` names, once it is patched and updated as the recipe says, with
    /// the features of those that the recipe asks about.
    ///
    /// # Errors
    /// For a Cargo.lock that is missing, does not fit, or names what is in no registry and no repository; and what
    /// cargo and git say.
    pub fn pin_crates(
        &self,
        closure: &Closure,
        source: &Output,
        patches: &[PathBuf],
        watch: &Watch<'_>,
    ) -> Result<Locked, Error> {
        let tree = self.store.realise(source)?;
        let scratch = self.store.scratch()?;
        copy_folder(&tree, scratch.path())?;
        self.git.apply(scratch.path(), patches)?;
        let lock = scratch.path().join(CARGO_LOCK);
        if !lock.is_file() {
            return Err(Error::CargoLock("there is no Cargo.lock at its top".to_owned()));
        }
        let git = Named::read(&lock)?.git;
        let trees = self.trees(&git)?;
        let cargo = self.cargo_with(&pinned(&trees, git)?)?;
        cargo.update(self.store, scratch.path(), &closure.updates)?;
        cargo.workspace(self.store, scratch.path())?;
        let Named { published, git } = Named::read(&lock)?;
        if published.iter().any(|one| self.cargo.cached(&one.name, &one.version).is_empty()) {
            self.bring(&published, watch)?;
        }
        let sized = |one: &Crate| self.sized(&one.name, &one.version, Some(one.digest), watch);
        let published = published.iter().map(sized).collect::<Result<_, _>>()?;
        let git = pinned(&trees, git)?;
        let linked = |crossing| cargo.linked(self.store, scratch.path(), crossing, &git);
        let features = closure.crossing.as_ref().map(linked).transpose()?.unwrap_or_default();
        Ok(Locked::Crates { published, git, features })
    }

    /// The tree of each commit, which is in the store then.
    fn trees(&self, git: &[Unpinned]) -> Result<Trees, Error> {
        let mut trees = Trees::new();
        for Unpinned { url, commit, .. } in git {
            if let Entry::Vacant(place) = trees.entry((url.clone(), commit.clone())) {
                let (_, tree) = self.pin_git(url, &Rev::Commit(commit.clone())).map_err(fitting)?;
                place.insert(tree);
            }
        }
        Ok(trees)
    }

    /// The host's cargo, for which the packages of `git` lie in folders.
    fn cargo_with(&self, git: &[GitCrate]) -> Result<Cargo, Error> {
        let mut folders = BTreeMap::new();
        for (repository, packages) in replace::repositories(git) {
            let taken = repository::assemble(self.store, &Output::Tree(repository.tree), &packages);
            let taken = taken.map_err(|error| Error::CargoLock(format!("{}: {error}", repository.url)))?;
            folders.insert(repository.commit.clone(), self.store.realise(&taken)?.display().to_string());
        }
        Ok(self.cargo.replacing(replace::tables(git, |repository| folders[&repository.commit].clone())))
    }
}

/// With what one can do about it where Cargo.lock names the repository.
fn fitting(error: Error) -> Error {
    let Error::Submodules { url, commit, submodules } = error else { return error };
    let submodules = submodules.join(", ");
    Error::CargoLock(format!(
        "{url}: commit {commit} has submodules, which forge does not follow: {submodules}\n  \
         depend on a published version, or on a repository without them"
    ))
}

/// Packages with the tree that each is from.
fn pinned(trees: &Trees, git: Vec<Unpinned>) -> Result<Vec<GitCrate>, Error> {
    let pin = |Unpinned { name, version, url, commit, asked }| {
        let tree = trees.get(&(String::clone(&url), String::clone(&commit))).copied();
        let moved = || format!("`lock-patches` moves `{name}` to commit {commit} of {url}; only a patch can do that");
        let tree = tree.ok_or_else(|| Error::CargoLock(moved()))?;
        Ok(GitCrate { name, version, repository: Repository { url, commit, tree }, asked })
    };
    git.into_iter().map(pin).collect()
}

/// Copies a folder of files, which cargo may then change.
fn copy_folder(from: &Path, to: &Path) -> Result<(), Error> {
    let broken = |path: &Path, source| Error::Io { path: path.to_owned(), source };
    for entry in fs::read_dir(from).map_err(|error| broken(from, error))? {
        let entry = entry.map_err(|error| broken(from, error))?;
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(|error| broken(&path, error))?;
        if kind.is_dir() {
            fs::create_dir(&copy).map_err(|error| broken(&copy, error))?;
            copy_folder(&path, &copy)?;
        } else if kind.is_file() {
            fs::copy(&path, &copy).map_err(|error| broken(&path, error))?;
        }
    }
    Ok(())
}
