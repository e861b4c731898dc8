//! Which step can go next: the one state machine of a build. No step runs here and no file is read.
//!
//! ```text
//! Idle ──want──→ Waiting ──inputs' content known──→ (in the store?) ──yes──→ Done
//!                   │                                     └─no─→ Gathering ──inputs there──→ Ready
//!                   └──an input failed──→ Skipped                                  Ready → Running → Done | Failed
//! ```
//!
//! A fixed-output step (a download) has known content from the start; it is wanted only when a
//! step that must really run needs it, so what is in the store needs none of its sources.
//! Every transition goes through [`Schedule::set`]. `forge plan` and `forge build` decide here.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use crate::derivation::Derivation;
use crate::path::Name;
use crate::plan::{Input, Plan, StepId};
use crate::recipe::OUTPUT;
use crate::store::Output;

/// A step's outputs by name.
pub type Outputs = BTreeMap<Name, Output>;

/// How far a step is.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// Nobody has asked for it.
    Idle,
    /// The content of an input is not known yet.
    Waiting,
    /// It must run; an input is not in the store yet.
    Gathering,
    /// It can start.
    Ready,
    /// It was handed out by [`Schedule::start`].
    Running,
    /// Its outputs are in the store.
    Done(Outputs),
    /// It ran and failed.
    Failed,
    /// It can't run, as it needs this step, which failed.
    Skipped(StepId),
}

/// What is in the store already.
pub trait Known {
    /// The recorded result of a resolved step.
    fn result(&mut self, step: StepId, derivation: &Derivation) -> Option<Outputs>;
    /// Whether a fixed output's content is there.
    fn present(&mut self, output: &Output) -> bool;
}

/// What kind of worker a step needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Waits for the network.
    Fetch,
    /// Needs a processor.
    Work,
}

impl Lane {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Fetch, Self::Work];

    /// The lane of a step.
    pub(super) fn of<I>(derivation: &Derivation<I>) -> Self {
        if derivation.fixed().is_some() { Self::Fetch } else { Self::Work }
    }
}

/// The state of all steps of a plan.
pub struct Schedule<'a, K> {
    plan: &'a Plan,
    known: K,
    states: Vec<State>,
    /// The steps that read a step's output.
    users: Vec<Vec<StepId>>,
    /// Seconds from a step's start to the end of the longest chain behind it.
    urgency: Vec<f64>,
    ready: [BinaryHeap<(u64, Reverse<StepId>)>; 2],
    /// Steps that ended since the last [`Schedule::ended`], in order.
    ended: Vec<StepId>,
    count: Count,
}

/// How many steps are how far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Known to be wanted: all that are not idle.
    pub wanted: usize,
    /// Ready or running.
    pub active: usize,
    /// Done, failed or skipped.
    pub over: usize,
}

impl State {
    fn active(&self) -> bool {
        matches!(self, Self::Ready | Self::Running)
    }

    fn over(&self) -> bool {
        matches!(self, Self::Done(_) | Self::Failed | Self::Skipped(_))
    }
}

impl<'a, K: Known> Schedule<'a, K> {
    /// All steps idle. `seconds` estimates how long a step takes.
    pub fn new(plan: &'a Plan, known: K, seconds: impl Fn(StepId) -> f64) -> Self {
        let mut users = vec![Vec::new(); plan.steps.len()];
        let mut urgency: Vec<f64> = (0..plan.steps.len()).map(&seconds).collect();
        // Steps use only earlier ones, so from the end each step's users are settled before it.
        for (id, step) in plan.steps.iter().enumerate().rev() {
            for input in needed(&step.derivation) {
                users[input].push(id);
                urgency[input] = urgency[input].max(seconds(input) + urgency[id]);
            }
        }
        let states = vec![State::Idle; plan.steps.len()];
        Self {
            plan,
            known,
            states,
            users,
            urgency,
            ready: Default::default(),
            ended: Vec::new(),
            count: Count::default(),
        }
    }

    /// Asks for a step's outputs.
    pub fn want(&mut self, id: StepId) {
        if self.states[id] != State::Idle {
            return;
        }
        let derivation = &self.plan.steps[id].derivation;
        if let Some(output) = derivation.fixed() {
            let present = self.known.present(&output);
            return self.set(id, if present { State::Done(single(output)) } else { State::Ready });
        }
        self.set(id, State::Waiting);
        for input in needed(derivation) {
            if self.plan.steps[input].derivation.fixed().is_none() {
                self.want(input);
            }
        }
        self.advance(id);
    }

    /// The most urgent step that can start on `lane`.
    pub fn start(&mut self, lane: Lane) -> Option<StepId> {
        let (_, Reverse(id)) = self.ready[lane as usize].pop()?;
        self.set(id, State::Running);
        Some(id)
    }

    /// Says how a running step ended; `None` is a failure.
    pub fn finish(&mut self, id: StepId, outputs: Option<Outputs>) {
        self.set(id, outputs.map_or(State::Failed, State::Done));
    }

    /// The steps that ended since the last call, in the order in which they did.
    pub fn ended(&mut self) -> Vec<StepId> {
        std::mem::take(&mut self.ended)
    }

    /// A step's state.
    #[must_use]
    pub fn state(&self, id: StepId) -> &State {
        &self.states[id]
    }

    /// How many steps are how far.
    #[must_use]
    pub fn count(&self) -> Count {
        self.count
    }

    /// The step with the content of its inputs, once that is known.
    #[must_use]
    pub fn resolved(&self, id: StepId) -> Option<Derivation> {
        self.plan.steps[id].derivation.resolve(|input| self.content(input).ok_or(())).ok()
    }

    /// What an input holds, once that is known.
    #[must_use]
    pub fn content(&self, input: &Input) -> Option<Output> {
        match input {
            Input::Known(output) => Some(*output),
            Input::Step(id, name) => match &self.states[*id] {
                State::Done(outputs) => outputs.get(name).copied(),
                _ => self.plan.steps[*id].derivation.fixed(),
            },
        }
    }

    fn set(&mut self, id: StepId, state: State) {
        let old = std::mem::replace(&mut self.states[id], state);
        let new = &self.states[id];
        self.count.wanted += usize::from(old == State::Idle);
        self.count.active = self.count.active + usize::from(new.active()) - usize::from(old.active());
        self.count.over += usize::from(new.over());
        if *new == State::Ready {
            let micros = (self.urgency[id] * 1e6) as u64;
            self.ready[Lane::of(&self.plan.steps[id].derivation) as usize].push((micros, Reverse(id)));
        }
        if new.over() {
            self.ended.push(id);
            for user in self.users[id].clone() {
                self.advance(user);
            }
        }
    }

    /// Moves a step on that waits, as far as it can go.
    fn advance(&mut self, id: StepId) {
        if !matches!(self.states[id], State::Waiting | State::Gathering) {
            return;
        }
        match self.obstacle(id) {
            Some(failed) => self.set(id, State::Skipped(failed)),
            None if self.states[id] == State::Waiting => self.look_up(id),
            None if self.gathered(id) => self.set(id, State::Ready),
            None => {}
        }
    }

    fn look_up(&mut self, id: StepId) {
        let Some(derivation) = self.resolved(id) else { return };
        if let Some(outputs) = self.known.result(id, &derivation) {
            return self.set(id, State::Done(outputs));
        }
        self.set(id, State::Gathering);
        for input in needed(&self.plan.steps[id].derivation) {
            self.want(input);
        }
        self.advance(id);
    }

    /// The failed step that keeps a step from running.
    fn obstacle(&self, id: StepId) -> Option<StepId> {
        let lost = |input: StepId| match self.states[input] {
            State::Failed => Some(input),
            State::Skipped(failed) => Some(failed),
            _ => None,
        };
        needed(&self.plan.steps[id].derivation).into_iter().find_map(lost)
    }

    fn gathered(&self, id: StepId) -> bool {
        let there = |input: StepId| matches!(self.states[input], State::Done(_));
        needed(&self.plan.steps[id].derivation).into_iter().all(there)
    }
}

/// The steps whose outputs a step reads.
fn needed(derivation: &Derivation<Input>) -> Vec<StepId> {
    derivation.inputs().into_iter().filter_map(Input::step).collect()
}

/// The outputs of a step that has one.
pub(super) fn single(output: Output) -> Outputs {
    BTreeMap::from([(Name::constant(OUTPUT), output)])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::derivation::{Assemble, Run};
    use crate::digest::Digest;
    use crate::lockfile::{Pin, Place};
    use crate::plan::Step;
    use crate::store::Blob;

    /// A store that knows the results of some steps by number, and holds some contents.
    #[derive(Default)]
    struct Shelf {
        results: BTreeMap<StepId, Outputs>,
        contents: BTreeSet<Digest>,
    }

    impl Known for &mut Shelf {
        fn result(&mut self, step: StepId, _: &Derivation) -> Option<Outputs> {
            self.results.get(&step).cloned()
        }
        fn present(&mut self, output: &Output) -> bool {
            self.contents.contains(&output.digest())
        }
    }

    fn output(text: &str) -> Output {
        Output::File { blob: Blob { digest: Digest::of(text.as_bytes()), size: text.len() as u64 }, executable: false }
    }

    fn out(text: &str) -> Outputs {
        single(output(text))
    }

    fn input(id: StepId) -> Input {
        Input::Step(id, Name::new("out").expect("a name"))
    }

    fn fetch(text: &str) -> Derivation<Input> {
        let place = Place::Url("https://example.org/a".to_owned());
        Derivation::Fetch(Pin { place, size: text.len() as u64, digest: Digest::of(text.as_bytes()) })
    }

    fn unpack(id: StepId) -> Derivation<Input> {
        Derivation::Assemble(Assemble::Unpack { archive: input(id), strip: 0 })
    }

    fn run(root: StepId, deps: &[StepId]) -> Derivation<Input> {
        let name = |id: &StepId| Name::new(format!("d{id}")).expect("a name");
        Derivation::Run(Run {
            root: input(root),
            sources: BTreeMap::new(),
            deps: deps.iter().map(|id| (name(id), input(*id))).collect(),
            argv: Vec::new(),
            env: BTreeMap::new(),
            outputs: vec![Name::new("out").expect("a name")],
            profile: crate::sandbox::Profile::Build,
            service: None,
        })
    }

    /// 0 fetch → 1 unpack → 2 run; 3 fetch → 4 unpack → 5 run, which also reads 2.
    fn plan() -> Plan {
        let derivations = [fetch("a"), unpack(0), run(1, &[]), fetch("b"), unpack(3), run(4, &[2])];
        let step = |derivation| Step {
            unit: Name::new("u").expect("a name"),
            label: "u".to_owned(),
            derivation,
            timeout: crate::plan::STEP_TIMEOUT,
        };
        let mut plan = Plan::default();
        plan.steps = derivations.map(step).into();
        plan
    }

    fn start_all(schedule: &mut Schedule<'_, &mut Shelf>) -> Vec<StepId> {
        Lane::ALL.into_iter().flat_map(|lane| std::iter::from_fn(|| schedule.start(lane)).collect::<Vec<_>>()).collect()
    }

    #[test]
    fn an_empty_store_builds_from_the_bottom() {
        let (plan, mut shelf) = (plan(), Shelf::default());
        let mut schedule = Schedule::new(&plan, &mut shelf, |_| 1.0);
        schedule.want(5);
        // The chain through step 0 is longer, so it is more urgent.
        assert_eq!(start_all(&mut schedule), [0, 3]);
        schedule.finish(0, Some(out("a")));
        schedule.finish(3, Some(out("b")));
        assert_eq!(start_all(&mut schedule), [1, 4]);
        schedule.finish(4, Some(out("tree b")));
        schedule.finish(1, Some(out("tree a")));
        assert_eq!(start_all(&mut schedule), [2]);
        schedule.finish(2, Some(out("x")));
        assert_eq!(start_all(&mut schedule), [5]);
        schedule.finish(5, Some(out("y")));
        assert_eq!(schedule.count(), Count { wanted: 6, active: 0, over: 6 });
        assert_eq!(schedule.ended(), [0, 3, 4, 1, 2, 5]);
    }

    #[test]
    fn what_is_known_needs_no_sources() {
        let (plan, mut shelf) = (plan(), Shelf::default());
        shelf.results = BTreeMap::from([(1, out("tree a")), (2, out("x")), (4, out("tree b")), (5, out("y"))]);
        let mut schedule = Schedule::new(&plan, &mut shelf, |_| 1.0);
        schedule.want(5);
        assert_eq!(schedule.state(5), &State::Done(out("y")));
        assert_eq!((schedule.state(0), schedule.state(3)), (&State::Idle, &State::Idle));
        assert_eq!(start_all(&mut schedule), [0; 0]);
    }

    #[test]
    fn the_same_content_cuts_the_build_short() {
        let (plan, mut shelf) = (plan(), Shelf::default());
        shelf.results = BTreeMap::from([(1, out("tree a")), (4, out("tree b")), (5, out("y"))]);
        let mut schedule = Schedule::new(&plan, &mut shelf, |_| 1.0);
        schedule.want(5);
        assert_eq!(start_all(&mut schedule), [2], "only what is not known runs");
        schedule.finish(2, Some(out("x")));
        assert_eq!(schedule.state(5), &State::Done(out("y")), "its key did not change");
    }

    #[test]
    fn a_failure_skips_what_needs_it_and_nothing_else() {
        let (plan, mut shelf) = (plan(), Shelf::default());
        shelf.contents.insert(Digest::of(b"b"));
        let mut schedule = Schedule::new(&plan, &mut shelf, |_| 1.0);
        schedule.want(5);
        assert_eq!(start_all(&mut schedule), [0, 4], "a present source is not fetched");
        schedule.finish(0, None);
        assert_eq!(schedule.state(1), &State::Skipped(0));
        assert_eq!(schedule.state(5), &State::Skipped(0));
        schedule.finish(4, Some(out("tree b")));
        assert_eq!(schedule.count().active, 0);
    }

    #[test]
    fn the_longest_chain_goes_first() {
        let (mut plan, mut shelf) = (plan(), Shelf::default());
        plan.steps.truncate(5);
        let seconds = |id| if id == 4 { 100.0 } else { 1.0 };
        let mut schedule = Schedule::new(&plan, &mut shelf, seconds);
        schedule.want(2);
        schedule.want(4);
        assert_eq!(schedule.start(Lane::Fetch), Some(3));
    }
}
