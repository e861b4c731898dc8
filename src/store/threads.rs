//! How many threads the files of a tree are worth.

use std::thread;

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
