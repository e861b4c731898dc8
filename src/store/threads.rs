//! How many threads the files of a tree are worth, and hashing them on so many.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::thread;

use super::error::at;
use super::{Blob, Error};
use crate::{digest, parallel};

/// More threads than this only wait for the disk and for each other's directory locks.
const MAX_THREADS: usize = 8;

/// Below this many files a thread costs more than it saves, unless they are large.
const MANY_FILES: usize = 64;

/// Below this many bytes a thread costs more than it saves, unless they are in many files.
const MANY_BYTES: u64 = 1 << 20;

/// How many threads `files` files of `bytes` bytes together are worth.
pub(super) fn worth(files: usize, bytes: u64) -> usize {
    if files < 2 || (files < MANY_FILES && bytes < MANY_BYTES) {
        return 1;
    }
    thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS)
}

/// A file to be hashed.
pub(super) struct Opened {
    pub(super) file: File,
    /// Names it in errors.
    pub(super) path: PathBuf,
}

/// What is hashed for the item at a place of the list.
struct Reading(usize, Opened);

impl Read for Reading {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1.file.read(buffer)
    }
}

/// Hashes what `open` opens for each item and gives it to `work`; with nothing, where there is
/// nothing to open. The answers come in the order of the items.
///
/// # Errors
/// That of the earliest item that failed; no new one is begun then.
pub(super) fn hash_each<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    open: impl Fn(&T) -> Result<Option<Opened>, Error> + Sync,
    work: impl Fn(&T, Option<(&Opened, Blob)>) -> Result<R, Error> + Sync,
) -> Result<Vec<R>, Error> {
    parallel::share(items, threads, |queue, answers| {
        // Files are opened while others are hashed, and both may fail.
        let answers = RefCell::new(answers);
        let files = queue.filter_map(|(index, item)| {
            let answer = match open(item) {
                Ok(Some(opened)) => return Some(Reading(index, opened)),
                Ok(None) => work(item, None),
                Err(error) => Err(error),
            };
            answers.borrow_mut().give(index, answer);
            None
        });
        for (Reading(index, opened), hashed) in digest::each(files) {
            let blob = hashed.map(|(digest, size)| Blob { digest, size }).map_err(at(&opened.path));
            let answer = blob.and_then(|blob| work(&items[index], Some((&opened, blob))));
            answers.borrow_mut().give(index, answer);
        }
    })
}
