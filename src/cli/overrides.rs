//! `--override SOURCE=PATH`: a local folder or file in place of a locked source, for one build.
//!
//! What stands at PATH takes the place of what the steps see at `/src/<source>`. It is looked at as
//! a `path` source is (never `.git`, `target`, `result`), and the lock is neither asked for this
//! source nor touched.
//!
//! Such a result can't be released. Keys are made of content, so the store keeps it under a key
//! that a plan drawn from the lock does not come to, unless the content is the locked one; and
//! only [`Overrides`] of this command line bring other content into a plan. A release draws its
//! plan from the lock alone, with [`Overrides::default`], and so never meets it. To people it is
//! marked: units that an override reaches are linked as `result/<name>+override` (no unit's name
//! has a `+`), and `--json` names the overrides.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::SystemTime;

use super::error::CliError;
use crate::fetch::Observer;
use crate::lockfile::Locked;
use crate::path::{Name, RelPath};
use crate::plan::Observed;
use crate::recipe::{Project, Recipe};
use crate::store::{Output, Store};
use crate::words;

/// What is added to the name of a result that an override has reached.
pub const MARK: &str = "+override";

/// The permission bit by which a file counts as executable.
const OWNER_EXECUTES: u32 = 0o100;

/// An argument: `unit/source=PATH`, or `source=PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    unit: Option<Name>,
    source: Name,
    path: PathBuf,
}

impl FromStr for Override {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (source, path) = text.split_once('=').ok_or("write SOURCE=PATH, such as `hello/src=../hello`")?;
        if path.is_empty() {
            return Err("there is no path behind the `=`".to_owned());
        }
        let (unit, source) = source.split_once('/').map_or((None, source), |(unit, source)| (Some(unit), source));
        let name = |text: &str| Name::new(text).map_err(|error| error.to_string());
        Ok(Self { unit: unit.map(name).transpose()?, source: name(source)?, path: path.into() })
    }
}

/// The overrides of a build, each of a source that it uses.
#[derive(Clone, Debug, Default)]
pub struct Overrides(BTreeMap<(Name, Name), PathBuf>);

/// The overridden sources that reach a unit, as `unit/source`.
pub type Overridden = BTreeMap<Name, Vec<String>>;

impl Overrides {
    /// Finds the sources that `wanted` are about, among those of `recipes`.
    ///
    /// # Errors
    /// For a source that does not exist, is not unique, or is a set of packages; for a path with nothing there.
    pub fn of(wanted: &[Override], recipes: &[&Recipe<Locked>]) -> Result<Self, CliError> {
        let mut overrides = Self::default();
        for one in wanted {
            let key = key(one, recipes)?;
            let path = fs::canonicalize(&one.path).map_err(|error| {
                CliError::user(format!("{}: {error}", one.path.display()))
                    .hint(format!("this stands in --override, in place of the source {}/{}", key.0, key.1))
            })?;
            if let Some(other) = overrides.0.insert(key.clone(), path) {
                let text = format!("the source {}/{} is overridden twice", key.0, key.1);
                return Err(CliError::user(text).hint(format!("the other path is {}", other.display())));
            }
        }
        Ok(overrides)
    }

    /// Each source with what stands in its place.
    pub fn iter(&self) -> impl Iterator<Item = (&(Name, Name), &Path)> {
        self.0.iter().map(|(key, path)| (key, &**path))
    }

    /// Puts what stands at the paths into the store: what a plan is to take for the sources.
    ///
    /// # Errors
    /// For what can't be read or stored.
    pub fn observe(&self, store: &Store) -> Result<Observed, CliError> {
        let look = |(key, path): (&(Name, Name), &PathBuf)| {
            let output = look(store, path);
            let output = output.map_err(|error| error.hint(format!("it is to be in place of {}/{}", key.0, key.1)))?;
            Ok((key.clone(), output))
        };
        self.0.iter().map(look).collect()
    }

    /// What reaches each unit; units that no override reaches are left out.
    pub fn reach(&self, project: &Project<Locked>) -> Overridden {
        let mut reached = Overridden::new();
        for (unit, source) in self.0.keys() {
            for name in project.dependents(&BTreeSet::from([unit.clone()])) {
                reached.entry(name).or_default().push(format!("{unit}/{source}"));
            }
        }
        reached
    }
}

/// The one source that `one` names.
fn key(one: &Override, recipes: &[&Recipe<Locked>]) -> Result<(Name, Name), CliError> {
    let sources =
        || recipes.iter().flat_map(|unit| unit.sources.iter().map(|(name, locked)| (&unit.name, name, locked)));
    let asked = |(unit, name, _): &(&Name, &Name, &Locked)| {
        **name == one.source && one.unit.as_ref().is_none_or(|asked| asked == *unit)
    };
    let found: Vec<_> = sources().filter(asked).collect();
    match found[..] {
        [] => Err(unknown(one, sources().map(|(unit, name, _)| (unit, name)))),
        [(unit, name, Locked::Debs(_))] => {
            Err(CliError::user(format!("{unit}/{name} is a set of packages, which can't be overridden"))
                .hint(format!("change `packages` in the recipe of {unit}")))
        }
        [(unit, name, Locked::Crates { .. })] => {
            Err(CliError::user(format!("{unit}/{name} is what a Cargo.lock names, which can't be overridden"))
                .hint(format!("override {unit}/src, with a Cargo.lock that names the same crates")))
        }
        [(unit, name, _)] => Ok((unit.clone(), name.clone())),
        _ => {
            let units: Vec<_> = found.iter().map(|(unit, name, _)| format!("{unit}/{name}")).collect();
            let error = CliError::user(format!("several units have a source `{}`", one.source));
            Err(error.hint(format!("name one of {}", units.join(", "))))
        }
    }
}

fn unknown<'a>(one: &Override, sources: impl Iterator<Item = (&'a Name, &'a Name)>) -> CliError {
    let asked = one.unit.as_ref().map_or_else(|| one.source.to_string(), |unit| format!("{unit}/{}", one.source));
    let known: Vec<String> = sources
        .map(|(unit, name)| if one.unit.is_some() { format!("{unit}/{name}") } else { name.to_string() })
        .collect();
    let error = CliError::user(format!("no unit of this build has a source `{asked}`"));
    match words::nearest(&asked, known.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("a recipe lists its sources under [sources]; name one as UNIT/SOURCE"),
    }
}

/// The tree of a folder, or a file; `path` has no links in it.
fn look(store: &Store, path: &Path) -> Result<Output, CliError> {
    let unread = |error: std::io::Error| CliError::user(format!("{}: {error}", path.display()));
    let meta = fs::metadata(path).map_err(unread)?;
    if meta.is_file() {
        let executable = meta.permissions().mode() & OWNER_EXECUTES != 0;
        return Ok(Output::File { blob: store.copy_file(path)?, executable });
    }
    let parts = path.parent().zip(path.file_name());
    let (above, name) = parts.ok_or_else(|| CliError::user("the whole file system can't be a source"))?;
    let name = RelPath::from_bytes(name.as_encoded_bytes()).map_err(CliError::user)?;
    let observer = Observer::open(store, above, SystemTime::now)?;
    let output = observer.observe(&name, &[], &[])?;
    observer.save()?;
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments() {
        let name = |text: &str| Name::new(text).expect("a name");
        for (text, unit, source, path) in
            [("hello/src=../hello", Some("hello"), "src", "../hello"), ("src=a=b", None, "src", "a=b")]
        {
            let want = Override { unit: unit.map(name), source: name(source), path: path.into() };
            assert_eq!(text.parse(), Ok(want));
        }
        for text in ["src", "src=", "=x", "/src=x", "Src=x", "a/b/c=x"] {
            assert!(text.parse::<Override>().is_err(), "{text}");
        }
    }
}
