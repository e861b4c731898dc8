//! The rebuilds of one step: done, counted, kept.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use super::blame::most;
use super::factor::{Factor, Factors, conditions};
use super::verdict::{Outcome, Verdicts};
use super::{Check, Rebuild, Subject};
use crate::artifact::{self, Parts};
use crate::build::command::log;
use crate::build::realise::Trouble;
use crate::derivation::{Assemble, Derivation, Run};
use crate::store::Output;

/// How a command's rebuild ended.
enum Ran {
    Ended(Outcome),
    /// What it wrote to `/build` did not fit into memory.
    MemoryFull,
}

/// Whether what a command said tells of a full disk.
fn is_full(log: &Path) -> bool {
    const FULL: &[u8] = b"No space left on device";
    let text = fs::read(log).unwrap_or_default();
    text.windows(FULL.len()).any(|words| words == FULL)
}

/// The rebuilds of one step.
pub(super) struct Trials<'a> {
    check: &'a Check<'a>,
    subject: &'a Subject<'a>,
    varied: &'a Factors,
    verdicts: Verdicts,
    rebuilds: usize,
    /// Memory is too short to build in: what [`Factor::Tmpfs`] would tell is nothing.
    short: bool,
}

impl<'a> Trials<'a> {
    pub(super) fn new(check: &'a Check<'a>, subject: &'a Subject<'a>, varied: &'a Factors, verdicts: Verdicts) -> Self {
        Self { check, subject, varied, verdicts, rebuilds: 0, short: false }
    }

    /// How many were done.
    pub(super) fn rebuilds(&self) -> usize {
        self.rebuilds
    }

    /// What could be varied.
    pub(super) fn varied(&self) -> Factors {
        self.without_tmpfs(self.varied)
    }

    /// Whether the step makes what it made the first time, with these factors changed.
    pub(super) fn same(&mut self, factors: &Factors) -> Result<bool, Trouble> {
        let outcome = self.outcome(factors)?;
        Ok(matches!(outcome, Outcome::Made(outputs) if outputs == self.subject.first))
    }

    /// Whether two rebuilds on one processor come out alike: with everything else changed, and with
    /// nothing else.
    pub(super) fn same_on_one_processor(&mut self) -> Result<bool, Trouble> {
        let one = Factors::from([Factor::Cpus]);
        if !one.is_subset(self.varied) || one == *self.varied {
            return Ok(false);
        }
        Ok(self.outcome(&one)? == self.outcome(self.varied)?)
    }

    /// What the step comes to with these factors changed: as it is known, or by a rebuild.
    pub(super) fn outcome(&mut self, factors: &Factors) -> Result<Outcome, Trouble> {
        if let Some(known) = self.verdicts.get(factors) {
            return Ok(known.clone());
        }
        self.rebuilds += 1;
        self.announce(factors);
        let outcome = self.rebuild(factors)?;
        self.verdicts.add(factors, outcome.clone())?;
        Ok(outcome)
    }

    /// Forgets what is known.
    pub(super) fn forget(&mut self) -> Result<(), Trouble> {
        Ok(self.verdicts.forget()?)
    }

    fn announce(&self, factors: &Factors) {
        let all = factors == self.varied;
        let of = if all { 1 } else { most(self.varied.len()) };
        let label = &self.subject.step.label;
        (self.check.progress)(&Rebuild { label, number: self.rebuilds, of, factors, all });
    }

    fn rebuild(&mut self, factors: &Factors) -> Result<Outcome, Trouble> {
        match &self.subject.derivation {
            Derivation::Run(run) => match self.run(run, &self.without_tmpfs(factors))? {
                Ran::Ended(outcome) => Ok(outcome),
                Ran::MemoryFull => {
                    self.short = true;
                    self.rebuild(factors)
                }
            },
            Derivation::Assemble(assemble) => self.assemble(assemble, factors),
            Derivation::Fetch(_) | Derivation::FetchGit { .. } => {
                unreachable!("BUG: what is fetched is known before, and not rebuilt")
            }
        }
    }

    fn without_tmpfs(&self, factors: &Factors) -> Factors {
        factors.iter().copied().filter(|factor| !self.short || *factor != Factor::Tmpfs).collect()
    }

    fn run(&self, run: &Run<Output>, factors: &Factors) -> Result<Ran, Trouble> {
        let (worker, scratch) = (self.check.worker, self.check.worker.store.scratch()?);
        // On one processor it may take as much longer as there are processors.
        let slower = if factors.contains(&Factor::Cpus) { worker.jobs } else { 1 };
        let timeout = self.subject.step.timeout.saturating_mul(u32::try_from(slower).unwrap_or(u32::MAX));
        match worker.command(run, timeout, &scratch, &conditions(factors)) {
            Ok(outputs) => Ok(Ran::Ended(Outcome::Made(outputs))),
            Err(Trouble::Refused(_)) if factors.contains(&Factor::Tmpfs) && is_full(&log(&scratch)) => {
                Ok(Ran::MemoryFull)
            }
            Err(Trouble::Refused(what)) => {
                // What fails on a full disk may be no fault of the command.
                worker.store.has_room()?;
                Ok(Ran::Ended(Outcome::Failed { what, log: worker.store.copy_file(&log(&scratch))? }))
            }
            Err(trouble) => Err(trouble),
        }
    }

    fn assemble(&self, assemble: &Assemble<Output>, factors: &Factors) -> Result<Outcome, Trouble> {
        let worker = self.check.worker;
        let threads = match (factors.contains(&Factor::Cpus), worker.jobs) {
            (true, 1) => 2,
            (true, _) => 1,
            (false, jobs) => jobs,
        };
        let say = |_: &str| if worker.cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        match artifact::assemble(assemble, worker.store, Parts::Anew, threads, &say).map_err(Trouble::from) {
            Ok(outputs) => Ok(Outcome::Made(outputs)),
            Err(Trouble::Refused(what)) => Ok(Outcome::Failed { log: worker.store.put(what.as_bytes())?, what }),
            Err(trouble) => Err(trouble),
        }
    }
}
