//! A tree by its digest, out of content mirrors: its Directory messages and its files lie there as
//! any other content does. Each is compared with the digest that named it, from the pinned top on.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Error, Fetcher, Location, Progress, Want};
use crate::digest::Digest;
use crate::parallel;
use crate::store::{self, Blob, Directory, Node, Store};

/// How many files of a tree are fetched at once.
const THREADS: usize = 6;

/// As [`super::Watch`], for work on several threads.
pub type SharedWatch<'a> = dyn Fn(Progress<'_>) -> ControlFlow<()> + Sync + 'a;

/// What a tree is made of, each blob once.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// The top first.
    pub(super) directories: Vec<(Blob, Directory)>,
    /// Sizes by digest.
    pub(super) files: BTreeMap<Digest, u64>,
}

impl Parts {
    /// Takes the tree below `top` apart; `read` gives the directory of a blob.
    ///
    /// # Errors
    /// The first of `read`.
    pub(super) fn of<E>(top: &Blob, mut read: impl FnMut(&Blob) -> Result<Directory, E>) -> Result<Self, E> {
        let mut parts = Self::default();
        let (mut queue, mut seen) = (vec![*top], HashSet::from([top.digest]));
        while let Some(blob) = queue.pop() {
            let directory = read(&blob)?;
            for node in directory.entries.values() {
                match node {
                    Node::File { blob, .. } => drop(parts.files.insert(blob.digest, blob.size)),
                    Node::Directory(below) if seen.insert(below.digest) => queue.push(*below),
                    Node::Directory(_) | Node::Symlink(_) => {}
                }
            }
            parts.directories.push((blob, directory));
        }
        Ok(parts)
    }

    /// Of all messages and files.
    pub(super) fn bytes(&self) -> u64 {
        let directories = self.directories.iter().map(|(blob, _)| blob.size);
        directories.chain(self.files.values().copied()).sum()
    }

    /// Every blob.
    pub(super) fn blobs(&self) -> impl Iterator<Item = Blob> {
        self.directories.iter().map(|(blob, _)| *blob).chain(self.files())
    }

    /// Every file's content.
    pub(super) fn files(&self) -> impl Iterator<Item = Blob> {
        self.files.iter().map(|(digest, size)| Blob { digest: *digest, size: *size })
    }
}

impl Fetcher<'_> {
    /// Brings a tree into the store, whole or not at all: its top goes there last. `name` is what a
    /// person calls it.
    ///
    /// # Errors
    /// [`Error::Exhausted`] for the first part of it that no content mirror has.
    pub(super) fn tree(&self, name: &str, tree: &Blob, watch: &SharedWatch<'_>) -> Result<(), Error> {
        let parts = Parts::of(tree, |blob| self.directory(name, blob, watch))?;
        let (got, total) = (AtomicU64::new(0), parts.bytes());
        let files: Vec<Blob> = parts.files().collect();
        parallel::each(&files, THREADS, |file| {
            let tell = |progress: Progress<'_>| {
                watch(Progress { got: got.load(Ordering::Relaxed), total: Some(total), ..progress })
            };
            self.downloader.download(self.store, &want(name, file), &self.places.by_digest(&file.digest), &tell)?;
            got.fetch_add(file.size, Ordering::Relaxed);
            Ok::<_, Error>(())
        })?;
        put(self.store, &parts)
    }

    /// Whether the store has all of a tree.
    pub(super) fn is_whole(&self, tree: &Blob) -> bool {
        let parts = Parts::of(tree, |blob| self.store.directory(&blob.digest));
        parts.is_ok_and(|parts| parts.files().all(|file| self.store.contains(&file.digest)))
    }

    /// A directory of a tree; as a file it must not enter the store, which would then seem to have the tree.
    fn directory(&self, name: &str, blob: &Blob, watch: &SharedWatch<'_>) -> Result<Directory, Error> {
        let places: Vec<Location> = self.places.by_digest(&blob.digest);
        let bytes = self.downloader.bytes(self.store, &want(name, blob), &places, &watch)?;
        let read = Directory::decode(&bytes);
        read.map_err(|why| Error::Store(store::Error::NotADirectory { digest: blob.digest, why }))
    }
}

fn want<'a>(name: &'a str, blob: &Blob) -> Want<'a> {
    Want { name, unit: None, digest: Some(blob.digest), size: Some(blob.size), limit: blob.size }
}

fn put(store: &Store, parts: &Parts) -> Result<(), Error> {
    for (_, directory) in parts.directories.iter().rev() {
        store.put_directory(directory)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(entries: &[(&str, Node)]) -> (Blob, Directory) {
        let entries = entries.iter().map(|(name, node)| ((*name).to_owned(), node.clone())).collect();
        let directory = Directory { entries };
        let bytes = directory.encode();
        (Blob { digest: Digest::of(&bytes), size: bytes.len() as u64 }, directory)
    }

    #[test]
    fn each_part_once_and_the_top_first() {
        let file = |text: &str| Node::File {
            blob: Blob { digest: Digest::of(text.as_bytes()), size: text.len() as u64 },
            executable: false,
        };
        let low = directory(&[("a", file("abc"))]);
        let top = directory(&[
            ("a", file("abc")),
            ("b", file("12345")),
            ("l", Node::Symlink("b".to_owned())),
            ("x", Node::Directory(low.0)),
            ("y", Node::Directory(low.0)),
        ]);
        let known = BTreeMap::from([(low.0.digest, low.1.clone()), (top.0.digest, top.1.clone())]);
        let parts = Parts::of(&top.0, |blob| known.get(&blob.digest).cloned().ok_or(())).expect("all known");
        assert_eq!(parts.directories, [top.clone(), low.clone()]);
        assert_eq!(parts.files.len(), 2);
        assert_eq!(parts.bytes(), top.0.size + low.0.size + 8);
        assert_eq!(parts.blobs().count(), 4);
    }
}
