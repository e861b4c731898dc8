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
    share(items, threads, |queue, answers| answers.extend(queue.map(|(index, item)| (index, work(item)))))
}

/// Shares `items` between threads: each thread runs `work`, which takes items from the queue as it
/// likes and gives an answer to every one that it took. The answers come in the order of the items.
///
/// # Errors
/// After a failure the queue gives no new item; the failure of the earliest item is returned.
pub fn share<T: Sync, R: Send, E: Send>(
    items: &[T],
    threads: usize,
    work: impl Fn(&mut Queue<'_, T>, &mut Answers<'_, R, E>) + Sync,
) -> Result<Vec<R>, E> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(items.len()));
    let run = || {
        let mut answers = Answers { given: Vec::new(), next: &next, end: items.len() };
        work(&mut Queue { items, next: &next }, &mut answers);
        done.lock().expect("BUG: a worker panicked").extend(answers.given);
    };
    // This thread only waits: a processor that becomes idle takes over a thread that was started on another at once,
    // where one that was idle before may let it wait for milliseconds.
    thread::scope(|scope| match threads {
        0 | 1 => run(),
        _ => (0..threads).for_each(|_| drop(scope.spawn(run))),
    });
    let mut done = done.into_inner().expect("BUG: a worker panicked");
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, answer)| answer).collect()
}

/// The items that no thread has taken yet, with their places.
pub struct Queue<'a, T> {
    items: &'a [T],
    next: &'a AtomicUsize,
}

impl<'a, T> Iterator for Queue<'a, T> {
    type Item = (usize, &'a T);

    fn next(&mut self) -> Option<Self::Item> {
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        self.items.get(index).map(|item| (index, item))
    }
}

/// What a thread has made of its items, by their places.
pub struct Answers<'a, R, E> {
    given: Vec<(usize, Result<R, E>)>,
    next: &'a AtomicUsize,
    end: usize,
}

impl<R, E> Answers<'_, R, E> {
    /// Answers for the item at `index`. A failure empties the queue.
    pub fn give(&mut self, index: usize, answer: Result<R, E>) {
        if answer.is_err() {
            self.next.store(self.end, Ordering::Relaxed);
        }
        self.given.push((index, answer));
    }
}

impl<R, E> Extend<(usize, Result<R, E>)> for Answers<'_, R, E> {
    fn extend<I: IntoIterator<Item = (usize, Result<R, E>)>>(&mut self, answers: I) {
        answers.into_iter().for_each(|(index, answer)| self.give(index, answer));
    }
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
