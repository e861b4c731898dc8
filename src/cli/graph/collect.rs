//! What is known of units and steps: from the plan, the schedule, recorded times and the store.

use std::collections::{BTreeMap, BTreeSet};

use super::measure::Scale;
use crate::build::command::failed_log;
use crate::build::schedule::{self, Schedule};
use crate::build::times::{Times, UNKNOWN_SECONDS};
use crate::build::{Lookup, look};
use crate::cli::session::Planned;
use crate::derivation::{Assemble, Derivation};
use crate::graph::{Chart, Graph, Node, Size, State, chain, fold};
use crate::lockfile::Place;
use crate::path::Name;
use crate::plan::{Input, Plan, StepId, Unit};
use crate::store::{Output, Store};
use crate::words;

/// The kinds of steps that bring a source; many of them for one purpose are drawn as one.
const SOURCES: [&str; 3] = ["package", "file", "git tree"];

/// No step is asked to run again.
static NONE: BTreeSet<StepId> = BTreeSet::new();

/// All that a picture of a plan may show.
pub struct Facts<'a> {
    planned: &'a Planned,
    plan: &'a Plan,
    store: &'a Store,
    scale: &'a Scale<'a>,
    schedule: Schedule<'a, Lookup<'a>>,
    times: Times,
    /// The last steps of all units.
    lasts: BTreeSet<StepId>,
    /// The steps that each step needs.
    needs: Vec<Vec<StepId>>,
    /// The longest chain of steps.
    chain: Vec<StepId>,
}

impl<'a> Facts<'a> {
    /// Looks at the store.
    pub fn new(planned: &'a Planned, store: &'a Store, scale: &'a Scale<'a>) -> Self {
        let plan = &planned.plan;
        let schedule = look(plan, store, &NONE, plan.units.values().map(|unit| unit.last));
        let times = Times::read(store.root());
        let needs: Vec<Vec<StepId>> = plan.steps.iter().map(|step| needed(&step.derivation)).collect();
        let recorded = |id: usize| times.get(&plan.steps[id].label);
        let any = (0..plan.steps.len()).any(|id| recorded(id).is_some());
        let weight = |id: usize| if any { recorded(id).unwrap_or(UNKNOWN_SECONDS) } else { 0.0 };
        let weights: Vec<f64> = (0..plan.steps.len()).map(weight).collect();
        let chain = chain(&weights, &needs);
        let lasts = plan.units.values().map(|unit| unit.last).collect();
        Self { planned, plan, store, scale, schedule, times, lasts, needs, chain }
    }

    /// How long the longest chain takes; a step without a record counts as the scheduler takes it.
    pub fn chain_seconds(&self) -> f64 {
        self.chain.iter().map(|id| self.seconds(*id).unwrap_or(UNKNOWN_SECONDS)).sum()
    }

    /// The graph of units.
    pub fn units(&self) -> Graph {
        let own: Vec<BTreeSet<StepId>> = self.plan.units.values().map(|unit| self.own(unit)).collect();
        let critical = self.critical_units(&own);
        let place: BTreeMap<&Name, usize> =
            self.plan.units.keys().enumerate().map(|(place, name)| (name, place)).collect();
        let mut edges = BTreeSet::new();
        for (name, to) in &place {
            let recipe = &self.planned.project.units[*name];
            let needed = recipe.toolroot().into_iter().chain(recipe.deps().map(|(_, reference)| &reference.unit));
            edges.extend(needed.map(|need| (place[need], *to)));
        }
        let units = self.plan.units.iter().zip(&own).enumerate();
        let node = |(id, ((name, unit), own)): (usize, ((&Name, &Unit), &BTreeSet<StepId>))| Node {
            critical: critical.iter().position(|unit| *unit == id),
            ..self.unit(name, unit, own)
        };
        Graph { nodes: units.map(node).collect(), edges: edges.into_iter().collect() }
    }

    /// The graph of steps, with many downloads for one purpose as one.
    pub fn steps(&self) -> Graph {
        let nodes = (0..self.plan.steps.len())
            .map(|id| Node { critical: self.chain.iter().position(|step| *step == id), ..self.step(id) });
        let edges: BTreeSet<_> =
            self.needs.iter().enumerate().flat_map(|(to, needs)| needs.iter().map(move |from| (*from, to))).collect();
        fold(Graph { nodes: nodes.collect(), edges: edges.into_iter().collect() }, &SOURCES)
    }

    /// What each output is made of, where it is in the store.
    pub fn charts(&self) -> Vec<Chart> {
        let outputs =
            self.plan.units.iter().flat_map(|(name, unit)| unit.outputs.iter().map(move |output| (name, output)));
        let chart = |(unit, (output, input)): (&Name, &(Name, Input))| {
            let root = self.scale.folder(&self.schedule.content(input)?)?.visible();
            Some(Chart { unit: unit.to_string(), output: output.to_string(), root })
        };
        outputs.filter_map(chart).collect()
    }

    /// The steps that make a unit out of its sources and other units.
    fn own(&self, unit: &Unit) -> BTreeSet<StepId> {
        let mut own = BTreeSet::from([unit.last]);
        let mut queue = vec![unit.last];
        while let Some(id) = queue.pop() {
            let new = self.needs[id].iter().filter(|need| !self.lasts.contains(need) && own.insert(**need));
            queue.extend(new);
        }
        own
    }

    /// The units of the longest chain in its order, each once.
    fn critical_units(&self, own: &[BTreeSet<StepId>]) -> Vec<usize> {
        let mut units = Vec::new();
        for step in self.chain.iter().filter(|id| !self.is_source(**id)) {
            let unit = own.iter().position(|steps| steps.contains(step)).expect("BUG: a step belongs to a unit");
            if units.last() != Some(&unit) {
                units.push(unit);
            }
        }
        units
    }

    fn unit(&self, name: &Name, unit: &Unit, own: &BTreeSet<StepId>) -> Node {
        let times: Vec<f64> =
            own.iter().filter(|id| !self.is_source(**id)).filter_map(|id| self.seconds(*id)).collect();
        let contents = unit.outputs.iter().map(|(name, input)| (name, self.schedule.content(input)));
        let outputs: Vec<(&Name, Output)> = contents.filter_map(|(name, output)| Some((name, output?))).collect();
        let whole = outputs.len() == unit.outputs.len();
        Node {
            name: name.to_string(),
            kind: unit.kind.to_owned(),
            note: self.sources(own),
            seconds: (!times.is_empty()).then(|| times.iter().sum()),
            size: if whole { self.size(outputs.iter().map(|(_, output)| output)) } else { None },
            outputs: outputs.iter().map(|(name, output)| (name.to_string(), output.digest().to_string())).collect(),
            ..self.known(unit.last)
        }
    }

    fn step(&self, id: StepId) -> Node {
        let step = &self.plan.steps[id];
        let made = match self.schedule.state(id) {
            schedule::State::Done(outputs) => outputs.clone(),
            _ => BTreeMap::new(),
        };
        let pinned = match &step.derivation {
            Derivation::Fetch(pin) => Some(Size { bytes: pin.size, files: 1 }),
            _ => None,
        };
        Node {
            name: step.label.clone(),
            kind: kind(&step.derivation).to_owned(),
            seconds: self.seconds(id),
            size: pinned.or_else(|| if made.is_empty() { None } else { self.size(made.values()) }),
            outputs: made.iter().map(|(name, output)| (name.to_string(), output.digest().to_string())).collect(),
            ..self.known(id)
        }
    }

    /// What the store knows of a step: its key, whether it is there, its log.
    fn known(&self, id: StepId) -> Node {
        let key = self.schedule.resolved(id).map(|derivation| derivation.key());
        let failed = key.map(|key| failed_log(self.store.root(), &key)).filter(|log| log.is_file());
        let state = match self.schedule.state(id) {
            schedule::State::Done(_) => State::Cached,
            _ if failed.is_some() => State::Failed,
            schedule::State::Idle if self.is_present(id) => State::Cached,
            schedule::State::Idle => State::Idle,
            _ => State::Open,
        };
        let result = || self.store.result(&key?).ok().flatten()?.log;
        let log = failed.or_else(|| self.store.file(&result()?, false).ok());
        Node {
            key: key.map(|key| key.to_string()),
            state,
            log: log.map(|log| log.display().to_string()),
            ..Node::default()
        }
    }

    fn is_present(&self, id: StepId) -> bool {
        self.plan.steps[id].derivation.fixed().is_some_and(|output| self.store.contains(&output.digest()))
    }

    fn is_source(&self, id: StepId) -> bool {
        self.plan.steps[id].derivation.fixed().is_some()
    }

    fn seconds(&self, id: StepId) -> Option<f64> {
        self.times.get(&self.plan.steps[id].label)
    }

    fn size<'o>(&self, outputs: impl Iterator<Item = &'o Output>) -> Option<Size> {
        outputs.map(|output| self.scale.size(output)).sum()
    }

    /// `97 packages, 71.2 MB`: what a unit's own steps fetch; empty where that is nothing.
    fn sources(&self, own: &BTreeSet<StepId>) -> String {
        let pins = own.iter().filter_map(|id| match &self.plan.steps[*id].derivation {
            Derivation::Fetch(pin) => Some(pin),
            _ => None,
        });
        let pins: Vec<_> = pins.collect();
        let packages = pins.iter().all(|pin| matches!(pin.place, Place::Archive { .. }));
        let number = words::count(pins.len(), if packages { "package" } else { "file" });
        let size = words::size(pins.iter().map(|pin| pin.size).sum());
        if pins.is_empty() { String::new() } else { format!("{number}, {size}") }
    }
}

/// The steps whose outputs a step reads, each once.
fn needed(derivation: &Derivation<Input>) -> Vec<StepId> {
    let needed: BTreeSet<StepId> = derivation.inputs().into_iter().filter_map(Input::step).collect();
    needed.into_iter().collect()
}

/// What a step does, in a word.
fn kind(derivation: &Derivation<Input>) -> &'static str {
    match derivation {
        Derivation::Fetch(pin) if matches!(pin.place, Place::Archive { .. }) => "package",
        Derivation::Fetch(pin) if matches!(pin.place, Place::Registry { .. }) => "crate",
        Derivation::Fetch(_) => "file",
        Derivation::FetchGit { .. } => "git tree",
        Derivation::Run(_) => "run",
        Derivation::Assemble(Assemble::Toolroot { .. }) => "toolroot",
        Derivation::Assemble(
            Assemble::Unpack { .. }
            | Assemble::Taken { .. }
            | Assemble::DebMember { .. }
            | Assemble::Vendor { .. }
            | Assemble::Packages { .. },
        ) => "unpack",
        Derivation::Assemble(Assemble::Skeleton { .. }) => "skeleton",
        Derivation::Assemble(Assemble::Arguments { .. }) => "arguments",
        Derivation::Assemble(Assemble::Machine { .. }) => "machine",
        Derivation::Assemble(Assemble::Layout { .. }) => "layout",
        Derivation::Assemble(Assemble::Signed { .. }) => "sign",
        Derivation::Assemble(Assemble::Initramfs { .. }) => "initramfs",
        Derivation::Assemble(Assemble::Boot(_)) => "boot files",
        Derivation::Assemble(Assemble::Disk(_)) => "disk",
        Derivation::Assemble(Assemble::Installer(_)) => "installer",
        Derivation::Assemble(Assemble::Layer(_)) => "layer",
        Derivation::Assemble(Assemble::Image(_)) => "image",
        Derivation::Assemble(
            Assemble::Bpf { .. }
            | Assemble::Programs { .. }
            | Assemble::Layers(_)
            | Assemble::Resolved(_)
            | Assemble::Kernel(_),
        ) => "check",
        Derivation::Assemble(Assemble::Extension(_)) => "extension",
    }
}
