//! What most verbs start from: the project, its lock, the store, and the plan for some units.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use super::error::CliError;
use super::overrides::{Override, Overrides};
use super::{Verdict, environment, progress, unfree};
use crate::build::realise::Worker;
use crate::canon;
use crate::digest::Digest;
use crate::fetch::{self, Cargo, Fetcher, Git, Mirrors, Observer, Places, Policy, apt};
use crate::lockfile::{self, Crate, Locked, Lockfile};
use crate::path::{Name, RelPath};
use crate::plan::{self, Observed, Plan, StepId};
use crate::recipe::{self, Diagnostic, Project, Recipe, Root};
use crate::registry::Credentials;
use crate::store::{Setup, Store};
use crate::words;

/// Where the host keeps its apt sources, the mirrors of which serve forge as well.
pub const APT: &str = "/etc/apt";

/// What makes a folder a project.
pub const PROJECT: &str = "a project is a folder with recipes: NAME.toml or NAME/recipe.toml in recipes, kernel, bpf, \
                           extensions, images or charts";

/// Finds the project: DIR, or the nearest folder with a lockfile.
pub fn root(directory: Option<&Path>) -> Result<PathBuf, CliError> {
    if let Some(directory) = directory {
        return folder(directory).map_err(|error| {
            CliError::user(format!("{}: {error}", directory.display())).hint("-C takes the folder of a project")
        });
    }
    let here = std::env::current_dir().map_err(|error| CliError::environment(format!("current folder: {error}")))?;
    let found = here.ancestors().find(|folder| folder.join(lockfile::FILE).is_file());
    found.map(Path::to_path_buf).ok_or_else(|| {
        CliError::user(format!("no {} in {} or above it", lockfile::FILE, here.display()))
            .hint("go into a project, name it with -C DIR, or start one here with `forge -C . lock`")
    })
}

fn folder(path: &Path) -> std::io::Result<PathBuf> {
    let absolute = path.canonicalize()?;
    if absolute.is_dir() { Ok(absolute) } else { Err(ErrorKind::NotADirectory.into()) }
}

/// Opens the store.
pub fn store() -> Result<Store, CliError> {
    let setup = Setup { sync: environment::sync(), ..Setup::of_machine()? };
    Store::open_with(&environment::store()?, &setup)
        .map_err(|error| CliError::from(error).hint("FORGE_STORE names the folder of another store"))
}

/// Reads the recipes.
pub fn recipes(root: &Path) -> Result<Project, CliError> {
    recipe::load(root).map_err(|diagnostics| CliError::user(draw(&diagnostics)))
}

/// Reads the recipes that a question names in `texts`, and those that they need.
pub fn recipes_for(root: &Path, texts: &[&str]) -> Result<Project, CliError> {
    recipe::load_part(root, texts).map_err(|diagnostics| CliError::user(draw(&diagnostics)))
}

/// Reads the lockfile; one that is not there pins nothing.
pub fn lockfile(root: &Path) -> Result<Lockfile, CliError> {
    match Lockfile::load(root) {
        Ok(lockfile) => Ok(lockfile),
        Err(lockfile::Error::Io { error, .. }) if error.kind() == ErrorKind::NotFound => Ok(Lockfile::default()),
        Err(lockfile::Error::Damaged(diagnostics)) => Err(CliError::user(draw(&diagnostics))),
        Err(error) => Err(CliError::user(error)),
    }
}

fn draw(diagnostics: &[Diagnostic]) -> String {
    let drawn: Vec<_> = diagnostics.iter().map(|diagnostic| diagnostic.render(progress::color())).collect();
    drawn.join("\n")
}

/// A fetcher that knows the user's mirrors and the host's.
pub fn fetcher(store: &Store, offline: bool) -> Result<Fetcher<'_>, CliError> {
    let mirrors = environment::mirrors().map(|file| Mirrors::read(&file)).transpose();
    let mirrors = mirrors.map_err(|error| CliError::user(error).hint("FORGE_MIRRORS names this file"))?;
    let places = Places::new(mirrors.unwrap_or_default(), apt::bases(Path::new(APT))?);
    let credentials = Credentials { config: environment::docker_config() };
    let git = Git::new(environment::all());
    let cargo = Cargo::new(environment::all());
    Ok(Fetcher::new(store, places, Policy { offline, credentials, ..Policy::default() }, git, cargo))
}

/// The recipes with every source pinned.
pub fn locked(root: &Path) -> Result<Project<Locked>, CliError> {
    let project = recipes(root)?;
    lockfile(root)?.apply(project).map_err(CliError::user)
}

/// A project without recipes, where a unit is asked for.
fn empty() -> CliError {
    CliError::user("there are no recipes here").hint(PROJECT)
}

/// Refuses a name that no unit has, and a unit that can't be planned.
pub fn known<S>(project: &Project<S>, names: &[Name]) -> Result<(), CliError> {
    if let Some((name, why)) = names.iter().find_map(|name| project.unlocked.get_key_value(name)) {
        return Err(unfree::unlocked(name, why));
    }
    if let Some(unknown) = names.iter().find(|name| !project.units.contains_key(*name)) {
        if project.units.is_empty() {
            return Err(empty());
        }
        let error = CliError::user(format!("there is no unit `{unknown}`"));
        return Err(match words::nearest(unknown.as_str(), project.units.keys().map(Name::as_str)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("`forge list` prints all units"),
        });
    }
    Ok(())
}

/// The units asked for: `names`, or those with `default = true`.
pub fn wanted<S>(project: &Project<S>, names: &[Name]) -> Result<Vec<Name>, CliError> {
    known(project, names)?;
    if !names.is_empty() {
        return Ok(names.to_vec());
    }
    let defaults: Vec<_> = project.units.values().filter(|recipe| recipe.default).collect();
    if defaults.is_empty() {
        return Err(if project.units.is_empty() {
            empty()
        } else {
            CliError::user("no unit has `default = true`")
                .hint("name the units that you want; `forge list` prints all of them")
        });
    }
    Ok(defaults.into_iter().map(|recipe| recipe.name.clone()).collect())
}

/// What the verbs start from that look at units. By default nothing was planned.
#[derive(Default)]
pub struct Planned {
    /// The recipes with every source pinned.
    pub project: Project<Locked>,
    /// The units asked for; with tests, also those that the tests name.
    pub units: Vec<Name>,
    /// The steps that make them, or the tests.
    pub plan: Plan,
    /// What stands in place of locked sources.
    pub overrides: Overrides,
}

/// Who looks at the files of the project.
pub fn observer<'a>(root: &Path, store: &'a Store) -> Result<Observer<'a>, CliError> {
    Ok(Observer::open(store, root, SystemTime::now)?)
}

/// A digest of all that a plan depends on: recipes, the files beside them, the lock, and forge itself.
/// `None` where it can't be told.
pub fn state(root: &Path, observer: &Observer<'_>) -> Option<Digest> {
    let program = std::env::current_exe().and_then(|program| program.metadata()).ok()?;
    let changed = program.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let lock = Digest::of(&std::fs::read(root.join(lockfile::FILE)).ok()?);
    let forge = (program.len(), changed.as_nanos().to_string());
    Some(canon::identity("forge state 1", &(observer.state(&folders())?, (lock, forge))))
}

/// The folders of recipes and sources.
fn folders() -> Vec<RelPath> {
    Root::folders().map(RelPath::constant).collect()
}

/// The units whose tests are asked for: `names`, which must have some, or those with
/// `default = true` that do.
fn tested<S>(project: &Project<S>, names: &[Name]) -> Result<Vec<Name>, CliError> {
    let mut units = wanted(project, names)?;
    let has_none = |name: &Name| project.units[name].tests.is_empty() && !boots(&project.units[name]);
    if let Some(name) = names.iter().find(|name| has_none(name)) {
        return Err(CliError::user(format!("`{name}` has no tests"))
            .hint(format!("write a table [tests.NAME] with `steps` in {}", project.units[name].file)));
    }
    units.retain(|name| !has_none(name));
    if units.is_empty() {
        return Err(CliError::user("no unit with `default = true` has tests")
            .hint("name units that have; a table [tests.NAME] with `steps` in a recipe is a test"));
    }
    Ok(units)
}

/// Draws the plan for `names`, after a look at the files that they use.
pub fn planned(root: &Path, store: &Store, names: &[Name]) -> Result<Planned, CliError> {
    plan(root, &observer(root, store)?, store, names, &[])
}

/// As [`planned`], with what an observer has seen already, and with local content in place of some
/// sources.
pub fn plan(
    root: &Path,
    observer: &Observer<'_>,
    store: &Store,
    names: &[Name],
    overrides: &[Override],
) -> Result<Planned, CliError> {
    let project = read(root, observer)?;
    let units = wanted(&project, names)?;
    let planned = drawn(root, observer, store, project, units, overrides)?;
    observer.save()?;
    Ok(planned)
}

/// As [`planned`], for the tests of `names`, or of all units with `default = true` that have some.
pub fn planned_tests(root: &Path, store: &Store, names: &[Name]) -> Result<Planned, CliError> {
    with_tests(root, store, |project| tested(project, names))
}

/// Whether a unit says how it is booted.
fn boots<S>(recipe: &Recipe<S>) -> bool {
    recipe.boot().is_some() || recipe.start().is_some()
}

/// As [`planned`], for the boots of `names`, each of which must have one.
pub fn planned_boots(root: &Path, store: &Store, names: &[Name]) -> Result<Planned, CliError> {
    let chosen = |project: &Project<Locked>| {
        known(project, names)?;
        match names.iter().find(|name| !boots(&project.units[*name])) {
            Some(name) => Err(CliError::user(format!("`{name}` is nothing that can be booted")).hint(format!(
                "write a table [boot] in {}; only kernels and installers may have one",
                project.units[name].file
            ))),
            None => Ok(names.to_vec()),
        }
    };
    tried(root, store, chosen, plan::plan_boots)
}

/// As [`planned`], with the tests of the units that `chosen` chooses, which may have none.
pub fn with_tests(
    root: &Path,
    store: &Store,
    chosen: impl FnOnce(&Project<Locked>) -> Result<Vec<Name>, CliError>,
) -> Result<Planned, CliError> {
    tried(root, store, chosen, plan::plan_tests)
}

/// Draws a plan of what tries units.
fn tried(
    root: &Path,
    store: &Store,
    chosen: impl FnOnce(&Project<Locked>) -> Result<Vec<Name>, CliError>,
    draw: impl FnOnce(&Project<Locked>, &Observed, &[Name]) -> Result<Plan, plan::Error>,
) -> Result<Planned, CliError> {
    let observer = observer(root, store)?;
    let project = read(root, &observer)?;
    let tested = chosen(&project)?;
    let (units, overrides) = (plan::tried_with(&project, &tested), Overrides::default());
    known(&project, &units)?;
    let observed = observe(root, &observer, store, &project, &units, &overrides)?;
    observer.save()?;
    let plan = draw(&project, &observed, &tested)?;
    Ok(Planned { project, units, plan, overrides })
}

/// The step that is a unit's test.
pub fn test(plan: &Plan, unit: &Name, test: &Name) -> Result<StepId, CliError> {
    plan.tests.get(&(unit.clone(), test.clone())).copied().ok_or_else(|| {
        let own = plan.tests.keys().filter(|(other, _)| other == unit).map(|(_, test)| format!("`{test}`"));
        let own = own.collect::<Vec<_>>().join(", ");
        CliError::user(format!("`{unit}` has no test `{test}`")).hint(format!("it has {own}"))
    })
}

/// The recipes, pinned. The files are looked at meanwhile, as both take about as long.
fn read(root: &Path, observer: &Observer<'_>) -> Result<Project<Locked>, CliError> {
    std::thread::scope(|scope| {
        scope.spawn(|| observer.state(&folders()));
        locked(root)
    })
}

/// Draws the plan for `units` of a project, after a look at the files that they use.
pub fn drawn(
    root: &Path,
    observer: &Observer<'_>,
    store: &Store,
    project: Project<Locked>,
    units: Vec<Name>,
    overrides: &[Override],
) -> Result<Planned, CliError> {
    let overrides = Overrides::of(overrides, &plan::closure(&project, &units)?)?;
    let observed = observe(root, observer, store, &project, &units, &overrides)?;
    let plan = plan::plan(&project, &observed, &units)?;
    Ok(Planned { project, units, plan, overrides })
}

/// Puts the files that the planned units name into the store again, whatever it seems to have.
pub fn refill(root: &Path, store: &Store, planned: &Planned) -> Result<(), CliError> {
    let Planned { project, units, overrides, .. } = planned;
    let observer = &observer(root, store)?;
    observer.forget();
    observe(root, observer, store, project, units, overrides).map(drop)
}

/// What a source led to; where a glob is at fault, with its place in the recipe.
fn source_error(root: &Path, recipe: &recipe::Recipe<Locked>, source: &Name, error: fetch::Error) -> CliError {
    let drawn = error.glob().and_then(|glob| {
        let text = std::fs::read_to_string(root.join(recipe.file.as_str())).ok()?;
        Diagnostic::at_text(recipe.file.clone(), text, source.as_str(), glob, error.to_string())
    });
    match drawn {
        Some(drawn) => {
            CliError::user(draw(&[drawn])).hint(format!("this is the source `{source}` of the unit `{}`", recipe.name))
        }
        None => CliError::of_source(error, &recipe.name, source),
    }
}

fn observe(
    root: &Path,
    observer: &Observer<'_>,
    store: &Store,
    project: &Project<Locked>,
    wanted: &[Name],
    overrides: &Overrides,
) -> Result<Observed, CliError> {
    let mut observed = overrides.observe(store)?;
    for recipe in plan::closure(project, wanted)? {
        for (name, source) in &recipe.sources {
            let key = (recipe.name.clone(), name.clone());
            if let (Locked::Path { directory, include, exclude }, false) = (source, observed.contains_key(&key)) {
                let output = observer.observe(directory, include, exclude);
                let output = output.map_err(|error| source_error(root, recipe, name, error))?;
                observed.insert(key, output);
            }
        }
    }
    Ok(observed)
}

/// The crates of each Cargo.lock of a project.
pub fn closures(project: &Project<Locked>) -> Vec<Vec<Crate>> {
    let sources = project.units.values().flat_map(|recipe| recipe.sources.values());
    let closures = sources.filter(|locked| matches!(locked, Locked::Crates { .. }));
    closures.map(|locked| locked.crates().to_vec()).collect()
}

/// Does `work` with what makes steps of what was planned; Ctrl-C stops it.
pub fn with_worker<T>(
    root: &Path,
    store: &Store,
    planned: &Planned,
    offline: bool,
    jobs: Option<u16>,
    work: impl FnOnce(&Worker<'_>) -> Result<T, CliError>,
) -> Result<T, CliError> {
    let cancel = interrupts()?;
    let program = std::env::current_exe().map_err(|error| CliError::environment(format!("own program: {error}")))?;
    let mut fetcher = fetcher(store, offline)?;
    fetcher.expect(closures(&planned.project));
    let refill = || refill(root, store, planned).map_err(|error| error.to_string());
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    work(&Worker {
        store,
        fetcher: &fetcher,
        program: &program,
        jobs: jobs.map_or_else(processors, usize::from),
        cancel: &cancel,
        refill: &refill,
        sandbox: OnceLock::new(),
    })
}

/// A flag that Ctrl-C sets; the second Ctrl-C ends forge at once (its sandboxes die with it).
pub fn interrupts() -> Result<Arc<AtomicBool>, CliError> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        let code = i32::from(Verdict::Interrupted.code());
        signal_hook::flag::register_conditional_shutdown(signal, code, Arc::clone(&flag))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&flag)))
            .map_err(|error| CliError::environment(format!("watching for Ctrl-C: {error}")))?;
    }
    Ok(flag)
}
