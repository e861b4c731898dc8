//! Files beside recipes that change what is locked: a Cargo.lock of this repository, and patches. Their
//! content is part of what a lock entry is keyed by, so they are looked at with the recipes.

use std::fs;
use std::path::Path;

use super::{Closure, Project, Source};
use crate::canon::identity;
use crate::digest::Digest;
use crate::path::RelPath;

/// Looks at the files beside each Cargo.lock that is pinned. One that can't be read counts as not there: locking says
/// what is wrong with it.
pub(super) fn look(project: &Path, recipes: &mut Project) {
    let sources = recipes.units.values_mut().flat_map(|recipe| recipe.sources.values_mut());
    for source in sources {
        if let Source::Crates(Closure { beside, content, .. }) = source
            && !beside.is_empty()
        {
            let digest = |file: &RelPath| fs::read(project.join(file)).ok().map(|bytes| Digest::of(&bytes));
            let files: Vec<_> = beside.iter().map(|file| (file.clone(), digest(file))).collect();
            *content = Some(identity("forge beside 1", &files));
        }
    }
}
