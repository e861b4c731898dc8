//! What a new lockfile means: how much there is to download, and whose inputs are others now.

use std::collections::{BTreeMap, BTreeSet};

use super::{Crate, Entry, GitCrate, Locked, Lockfile, Pin};
use crate::digest::Digest;
use crate::path::{Name, RelPath};
use crate::recipe::Unpack;

impl Lockfile {
    /// Bytes of all pinned files, each once. Git trees are left out: how large they are is not locked.
    #[must_use]
    pub fn download(&self) -> u64 {
        let pins = self.sources.values().flat_map(pins);
        pins.map(|pin| (pin.digest, pin.size)).collect::<BTreeMap<Digest, u64>>().values().sum()
    }

    /// The units of which a source has other content than `old` has, or which have gained or lost one.
    #[must_use]
    pub fn moved_since(&self, old: &Self) -> BTreeSet<Name> {
        let keys: BTreeSet<_> = self.sources.keys().chain(old.sources.keys()).collect();
        let content = |lockfile: &Self, key: &(Name, Name)| lockfile.sources.get(key).map(Content::of);
        let moved = keys.into_iter().filter(|key| content(self, key) != content(old, key));
        moved.map(|(unit, _)| unit.clone()).collect()
    }
}

fn pins(entry: &Entry) -> Vec<Pin> {
    match &entry.locked {
        Locked::File { pin, .. } => vec![pin.clone()],
        locked => {
            let debs = locked.debs().iter().map(|deb| deb.pin.clone());
            debs.chain(locked.crates().iter().map(Crate::pin)).chain(locked.image()).collect()
        }
    }
}

/// What a build sees of a source: not where it came from, nor by which name.
#[derive(PartialEq)]
struct Content {
    digests: Vec<Digest>,
    member: Option<RelPath>,
    unpack: Option<Unpack>,
    /// With what cargo is told of their repositories.
    git: Vec<GitCrate>,
}

impl Content {
    fn of(entry: &Entry) -> Self {
        let mut digests: Vec<Digest> = pins(entry).iter().map(|pin| pin.digest).collect();
        let (member, unpack) = match &entry.locked {
            Locked::DebMember { member, unpack, .. } => (member.clone(), unpack.clone()),
            Locked::File { unpack, .. } => (None, unpack.clone()),
            Locked::Git { tree, .. } => {
                digests.push(tree.digest);
                (None, None)
            }
            _ => (None, None),
        };
        Self { digests, member, unpack, git: entry.locked.git_crates().to_vec() }
    }
}
