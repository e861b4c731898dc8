//! What the user asks about: the things that a word stands for.

use std::collections::BTreeSet;

use super::need::{self, Thing, pinned};
use crate::digest::Digest;
use crate::lockfile::{Entry, Locked, Lockfile};
use crate::path::{Name, RelPath};
use crate::recipe::{Project, Published, Recipe, Reference, Source};
use crate::words::nearest;

/// What a word stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Things that recipes and the lockfile name.
    Things(BTreeSet<Thing>),
    /// A path of the project; whether a source holds it is for the files to say.
    File(RelPath),
    /// A digest that nothing is pinned to: of a file, a tree, a result or a step.
    Content(Digest),
}

/// The prefix by which a package is meant, whatever else has its name.
const PACKAGE: &str = "deb:";

/// The prefix by which a crate is meant.
const CRATE: &str = "crate:";

impl Target {
    /// Reads `unit`, `unit:output`, `unit/source`, the URL of a source, a package (`libc6`,
    /// `deb:libc6`), a crate (`serde`, `serde@1.0.200`, `crate:serde`), a path of the project or a
    /// digest, in this order.
    #[must_use]
    pub fn of(text: &str, project: &Project, lockfile: &Lockfile) -> Option<Self> {
        if let Some(package) = text.strip_prefix(PACKAGE) {
            return things(packages(package, lockfile));
        }
        if let Some(name) = text.strip_prefix(CRATE) {
            return things(crates(name, lockfile));
        }
        if let Ok(digest) = text.parse() {
            let found = pinned(lockfile, &digest);
            return Some(things(found).unwrap_or(Self::Content(digest)));
        }
        let named = [unit(text, project), source(text, project), urls(text, project)];
        let pinned = [repositories(text, lockfile), packages(text, lockfile), crates(text, lockfile)];
        named.into_iter().chain(pinned).find_map(things).or_else(|| path(text))
    }

    /// The name that `text` may be a slip of.
    #[must_use]
    pub fn near<'a>(text: &str, project: &'a Project, lockfile: &'a Lockfile) -> Option<&'a str> {
        let debs = lockfile.sources().values().flat_map(Entry::debs).map(|deb| deb.package.as_str());
        let locked = || lockfile.sources().values().map(|entry| &entry.locked);
        let crates = locked().flat_map(Locked::crates).map(|one| one.name.as_str());
        let git = locked().flat_map(Locked::git_crates).map(|one| one.name.as_str());
        let name = text.trim_start_matches(PACKAGE).trim_start_matches(CRATE);
        nearest(name, project.units.keys().map(Name::as_str).chain(debs).chain(crates).chain(git))
    }
}

fn things(found: Vec<Thing>) -> Option<Target> {
    (!found.is_empty()).then(|| Target::Things(found.into_iter().collect()))
}

fn unit(text: &str, project: &Project) -> Vec<Thing> {
    let Ok(Reference { unit, output }) = text.parse() else { return Vec::new() };
    let Some(recipe) = project.units.get(&unit) else { return Vec::new() };
    match output {
        None => vec![Thing::Unit(unit)],
        Some(output) => match recipe.outputs().iter().position(|known| *known == output) {
            Some(0) => vec![Thing::Unit(unit)],
            Some(_) => vec![Thing::Output(unit, output)],
            None => Vec::new(),
        },
    }
}

fn source(text: &str, project: &Project) -> Vec<Thing> {
    let named = |(unit, source): (&str, &str)| Some((Name::new(unit).ok()?, Name::new(source).ok()?));
    let Some((unit, source)) = text.split_once('/').and_then(named) else { return Vec::new() };
    let there = project.units.get(&unit).is_some_and(|recipe| recipe.sources.contains_key(&source));
    if there { vec![Thing::Source(unit, source)] } else { Vec::new() }
}

fn urls(text: &str, project: &Project) -> Vec<Thing> {
    let is = |source: &Source| match source {
        Source::Url { url, .. } | Source::Git { url, .. } => url == text,
        Source::Supplied { name, .. } => name == text,
        Source::Oci { reference } => reference.to_string() == *text,
        Source::Crate(Published { name, version }) => format!("{name} {version}") == *text,
        Source::Debs { .. } | Source::DebMember { .. } | Source::Crates(_) | Source::Path { .. } => false,
    };
    let of = |recipe: &Recipe| {
        let named = recipe.sources.iter().filter(|(_, source)| is(source));
        named.map(|(name, _)| Thing::Source(recipe.name.clone(), name.clone())).collect::<Vec<_>>()
    };
    project.units.values().flat_map(of).collect()
}

/// The sources whose Cargo.lock names a package of the repository at that URL.
fn repositories(url: &str, lockfile: &Lockfile) -> Vec<Thing> {
    let has = |entry: &Entry| entry.locked.git_crates().iter().any(|one| one.repository.url == url);
    let sources = lockfile.sources().iter().filter(|(_, entry)| has(entry));
    sources.map(|((unit, source), _)| Thing::Source(unit.clone(), source.clone())).collect()
}

fn packages(name: &str, lockfile: &Lockfile) -> Vec<Thing> {
    let has = |entry: &Entry| entry.debs().iter().any(|deb| deb.package == name);
    let sets = lockfile.sources().iter().filter(|(_, entry)| has(entry));
    sets.map(|((unit, _), _)| Thing::Package { unit: unit.clone(), package: name.to_owned() }).collect()
}

/// The crates of that name, or `name@version`, in any source.
fn crates(name: &str, lockfile: &Lockfile) -> Vec<Thing> {
    let (name, version) = name.split_once('@').map_or((name, None), |(name, version)| (name, Some(version)));
    let is = |own: &str, has: &str| own == name && version.is_none_or(|version| has == version);
    let found = lockfile.sources().iter().map(|((unit, source), entry)| need::crates(unit, source, entry, is));
    found.flatten().collect()
}

/// A word with a slash, as every recipe and every source lies in a folder.
fn path(text: &str) -> Option<Target> {
    let path = RelPath::new(text.trim_start_matches("./")).ok()?;
    text.contains('/').then_some(Target::File(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe;

    #[test]
    fn words() {
        let files = [
            (
                "recipes/debian.toml",
                "kind = 'archive'\nsuite = 'trixie'\ncomponents = ['main']\narchitecture = 'amd64'\nfingerprints = ['0123456789abcdef0123456789ABCDEF01234567']",
            ),
            ("recipes/tools.toml", "kind = 'toolroot'\narchive = 'debian'\npackages = ['gcc']"),
            (
                "recipes/lib.toml",
                "toolroot = 'tools'\nsteps = ['true']\noutputs = ['out', 'dev']\n[sources]\ndata = { url = 'https://example.org/x' }",
            ),
        ];
        let file = |(path, text): (&str, &str)| (RelPath::new(path).expect("clean"), text.to_owned());
        let project = recipe::parse(files.map(file).to_vec(), recipe::Target::default()).expect("sound");
        let digest = Digest::of(b"x");
        let lockfile = Lockfile::parse(&format!(
            "format = 1\n[[suite]]\narchive = 'debian'\nsuite = 'trixie'\ndate = '20260912T075541Z'\ninrelease = '{digest}'\nindexes = []\n\
             debs = ['lib:amd64 1 1 {hex} pool/l.deb', 'libc6:amd64 1 1 {hex} pool/a.deb']\n\
             [[source]]\nunit = 'tools'\nname = 'debs'\nspec = '{digest}'\ndebs = ['debian/lib:amd64', 'debian/libc6:amd64']\n",
            hex = digest.hex()
        ));
        let lockfile = lockfile.expect("sound");
        let other = Digest::of(b"other").to_string();
        let cases = [
            ("lib", "lib"),
            ("lib:out", "lib"),
            ("lib:dev", "lib:dev"),
            ("lib:doc", "none"),
            ("lib/data", "lib/data"),
            ("https://example.org/x", "lib/data"),
            ("deb:lib", "lib of tools"),
            ("libc6", "libc6 of tools"),
            ("deb:lib:dev", "none"),
            ("recipes/lib.toml", "file recipes/lib.toml"),
            ("./recipes/x/a.c", "file recipes/x/a.c"),
            ("../x", "none"),
            ("nothing", "none"),
            (&digest.to_string(), "lib of tools, libc6 of tools"),
            (&digest.hex(), "lib of tools, libc6 of tools"),
            (&other, "content"),
        ];
        let show = |thing: &Thing| match thing {
            Thing::Package { unit, package } => format!("{package} of {unit}"),
            other => other.to_string(),
        };
        for (text, want) in cases {
            let got = match Target::of(text, &project, &lockfile) {
                None => "none".to_owned(),
                Some(Target::Things(things)) => things.iter().map(show).collect::<Vec<_>>().join(", "),
                Some(Target::File(path)) => format!("file {path}"),
                Some(Target::Content(_)) => "content".to_owned(),
            };
            assert_eq!(got, want, "{text}");
        }
        assert_eq!(Target::near("libc7", &project, &lockfile), Some("libc6"));
    }
}
