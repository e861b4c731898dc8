//! Why a unit would be rebuilt: what its steps are made of now, beside what they were made of when
//! they were last built. The schedule decides what is built; here is only said why.

use std::collections::BTreeSet;

use super::account::{Account, Content};
use super::cause::{self, compare};
use super::last::Last;
use crate::build::command::failed_log;
use crate::build::schedule::{Known, Schedule, State};
use crate::build::{Finish, Finishes, Status};
use crate::derivation::Derivation;
use crate::path::Name;
use crate::plan::{Input, Plan, StepId};
use crate::store::{Output, Store};

/// Says why units would be rebuilt.
pub struct Reasons<'a, K> {
    /// The plan.
    pub plan: &'a Plan,
    /// What of it is in the store.
    pub schedule: &'a Schedule<'a, K>,
    /// What was built before.
    pub last: &'a Last,
    /// The store.
    pub store: &'a Store,
}

impl<K: Known> Reasons<'_, K> {
    /// Why `unit` would be rebuilt, in words; nothing if its result is in the store.
    #[must_use]
    pub fn of(&self, unit: &Name) -> Vec<String> {
        let step = self.plan.units[unit].last;
        if matches!(self.schedule.state(step), State::Done(_)) {
            return Vec::new();
        }
        let own = |id: &StepId| self.plan.steps[*id].unit == *unit && is_made(&self.plan.steps[*id].derivation);
        let undone = |id: &StepId| !matches!(self.schedule.state(*id), State::Done(_) | State::Idle);
        let open: Vec<StepId> = (0..=step).filter(own).filter(undone).collect();
        if open.iter().all(|id| self.last.key(&self.plan.steps[*id].label).is_none()) {
            let failed = self.failed(step).map_or_else(String::new, |failed| format!(": {failed}"));
            return vec![format!("never built{failed}")];
        }
        let mut reasons: Vec<String> = open.iter().flat_map(|id| self.step(*id)).collect();
        reasons.extend(open.iter().flat_map(|id| self.waits(*id, unit)));
        let mut told = BTreeSet::new();
        reasons.retain(|reason| told.insert(reason.clone()));
        if reasons.is_empty() {
            reasons.push("it is not what was last built".to_owned());
        }
        reasons
    }

    /// Why one step would run, apart from what it waits for.
    fn step(&self, id: StepId) -> Vec<String> {
        let step = &self.plan.steps[id];
        let Some(old) = self.last.account(&step.label) else { return vec!["never built".to_owned()] };
        let now = self.schedule.resolved(id).map(|derivation| derivation.key());
        if now.is_some() && now == self.last.key(&step.label) {
            return vec!["its result was collected".to_owned()];
        }
        let new = Account::of(&step.derivation, |input| self.content(input));
        let mut changes = compare(&old, &new);
        changes.retain(|change| !change.is_within(&step.unit));
        let changes = cause::words(&changes, self.store);
        self.failed(id).into_iter().chain(changes).collect()
    }

    /// Says so, if the step as it is now was tried and failed.
    fn failed(&self, id: StepId) -> Option<String> {
        let key = self.schedule.resolved(id)?.key();
        let failed = failed_log(self.store.root(), &key).exists();
        failed.then(|| "it failed when it was last tried".to_owned())
    }

    /// The units that a step of `unit` waits for.
    fn waits(&self, id: StepId, unit: &Name) -> Vec<String> {
        let step = |input: &&Input| matches!(input, Input::Step(id, _) if self.plan.steps[*id].unit != *unit);
        let inputs = self.plan.steps[id].derivation.inputs().into_iter().filter(step);
        let unknown = inputs.filter(|input| self.schedule.content(input).is_none());
        unknown.map(|input| format!("needs `{}`, which must be built first", origin(self.plan, input))).collect()
    }

    fn content(&self, input: &Input) -> Content {
        Content { output: self.schedule.content(input), made: None, from: origin(self.plan, input) }
    }
}

/// Notes what the steps that a build ended well were made of.
pub fn remember(last: &mut Last, plan: &Plan, finishes: &Finishes) {
    let good = |finish: &Finish| matches!(finish.status, Status::Built | Status::Cached);
    for (id, finish) in finishes.iter().filter(|(_, finish)| good(finish)) {
        let step = &plan.steps[*id];
        let Some(key) = finish.key.filter(|key| is_made(&step.derivation) && last.key(&step.label) != Some(*key))
        else {
            continue;
        };
        let content = |input: &Input| {
            let output = made(plan, finishes, input);
            Content { output, made: None, from: origin(plan, input) }
        };
        last.set(&step.label, key, &Account::of(&step.derivation, content));
    }
}

/// What an input of a step that was built holds.
fn made(plan: &Plan, finishes: &Finishes, input: &Input) -> Option<Output> {
    match input {
        Input::Known(output) => Some(*output),
        Input::Step(id, name) => {
            let made = || finishes.get(id)?.outputs.get(name).copied();
            plan.steps[*id].derivation.fixed().or_else(made)
        }
    }
}

/// Whether a step makes something, and does not only fetch it.
pub(super) fn is_made(derivation: &Derivation<Input>) -> bool {
    derivation.fixed().is_none()
}

/// What an input comes from, for people: a unit, or what is fetched.
pub(super) fn origin(plan: &Plan, input: &Input) -> String {
    let Input::Step(id, output) = input else { return String::new() };
    let step = &plan.steps[*id];
    match (step.fetched(), output.as_str()) {
        (Some(fetched), _) => fetched.to_owned(),
        (None, "out") => step.unit.to_string(),
        (None, output) => format!("{}:{output}", step.unit),
    }
}
