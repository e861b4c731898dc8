//! What the units of a project need, drawn as a graph: units, sources, packages, files.

use std::collections::BTreeSet;
use std::fmt;

use super::graph::Graph;
use crate::debian::chain::links;
use crate::debian::index::Index;
use crate::debian::package::Package;
use crate::digest::Digest;
use crate::lockfile::{Deb, Entry, Locked, Lockfile};
use crate::path::{Name, RelPath};
use crate::recipe::{Cargo, Item, Place, Project, Recipe, Reference, Source};

/// What can be needed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// A unit.
    Unit(Name),
    /// One output of a unit that another unit asks for by its name.
    Output(Name, Name),
    /// A unit's source.
    Source(Name, Name),
    /// A package, as it stands in the set, or as the source, of one unit.
    Package {
        /// The unit.
        unit: Name,
        /// The package's name.
        package: String,
    },
    /// A package of the crate registry or of a git repository, as a source of a unit pins it.
    Crate {
        /// The unit.
        unit: Name,
        /// Its source.
        source: Name,
        /// What it is known by in the lockfile: `serde 1.0.200`.
        reference: String,
    },
    /// A file of the project.
    File(RelPath),
}

/// Why one thing needs another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// In the words of the recipe or the package: `toolroot`, `deps.lib`, `Depends: libc6`.
    pub words: String,
    /// Where the recipe says so.
    pub place: Option<Place>,
}

/// What units need.
pub type Needs = Graph<Thing, Reason>;

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unit(unit) => write!(f, "{unit}"),
            Self::Output(unit, output) => write!(f, "{unit}:{output}"),
            Self::Source(unit, source) => write!(f, "{unit}/{source}"),
            Self::Package { package, .. } => write!(f, "{package}"),
            Self::Crate { reference, .. } => write!(f, "{reference}"),
            Self::File(path) => write!(f, "{path}"),
        }
    }
}

/// The graph of the units and sources of `recipes`, which are of `project`, and of the packages that they name.
#[must_use]
pub fn needs(recipes: &[&Recipe], project: &Project, lockfile: &Lockfile) -> Needs {
    let mut graph = Graph::default();
    for recipe in recipes {
        units(&mut graph, recipe, project);
        for (name, source) in &recipe.sources {
            sources(&mut graph, recipe, name, source, lockfile);
        }
    }
    graph
}

fn units(graph: &mut Needs, recipe: &Recipe, project: &Project) {
    let unit = Thing::Unit(recipe.name.clone());
    if let Some(toolroot) = recipe.toolroot() {
        graph.need(&unit, &Thing::Unit(toolroot.clone()), reason(recipe, "toolroot", &Item::Toolroot));
    }
    for (name, reference) in recipe.deps() {
        let why = || reason(recipe, &format!("deps.{name}"), &Item::Dep(name.clone()));
        let needed = Thing::Unit(reference.unit.clone());
        match output(reference, project) {
            Some(output) => {
                let output = Thing::Output(reference.unit.clone(), output);
                graph.need(&unit, &output, why());
                graph.need(&output, &needed, Reason { words: "an output of".to_owned(), place: None });
            }
            None => graph.need(&unit, &needed, why()),
        }
    }
}

/// The output that a reference names, where it is not the main one.
fn output(reference: &Reference, project: &Project) -> Option<Name> {
    let main = project.units.get(&reference.unit)?.outputs();
    reference.output.clone().filter(|output| main.first() != Some(output))
}

fn sources(graph: &mut Needs, recipe: &Recipe, name: &Name, source: &Source, lockfile: &Lockfile) {
    let thing = Thing::Source(recipe.name.clone(), name.clone());
    let package = |package: &str| Thing::Package { unit: recipe.name.clone(), package: package.to_owned() };
    let (words, item) = match source {
        Source::Debs { .. } => ("a set of packages".to_owned(), name.clone()),
        Source::Crates(_) => ("the crates of its Cargo.lock".to_owned(), Name::constant(Cargo::SOURCE)),
        _ => (format!("sources.{name}"), name.clone()),
    };
    let unit = Thing::Unit(recipe.name.clone());
    graph.need(&unit, &thing, reason(recipe, &words, &Item::Source(item)));
    match source {
        Source::Debs { packages, .. } => {
            for named in packages {
                let (name, _) = named.split_once('=').unwrap_or((named, ""));
                graph.need(&unit, &package(name), reason(recipe, "packages", &Item::Package(named.clone())));
            }
        }
        Source::DebMember { .. } => {
            for deb in lockfile.entry(&recipe.name, name).into_iter().flat_map(|entry| entry.debs()) {
                graph.need(&thing, &package(&deb.package), reason(recipe, "package", &Item::Source(name.clone())));
            }
        }
        _ => {}
    }
}

fn reason(recipe: &Recipe, words: &str, item: &Item) -> Reason {
    Reason { words: words.to_owned(), place: recipe.places.get(item).cloned() }
}

/// Adds why each package of a unit's set is there. `set` is an index of the packages of the set, by
/// the look-up that chose them; packages that every system has are needed by the unit itself.
pub fn add_set(graph: &mut Needs, recipe: &Recipe, source: &Source, set: &Index<'_>) {
    let thing = |package: &Package<'_>| Thing::Package { unit: recipe.name.clone(), package: package.name.to_owned() };
    let Source::Debs { packages, essential, .. } = source else { return };
    let unit = Thing::Unit(recipe.name.clone());
    // A virtual name in the recipe stands for what provides it.
    for named in packages.iter().filter(|named| set.versions(named).next().is_none()) {
        for provider in set.providers(named) {
            let why = reason(recipe, &format!("packages: {named}"), &Item::Package(named.clone()));
            graph.need(&unit, &thing(provider), why);
        }
    }
    for link in links(set) {
        graph.need(&thing(link.package), &thing(link.other), Reason { words: link.relation, place: None });
    }
    for package in set.packages().iter().filter(|package| *essential && package.essential) {
        graph.need(&unit, &thing(package), Reason { words: "essential, as in every toolroot".to_owned(), place: None });
    }
}

/// Adds every package of a unit's set of which nothing is known but that it is there.
pub fn add_opaque_set(graph: &mut Needs, recipe: &Recipe, source: &Name, debs: &[Deb]) {
    let set = Thing::Source(recipe.name.clone(), source.clone());
    for deb in debs {
        let package = Thing::Package { unit: recipe.name.clone(), package: deb.package.clone() };
        graph.need(&set, &package, Reason { words: "locked for some package of it".to_owned(), place: None });
    }
}

/// Adds those of `crates` that a unit's source pins.
pub fn add_crates(graph: &mut Needs, recipe: &Recipe, crates: &BTreeSet<Thing>) {
    for thing in crates {
        let Thing::Crate { unit, source, .. } = thing else { continue };
        if let (true, Some(written)) = (*unit == recipe.name, recipe.sources.get(source)) {
            let words = if matches!(written, Source::Crates(_)) { "named in it" } else { "the crate that it is" };
            let why = Reason { words: words.to_owned(), place: None };
            graph.need(&Thing::Source(unit.clone(), source.clone()), thing, why);
        }
    }
}

/// Adds a file that a unit's source holds.
pub fn add_file(graph: &mut Needs, recipe: &Recipe, source: &Name, file: &RelPath) {
    let thing = Thing::Source(recipe.name.clone(), source.clone());
    let why = reason(recipe, "a file of this source", &Item::Source(source.clone()));
    graph.need(&thing, &Thing::File(file.clone()), why);
}

/// Adds the recipe files themselves, which their units need.
pub fn add_recipes(graph: &mut Needs, recipes: &[&Recipe]) {
    for recipe in recipes {
        let own = std::iter::once((&recipe.file, "its recipe"));
        for (file, words) in own.chain(recipe.bases.iter().map(|file| (file, "a recipe it is based on"))) {
            let why = Reason { words: words.to_owned(), place: None };
            graph.need(&Thing::Unit(recipe.name.clone()), &Thing::File(file.clone()), why);
        }
    }
}

/// The things that a pinned digest is of: sources, packages and crates.
#[must_use]
pub fn pinned(lockfile: &Lockfile, digest: &Digest) -> Vec<Thing> {
    let mut found = Vec::new();
    for ((unit, source), entry) in lockfile.sources() {
        let debs = entry.debs().iter().filter(|deb| deb.pin.digest == *digest);
        found.extend(debs.map(|deb| Thing::Package { unit: unit.clone(), package: deb.package.clone() }));
        let crates = entry.locked.crates().iter().filter(|one| one.digest == *digest);
        found.extend(crates.map(|one| krate(unit, source, one.reference())));
        let own = match &entry.locked {
            Locked::File { pin, .. } => pin.digest == *digest,
            Locked::Git { tree, .. } => tree.digest == *digest,
            Locked::Oci { index, .. } => {
                index == digest || entry.locked.image().iter().any(|pin| pin.digest == *digest)
            }
            Locked::Crates { git, .. } => git.iter().any(|one| one.repository.tree.digest == *digest),
            Locked::Debs(_) | Locked::DebMember { .. } | Locked::Crate(_) | Locked::Path { .. } => false,
        };
        found.extend(own.then(|| Thing::Source(unit.clone(), source.clone())));
    }
    found
}

/// Those crates of an entry that `wanted` wants, by name and version.
pub(super) fn crates(
    unit: &Name,
    source: &Name,
    entry: &Entry,
    wanted: impl Fn(&str, &str) -> bool,
) -> impl Iterator<Item = Thing> {
    let published = entry.locked.crates().iter().map(|one| (&one.name, &one.version, one.reference()));
    let git = entry.locked.git_crates().iter().map(|one| (&one.name, &one.version, one.reference()));
    let found = published.chain(git).filter(move |(name, version, _)| wanted(name, version));
    found.map(|(.., reference)| krate(unit, source, reference))
}

fn krate(unit: &Name, source: &Name, reference: String) -> Thing {
    Thing::Crate { unit: unit.clone(), source: source.clone(), reference }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{Target, parse};

    const RECIPES: [(&str, &str); 4] = [
        (
            "recipes/debian.toml",
            "kind = 'archive'\nsuite = 'trixie'\ncomponents = ['main']\narchitecture = 'amd64'\n\
             fingerprints = ['0123456789abcdef0123456789ABCDEF01234567']",
        ),
        ("recipes/tools.toml", "kind = 'toolroot'\narchive = 'debian'\npackages = [\n'gcc',\n'awk']"),
        (
            "recipes/lib.toml",
            "toolroot = 'tools'\nsteps = ['true']\noutputs = ['out', 'dev']\n[sources]\n\
             data = { url = 'https://example.org/x' }",
        ),
        ("images/app.toml", "kind = 'cmd'\ntoolroot = 'tools'\nsteps = ['true']\n[deps]\nlib = 'lib:dev'\n"),
    ];

    fn project() -> Project {
        let file = |(path, text): (&str, &str)| (RelPath::new(path).expect("clean"), text.to_owned());
        parse(RECIPES.map(file).to_vec(), Target::default()).expect("sound")
    }

    fn name(text: &str) -> Name {
        Name::new(text).expect("a name")
    }

    /// The graph of a whole project, which has no lock.
    fn all(project: &Project) -> Needs {
        needs(&project.units.values().collect::<Vec<_>>(), project, &Lockfile::default())
    }

    /// The shortest path from `app` to the thing that is shown as `to`, a line a hop.
    fn path(graph: &Needs, to: &str) -> Vec<String> {
        let paths = graph.paths(&Thing::Unit(name("app")), |thing| thing.to_string() == to, 1);
        let line = |hop: &super::super::graph::Hop<'_, Thing, Reason>| {
            let place = hop.why.place.as_ref().map_or("-".to_owned(), ToString::to_string);
            format!("{} → {} {place} {}", hop.from, hop.to, hop.why.words)
        };
        paths.found.first().map(|hops| hops.iter().map(line).collect()).unwrap_or_default()
    }

    #[test]
    fn every_hop_says_where_it_is_written() {
        let graph = all(&project());
        assert_eq!(path(&graph, "tools"), ["app → tools images/app.toml:2 toolroot"]);
        assert_eq!(
            path(&graph, "lib/data"),
            [
                "app → lib:dev images/app.toml:5 deps.lib",
                "lib:dev → lib - an output of",
                "lib → lib/data recipes/lib.toml:5 sources.data"
            ]
        );
        let gcc = ["app → tools images/app.toml:2 toolroot", "tools → gcc recipes/tools.toml:4 packages"];
        assert_eq!(path(&graph, "gcc"), gcc);
        assert_eq!(path(&graph, "clang"), [""; 0]);
    }

    #[test]
    fn packages_are_followed_by_their_relations() {
        let stanza = |name: &str, fields: &str| {
            let digest = Digest::of(name.as_bytes()).hex();
            format!(
                "Package: {name}\nVersion: 1\nArchitecture: amd64\nFilename: pool/{name}\nSize: 1\nSHA256: {digest}\n{fields}\n\n"
            )
        };
        let text = [
            stanza("gcc", "Depends: libc6 (>= 1)"),
            stanza("libc6", ""),
            stanza("mawk", "Provides: awk"),
            stanza("dash", "Essential: yes"),
        ]
        .concat();
        let (project, mut graph) = (project(), all(&project()));
        let tools = &project.units[&name("tools")];
        let set = Index::parse(&text, "amd64").expect("well-formed");
        add_set(&mut graph, tools, &tools.sources[&name("debs")], &set);
        for (package, want) in [
            ("libc6", "gcc → libc6 - Depends: libc6 (>= 1)"),
            ("mawk", "tools → mawk recipes/tools.toml:5 packages: awk"),
            ("dash", "tools → dash - essential, as in every toolroot"),
        ] {
            assert_eq!(path(&graph, package).last().map(String::as_str), Some(want));
        }
    }

    #[test]
    fn files_belong_to_sources_and_recipes() {
        let (project, mut graph) = (project(), all(&project()));
        let file = RelPath::new("recipes/x.c").expect("clean");
        add_file(&mut graph, &project.units[&name("lib")], &name("data"), &file);
        add_recipes(&mut graph, &project.units.values().collect::<Vec<_>>());
        let last = |to: &str| path(&graph, to).pop().unwrap_or_default();
        assert_eq!(last("recipes/x.c"), "lib/data → recipes/x.c recipes/lib.toml:5 a file of this source");
        assert_eq!(last("recipes/tools.toml"), "tools → recipes/tools.toml - its recipe");
        assert_eq!(last("recipes/debian.toml"), "tools → recipes/debian.toml - a recipe it is based on");
    }
}
