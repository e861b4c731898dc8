//! Builds that start over, as an object in the store was damaged.
//!
//! The store has put the object aside and forgotten every result that needs it, so the next go
//! makes it again. What ended well, or badly for another reason, is reported at once, and what
//! the damage spoiled when it is over.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::realise::Trouble;
use super::{Event, Finish, Finishes, Progress, Status};
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
        finishes.iter().for_each(|(step, finish)| self.finished(*step, finish));
    }

    fn finished(&self, step: StepId, finish: &Finish) {
        if self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(step) {
            self.progress.tell(Event::Finished(step, finish));
        }
    }
}

impl Progress for Once<'_> {
    fn tell(&self, event: Event<'_>) {
        match event {
            Event::Finished(_, finish) if may_come_again(finish) => {}
            Event::Finished(step, finish) => self.finished(step, finish),
            event => self.progress.tell(event),
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
