//! A toolroot: the root file system, made of .debs, that commands run in.
//!
//! Each .deb becomes one tree of its own ([`unpack_deb`]; its docs trimmed, its `bin` and `lib*`
//! below `usr`), made once. [`merge`] lays those trees over each other, which moves no file, and
//! adds what no package brings:
//!
//! | path | why |
//! |---|---|
//! | `bin lib lib64 sbin …` | links of the usr-merge, where `usr` has the directory |
//! | `build out src deps tmp proc dev` | mount points of the sandbox |
//! | `etc/passwd`, `etc/group` | root, the build user, nobody |
//! | the recipe's links | what maintainer scripts would have made; they go straight to their targets |
//!
//! No script runs. [`lint`] lists the links that scripts would make and the recipe does not mention.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::alternatives::{self, Unanswered};
use super::deb::{self, Deb};
use super::rules::{MERGED, Rules};
use super::sink::StoreSink;
use super::unpack::{self, Notes};
use crate::path::{PathError, RelPath};
use crate::store::{self, Blob, Store, TreeBuilder};

/// Why there is no toolroot.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A .deb can't be opened.
    #[error("{path}: {source}")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A .deb is damaged or refused.
    #[error("package {package}: {source}")]
    Deb {
        /// The package.
        package: String,
        /// Why.
        source: deb::Error,
    },
    /// Two packages bring different things at one place.
    #[error("package {package} does not fit beside the others: {source}")]
    Merge {
        /// The later of the two.
        package: String,
        /// Names the place.
        source: store::Error,
    },
    /// A link of the recipe stands where a package has something.
    #[error("the link `{link}` of the recipe: {source}")]
    Link {
        /// The link's place.
        link: RelPath,
        /// Names what stands there.
        source: store::Error,
    },
    /// A link of the recipe leads nowhere.
    #[error("the link `{link}` of the recipe leads to `{target}`, which no package of the set brings")]
    Dangling {
        /// The link's place.
        link: RelPath,
        /// Its target as written.
        target: String,
    },
    /// A link of the recipe has no clean name.
    #[error("a link of the recipe: {0}")]
    Name(#[from] PathError),
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// A .deb as a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpacked {
    /// The tree's root.
    pub tree: Blob,
    /// What was left out beside the trimmed directories.
    pub notes: Notes,
}

/// Unpacks the .deb of `package` at `path`.
///
/// # Errors
/// If it is damaged or holds what a tree can't.
pub fn unpack_deb(package: &str, path: &Path, rules: &Rules, store: &Store) -> Result<Unpacked, Error> {
    let in_deb = |source: deb::Error| Error::Deb { package: package.to_owned(), source };
    let mut sink = StoreSink::new(store);
    let notes = open(package, path)?.unpack(rules, &mut sink).map_err(in_deb)?;
    let tree = sink.finish().map_err(|source: unpack::Error| in_deb(source.into()))?;
    Ok(Unpacked { tree, notes })
}

fn open(package: &str, path: &Path) -> Result<Deb<File>, Error> {
    let file = File::open(path).map_err(|source| Error::Open { path: path.to_owned(), source })?;
    Deb::open(file).map_err(|source| Error::Deb { package: package.to_owned(), source })
}

/// The links that scripts of these packages would make and that neither `links` nor `ignore` answers.
///
/// # Errors
/// If a .deb can't be read.
pub fn lint(
    debs: &[(String, PathBuf)],
    links: &BTreeMap<String, String>,
    ignore: &BTreeSet<String>,
    rules: &Rules,
) -> Result<Vec<Unanswered>, Error> {
    let links = places(links)?;
    let mut open_questions = Vec::new();
    for (package, path) in debs {
        let deb = open(package, path)?;
        let scripts = ["preinst", "postinst"].into_iter().filter_map(|name| deb.script(name));
        let found = scripts.flat_map(alternatives::find).collect();
        open_questions.extend(alternatives::unanswered(package, found, &links, ignore, rules));
    }
    Ok(open_questions)
}

fn places(links: &BTreeMap<String, String>) -> Result<BTreeMap<RelPath, String>, PathError> {
    links.iter().map(|(key, target)| Ok((alternatives::place(key)?, target.clone()))).collect()
}

/// The directories that a sandbox mounts on.
pub const MOUNT_POINTS: [&str; 7] = ["build", "out", "src", "deps", "tmp", "proc", "dev"];

/// The build user is uid 1000.
const PASSWD: &str = "\
root:x:0:0:root:/root:/bin/sh
forge:x:1000:1000:forge:/build:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
";

const GROUP: &str = "\
root:x:0:
forge:x:1000:
nogroup:x:65534:
";

/// Lays the packages' trees over each other and adds what no package brings.
///
/// # Errors
/// If two packages clash, or a link of the recipe clashes or leads nowhere.
pub fn merge(store: &Store, trees: &[(String, Blob)], links: &BTreeMap<String, String>) -> Result<Blob, Error> {
    let mut root = TreeBuilder::new();
    for (package, tree) in trees {
        let clash = |source| Error::Merge { package: package.clone(), source };
        root.graft(store, None, &tree.digest).map_err(clash)?;
    }
    add_merge_links(&mut root)?;
    for name in MOUNT_POINTS {
        root.directory(&RelPath::new(name)?)?;
    }
    for (path, text) in [("etc/passwd", PASSWD), ("etc/group", GROUP)] {
        root.file(&RelPath::new(path)?, store.put(text.as_bytes())?, false)?;
    }
    add_links(&mut root, &places(links)?)?;
    Ok(root.finish(store)?)
}

/// Adds the links of the usr-merge, where `usr` has the directory.
///
/// # Errors
/// If something else stands there.
pub fn add_merge_links(root: &mut TreeBuilder) -> Result<(), Error> {
    for name in MERGED {
        let (link, target) = (RelPath::new(name)?, RelPath::new(format!("usr/{name}"))?);
        if root.get(&target)?.is_some() {
            root.symlink(&link, target.as_str())?;
        }
    }
    Ok(())
}

/// A link may lead to another of the table, so all are made before the targets are looked for.
fn add_links(root: &mut TreeBuilder, links: &BTreeMap<RelPath, String>) -> Result<(), Error> {
    for (link, target) in links {
        root.symlink(link, target).map_err(|source| Error::Link { link: link.clone(), source })?;
    }
    for (link, target) in links {
        let place = resolve(link, target);
        if place.map(|place| root.get(&place)).transpose()?.flatten().is_none() {
            return Err(Error::Dangling { link: link.clone(), target: target.clone() });
        }
    }
    Ok(())
}

/// Where a symlink at `link` leads, by its text and the usr-merge.
fn resolve(link: &RelPath, target: &str) -> Option<RelPath> {
    let parent = link.parent().filter(|_| !target.starts_with('/'));
    let mut components: Vec<&str> = parent.iter().flat_map(RelPath::components).collect();
    for component in target.split('/') {
        match component {
            "" | "." => {}
            ".." => drop(components.pop()?),
            name => components.push(name),
        }
    }
    RelPath::new(components.join("/")).ok().map(|path| Rules::toolroot(Vec::new()).merged(path))
}

#[cfg(test)]
mod tests;
