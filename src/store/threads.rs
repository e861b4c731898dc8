//! The same work on many items, spread over the processors.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::Error;

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

/// Does `work` on every item; the answers come in the order of the items.
///
/// After a failure no new item is begun; the failure of the earliest item is returned.
pub(super) fn each<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    work: impl Fn(&T) -> Result<R, Error> + Sync,
) -> Result<Vec<R>, Error> {
    if threads <= 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(items.len()));
    let run = || {
        let mut mine = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { break };
            let answer = work(item);
            if answer.is_err() {
                next.store(items.len(), Ordering::Relaxed);
            }
            mine.push((index, answer));
        }
        done.lock().expect("BUG: a worker panicked").extend(mine);
    };
    thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(run))));
    let mut done = done.into_inner().expect("BUG: a worker panicked");
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, answer)| answer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    #[test]
    fn keeps_the_order() {
        let items: Vec<u32> = (0..1000).collect();
        for threads in [1, 2, 5] {
            let answers = each(&items, threads, |item| Ok(item * 2)).expect("no failure");
            assert!(answers.iter().zip(&items).all(|(answer, item)| *answer == item * 2));
        }
    }

    #[test]
    fn a_failure_ends_it() {
        let items = [1, 2, 3];
        for threads in [1, 2] {
            let fail = |item: &u32| if *item == 2 { Err(Error::Missing(Digest::of(b""))) } else { Ok(()) };
            assert!(each(&items, threads, fail).is_err());
        }
    }
}
