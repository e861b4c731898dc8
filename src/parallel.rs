//! The same work on many items, spread over threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Does `work` on every item; the answers come in the order of the items.
///
/// # Errors
/// After a failure no new item is begun; the failure of the earliest item is returned.
pub fn each<T: Sync, R: Send, E: Send>(
    items: &[T],
    threads: usize,
    work: impl Fn(&T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
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

    #[test]
    fn keeps_the_order() {
        let items: Vec<u32> = (0..1000).collect();
        for threads in [1, 2, 5] {
            let answers = each(&items, threads, |item| Ok::<_, ()>(item * 2)).expect("no failure");
            assert!(answers.iter().zip(&items).all(|(answer, item)| *answer == item * 2));
        }
    }

    #[test]
    fn a_failure_ends_it() {
        let items = [1, 2, 3];
        for threads in [1, 2] {
            let fail = |item: &u32| if *item == 2 { Err("two") } else { Ok(()) };
            assert!(each(&items, threads, fail).is_err());
        }
    }
}
