//! Rebuilds a step in a world in which every factor differs, and says what makes a difference.
//!
//! ```text
//! step, its first outputs ─→ all factors changed ─same→ reproducible (one rebuild)
//!                                  └─differs→ nothing changed ─differs→ it differs by itself
//!                                                   └─same→ blame: rebuilds with some changed
//! ```
//!
//! [`factor`] is the table of what can differ, [`blame`](mod@blame) the search, [`verdict`] what is
//! kept of it. Inputs stay the same, and outputs of rebuilds get no result: the store holds them as
//! something that nothing needs, to be looked at until `forge store gc` sweeps it.

pub mod blame;
pub mod difference;
pub mod factor;
mod trial;
pub mod verdict;

use crate::build::realise::{Trouble, Worker};
use crate::build::schedule::Outputs;
use crate::derivation::Derivation;
use crate::plan::Step;
use blame::{Blame, blame};
use factor::Factors;
use trial::Trials;
use verdict::{Outcome, Verdicts};

/// What checks need from outside.
pub struct Check<'a> {
    /// Runs commands.
    pub worker: &'a Worker<'a>,
    /// What is varied.
    pub factors: &'a Factors,
    /// Is told of each rebuild before it starts.
    pub progress: &'a dyn Fn(&Rebuild<'_>),
}

/// A step that is in the store, with all its inputs.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// The step.
    pub step: &'a Step,
    /// The step with the content of its inputs.
    pub derivation: Derivation,
    /// What it made the first time.
    pub first: Outputs,
}

/// A rebuild that is about to start.
#[derive(Clone, Copy, Debug)]
pub struct Rebuild<'a> {
    /// The step's label.
    pub label: &'a str,
    /// Which rebuild of the step it is, from 1.
    pub number: usize,
    /// How many it takes if one factor is to blame: 1 while none seems to be.
    pub of: usize,
    /// What is changed.
    pub factors: &'a Factors,
    /// Whether that is all that can be.
    pub all: bool,
}

/// What a check of one step came to.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What was varied; no tmpfs where memory was too short for the build.
    pub varied: Factors,
    /// How often the step was rebuilt, not counting what was known from before.
    pub rebuilds: usize,
    /// What makes a difference; nothing does if it is reproducible.
    pub causes: Vec<Cause>,
}

/// What makes a difference.
#[derive(Clone, Debug)]
pub struct Cause {
    /// The factors, of which each is needed; none if it differs by itself.
    pub factors: Factors,
    /// What the step comes to with them changed.
    pub outcome: Outcome,
    /// It differs by itself, but two rebuilds on one processor came out alike.
    pub races: bool,
}

impl Check<'_> {
    /// Which of the factors can make a difference to a step.
    #[must_use]
    pub fn varied(&self, derivation: &Derivation) -> Factors {
        self.factors.iter().copied().filter(|factor| factor.concerns(derivation)).collect()
    }

    /// Forgets what is known of a step from earlier checks.
    ///
    /// # Errors
    /// If the store can't be written.
    pub fn forget(&self, subject: &Subject<'_>) -> Result<(), Trouble> {
        Ok(Verdicts::read(self.worker.store, &subject.derivation.key())?.forget()?)
    }

    /// Checks a step. Rebuilds that are known from an earlier check are not done again; a step that
    /// is found reproducible is rebuilt by the next one.
    ///
    /// # Errors
    /// Where forge or its environment failed, or the user wants to stop. That a rebuild fails is a
    /// finding.
    pub fn step(&self, subject: &Subject<'_>) -> Result<Finding, Trouble> {
        let varied = self.varied(&subject.derivation);
        let verdicts = Verdicts::read(self.worker.store, &subject.derivation.key())?;
        let mut trials = Trials::new(self, subject, &varied, verdicts);
        let sets = match blame(&varied, |factors| trials.same(factors))? {
            Blame::Nothing => Vec::new(),
            Blame::Itself => vec![Factors::new()],
            Blame::Causes(sets) => sets,
        };
        if sets.is_empty() {
            trials.forget()?;
        }
        let cause = |factors: Factors| {
            let races = factors.is_empty() && trials.same_on_one_processor()?;
            Ok(Cause { outcome: trials.outcome(&factors)?, factors, races })
        };
        let causes = sets.into_iter().map(cause).collect::<Result<_, Trouble>>()?;
        Ok(Finding { varied: trials.varied(), rebuilds: trials.rebuilds(), causes })
    }
}
