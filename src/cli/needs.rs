//! The graph that `forge why` searches: recipes and lock, and of the store only what the question
//! calls for.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::SystemTime;

use super::error::CliError;
use super::output;
use super::progress::Bar;
use super::session::{self, Planned};
use crate::build::look;
use crate::debian::index::Index;
use crate::digest::Digest;
use crate::explain::need::{self, Needs, Thing};
use crate::explain::target::Target;
use crate::fetch::{self, Finder, Observer};
use crate::lockfile::{Deb, Lockfile};
use crate::path::{Name, RelPath};
use crate::plan;
use crate::recipe::{Archive, Project, Recipe, Source};
use crate::store::{self, Directory, Node, Output, Store};

/// What a graph is drawn from.
pub struct Drawing<'a> {
    pub root: &'a Path,
    pub project: &'a Project,
    pub lockfile: &'a Lockfile,
    /// The unit whose needs are asked for.
    pub unit: &'a Name,
    /// Whether the network may be used.
    pub fetch: bool,
}

impl Drawing<'_> {
    /// The graph, and the things in it that `word` stands for.
    pub fn draw(&self, word: &str) -> Result<(Needs, BTreeSet<Thing>), CliError> {
        let mut graph = need::needs(&self.recipes()?, self.project, self.lockfile);
        let targets = match Target::of(word, self.project, self.lockfile) {
            Some(Target::Things(things)) => {
                self.sets(&mut graph, &things)?;
                self.recipes()?.into_iter().for_each(|recipe| need::add_crates(&mut graph, recipe, &things));
                things
            }
            Some(Target::File(path)) if self.root.join(path.as_str()).exists() => {
                need::add_recipes(&mut graph, &self.recipes()?);
                self.file(&mut graph, &path)?;
                BTreeSet::from([Thing::File(path)])
            }
            Some(Target::Content(digest)) => self.content(&mut graph, &digest)?,
            Some(Target::File(_)) | None => self.file_called(&mut graph, word)?,
        };
        Ok((graph, targets))
    }

    /// The one file that the unit needs whose path ends in `word`.
    fn file_called(&self, graph: &mut Needs, word: &str) -> Result<BTreeSet<Thing>, CliError> {
        let Ok(end) = RelPath::new(word.trim_start_matches("./")) else { return Err(self.unknown(word)?) };
        let recipes = self.recipes()?;
        need::add_recipes(graph, &recipes);
        let mut found = self.files(graph, |file, _| ends(file, &end))?;
        let recipes = recipes.into_iter().flat_map(|recipe| recipe.bases.iter().chain([&recipe.file]));
        found.extend(recipes.filter(|file| ends(file, &end)).map(|file| Thing::File(file.clone())));
        match found.len() {
            0 => Err(self.unknown(word)?),
            1 => Ok(found),
            _ => {
                let all: Vec<_> = found.iter().map(|thing| format!("`{thing}`")).collect();
                Err(CliError::user(format!("several paths end in `{word}`"))
                    .hint(format!("did you mean {}?", all.join(" or "))))
            }
        }
    }

    fn unknown(&self, word: &str) -> Result<CliError, CliError> {
        let whole = session::recipes(self.root)?;
        let error = CliError::user(format!("`{word}` is no unit, source, package, crate or file of this project"));
        Ok(match Target::near(word, &whole, self.lockfile) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!(
                "`forge list` prints all units; lockfile.toml lists packages and crates; a file that `{}` does not need is \
                 named by its path in the project",
                self.unit
            )),
        })
    }

    /// The recipes of the unit and of all that it needs.
    fn recipes(&self) -> Result<Vec<&Recipe>, CliError> {
        Ok(plan::closure(self.project, std::slice::from_ref(self.unit))?)
    }

    /// Adds why packages are in the sets that `things` are packages of.
    fn sets(&self, graph: &mut Needs, things: &BTreeSet<Thing>) -> Result<(), CliError> {
        let asked = |recipe: &&Recipe| {
            things.iter().any(|thing| matches!(thing, Thing::Package { unit, .. } if *unit == recipe.name))
        };
        let asked: Vec<_> = self.recipes()?.into_iter().filter(asked).collect();
        let store = if asked.is_empty() { return Ok(()) } else { session::store()? };
        for recipe in asked {
            for (name, source) in &recipe.sources {
                let entry = self.lockfile.entry(&recipe.name, name);
                if let (Source::Debs { archive, .. }, Some(entry)) = (source, entry) {
                    self.set(graph, &store, recipe, name, archive, entry.debs())?;
                }
            }
        }
        Ok(())
    }

    fn set(
        &self,
        graph: &mut Needs,
        store: &Store,
        recipe: &Recipe,
        source: &Name,
        archive: &Archive,
        debs: &[Deb],
    ) -> Result<(), CliError> {
        let fetcher = session::fetcher(store, !self.fetch)?;
        let suite = self.lockfile.suites().get(&archive.name).expect("BUG: locked packages without their suite");
        let bar = Bar::new();
        match fetcher.stanzas(archive, suite, debs, &bar.watch()) {
            Ok(text) => {
                let index = Index::parse(&text, &archive.architecture).map_err(CliError::environment)?;
                need::add_set(graph, recipe, &recipe.sources[source], &index);
            }
            Err(fetch::Error::Exhausted(_)) if !self.fetch => {
                output::words(&format!(
                    "note: the store does not have what the packages of `{}` depend on",
                    recipe.name
                ));
                output::words("hint: `forge why --fetch` downloads the locked package list");
                need::add_opaque_set(graph, recipe, source, debs);
            }
            Err(error) => return Err(CliError::of_source(error, &recipe.name, source)),
        }
        Ok(())
    }

    /// Adds a file to the path sources that hold it. Only they are looked at, and of them only the way to it.
    fn file(&self, graph: &mut Needs, file: &RelPath) -> Result<(), CliError> {
        let mut finder = Finder::open(self.root)?;
        for recipe in self.recipes()? {
            for (name, source) in &recipe.sources {
                let Source::Path { directory, include, exclude } = source else { continue };
                let holds = finder.holds(directory, include, exclude, file);
                if holds.map_err(|error| CliError::of_source(error, &recipe.name, name))? {
                    need::add_file(graph, recipe, name, file);
                }
            }
        }
        Ok(())
    }

    /// Adds the files of path sources that `wanted` wants, by path and digest, and says which; it may want a whole
    /// source too.
    fn files(
        &self,
        graph: &mut Needs,
        wanted: impl Fn(&RelPath, &Digest) -> bool,
    ) -> Result<BTreeSet<Thing>, CliError> {
        let store = session::store()?;
        let observer = Observer::open(&store, self.root, SystemTime::now)?;
        let mut found = BTreeSet::new();
        for recipe in self.recipes()? {
            for (name, source) in &recipe.sources {
                let Source::Path { directory, include, exclude } = source else { continue };
                let tree = observer.observe(directory, include, exclude);
                let tree = tree.map_err(|error| CliError::of_source(error, &recipe.name, name))?;
                if wanted(directory, &tree.digest()) {
                    found.insert(Thing::Source(recipe.name.clone(), name.clone()));
                }
                walk(&store, &tree.digest(), directory, &mut |file, digest| {
                    if wanted(&file, digest) {
                        need::add_file(graph, recipe, name, &file);
                        found.insert(Thing::File(file));
                    }
                })?;
            }
        }
        observer.save()?;
        Ok(found)
    }

    /// What has this content: a file of the project, a source's tree, a unit's output, a step.
    fn content(&self, graph: &mut Needs, digest: &Digest) -> Result<BTreeSet<Thing>, CliError> {
        let found = self.files(graph, |_, other| other == digest)?;
        if !found.is_empty() {
            return Ok(found);
        }
        let store = session::store()?;
        let Planned { plan, .. } = session::planned(self.root, &store, std::slice::from_ref(self.unit))?;
        let rebuild = BTreeSet::new();
        let schedule = look(&plan, &store, &rebuild, plan.units.values().map(|unit| unit.last));
        let is = |output: Option<Output>| output.is_some_and(|output| output.digest() == *digest);
        let made = plan.units.iter().filter(|(_, unit)| {
            let key = schedule.resolved(unit.last).is_some_and(|derivation| derivation.key() == *digest);
            key || unit.outputs.iter().any(|(_, input)| is(schedule.content(input)))
        });
        let made: BTreeSet<_> = made.map(|(name, _)| Thing::Unit(name.clone())).collect();
        if made.is_empty() {
            let unit = self.unit;
            return Err(CliError::user(format!("nothing that `{unit}` needs, as far as it is built, is {digest}"))
                .hint("it may be the digest of what was built before, or is not built yet"));
        }
        Ok(made)
    }
}

/// Whether a path is `end`, or ends in it.
fn ends(path: &RelPath, end: &RelPath) -> bool {
    path.as_str().strip_suffix(end.as_str()).is_some_and(|start| start.is_empty() || start.ends_with('/'))
}

/// Calls `visit` with every file below a tree, by path and digest.
fn walk(
    store: &Store,
    tree: &Digest,
    above: &RelPath,
    visit: &mut impl FnMut(RelPath, &Digest),
) -> Result<(), store::Error> {
    let Directory { entries } = store.directory(tree)?;
    for (name, node) in entries {
        let path = above.join(&RelPath::new(name).expect("BUG: the store holds clean names"));
        match node {
            Node::File { blob, .. } => visit(path, &blob.digest),
            Node::Directory(blob) => walk(store, &blob.digest, &path, visit)?,
            Node::Symlink(_) => {}
        }
    }
    Ok(())
}
