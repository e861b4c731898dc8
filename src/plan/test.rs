//! `tests`: steps in the sandbox of tests that see what a unit made. A test makes nothing, so its
//! result says only that it succeeded.

use std::collections::BTreeMap;

use super::{Error, Input, Plan, Planner, Step, StepId, cmd};
use crate::derivation::{Derivation, Run, Service};
use crate::lockfile::Locked;
use crate::path::{Name, RelPath};
use crate::recipe::{Attributes, Build, Image, Project, Recipe, Reference, Test};
use crate::sandbox::Profile;

/// Where runtimes look for programs if an image does not say.
const SEARCHED: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// `units` and those that their tests name.
#[must_use]
pub fn tried_with<S>(project: &Project<S>, units: &[Name]) -> Vec<Name> {
    let recipes = || units.iter().filter_map(|name| project.units.get(name));
    let tests = recipes().flat_map(|recipe| recipe.tests.values());
    let named = tests.flat_map(|test| test.deps.values().map(|dep| &dep.unit).chain([&test.toolroot]));
    let boots = recipes().filter_map(Recipe::boot).flat_map(|boot| [&boot.toolroot, &boot.probe]);
    let starts = recipes().filter_map(Recipe::start).map(|start| &start.toolroot);
    units.iter().chain(named).chain(boots).chain(starts).cloned().collect()
}

impl Step {
    /// Whether it is a test of a recipe.
    #[must_use]
    pub fn is_test(&self) -> bool {
        matches!(&self.derivation, Derivation::Run(run) if run.profile == Profile::Run)
    }
}

impl Plan {
    /// The name of the test that a step is.
    #[must_use]
    pub fn test(&self, step: StepId) -> Option<&Name> {
        self.tests.iter().find(|(_, id)| **id == step).map(|((_, test), _)| test)
    }
}

impl Planner<'_> {
    /// Adds the tests of a unit.
    pub(super) fn tests(&mut self, unit: &Name) -> Result<(), Error> {
        let project = self.project;
        let recipe = project.units.get(unit).ok_or_else(|| Error::UnknownUnit(unit.clone()))?;
        self.unit(unit)?;
        for (name, test) in &recipe.tests {
            let step = self.test(recipe, name, test)?;
            self.plan.tests.insert((unit.clone(), name.clone()), step);
        }
        Ok(())
    }

    fn test(&mut self, recipe: &Recipe<Locked>, name: &Name, test: &Test) -> Result<StepId, Error> {
        let run = Run {
            root: self.main_output(&test.toolroot)?,
            sources: self.seen(recipe)?,
            deps: self.made(&recipe.name)?.into_iter().chain(self.references(&test.deps)?).collect(),
            argv: cmd::argv(test.steps.iter().cloned()),
            env: cmd::environment(&test.env),
            outputs: Vec::new(),
            profile: Profile::Run,
            service: match &recipe.build {
                Build::Image(image) if test.entrypoint.as_deref() != Some(&[]) => {
                    Some(Box::new(self.service(recipe, image, test)?))
                }
                _ => None,
            },
        };
        Ok(self.plan.add(Step {
            unit: recipe.name.clone(),
            label: format!("{}: test {name}", recipe.name),
            derivation: Derivation::Run(run),
            timeout: test.timeout,
        }))
    }

    /// An image's program, in the image's file system. What it may write are the folders that are its user's.
    fn service(&mut self, recipe: &Recipe<Locked>, image: &Image, test: &Test) -> Result<Service<Input>, Error> {
        let root = Reference { unit: recipe.name.clone(), output: Some(Name::constant(Image::ROOT)) };
        let config = &image.config;
        let (uid, gid) = config.user;
        let program = test.entrypoint.as_ref().unwrap_or(&config.entrypoint);
        let arguments = test.arguments.as_ref().unwrap_or(&config.command);
        let own = |(path, attributes): (&RelPath, &Attributes)| (attributes.uid == uid).then(|| path.clone());
        let path = ("PATH".to_owned(), SEARCHED.to_owned());
        Ok(Service {
            root: self.reference(&root)?,
            argv: program.iter().chain(arguments).cloned().collect(),
            env: [path].into_iter().chain(config.env.clone()).collect(),
            cwd: config.workdir.clone().unwrap_or_else(|| "/".to_owned()),
            writable: image.directories.iter().filter_map(own).collect(),
            uid,
            gid,
        })
    }

    /// What a test finds in `/src`: what the unit's build found there, and all sources of an image or an
    /// extension, which have no sandbox.
    fn seen(&mut self, recipe: &Recipe<Locked>) -> Result<BTreeMap<Name, Input>, Error> {
        match &recipe.build {
            Build::Image(_) | Build::Extension(_) => self.sources(recipe),
            _ => Ok(self.sources_of_build(&recipe.name)),
        }
    }

    /// What the command of a unit's build finds in `/src`.
    fn sources_of_build(&self, unit: &Name) -> BTreeMap<Name, Input> {
        let own = self.plan.steps.iter().filter(|step| step.unit == *unit);
        let mut sources = own.filter_map(|step| match &step.derivation {
            Derivation::Run(run) if run.profile == Profile::Build => Some(run.sources.clone()),
            _ => None,
        });
        sources.next_back().unwrap_or_default()
    }

    /// A unit's outputs by their names, the main one by the unit's name too.
    fn made(&mut self, unit: &Name) -> Result<BTreeMap<Name, Input>, Error> {
        let outputs = self.unit(unit)?.outputs;
        let main = outputs.first().map(|(_, input)| (unit.clone(), input.clone()));
        Ok(outputs.iter().cloned().chain(main).collect())
    }
}
