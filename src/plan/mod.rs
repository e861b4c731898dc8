//! Locked recipes become a graph of derivations. Pure: no file is opened here.
//!
//! ```text
//! unit `hello`:  fetch a.deb ─┐
//!                fetch b.deb ─┴→ toolroot ─→ run ←─ path source (known before planning)
//! ```
//!
//! Steps stand in an order in which each uses only earlier ones. Equal steps of different units
//! are one step. What a unit's kind means in steps is said in one file a kind.

mod abi;
mod boot;
mod bpf;
mod cargo;
mod cmd;
mod crates;
mod crossing;
mod extension;
mod image;
mod installer;
mod kernel;
mod machine;
pub mod replace;
mod shell;
mod signed;
mod source;
mod test;
mod toolroot;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::derivation::{Assemble, Derivation};
use crate::digest::Digest;
use crate::lockfile::Locked;
use crate::path::Name;
use crate::recipe::{Arguments, Build, DEBUG, OUTPUT, Project, Recipe, Reference};
use crate::store::{Directory, Output};
pub use boot::{Outcome, outcomes};
pub use cmd::{FIRST_STEP, WORLD, argv, bare, last_step, steps};
pub use test::tried_with;

/// How long a step may run where its recipe does not say.
pub const STEP_TIMEOUT: Duration = Duration::from_secs(3600);

/// A step's place in [`Plan::steps`].
pub type StepId = usize;

/// What a step reads.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// Content that was known before planning.
    Known(Output),
    /// An output of an earlier step.
    Step(StepId, Name),
}

impl Input {
    /// The step that makes it.
    #[must_use]
    pub fn step(&self) -> Option<StepId> {
        match self {
            Self::Known(_) => None,
            Self::Step(id, _) => Some(*id),
        }
    }
}

/// A derivation with what people call it.
#[derive(Clone, Debug)]
pub struct Step {
    /// The unit that first wanted it.
    pub unit: Name,
    /// What progress lines say: `hello`, `gcc: fetch libc6 2.41-12`.
    pub label: String,
    /// What it does.
    pub derivation: Derivation<Input>,
    /// When it is killed.
    pub timeout: Duration,
}

/// A unit's result in the plan.
#[derive(Clone, Debug)]
pub struct Unit {
    /// The kind's word, such as `cmd`.
    pub kind: &'static str,
    /// Name and origin of each output, the main one first.
    pub outputs: Vec<(Name, Input)>,
    /// The step that makes the outputs.
    pub last: StepId,
}

impl Unit {
    /// A unit whose outputs are all those of one step.
    fn of(recipe: &Recipe<Locked>, last: StepId) -> Self {
        let output = |name: Name| (name.clone(), Input::Step(last, name));
        Self { kind: recipe.build.kind(), outputs: recipe.outputs().into_iter().map(output).collect(), last }
    }
}

/// A graph of steps.
#[derive(Debug, Default)]
pub struct Plan {
    /// Each uses only earlier ones.
    pub steps: Vec<Step>,
    /// The units asked for and all that they need.
    pub units: BTreeMap<Name, Unit>,
    /// The tests asked for, by unit and name.
    pub tests: BTreeMap<(Name, Name), StepId>,
    /// What is checked in the boots asked for, each of which is a test, by unit.
    boots: BTreeMap<Name, Vec<String>>,
    fixed: HashMap<Digest, StepId>,
}

/// What was found by looking, by unit and source name: what each `path` source held, and what is to stand in place
/// of a locked source.
pub type Observed = BTreeMap<(Name, Name), Output>;

/// Why no plan could be drawn.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// A unit that no recipe makes.
    #[error("there is no unit `{0}`")]
    UnknownUnit(Name),
    /// An output that a unit does not have.
    #[error("the unit `{unit}` has no output `{output}`; it has {known}")]
    UnknownOutput {
        /// The unit.
        unit: Name,
        /// The output asked for.
        output: Name,
        /// Those it has.
        known: String,
    },
    /// A plugin that does not fit the program that loads it.
    #[error("{unit} does not fit {host}, which loads it:\n  {}", drifts.join("\n  "))]
    Drift {
        /// The plugin.
        unit: Name,
        /// The program.
        host: Name,
        /// What differs.
        drifts: Vec<String>,
    },
    /// A patch of a crate that is not there, or there more than once.
    #[error("{unit} patches the crate `{name}`, and its Cargo.lock has {found}")]
    Patched {
        /// The unit.
        unit: Name,
        /// The crate, as the recipe names it.
        name: String,
        /// What Cargo.lock has of that name.
        found: String,
    },
    /// A `path` source that was not looked at.
    #[error("BUG: the files of source `{source_name}` of `{unit}` were not read before planning")]
    Unobserved {
        /// The unit.
        unit: Name,
        /// The source.
        source_name: Name,
    },
}

/// Draws the plan for `wanted` and what they need.
///
/// # Errors
/// For a unit or output that does not exist.
pub fn plan(project: &Project<Locked>, observed: &Observed, wanted: &[Name]) -> Result<Plan, Error> {
    let mut planner = Planner { project, observed, plan: Plan::default() };
    for name in wanted {
        planner.unit(name)?;
    }
    Ok(planner.plan)
}

/// Draws the plan for the tests of `units` and what they need.
///
/// # Errors
/// For a unit or output that does not exist.
pub fn plan_tests(project: &Project<Locked>, observed: &Observed, units: &[Name]) -> Result<Plan, Error> {
    let mut planner = Planner { project, observed, plan: Plan::default() };
    for name in units {
        planner.tests(name)?;
        planner.boot(name)?;
    }
    Ok(planner.plan)
}

/// Draws the plan for the boots of `units`, of those that have one, and what they need.
///
/// # Errors
/// For a unit or output that does not exist.
pub fn plan_boots(project: &Project<Locked>, observed: &Observed, units: &[Name]) -> Result<Plan, Error> {
    let mut planner = Planner { project, observed, plan: Plan::default() };
    for name in units {
        planner.boot(name)?;
    }
    Ok(planner.plan)
}

/// The units that `wanted` need, themselves among them.
///
/// # Errors
/// For a unit that does not exist.
pub fn closure<'a, S>(project: &'a Project<S>, wanted: &[Name]) -> Result<Vec<&'a Recipe<S>>, Error> {
    let mut found = BTreeMap::new();
    let mut queue = wanted.to_vec();
    while let Some(name) = queue.pop() {
        let recipe = project.units.get(&name).ok_or_else(|| Error::UnknownUnit(name.clone()))?;
        if found.insert(name, recipe).is_none() {
            queue.extend(recipe.toolroot().cloned());
            queue.extend(recipe.deps().map(|(_, reference)| reference.unit.clone()));
        }
    }
    Ok(found.into_values().collect())
}

impl Plan {
    /// Whether a step makes a toolroot.
    #[must_use]
    pub fn is_toolroot(&self, id: StepId) -> bool {
        matches!(self.steps[id].derivation, Derivation::Assemble(Assemble::Toolroot { .. }))
    }

    /// What a step reads that other steps download, by what people call it.
    #[must_use]
    pub fn downloads(&self, step: StepId) -> Directory {
        let download = |input: &Input| match input {
            Input::Step(id, _) => Some((self.steps[*id].label.as_str(), self.steps[*id].derivation.fixed()?)),
            Input::Known(_) => None,
        };
        let entry = |(label, output): (&str, Output)| {
            let name = label.split_once(": fetch ").map_or(label, |(_, what)| what).replace('/', "_");
            (name, output.into())
        };
        let downloads = self.steps[step].derivation.inputs().into_iter().filter_map(download);
        Directory { entries: downloads.map(entry).collect() }
    }

    fn add(&mut self, step: Step) -> StepId {
        self.steps.push(step);
        self.steps.len() - 1
    }

    /// Adds a fixed-output step, or finds the one that makes the same content.
    fn add_fixed(&mut self, content: Digest, step: impl FnOnce() -> Step) -> StepId {
        if let Some(id) = self.fixed.get(&content) {
            return *id;
        }
        let id = self.add(step());
        self.fixed.insert(content, id);
        id
    }
}

/// The main output of a kind that gives its outputs names.
fn out() -> Name {
    Name::constant(OUTPUT)
}

/// The output with the debug symbols.
fn debug() -> Name {
    Name::constant(DEBUG)
}

struct Planner<'a> {
    project: &'a Project<Locked>,
    observed: &'a Observed,
    plan: Plan,
}

impl Planner<'_> {
    fn unit(&mut self, name: &Name) -> Result<Unit, Error> {
        if let Some(unit) = self.plan.units.get(name) {
            return Ok(unit.clone());
        }
        let recipe = self.project.units.get(name).ok_or_else(|| Error::UnknownUnit(name.clone()))?;
        let unit = match &recipe.build {
            Build::Toolroot(toolroot) => self.toolroot(recipe, toolroot),
            Build::Cmd(cmd) => self.cmd(recipe, cmd)?,
            Build::Bpf(bpf) => self.bpf(recipe, bpf)?,
            Build::Cargo(cargo) => self.cargo(recipe, cargo)?,
            Build::Image(image) => self.image(recipe, image)?,
            Build::Kernel(kernel) => self.kernel(recipe, kernel)?,
            Build::Installer(installer) => self.installer(recipe, installer)?,
            Build::Extension(extension) => self.extension(recipe, extension)?,
            Build::Arguments(Arguments { lines }) => {
                self.assembled(recipe, Assemble::Arguments { lines: lines.clone() })
            }
            Build::Machine(machine) => self.machine(recipe, machine)?,
        };
        self.plan.units.insert(name.clone(), unit.clone());
        Ok(unit)
    }

    /// A unit whose outputs forge assembles itself.
    fn assembled(&mut self, recipe: &Recipe<Locked>, assemble: Assemble<Input>) -> Unit {
        let last = self.plan.add(Step {
            unit: recipe.name.clone(),
            label: recipe.name.to_string(),
            derivation: Derivation::Assemble(assemble),
            timeout: STEP_TIMEOUT,
        });
        Unit::of(recipe, last)
    }

    fn reference(&mut self, reference: &Reference) -> Result<Input, Error> {
        let unit = self.unit(&reference.unit)?;
        let wanted = reference.output.as_ref().unwrap_or(&unit.outputs[0].0);
        let found = unit.outputs.iter().find(|(name, _)| name == wanted);
        found.map(|(_, input)| input.clone()).ok_or_else(|| Error::UnknownOutput {
            unit: reference.unit.clone(),
            output: wanted.clone(),
            known: unit.outputs.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", "),
        })
    }

    fn references(&mut self, references: &BTreeMap<Name, Reference>) -> Result<BTreeMap<Name, Input>, Error> {
        references.iter().map(|(name, reference)| Ok((name.clone(), self.reference(reference)?))).collect()
    }

    fn main_output(&mut self, unit: &Name) -> Result<Input, Error> {
        self.reference(&Reference { unit: unit.clone(), output: None })
    }
}
