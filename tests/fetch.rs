//! Sources, fetched from places that are good, bad and hostile.

pub mod archive;
mod download;
pub mod git;
mod lock;
mod path;
pub mod server;

use std::io::Read;

use forge::store::{Blob, Store};

/// A store of its own for each test.
struct Home {
    _folder: tempfile::TempDir,
    store: Store,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("store")).expect("a store");
        Self { _folder: folder, store }
    }

    fn read(&self, blob: &Blob) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.store.read(blob).expect("a blob").read_to_end(&mut bytes).expect("sound");
        bytes
    }

    /// The names of unfinished downloads.
    fn parts(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.store.root().join("partial")).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }
}

/// Bytes that are different everywhere.
fn content(size: usize) -> Vec<u8> {
    (0u32..).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).take(size).collect()
}
