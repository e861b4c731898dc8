//! Builds that start over, as an object in the store was damaged.
//!
//! The store has put the object aside and forgotten every result that needs it, so the next go
//! makes it again. What ended well, or badly for another reason, is reported at once, and what
//! the damage spoiled when it is over.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::realise::Trouble;
use super::{Finish, Finishes, Progress, Status};
use crate::plan::StepId;

/// Reports each step's end once, however often the build starts over.
pub(super) struct Once<'a> {
    progress: &'a dyn Progress,
    told: Mutex<BTreeSet<StepId>>,
}

impl<'a> Once<'a> {
    pub(super) fn new(progress: &'a dyn Progress) -> Self {
        Self { progress, told: Mutex::default() }
    }

    /// Reports what was held back.
    pub(super) fn end(&self, finishes: &Finishes) {
        finishes.iter().for_each(|(step, finish)| self.tell(*step, finish));
    }

    fn tell(&self, step: StepId, finish: &Finish) {
        if self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(step) {
            self.progress.finished(step, finish);
        }
    }
}

impl Progress for Once<'_> {
    fn counted(&self, over: usize, wanted: usize) {
        self.progress.counted(over, wanted);
    }

    fn started(&self, step: StepId) {
        self.progress.started(step);
    }

    fn part(&self, step: StepId, words: &str) {
        self.progress.part(step, words);
    }

    fn waiting(&self, step: StepId) {
        self.progress.waiting(step);
    }

    fn repairing(&self, step: StepId, damage: &str) {
        self.progress.repairing(step, damage);
    }

    fn transferred(&self, step: StepId, got: u64, total: u64) {
        self.progress.transferred(step, got, total);
    }

    fn finished(&self, step: StepId, finish: &Finish) {
        if !may_come_again(finish) {
            self.tell(step, finish);
        }
    }
}

fn may_come_again(finish: &Finish) -> bool {
    matches!(finish.status, Status::Skipped | Status::Cancelled) || damage(finish).is_some()
}

/// The steps that met a damaged object, and what it was.
pub(super) fn damaged(finishes: &Finishes) -> Vec<(StepId, String)> {
    finishes.iter().filter_map(|(step, finish)| Some((*step, damage(finish)?.clone()))).collect()
}

fn damage(finish: &Finish) -> Option<&String> {
    match &finish.trouble {
        Some(Trouble::Corrupt(what)) => Some(what),
        _ => None,
    }
}
