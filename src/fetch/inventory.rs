//! What the lock pins, as content to be copied: each once, whoever names it.

use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::lockfile::{Deb, Index, Locked, Pin, Repository, Suite};
use crate::path::Name;
use crate::recipe::Recipe;
use crate::store::Blob;

/// A piece of pinned content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What a person calls it: `gcc-14 14.2.0-19`, `hello/data`.
    pub name: String,
    /// What it is.
    pub content: Content,
}

/// What an item is, and how it is had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A file that a build needs.
    File {
        /// Where it is to be had, and what it must be.
        pin: Pin,
        /// A unit whose source it is.
        unit: Name,
    },
    /// The tree of a commit.
    Tree {
        /// The repository.
        url: String,
        /// 40 hex digits.
        commit: String,
        /// Its top directory.
        tree: Blob,
    },
    /// A package list: `forge lock` reads it when the packages of a recipe change, a build never does.
    Index {
        /// The state that it is of.
        suite: Suite,
        /// The list.
        index: Index,
    },
}

impl Item {
    /// What names the content: a file, or the top directory of a tree.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.blob().digest
    }

    /// The file, or the message of a tree's top directory.
    #[must_use]
    pub fn blob(&self) -> Blob {
        match &self.content {
            Content::File { pin: Pin { digest, size, .. }, .. }
            | Content::Index { index: Index { digest, size, .. }, .. } => Blob { digest: *digest, size: *size },
            Content::Tree { tree, .. } => *tree,
        }
    }

    /// One word for what it is.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.content {
            Content::File { .. } => "file",
            Content::Tree { .. } => "tree",
            Content::Index { .. } => "index",
        }
    }
}

/// The sources of `units`, and the package lists of the archives that they draw from.
#[must_use]
pub fn inventory<'a>(
    units: impl IntoIterator<Item = &'a Recipe<Locked>>,
    suites: impl IntoIterator<Item = &'a Suite>,
) -> Vec<Item> {
    let (mut items, mut archives) = (Vec::new(), BTreeSet::new());
    for unit in units {
        for (name, locked) in &unit.sources {
            archives.extend(locked.debs().iter().filter_map(Deb::archive).cloned());
            items.extend(source(&unit.name, name, locked));
        }
    }
    for suite in suites.into_iter().filter(|suite| archives.contains(&suite.archive)) {
        items.extend(suite.indexes.iter().map(|index| list(suite, index)));
    }
    let mut seen = BTreeSet::new();
    items.retain(|item| seen.insert(item.digest()));
    items
}

fn source(unit: &Name, name: &Name, locked: &Locked) -> Vec<Item> {
    let file = |name: String, pin: &Pin| Item { name, content: Content::File { pin: pin.clone(), unit: unit.clone() } };
    match locked {
        Locked::Debs(_) | Locked::DebMember { .. } => {
            locked.debs().iter().map(|deb| file(format!("{} {}", deb.package, deb.version), &deb.pin)).collect()
        }
        Locked::File { pin, .. } => vec![file(format!("{unit}/{name}"), pin)],
        Locked::Crate(_) | Locked::Crates { .. } => {
            let published = locked.crates().iter().map(|one| file(one.reference(), &one.pin()));
            let repositories = locked.git_crates().iter().map(|one| &one.repository);
            published.chain(repositories.map(|one| tree(one.reference(), one))).collect()
        }
        Locked::Git { url, commit, tree: top } => {
            let repository = Repository { url: url.clone(), commit: commit.clone(), tree: *top };
            vec![tree(format!("{unit}/{name}"), &repository)]
        }
        Locked::Oci { .. } => {
            locked.image().iter().map(|pin| file(format!("{unit}/{name} {}", &pin.digest.hex()[..12]), pin)).collect()
        }
        Locked::Path { .. } => Vec::new(),
    }
}

fn tree(name: String, Repository { url, commit, tree }: &Repository) -> Item {
    Item { name, content: Content::Tree { url: url.clone(), commit: commit.clone(), tree: *tree } }
}

fn list(suite: &Suite, index: &Index) -> Item {
    let name = format!("{} {} {}", suite.archive, suite.suite, index.path);
    Item { name, content: Content::Index { suite: suite.clone(), index: index.clone() } }
}
