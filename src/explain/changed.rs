//! What differs between two plans of one project, unit by unit: what changed in a unit itself, and
//! what it only inherits from units that it needs.
//!
//! Inputs are compared by content where both are known, so that what came out the same stops here
//! as it does in a build; else by the way in which they are made, which needs no store.

use std::collections::{BTreeMap, BTreeSet};

use super::account::{Account, Content};
use super::cause::{Change, compare};
use super::rebuild::{is_made, origin};
use crate::build::schedule::{Known, Schedule};
use crate::canon::{self, Canon};
use crate::digest::Digest;
use crate::path::Name;
use crate::plan::{Input, Plan, StepId};
use crate::store::Output;

/// One of the two plans.
pub struct Side<'a, K> {
    plan: &'a Plan,
    schedule: &'a Schedule<'a, K>,
    made: Vec<Digest>,
}

/// What became of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Only the new plan has it.
    Added,
    /// Only the old plan has it.
    Removed,
    /// It is made of the same.
    Same,
    /// It is not.
    Changed {
        /// What changed in it.
        own: Vec<Change>,
        /// The units that changed for it.
        from: BTreeSet<String>,
    },
}

impl<'a, K: Known> Side<'a, K> {
    /// A plan, and a schedule of it that has looked into the store.
    #[must_use]
    pub fn new(plan: &'a Plan, schedule: &'a Schedule<'a, K>) -> Self {
        Self { plan, schedule, made: made(plan) }
    }

    /// The unit's own steps by label.
    fn steps(&self, unit: &Name) -> BTreeMap<&str, StepId> {
        let own = |id: &StepId| self.plan.steps[*id].unit == *unit && is_made(&self.plan.steps[*id].derivation);
        (0..self.plan.steps.len()).filter(own).map(|id| (self.plan.steps[id].label.as_str(), id)).collect()
    }

    fn account(&self, id: StepId) -> Account {
        let step = &self.plan.steps[id];
        let made = |input: &Input| match input {
            // What a step of the same unit makes is told by that step.
            Input::Step(id, _) if self.plan.steps[*id].unit != step.unit => Some(self.made[*id]),
            Input::Step(..) | Input::Known(_) => None,
        };
        let content = |input: &Input| Content {
            output: self.schedule.content(input),
            made: made(input),
            from: origin(self.plan, input),
        };
        Account::of(&step.derivation, content)
    }
}

/// What became of every unit of both plans.
#[must_use]
pub fn changed<K: Known>(old: &Side<'_, K>, new: &Side<'_, K>) -> BTreeMap<Name, Fate> {
    let units: BTreeSet<&Name> = old.plan.units.keys().chain(new.plan.units.keys()).collect();
    let fate = |unit: &Name| match (old.plan.units.get(unit), new.plan.units.get(unit)) {
        (None, _) => Fate::Added,
        (_, None) => Fate::Removed,
        _ => unit_fate(unit, old, new),
    };
    units.into_iter().map(|unit| (unit.clone(), fate(unit))).collect()
}

fn unit_fate<K: Known>(unit: &Name, old: &Side<'_, K>, new: &Side<'_, K>) -> Fate {
    let (old_steps, new_steps) = (old.steps(unit), new.steps(unit));
    let (mut own, mut from) = (Vec::new(), BTreeSet::new());
    let labels: BTreeSet<&&str> = old_steps.keys().chain(new_steps.keys()).collect();
    for label in labels {
        let account = |id: &StepId, side: &Side<'_, K>| side.account(*id);
        let before = old_steps.get(*label).map(|id| account(id, old)).unwrap_or_default();
        let after = new_steps.get(*label).map(|id| account(id, new)).unwrap_or_default();
        for change in compare(&before, &after).into_iter().filter(|change| !change.is_within(unit)) {
            match inherited(&change, unit) {
                Some(unit) => drop(from.insert(unit)),
                None => own.push(change),
            }
        }
    }
    if own.is_empty() && from.is_empty() { Fate::Same } else { Fate::Changed { own, from } }
}

/// The unit from which a change comes, if it is not the unit's own: the same output of the same
/// unit, which is another one now.
fn inherited(change: &Change, unit: &Name) -> Option<String> {
    match change {
        Change::Input { field, old: Some(old), new: Some(new), .. } if field == "root" || field == "deps" => {
            (old.from == new.from && !new.is_of(unit)).then(|| new.from.clone())
        }
        Change::Input { .. } | Change::Text { .. } => None,
    }
}

/// What stands for an input before anything is built.
enum Made {
    Content(Output),
    Step(Digest, Name),
}

impl Canon for Made {
    fn canon(&self, out: &mut Vec<u8>) {
        match self {
            Self::Content(output) => {
                0u64.canon(out);
                output.canon(out);
            }
            Self::Step(step, output) => {
                1u64.canon(out);
                step.canon(out);
                output.canon(out);
            }
        }
    }
}

/// For each step what tells how it is made, all that it needs included.
fn made(plan: &Plan) -> Vec<Digest> {
    let mut made = Vec::<Digest>::with_capacity(plan.steps.len());
    for step in &plan.steps {
        let input = |input: &Input| -> Result<Made, std::convert::Infallible> {
            Ok(match input {
                Input::Known(output) => Made::Content(*output),
                Input::Step(id, name) => match plan.steps[*id].derivation.fixed() {
                    Some(output) => Made::Content(output),
                    None => Made::Step(made[*id], name.clone()),
                },
            })
        };
        let Ok(derivation) = step.derivation.resolve(input);
        made.push(canon::identity("forge made 1", &derivation));
    }
    made
}

#[cfg(test)]
mod tests {
    use super::super::account::tests::{name, tree};
    use super::*;
    use crate::build::schedule::Outputs;
    use crate::derivation::{Derivation, Run};
    use crate::plan::{STEP_TIMEOUT, Step, Unit};

    /// A store that knows what the steps of the named units came to.
    struct Shelf(BTreeMap<StepId, Output>);

    impl Known for &Shelf {
        fn result(&mut self, step: StepId, _: &Derivation) -> Option<Outputs> {
            self.0.get(&step).map(|output| Outputs::from([(name("out"), *output)]))
        }
        fn present(&mut self, _: &Output) -> bool {
            false
        }
    }

    /// Units in order, each with its source and the unit that it reads, if any.
    fn plan(units: &[(&str, &str, Option<&str>)]) -> Plan {
        let mut plan = Plan::default();
        for (unit, source, dep) in units {
            let dep = dep.map(|dep| (name("dep"), Input::Step(plan.units[&name(dep)].last, name("out"))));
            let run = Run {
                root: Input::Known(tree("root")),
                sources: BTreeMap::from([(name("src"), Input::Known(tree(source)))]),
                deps: dep.into_iter().collect(),
                argv: Vec::new(),
                env: BTreeMap::new(),
                outputs: vec![name("out")],
                profile: crate::sandbox::Profile::Build,
                service: None,
            };
            let derivation = Derivation::Run(run);
            plan.steps.push(Step { unit: name(unit), label: (*unit).to_owned(), derivation, timeout: STEP_TIMEOUT });
            plan.units.insert(name(unit), Unit { kind: "cmd", outputs: Vec::new(), last: plan.steps.len() - 1 });
        }
        plan
    }

    /// Each unit's fate in a word, what is inherited with its origin.
    fn fates(old: &[(&str, &str, Option<&str>)], new: &[(&str, &str, Option<&str>)], shelves: [&Shelf; 2]) -> String {
        let plans = [plan(old), plan(new)];
        let mut schedules = [0, 1].map(|side: usize| Schedule::new(&plans[side], shelves[side], |_| 1.0));
        for (schedule, plan) in schedules.iter_mut().zip(&plans) {
            plan.units.values().for_each(|unit| schedule.want(unit.last));
        }
        let [old, new] = [0, 1].map(|side: usize| Side::new(&plans[side], &schedules[side]));
        let word = |(unit, fate): (Name, Fate)| match fate {
            Fate::Added => format!("{unit}+"),
            Fate::Removed => format!("{unit}-"),
            Fate::Same => format!("{unit}="),
            Fate::Changed { own, from } => {
                format!("{unit}~{}{}", own.len(), from.iter().map(|from| format!("<{from}")).collect::<String>())
            }
        };
        changed(&old, &new).into_iter().map(word).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_a_unit_inherits_is_not_its_own() {
        let none = &Shelf(BTreeMap::new());
        let base = [("a", "1", None), ("b", "1", Some("a")), ("c", "1", Some("b"))];
        for (new, want) in [
            (&base[..], "a= b= c="),
            (&[("a", "2", None), ("b", "1", Some("a")), ("c", "1", Some("b"))], "a~1 b~0<a c~0<b"),
            (&[("a", "2", None), ("b", "2", Some("a")), ("c", "1", Some("b"))], "a~1 b~1<a c~0<b"),
            (&[("a", "1", None), ("b", "1", Some("a")), ("c", "1", Some("a"))], "a= b= c~1"),
            (&[("a", "1", None), ("b", "1", Some("a")), ("d", "1", None)], "a= b= c- d+"),
        ] {
            assert_eq!(fates(&base, new, [none, none]), want);
        }
    }

    #[test]
    fn what_came_out_the_same_goes_no_further() {
        let base = [("a", "1", None), ("b", "1", Some("a"))];
        let new = [("a", "2", None), ("b", "1", Some("a"))];
        let shelf = |text: &str| Shelf(BTreeMap::from([(0, tree(text))]));
        let (x, y) = (shelf("x"), shelf("y"));
        assert_eq!(fates(&base, &new, [&x, &x]), "a~1 b=");
        assert_eq!(fates(&base, &new, [&x, &y]), "a~1 b~0<a");
        assert_eq!(fates(&base, &new, [&x, &Shelf(BTreeMap::new())]), "a~1 b~0<a", "not built yet");
    }
}
