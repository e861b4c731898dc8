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
    /// The size that it had when it was looked at.
    pub(super) expected: Option<u64>,
}

/// What is hashed for the item at a place of the list.
struct Reading {
    index: usize,
    opened: Opened,
    /// So many bytes were read.
    size: u64,
    ended: bool,
}

impl Reading {
    fn new(index: usize, opened: Opened) -> Self {
        Self { index, opened, size: 0, ended: false }
    }
}

impl Read for Reading {
    /// Spares the read that finds nothing more. A read that gives less than was asked for has met the
    /// end, or a fault that only the next read tells of; once all expected bytes are there, the end.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ended {
            return Ok(0);
        }
        let count = self.opened.file.read(buffer)?;
        self.size += count as u64;
        self.ended = count < buffer.len() && self.opened.expected == Some(self.size);
        Ok(count)
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
                Ok(Some(opened)) => return Some(Reading::new(index, opened)),
                Ok(None) => work(item, None),
                Err(error) => Err(error),
            };
            answers.borrow_mut().give(index, answer);
            None
        });
        for (Reading { index, opened, .. }, hashed) in digest::each(files) {
            let blob = hashed.map(|(digest, size)| Blob { digest, size }).map_err(at(&opened.path));
            let answer = blob.and_then(|blob| work(&items[index], Some((&opened, blob))));
            answers.borrow_mut().give(index, answer);
        }
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::fixture::Fixture;
    use super::*;
    use crate::digest::Digest;

    /// Reads a file that has 10 bytes, then 5 more, into a buffer of `room` bytes.
    fn read_while_it_grows(expected: Option<u64>, room: usize) -> Vec<usize> {
        let fixture = Fixture::new();
        let path = fixture.outside("file");
        std::fs::write(&path, [1; 10]).expect("writes");
        let file = File::open(&path).expect("opens");
        let mut reading = Reading::new(0, Opened { file, path: path.clone(), expected });
        let mut read = || reading.read(&mut vec![0; room]).expect("reads");
        let first = read();
        File::options().append(true).open(&path).and_then(|mut file| file.write_all(&[2; 5])).expect("appends");
        vec![first, read(), read()]
    }

    #[test]
    fn only_a_short_read_of_the_expected_size_is_the_end() {
        for (expected, room, want) in [
            (Some(10), 64, [10, 0, 0]),
            (Some(10), 10, [10, 5, 0]),
            (Some(9), 64, [10, 5, 0]),
            (Some(15), 64, [10, 5, 0]),
            (Some(0), 64, [10, 5, 0]),
            (None, 64, [10, 5, 0]),
        ] {
            assert_eq!(read_while_it_grows(expected, room), want, "{expected:?} {room}");
        }
    }

    #[test]
    fn what_is_expected_changes_no_digest() {
        let fixture = Fixture::new();
        let items: Vec<_> = (0..5).flat_map(|wrong| [0, 1, 64, 65_536, 65_537].map(|size| (wrong, size))).collect();
        let open = |(wrong, size): &(u64, u64)| {
            let path = fixture.outside(&format!("{size}"));
            std::fs::write(&path, vec![7; *size as usize]).map_err(at(&path))?;
            let expected = [Some(*size), None, Some(size + 1), Some(size / 2), Some(0)][*wrong as usize];
            Ok(Some(Opened { file: File::open(&path).map_err(at(&path))?, path, expected }))
        };
        let blobs = hash_each(&items, 1, open, |_, read| Ok(read.map(|(_, blob)| blob))).expect("hashes");
        for ((_, size), blob) in items.iter().zip(blobs) {
            assert_eq!(blob, Some(Blob { digest: Digest::of(&vec![7; *size as usize]), size: *size }));
        }
    }
}
