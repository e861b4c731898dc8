//! Whether a plugin fits the program that loads it.
//!
//! Rust gives types no stable layout, and a plugin that was made otherwise than its host crashes it, or
//! worse. So both must come from one toolroot (and so one rustc), with the same flags, and from the same
//! versions of the crates whose types cross the boundary, with the same features and patches: either may add a
//! field to a type. All of it stands in recipes and lock, so it is known before anything is built.

use super::Error;
use super::crossing::{Side, Waived};
use crate::lockfile::Locked;
use crate::path::RelPath;
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
    let crates = abi.crates.iter().flat_map(|(here, there)| {
        let name = if here == there { here.clone() } else { format!("{here} ({there} in {})", host.name) };
        let waived = Waived::of(&abi.waivers, here);
        let patches = odd_patches((plugin, ours, here), (host, theirs, there), &name);
        Side::of(plugin, here).drifts(&Side::of(host, there), &name, &host.name, &waived).into_iter().chain(patches)
    });
    flags(ours, theirs).into_iter().chain(crates).collect()
}

/// A crate as it is in a unit.
type Crossing<'r> = (&'r Recipe<Locked>, &'r Cargo, &'r str);

/// The patches that a crate, which people call `name`, has on one side alone: they are the same where they are one file.
fn odd_patches(ours: Crossing<'_>, theirs: Crossing<'_>, name: &str) -> Option<String> {
    let host = &theirs.0.name;
    let (ours, theirs) = (patches(ours), patches(theirs));
    let words = |patches: &[String]| if patches.is_empty() { "nothing".to_owned() } else { patches.join(", ") };
    (ours != theirs).then(|| format!("{name}: patched by {} here, by {} in {host}", words(&ours), words(&theirs)))
}

/// The files by which a unit patches a crate, relative to the project.
fn patches((unit, cargo, name): Crossing<'_>) -> Vec<String> {
    let place = |patch: &RelPath| unit.file.parent().map_or_else(|| patch.clone(), |folder| folder.join(patch));
    let own = cargo.crate_patches.iter().filter(|(package, _)| package.split('@').next() == Some(name));
    own.flat_map(|(_, patches)| patches.iter().map(|patch| place(patch).to_string())).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::lockfile::{Asked, Crate, Entry, GitCrate, Linked, Lockfile, Repository};
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
                    "src" => Locked::Crate(published(&"x 1".parse().expect("a line"))),
                    "crates" => crates_of(crates),
                    Cargo::CRATE_PATCHES => continue,
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

    /// What those lines are of: `api 1 std` is a published crate with a feature, `api 1#aa` one of a repository.
    fn crates_of(lines: &[&str]) -> Locked {
        let features: Vec<Linked> = lines.iter().map(|line| line.parse().expect("a line")).collect();
        let (git, others): (Vec<_>, Vec<_>) = features.iter().partition(|one| one.commit.is_some());
        let (git, published) = (git.into_iter().filter_map(of_git).collect(), others.into_iter().map(published));
        Locked::Crates { published: published.collect(), git, features }
    }

    fn published(Linked { name, version, .. }: &Linked) -> Crate {
        let digest = Digest::of(format!("{name} {version}").as_bytes());
        Crate { name: name.clone(), version: version.clone(), size: 1, digest }
    }

    fn of_git(Linked { name, version, commit, .. }: &Linked) -> Option<GitCrate> {
        let (url, commit) = ("https://example.org/a".to_owned(), commit.clone()?);
        let tree = Blob { digest: Digest::of(commit.as_bytes()), size: 1 };
        let repository = Repository { url, commit, tree };
        Some(GitCrate { name: name.clone(), version: version.clone(), repository, asked: Asked::Default })
    }

    #[test]
    fn what_differs() {
        const API: &str = "abi = { host = 'host', crates = ['api'] }";
        const RENAMED: &str = "abi = { host = 'host', crates = ['own-api/api'] }";
        const WAIVED: &str = "abi = { host = 'host', crates = ['api'], waivers = { api = 'a comment' } }";
        const FEATURE: &str = "abi = { host = 'host', crates = ['api'], waivers = { 'api/full' = 'adds a function' } }";
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
            (API, &["api 1.0.0#aa"], &["api 1.0.0#aa"], &[]),
            (API, &["api 1.0.0#aa"], &["api 1.0.0#bb"], &["api: 1.0.0 of aa here, 1.0.0 of bb in host"]),
            (API, &["api 0.0.1"], &["api 0.0.1#aa"], &["api: 0.0.1 here, 0.0.1 of aa in host"]),
            (
                API,
                &["api 1.0.0#aa", "api 1.0.1"],
                &["api 1.0.0#bb", "api 1.0.1"],
                &["api: 1.0.0 of aa and 1.0.1 here, 1.0.0 of bb and 1.0.1 in host"],
            ),
            (API, &["api 1.0.0#aa std"], &["api 1.0.0#aa"], &["api 1.0.0 of aa: feature std here, not in host"]),
            (API, &["api 1.0.0#aa x", "api 1.0.0"], &["api 1.0.0#aa x", "api 1.0.0"], &[]),
            (API, &[], &[], &["api: in neither Cargo.lock; drop it from `abi.crates`"]),
            (RENAMED, &["own-api 1"], &["api 1"], &[]),
            (RENAMED, &["own-api 1"], &["api 2"], &["own-api (api in host): 1 here, 2 in host"]),
            (WAIVED, &["api 1"], &["api 2"], &[]),
            (WAIVED, &["api 1"], &["api 1"], &["api: 1 in both; drop its waiver"]),
            (API, &["api 1 a,b"], &["api 1 b,a"], &[]),
            (API, &["api 1 full"], &["api 1"], &["api 1: feature full here, not in host"]),
            (API, &["api 1"], &["api 1 c"], &["api 1: feature c in host, not here"]),
            (
                API,
                &["api 1 a,b"],
                &["api 1 c"],
                &["api 1: features a, b here, not in host; feature c in host, not here"],
            ),
            (API, &["api 1 a", "api 2 x"], &["api 1 a", "api 3"], &[]),
            (
                API,
                &["api 1 a", "api 2 x"],
                &["api 1", "api 2"],
                &["api 1: feature a here, not in host", "api 2: feature x here, not in host"],
            ),
            (API, &["api 1 a"], &["api 2"], &["api: 1 here, 2 in host"]),
            (RENAMED, &["own-api 1 a"], &["api 1"], &["own-api (api in host) 1: feature a here, not in host"]),
            (WAIVED, &["api 1 full"], &["api 1"], &["api: 1 in both; drop its waiver"]),
            (WAIVED, &["api 1", "api 2 x"], &["api 1.1", "api 2"], &["api 2: feature x here, not in host"]),
            (FEATURE, &["api 1 full"], &["api 1"], &[]),
            (FEATURE, &["api 1"], &["api 1 full,std"], &["api 1: feature std in host, not here"]),
            (FEATURE, &["api 1 full"], &["api 1 full"], &["api: feature full is the same in both; drop its waiver"]),
            (FEATURE, &["api 1 full"], &["api 2"], &["api: 1 here, 2 in host"]),
        ] {
            assert_eq!(drifts_of(fields, ours, theirs), drift, "{fields} {ours:?} {theirs:?}");
        }
    }

    #[test]
    fn patches_count() {
        const API: &str = "abi = { host = 'host', crates = ['api'] }";
        for (patched, drift) in [
            ("crate-patches = { other = ['a.patch'] }", None),
            ("crate-patches = { api = ['a.patch'] }", Some("recipes/a.patch")),
            ("crate-patches = { 'api@1' = ['a.patch', 'b.patch'] }", Some("recipes/a.patch, recipes/b.patch")),
        ] {
            let drifts = drifts_of(&format!("{patched}\n{API}"), &["api 1", "other 1"], &["api 1", "other 1"]);
            let drift = drift.map(|patches| format!("api: patched by {patches} here, by nothing in host"));
            assert_eq!(drifts, drift.into_iter().collect::<Vec<_>>());
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
