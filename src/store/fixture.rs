//! A store in a directory of its own, and trees to put into it.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{ActionResult, Blob, Output, Setup, Store};
use crate::digest::Digest;
use crate::path::Name;

pub(super) struct Fixture {
    pub(super) store: Store,
    pub(super) dir: TempDir,
}

pub(super) fn setup(boot: &str) -> Setup {
    Setup { boot: boot.to_owned(), sync: true, max_links: None }
}

impl Fixture {
    pub(super) fn new() -> Self {
        Self::with(&setup("one"))
    }

    pub(super) fn with(setup: &Setup) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::open_with(&dir.path().join("store"), setup).expect("opens");
        Self { store, dir }
    }

    /// Opens the store again, as another process would.
    pub(super) fn again(&self, boot: &str) -> Store {
        Store::open_with(self.store.root(), &setup(boot)).expect("opens again")
    }

    /// A path outside the store.
    pub(super) fn outside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Makes a tree outside and imports it.
    pub(super) fn tree(&self, files: &[(&str, &str)]) -> Blob {
        let path = self.outside("to-import");
        for (name, text) in files {
            write(&path.join(name), text, 0o600);
        }
        self.import(&path)
    }

    pub(super) fn import(&self, path: &Path) -> Blob {
        match self.store.import(path).expect("imports") {
            Output::Tree(blob) => blob,
            Output::File { blob, .. } => blob,
        }
    }

    /// Records and commits a result with one output.
    pub(super) fn commit(&self, key: &str, output: Output) -> Digest {
        let result = ActionResult { label: key.to_owned(), ..result(output) };
        let key = Digest::of(key.as_bytes());
        self.store.record(&key, &result).expect("records");
        self.store.commit().expect("commits");
        key
    }

    /// Every path below the store but locks and scratch, sorted, with size and mode.
    pub(super) fn listing(&self) -> Vec<String> {
        let mut found = Vec::new();
        for folder in ["file", "exec", "dir", "tree", "result", "roots", "quarantine"] {
            list(&self.store.root().join(folder), &mut found);
        }
        found.sort();
        found
    }
}

pub(super) fn result(output: Output) -> ActionResult {
    let outputs = [(Name::new("out").expect("a name"), output)].into();
    ActionResult { outputs, seconds: 0.5, ..ActionResult::default() }
}

pub(super) fn write(path: &Path, text: &str, mode: u32) {
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("makes parents");
    std::fs::write(path, text).expect("writes");
    chmod(path, mode);
}

pub(super) fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("sets the mode");
}

/// A tree with one of everything a tree can hold.
pub(super) fn sample(path: &Path) {
    write(&path.join("bin/tool"), "#!/bin/sh\n", 0o700);
    write(&path.join("share/a.txt"), "a\n", 0o440);
    write(&path.join("share/empty"), "", 0o666);
    write(&path.join("share/ü"), "a\n", 0o000);
    std::fs::create_dir_all(path.join("empty")).expect("makes");
    std::fs::hard_link(path.join("share/a.txt"), path.join("twin")).expect("links");
    symlink("/no/where", path.join("dangling")).expect("links");
    symlink("bin/tool", path.join("tool")).expect("links");
}

fn list(path: &Path, found: &mut Vec<String>) {
    for entry in path.read_dir().expect("reads") {
        let path = entry.expect("an entry").path();
        let data = path.symlink_metadata().expect("stats");
        if data.is_dir() {
            list(&path, found);
        }
        found.push(format!("{} {} {:o}", path.display(), data.len(), data.permissions().mode()));
    }
}
