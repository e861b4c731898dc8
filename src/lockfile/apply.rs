//! A project and its lockfile together: what is pinned, what is not, what no recipe asks for any more.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::drift::drift;
use super::{Entry, Locked, Lockfile, Unfree};
use crate::path::Name;
use crate::recipe::{Project, Recipe, Source};

/// Which sources `forge lock` pins again although their entries are as their recipes say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Update {
    /// None.
    Needed,
    /// Those of these units, or these alone of them.
    Named(BTreeSet<(Name, Option<Name>)>),
    /// All.
    All,
}

impl Update {
    /// Whether a unit is named.
    fn names(&self, unit: &Name) -> bool {
        matches!(self, Self::Named(named) if named.iter().any(|(one, _)| one == unit))
    }
}

/// What is wrong with the entry of one source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Problem {
    /// There is none.
    Missing,
    /// The recipe has changed since; in this, in words, where the entry tells.
    Stale(Vec<String>),
    /// No recipe has that source.
    LeftOver,
}

/// A lockfile that does not fit the recipes: each problem by unit and source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stale(pub BTreeMap<(Name, Name), Problem>);

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("lockfile.toml does not fit the recipes:\n")?;
        for ((unit, source), problem) in &self.0 {
            let what = match problem {
                Problem::Missing => "is not locked".to_owned(),
                Problem::Stale(changes) if changes.is_empty() => "has changed since it was locked".to_owned(),
                Problem::Stale(changes) => format!("has changed since it was locked: {}", changes.join(", ")),
                Problem::LeftOver => "is locked, but no recipe has it".to_owned(),
            };
            writeln!(f, "  {unit}/{source} {what}")?;
        }
        f.write_str("run `forge lock`")
    }
}

impl std::error::Error for Stale {}

impl Lockfile {
    /// Where it does not fit the recipes.
    #[must_use]
    pub fn problems(&self, project: &Project, unfree: Unfree) -> BTreeMap<(Name, Name), Problem> {
        let wanted: BTreeMap<_, _> = wanted(project).collect();
        let asked = wanted.iter().filter(|((unit, _), source)| !unfree.leaves(&project.units[unit], source));
        let wrong = asked.filter_map(|(key, source)| Some((key.clone(), self.problem(key, source)?)));
        let left_over = self.sources.keys().filter(|key| !wanted.contains_key(key));
        wrong.chain(left_over.map(|key| (key.clone(), Problem::LeftOver))).collect()
    }

    /// What is wrong with the entry of a source.
    pub(super) fn problem(&self, key: &(Name, Name), source: &Source) -> Option<Problem> {
        match self.sources.get(key) {
            None => Some(Problem::Missing),
            Some(entry) if entry.spec != source.specification() => Some(Problem::Stale(drift(entry, source))),
            Some(_) => None,
        }
    }

    /// Pins every source of `project`. Units that are not free and not locked are left out, with those that need them.
    ///
    /// # Errors
    /// Lists each source that is not locked or has changed, and each entry that no recipe asks for.
    pub fn apply(&self, project: Project) -> Result<Project<Locked>, Stale> {
        let problems = self.problems(&project, Unfree::Left);
        if !problems.is_empty() {
            return Err(Stale(problems));
        }
        let unlocked = self.unlocked(&project);
        let units = project.units.into_iter().filter(|(name, _)| !unlocked.contains_key(name));
        Ok(Project { units: units.map(|(name, recipe)| (name, self.pin(recipe))).collect(), unlocked })
    }

    fn pin(&self, recipe: Recipe) -> Recipe<Locked> {
        let Recipe {
            name,
            root,
            file,
            bases,
            places,
            description,
            default,
            unfree,
            on_demand,
            sources,
            updates,
            build,
            tests,
        } = recipe;
        let pin = |(source, written): (Name, Source)| {
            let locked = match written {
                Source::Path { directory, include, exclude } => Locked::Path { directory, include, exclude },
                _ => self.entry(&name, &source).expect("BUG: a source without entry has no problem").locked.clone(),
            };
            (source, locked)
        };
        let sources = sources.into_iter().map(pin).collect();
        Recipe {
            name,
            root,
            file,
            bases,
            places,
            description,
            default,
            unfree,
            on_demand,
            sources,
            updates,
            build,
            tests,
        }
    }

    /// What `forge lock` starts from: this lockfile with only the entries that stay as they are, and the sources to
    /// pin, by unit and name. Suites without entries are gone, unless a source to pin may use them.
    #[must_use]
    pub fn prepare<'a>(
        &self,
        project: &'a Project,
        update: &Update,
        unfree: Unfree,
    ) -> (Self, BTreeMap<(Name, Name), &'a Source>) {
        let moves = |(unit, source): &(Name, Name)| match update {
            Update::Needed => false,
            Update::Named(named) => {
                named.iter().any(|(one, part)| one == unit && part.as_ref().is_none_or(|part| part == source))
            }
            Update::All => true,
        };
        let mut kept = self.clone();
        let mut open = BTreeMap::new();
        let problems = self.problems(project, unfree);
        let leaves = |(unit, name): &(Name, Name)| {
            let recipe = project.units.get(unit);
            let left = |recipe: &Recipe| recipe.sources.get(name).is_some_and(|source| unfree.leaves(recipe, source));
            recipe.is_some_and(|recipe| left(recipe) && (recipe.unfree || !update.names(unit)))
        };
        kept.sources.retain(|key, _| !problems.contains_key(key) && (!moves(key) || leaves(key)));
        open.extend(wanted(project).filter(|(key, _)| !kept.sources.contains_key(key) && !leaves(key)));
        let archives = open.values().filter_map(|source| source.archive());
        let asked: BTreeSet<&Name> = archives.map(|archive| &archive.name).collect();
        let used: BTreeSet<Name> = kept.sources.values().flat_map(Entry::archives).cloned().collect();
        kept.suites.retain(|archive, _| asked.contains(archive) || used.contains(archive));
        (kept, open)
    }
}

/// Every source that needs an entry.
pub(super) fn wanted(project: &Project) -> impl Iterator<Item = ((Name, Name), &Source)> {
    let all = project.units.values().flat_map(|recipe| {
        recipe.sources.iter().map(|(source, written)| ((recipe.name.clone(), source.clone()), written))
    });
    all.filter(|(_, source)| !matches!(source, Source::Path { .. }))
}
