//! Parts that several artifacts share: each is made once, and recorded in the store under a key of
//! its own.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Error, Parts, Say};
use crate::digest::Digest;
use crate::parallel;
use crate::path::Name;
use crate::recipe::OUTPUT;
use crate::store::{ActionResult, Blob, Output, Store};

/// The tree that `make` gives, or the one that is recorded under `key`, where such may be taken. Who wants it at the
/// same time waits for it. `label` is for people.
///
/// # Errors
/// What `make` returns, and where the store fails.
pub(super) fn made(
    store: &Store,
    parts: Parts,
    key: &Digest,
    label: &str,
    make: impl FnOnce() -> Result<Blob, Error>,
) -> Result<Blob, Error> {
    if parts == Parts::Anew {
        return make();
    }
    if let Some(tree) = recorded(store, key)? {
        return Ok(tree);
    }
    let _lock = store.lock(key)?;
    if let Some(tree) = recorded(store, key)? {
        return Ok(tree);
    }
    let tree = make()?;
    store.record(key, &result(label, tree))?;
    Ok(tree)
}

/// Does `work` on the index of each of `inputs`, the largest first, so that no thread is left alone with it at the end.
/// The answers come in the order of `inputs`.
///
/// # Errors
/// What `work` returns; [`Error::Stopped`] if `say`, which is told how many `what` are done, asks for it.
pub(super) fn each<R: Send>(
    inputs: &[Output],
    threads: usize,
    (say, what): (&Say<'_>, &str),
    work: impl Fn(usize) -> Result<R, Error> + Sync,
) -> Result<Vec<R>, Error> {
    let mut order: Vec<usize> = (0..inputs.len()).collect();
    order.sort_by_key(|index| Reverse(inputs[*index].blob().size));
    let done = AtomicUsize::new(0);
    let mut answers = parallel::each(&order, threads, |index| {
        let answer = work(*index)?;
        match say(&format!("{} of {} {what}", done.fetch_add(1, Ordering::Relaxed) + 1, inputs.len())) {
            ControlFlow::Continue(()) => Ok((*index, answer)),
            ControlFlow::Break(()) => Err(Error::Stopped),
        }
    })?;
    answers.sort_by_key(|(index, _)| *index);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

fn recorded(store: &Store, key: &Digest) -> Result<Option<Blob>, Error> {
    let result = store.result(key)?;
    Ok(result.and_then(|result| match result.outputs.get(OUTPUT) {
        Some(Output::Tree(tree)) => Some(*tree),
        _ => None,
    }))
}

fn result(label: &str, tree: Blob) -> ActionResult {
    let name = Name::constant(OUTPUT);
    let outputs = BTreeMap::from([(name, Output::Tree(tree))]);
    ActionResult { label: label.to_owned(), outputs, ..ActionResult::default() }
}
