//! `forge store fsck --repair`: makes again what the units of a project had before the check.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::build::schedule::State;
use crate::build::{self, Finishes, Options, Status, look};
use crate::cli::error::CliError;
use crate::cli::progress::Screen;
use crate::cli::session::{self, Planned};
use crate::cli::{Verdict, output, wanted};
use crate::plan::{Plan, StepId};
use crate::store::Store;

/// A project's steps, and which of them were in the store before the check.
pub struct Repair {
    root: PathBuf,
    planned: Planned,
    had: BTreeSet<StepId>,
}

impl Repair {
    /// Looks up all units of the project.
    pub fn prepare(root: &Path, store: &Store) -> Result<Self, CliError> {
        let names: Vec<_> = session::locked(root)?.units.into_keys().collect();
        let planned = session::planned(root, store, &names)?;
        let had = had(&planned.plan, store);
        Ok(Self { root: root.to_owned(), planned, had })
    }

    /// Makes again what is not in the store any more.
    pub fn run(self, store: &Store, offline: bool, json: bool) -> Result<Verdict, CliError> {
        let plan = &self.planned.plan;
        session::refill(&self.root, store, &self.planned)?;
        let have = had(plan, store);
        let lost: Vec<_> = self.had.difference(&have).copied().collect();
        if lost.is_empty() {
            output::words("this project lost no result; its own files were read again");
            return Ok(Verdict::Good);
        }
        let units = plan.units.iter().filter(|(_, unit)| lost.contains(&unit.last)).map(|(name, _)| name);
        let visible = wanted::outputs(plan, units, &[]);
        session::with_worker(&self.root, store, &self.planned, offline, None, |worker| {
            let options = Options { keep_going: true, visible, ..Options::of_jobs(worker.jobs) };
            let screen = Screen::new(plan, &lost, json);
            let finishes = build::build(plan, &lost, &options, worker, &screen)?;
            screen.close();
            Ok(conclude(plan, &lost, &finishes, worker.cancelled()))
        })
    }
}

/// The steps whose results the store has.
fn had(plan: &Plan, store: &Store) -> BTreeSet<StepId> {
    let rebuild = BTreeSet::new();
    let schedule = look(plan, store, &rebuild, plan.units.values().map(|unit| unit.last));
    let done = |id: &StepId| match plan.steps[*id].derivation.fixed() {
        Some(output) => store.contains(&output.digest()),
        None => matches!(schedule.state(*id), State::Done(_)),
    };
    (0..plan.steps.len()).filter(done).collect()
}

fn conclude(plan: &Plan, lost: &[StepId], finishes: &Finishes, cancelled: bool) -> Verdict {
    let good = |id: &&StepId| matches!(finishes[*id].status, Status::Built | Status::Cached);
    let (repaired, open): (Vec<&StepId>, Vec<_>) = lost.iter().partition(good);
    if !repaired.is_empty() {
        let labels: Vec<_> = repaired.iter().map(|id| plan.steps[**id].label.as_str()).collect();
        output::words(&format!("made again: {}", labels.join(", ")));
    }
    for id in &open {
        let step = &plan.steps[**id];
        let why = finishes[*id].trouble.as_ref().map_or_else(|| "what it needs failed".to_owned(), ToString::to_string);
        output::words(&format!("error: {}: {why}", step.label));
    }
    match (open.is_empty(), cancelled) {
        (true, _) => Verdict::Good,
        (false, true) => Verdict::Interrupted,
        (false, false) => Verdict::Negative,
    }
}
