//! What most verbs start from: the project, its lock, the store, and the plan for some units.

use std::path::{Path, PathBuf};

use super::environment;
use super::error::CliError;
use crate::fetch::Observer;
use crate::lockfile::{Locked, Lockfile};
use crate::path::Name;
use crate::plan::{self, Observed, Plan};
use crate::recipe::{self, Project};
use crate::store::Store;

/// The file that marks a project's root.
pub const LOCKFILE: &str = "lockfile.toml";

/// Finds the project: DIR, or the nearest folder with a lockfile.
pub fn root(directory: Option<&Path>) -> Result<PathBuf, CliError> {
    if let Some(directory) = directory {
        let absolute = directory.canonicalize();
        return absolute.map_err(|error| CliError::user(format!("{}: {error}", directory.display())));
    }
    let here = std::env::current_dir().map_err(|error| CliError::environment(format!("current folder: {error}")))?;
    let found = here.ancestors().find(|folder| folder.join(LOCKFILE).is_file());
    found.map(Path::to_path_buf).ok_or_else(|| {
        CliError::user(format!("no {LOCKFILE} in {} or above it", here.display()))
            .hint("go into a project, name it with -C DIR, or start one here with `forge -C . lock`")
    })
}

/// Opens the store.
pub fn store() -> Result<Store, CliError> {
    Ok(Store::open_with(&environment::store()?, environment::sync())?)
}

/// Reads the recipes.
pub fn recipes(root: &Path) -> Result<Project, CliError> {
    recipe::load(root).map_err(|diagnostics| {
        let color = super::progress::color();
        let drawn: Vec<_> = diagnostics.iter().map(|diagnostic| diagnostic.render(color)).collect();
        CliError::user(drawn.join("\n"))
    })
}

/// Reads the lockfile; one that is not there pins nothing.
pub fn lockfile(root: &Path) -> Result<Lockfile, CliError> {
    let path = root.join(LOCKFILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Lockfile::default()),
        Err(error) => return Err(CliError::user(format!("{}: {error}", path.display()))),
    };
    Lockfile::parse(LOCKFILE, &text).map_err(|diagnostic| {
        CliError::user(diagnostic.render(super::progress::color()))
            .hint("only `forge lock` writes this file; take it back from version control, or delete it and lock anew")
    })
}

/// The recipes with every source pinned.
pub fn locked(root: &Path) -> Result<Project<Locked>, CliError> {
    let project = recipes(root)?;
    lockfile(root)?.apply(project).map_err(CliError::user)
}

/// The units asked for: `names`, or those with `default = true`.
pub fn wanted<S>(project: &Project<S>, names: &[Name]) -> Result<Vec<Name>, CliError> {
    if let Some(unknown) = names.iter().find(|name| !project.units.contains_key(*name)) {
        let error = CliError::user(format!("there is no unit `{unknown}`"));
        return Err(match recipe::nearest(unknown.as_str(), project.units.keys().map(Name::as_str)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("`forge list` prints all units"),
        });
    }
    if !names.is_empty() {
        return Ok(names.to_vec());
    }
    let defaults = project.units.values().filter(|recipe| recipe.default);
    Ok(defaults.map(|recipe| recipe.name.clone()).collect())
}

/// Draws the plan for `wanted`, after a look at the files that they name.
pub fn plan(root: &Path, store: &Store, project: &Project<Locked>, wanted: &[Name]) -> Result<Plan, CliError> {
    let mut observer = Observer::open(store, root)?;
    let mut observed = Observed::new();
    for recipe in plan::closure(project, wanted)? {
        for (name, source) in &recipe.sources {
            if let Locked::Path { directory, include, exclude } = source {
                let output = observer.observe(directory, include, exclude)?;
                observed.insert((recipe.name.clone(), name.clone()), output);
            }
        }
    }
    observer.save()?;
    Ok(plan::plan(project, &observed, wanted)?)
}
