//! What results and roots need: one pass over a graph whose edges are Directory messages.

use std::collections::{HashMap, HashSet};

use super::object::{Disk, Kind, Object};
use super::{ActionResult, Node, Output};
use crate::digest::Digest;

/// Everything that the outputs put into it need.
#[derive(Debug, Default)]
pub(super) struct Reach {
    pub(super) objects: HashSet<Object>,
    /// Trees that outputs name.
    trees: HashSet<Digest>,
    /// What the objects say their sizes are, added up.
    pub(super) bytes: u64,
    /// The objects and their sizes in the order in which they came.
    order: Vec<(Kind, Digest, u64)>,
}

impl Reach {
    /// Whether all outputs of a result are in it.
    pub(super) fn covers(&self, result: &ActionResult) -> bool {
        result.outputs.values().all(|output| match output {
            Output::File { blob, executable } => self.objects.contains(&(Kind::of(*executable), blob.digest)),
            Output::Tree(blob) => self.objects.contains(&(Kind::Dir, blob.digest)),
        })
    }

    /// Whether a realised tree may stay.
    pub(super) fn keeps_tree(&self, tree: &Digest) -> bool {
        self.trees.contains(tree) && self.objects.contains(&(Kind::Dir, *tree))
    }

    /// Adds a result if there are at most `most` bytes then; says whether.
    pub(super) fn result_within(&mut self, disk: &Disk, result: &ActionResult, most: u64) -> bool {
        let before = self.order.len();
        self.result(disk, result);
        if self.bytes <= most {
            return true;
        }
        for (kind, digest, size) in self.order.drain(before..) {
            self.objects.remove(&(kind, digest));
            self.bytes -= size;
        }
        false
    }

    pub(super) fn result(&mut self, disk: &Disk, result: &ActionResult) {
        result.outputs.values().for_each(|output| self.output(disk, output));
        if let Some(log) = &result.log {
            self.object(Kind::File, log.digest, log.size);
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
        let new = self.objects.insert((kind, digest));
        if new {
            self.order.push((kind, digest, size));
            self.bytes += size;
        }
        new
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
