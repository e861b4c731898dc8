//! What a project was like at a commit of the git repository that it lies in.
//!
//! The repository is only read: work tree and index stay as they are, and the tree is put together
//! from raw blobs, as that of a git source is. It is remembered in the store by commit.

use std::collections::BTreeMap;
use std::path::Path;

use super::git::Repository;
use super::git_tree::Commit;
use super::{Error, Git};
use crate::canon;
use crate::path::Name;
use crate::store::{ActionResult, Blob, Output, Store};

impl Git {
    /// The tree of what lay at `paths` below `folder` when `rev` was committed; what did not is left out.
    ///
    /// # Errors
    /// [`Error::NotARepository`], [`Error::NoCommit`]; what else git says; trouble with the store.
    pub fn past(&self, store: &Store, folder: &Path, rev: &str, paths: &[&str]) -> Result<Blob, Error> {
        let shown = folder.display().to_string();
        let repository = Repository::at(self, store, folder, &shown)?;
        let prefix = repository.run(&["rev-parse", "--show-prefix"])?;
        let prefix = prefix.map_err(|_| Error::NotARepository(folder.to_owned()))?;
        let prefix = String::from_utf8_lossy(&prefix).into_owned();
        let commit = repository.commit(rev)?;
        let id = commit.map_err(|_| Error::NoCommit { folder: folder.to_owned(), rev: rev.to_owned() })?;
        let key = canon::identity("forge past 1", &(id.as_str(), (prefix, paths.to_vec())));
        if let Some(Output::Tree(tree)) = store.result(&key)?.and_then(|result| result.outputs.into_values().next()) {
            return Ok(tree);
        }
        let tree = Commit { repository: &repository, id: &id }.import_paths(store, paths)?;
        let outputs = BTreeMap::from([(Name::new("out")?, Output::Tree(tree))]);
        let label = format!("{shown}: {rev}");
        store.record(&key, &ActionResult { label, outputs, ..ActionResult::default() })?;
        store.commit()?;
        Ok(tree)
    }
}
