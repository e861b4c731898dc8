//! Whether a plugin fits the program that loads it.
//!
//! Rust gives types no stable layout, and a plugin that was made otherwise than its host crashes it, or
//! worse. So both must come from one toolroot (and so one rustc), with the same flags, and from the same
//! versions of the crates whose types cross the boundary. All of it stands in recipes and lock, so it is
//! known before anything is built.

use std::collections::{BTreeMap, BTreeSet};

use super::Error;
use crate::lockfile::Locked;
use crate::recipe::{Abi, Build, Cargo, Project, Recipe};

/// Variables that change how cargo compiles.
const PROFILE: &str = "CARGO_PROFILE_";

/// Refuses a unit that says it is a plugin and does not fit its host.
pub(super) fn check(project: &Project<Locked>, plugin: &Recipe<Locked>, cargo: &Cargo) -> Result<(), Error> {
    let Some(abi) = &cargo.abi else { return Ok(()) };
    let host = project.units.get(&abi.host).ok_or_else(|| Error::UnknownUnit(abi.host.clone()))?;
    let drifts = drifts(abi, (plugin, cargo), host);
    if drifts.is_empty() {
        return Ok(());
    }
    Err(Error::Drift { unit: plugin.name.clone(), host: host.name.clone(), drifts })
}

/// Everything that differs and is not waived.
fn drifts(abi: &Abi, (plugin, ours): (&Recipe<Locked>, &Cargo), host: &Recipe<Locked>) -> Vec<String> {
    let Build::Cargo(theirs) = &host.build else {
        return vec![format!("{} is no unit of kind `cargo`", host.name)];
    };
    let mut drifts = flags(ours, theirs);
    for (here, there) in &abi.crates {
        let (own, others) = (versions(plugin, here), versions(host, there));
        let waived = abi.waivers.contains_key(here);
        let name = if here == there { here.clone() } else { format!("{here} ({there} in {})", host.name) };
        if own.is_empty() && others.is_empty() {
            drifts.push(format!("{name}: in neither Cargo.lock; drop it from `abi.crates`"));
        } else if !agree(&own, &others) && !waived {
            drifts.push(format!("{name}: {} here, {} in {}", words(&own), words(&others), host.name));
        } else if agree(&own, &others) && waived {
            drifts.push(format!("{name}: {} in both; drop its waiver", words(&own)));
        }
    }
    drifts
}

/// What of the compiler and its flags differs.
fn flags(ours: &Cargo, theirs: &Cargo) -> Vec<String> {
    let profile = |cargo: &Cargo| {
        let set = cargo.env.iter().filter(|(name, _)| name.starts_with(PROFILE));
        set.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    };
    let pairs = [
        ("toolroot", ours.toolroot.to_string(), theirs.toolroot.to_string()),
        ("target-cpu", ours.target_cpu.clone(), theirs.target_cpu.clone()),
        ("rustflags", ours.rustflags.join(" "), theirs.rustflags.join(" ")),
        ("env", profile(ours), profile(theirs)),
    ];
    let differ = pairs.into_iter().filter(|(_, ours, theirs)| ours != theirs);
    differ.map(|(what, ours, theirs)| format!("{what}: `{ours}` here, `{theirs}` there")).collect()
}

/// Whether both have a version in some range of compatible ones, and the same in each range that both have. Cargo takes
/// one version in a range, so what crosses the boundary is in such a range; other versions are for others.
fn agree(ours: &BTreeSet<String>, theirs: &BTreeSet<String>) -> bool {
    let ranges = |versions: &BTreeSet<String>| -> BTreeMap<String, String> {
        versions.iter().map(|version| (range(version), version.clone())).collect()
    };
    let (ours, theirs) = (ranges(ours), ranges(theirs));
    let mut both = ours.iter().filter_map(|(range, own)| Some((own, theirs.get(range)?))).peekable();
    both.peek().is_some() && both.all(|(own, other)| own == other)
}

/// The first number of a version that is not 0, with those before it: what cargo takes to be compatible.
fn range(version: &str) -> String {
    let numbers: Vec<&str> = version.split(['.', '-', '+', ' ']).take(3).collect();
    let end = numbers.iter().position(|number| *number != "0").map_or(numbers.len(), |first| first + 1);
    numbers[..end].join(".")
}

/// The versions of a crate that a unit's Cargo.lock has; of one from a repository, with its commit.
fn versions(unit: &Recipe<Locked>, name: &str) -> BTreeSet<String> {
    let published = unit.sources.values().flat_map(Locked::crates);
    let published = published.filter(|one| one.name == name).map(|one| one.version.clone());
    let git = unit.sources.values().flat_map(Locked::git_crates).filter(|one| one.name == name);
    published.chain(git.map(|one| format!("{} of {}", one.version, one.repository.commit))).collect()
}

fn words(versions: &BTreeSet<String>) -> String {
    if versions.is_empty() { "none".to_owned() } else { versions.iter().cloned().collect::<Vec<_>>().join(" and ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::lockfile::{Asked, Crate, Entry, GitCrate, Lockfile, Repository};
    use crate::path::RelPath;
    use crate::recipe::{Target, parse};
    use crate::store::Blob;

    const GROUND: [(&str, &str); 4] = [
        (
            "recipes/debian.toml",
            "kind = 'archive'\nsuite = 'trixie'\ncomponents = ['main']\narchitecture = 'amd64'\n\
             fingerprints = ['0123456789abcdef0123456789ABCDEF01234567']",
        ),
        ("recipes/rust.toml", "kind = 'cmd'\ntoolroot = 'base'\nsteps = ['true']"),
        ("recipes/base.toml", "kind = 'toolroot'\narchive = 'debian'\npackages = ['gcc']"),
        (
            "recipes/host.toml",
            "kind = 'cargo'\ntoolroot = 'base'\nbins = ['host']\nglibc = '2.34'\n\
             sources.src = { crate = 'host', version = '1.0.0' }",
        ),
    ];

    /// What differs between the host and a plugin with those fields, where Cargo.lock files name `ours` and `theirs`.
    fn drifts_of(fields: &str, ours: &[&str], theirs: &[&str]) -> Vec<String> {
        let plugin = format!(
            "kind = 'cargo'\ntoolroot = 'base'\nlib = true\nglibc = '2.34'\n{fields}\n\
             sources.src = {{ crate = 'plugin', version = '1.0.0' }}"
        );
        let files = GROUND.into_iter().chain([("recipes/plugin.toml", plugin.as_str())]);
        let files = files.map(|(path, text)| (RelPath::new(path).expect("clean"), text.to_owned()));
        let project = parse(files.collect(), Target::default()).unwrap_or_else(|errors| panic!("{}", errors[0]));
        let mut lockfile = Lockfile::default();
        for recipe in project.units.values() {
            for (name, source) in &recipe.sources {
                let crates = if recipe.name.as_str() == "host" { theirs } else { ours };
                let locked = match name.as_str() {
                    "src" => Locked::Crate(one("x 1")),
                    "crates" => crates_of(crates),
                    _ => Locked::Debs(Vec::new()),
                };
                let entry = Entry { spec: source.specification(), locked };
                lockfile.insert(recipe.name.clone(), name.clone(), entry).expect("fits");
            }
        }
        let project = lockfile.apply(project).expect("locked");
        let plugin = &project.units["plugin"];
        let Build::Cargo(cargo) = &plugin.build else { panic!("{plugin:?}") };
        match check(&project, plugin, cargo) {
            Ok(()) => Vec::new(),
            Err(Error::Drift { drifts, .. }) => drifts,
            Err(error) => panic!("{error}"),
        }
    }

    /// `name version`, or `name version commit`.
    fn crates_of(texts: &[&str]) -> Locked {
        let words = |text: &&str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let git = texts.iter().map(words).filter(|words| words.len() == 3).map(|words| GitCrate {
            name: words[0].clone(),
            version: words[1].clone(),
            repository: Repository {
                url: "https://example.org/a".to_owned(),
                commit: words[2].clone(),
                tree: Blob { digest: Digest::of(words[2].as_bytes()), size: 1 },
            },
            asked: Asked::Default,
        });
        let published = texts.iter().filter(|text| words(text).len() == 2).map(|text| one(text)).collect();
        Locked::Crates { published, git: git.collect() }
    }

    fn one(text: &str) -> Crate {
        let (name, version) = text.split_once(' ').expect("name and version");
        Crate { name: name.to_owned(), version: version.to_owned(), size: 1, digest: Digest::of(text.as_bytes()) }
    }

    #[test]
    fn what_differs() {
        const API: &str = "abi = { host = 'host', crates = ['api'] }";
        const RENAMED: &str = "abi = { host = 'host', crates = ['own-api/api'] }";
        const WAIVED: &str = "abi = { host = 'host', crates = ['api'], waivers = { api = 'a comment' } }";
        for (fields, ours, theirs, drift) in [
            ("", &["api 1"][..], &["api 2"][..], &[][..]),
            (API, &["api 1", "x 1"], &["api 1", "x 2"], &[]),
            (API, &["api 1"], &["api 2"], &["api: 1 here, 2 in host"]),
            (API, &["api 1.2.0"], &["api 0.3.1", "api 1.2.0"], &[]),
            (
                API,
                &["api 0.3.0", "api 1.2.0"],
                &["api 0.3.1", "api 1.2.0"],
                &["api: 0.3.0 and 1.2.0 here, 0.3.1 and 1.2.0 in host"],
            ),
            (API, &["api 1"], &[], &["api: 1 here, none in host"]),
            (API, &["api 1.0.0 aa"], &["api 1.0.0 aa"], &[]),
            (API, &["api 1.0.0 aa"], &["api 1.0.0 bb"], &["api: 1.0.0 of aa here, 1.0.0 of bb in host"]),
            (API, &["api 0.0.1"], &["api 0.0.1 aa"], &["api: 0.0.1 here, 0.0.1 of aa in host"]),
            (API, &[], &[], &["api: in neither Cargo.lock; drop it from `abi.crates`"]),
            (RENAMED, &["own-api 1"], &["api 1"], &[]),
            (RENAMED, &["own-api 1"], &["api 2"], &["own-api (api in host): 1 here, 2 in host"]),
            (WAIVED, &["api 1"], &["api 2"], &[]),
            (WAIVED, &["api 1"], &["api 1"], &["api: 1 in both; drop its waiver"]),
        ] {
            assert_eq!(drifts_of(fields, ours, theirs), drift, "{fields} {ours:?} {theirs:?}");
        }
    }

    #[test]
    fn flags_count() {
        let fields = "target-cpu = 'x86-64-v2'\nrustflags = ['-Cpanic=abort']\nenv.CARGO_PROFILE_RELEASE_LTO = 'fat'\n\
                      env.OTHER = 'x'\nabi = { host = 'host', crates = ['api'] }";
        let expected = [
            "target-cpu: `x86-64-v2` here, `x86-64-v3` there",
            "rustflags: `-Cpanic=abort` here, `` there",
            "env: `CARGO_PROFILE_RELEASE_LTO=fat` here, `` there",
        ];
        assert_eq!(drifts_of(fields, &["api 1"], &["api 1"]), expected);
        let wrong = drifts_of("abi = { host = 'rust', crates = ['api'] }", &[], &[]);
        assert_eq!(wrong, ["rust is no unit of kind `cargo`"]);
    }
}
