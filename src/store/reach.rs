//! What results and roots need: one pass over a graph whose edges are Directory messages.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use super::object::{Disk, Kind, Object};
use super::{ActionResult, Blob, Node, Output};
use crate::digest::Digest;

/// Who needs an object, by a number that the one who asks gives a meaning.
pub(super) type Owner = u32;

/// Everything that the outputs put into it need, each object for the owner that came first.
#[derive(Debug, Default)]
pub(super) struct Reach {
    pub(super) objects: HashMap<Object, Owner>,
    owner: Owner,
    /// Trees that outputs name.
    trees: HashSet<Digest>,
    /// What the objects say their sizes are, added up.
    pub(super) bytes: u64,
    /// The objects and their sizes in the order in which they came.
    order: Vec<(Kind, Digest, u64)>,
}

impl Reach {
    /// What is put in from now on is needed by `owner`; before the first call it is 0.
    pub(super) fn begin(&mut self, owner: Owner) {
        self.owner = owner;
    }

    /// Whether a result has outputs, and all are in it.
    pub(super) fn covers(&self, result: &ActionResult) -> bool {
        let within = |output: &Output| match output {
            Output::File { blob, executable } => self.objects.contains_key(&(Kind::of(*executable), blob.digest)),
            Output::Tree(blob) => self.objects.contains_key(&(Kind::Dir, blob.digest)),
        };
        !result.outputs.is_empty() && result.outputs.values().all(within)
    }

    /// Whether an output names this tree.
    pub(super) fn names_tree(&self, tree: &Digest) -> bool {
        self.trees.contains(tree)
    }

    /// Does `put` if there are at most `most` bytes then; says whether.
    pub(super) fn within(&mut self, most: u64, put: impl FnOnce(&mut Self)) -> bool {
        let before = self.order.len();
        put(self);
        if self.bytes <= most {
            return true;
        }
        for (kind, digest, size) in self.order.drain(before..) {
            self.objects.remove(&(kind, digest));
            self.bytes -= size;
        }
        false
    }

    /// Does `put`, and answers with the objects that are new then.
    pub(super) fn new_of(&mut self, put: impl FnOnce(&mut Self)) -> Vec<Object> {
        let before = self.order.len();
        put(self);
        self.order[before..].iter().map(|(kind, digest, _)| (*kind, *digest)).collect()
    }

    pub(super) fn result(&mut self, disk: &Disk, result: &ActionResult) {
        result.outputs.values().for_each(|output| self.output(disk, output));
        if let Some(log) = &result.log {
            self.object(Kind::File, log.digest, log.size);
        }
    }

    /// What was downloaded for a result, as far as it is there.
    pub(super) fn downloads(&mut self, disk: &Disk, downloads: &Blob) {
        let Ok(Some(directory)) = disk.peek(&downloads.digest) else { return };
        if !self.object(Kind::Dir, downloads.digest, downloads.size) {
            return;
        }
        for node in directory.entries.values() {
            match node {
                Node::Directory(blob) if disk.has(Kind::Dir, &blob.digest) => {
                    self.output(disk, &Output::Tree(*blob));
                }
                Node::File { blob, executable } if disk.has(Kind::of(*executable), &blob.digest) => {
                    self.object(Kind::of(*executable), blob.digest, blob.size);
                }
                _ => {}
            }
        }
    }

    pub(super) fn output(&mut self, disk: &Disk, output: &Output) {
        match output {
            Output::File { blob, executable } => {
                self.object(Kind::of(*executable), blob.digest, blob.size);
            }
            Output::Tree(blob) => {
                self.trees.insert(blob.digest);
                self.directory(disk, blob.digest, blob.size);
            }
        }
    }

    /// A directory that is missing or bad ends the walk; fsck reports it, and reading it does.
    fn directory(&mut self, disk: &Disk, digest: Digest, size: u64) {
        if !self.object(Kind::Dir, digest, size) {
            return;
        }
        let Ok(Some(directory)) = disk.peek(&digest) else { return };
        for node in directory.entries.values() {
            match node {
                Node::File { blob, executable } => {
                    self.object(Kind::of(*executable), blob.digest, blob.size);
                }
                Node::Directory(blob) => self.directory(disk, blob.digest, blob.size),
                Node::Symlink(_) => {}
            }
        }
    }

    /// Says whether it is new.
    fn object(&mut self, kind: Kind, digest: Digest, size: u64) -> bool {
        let Entry::Vacant(place) = self.objects.entry((kind, digest)) else { return false };
        place.insert(self.owner);
        self.order.push((kind, digest, size));
        self.bytes += size;
        true
    }
}

/// Tells outputs that are whole from those that need an object which is not sound.
pub(super) struct Soundness<'a, F> {
    disk: &'a Disk,
    sound: F,
    known: HashMap<Digest, bool>,
}

impl<'a, F: Fn(Kind, &Digest) -> bool> Soundness<'a, F> {
    /// `sound` judges single objects.
    pub(super) fn new(disk: &'a Disk, sound: F) -> Self {
        Self { disk, sound, known: HashMap::new() }
    }

    pub(super) fn result(&mut self, result: &ActionResult) -> bool {
        let log = result.log.is_none_or(|log| self.file(false, &log.digest));
        log && result.outputs.values().all(|output| match output {
            Output::File { blob, executable } => self.file(*executable, &blob.digest),
            Output::Tree(blob) => self.tree(&blob.digest),
        })
    }

    pub(super) fn tree(&mut self, digest: &Digest) -> bool {
        if let Some(known) = self.known.get(digest) {
            return *known;
        }
        let sound = (self.sound)(Kind::Dir, digest) && self.entries(digest);
        self.known.insert(*digest, sound);
        sound
    }

    fn entries(&mut self, digest: &Digest) -> bool {
        let Ok(Some(directory)) = self.disk.peek(digest) else { return false };
        directory.entries.values().all(|node| match node {
            Node::File { blob, executable } => self.file(*executable, &blob.digest),
            Node::Directory(blob) => self.tree(&blob.digest),
            Node::Symlink(_) => true,
        })
    }

    /// A file in its other flavour will do: the missing one is made of it.
    fn file(&self, executable: bool, digest: &Digest) -> bool {
        (self.sound)(Kind::of(executable), digest) || (self.sound)(Kind::of(!executable), digest)
    }
}
