//! `cargo`: dependencies, then the package itself, in sandboxes; forge reads the results back.
//!
//! ```text
//! crates ─→ vendor ───────────────┬──────────────┐
//! src ─┬→ (patched) ─┬→ skeleton ─┴→ dependencies ┴→ build ─→ check ─→ out
//!      └ patches     └───────────────────────────────┘ └→ debug
//! ```
//!
//! Packages of git repositories are taken out of the fetched trees before, and lie among the crates.
//!
//! The skeleton has only what dependencies are built from, so a change in the package builds the
//! package alone. Paths are the same in both commands, as cargo's fingerprints have them: the package at
//! `/src/src`, the crates at `/deps/crates`, the target folder at `/build/t`.

use std::collections::BTreeMap;

use super::abi;
use super::shell::{line, quote};
use super::{Error, Input, Planner, Step, Unit, cmd, debug, out, replace};
use crate::derivation::{Assemble, Derivation, Run};
use crate::lockfile::{GitCrate, Locked};
use crate::path::{Name, RelPath};
use crate::recipe::{Cargo, Recipe};
use crate::sandbox::Profile;

/// Where the crates are.
const CRATES: &str = "/deps/crates";

/// Prefixes of the sandbox's paths, and what stands for them in programs.
const REMAP: [(&str, &str); 3] = [(CRATES, "/crates"), ("/src/src", "/package"), ("/build/t", "/target")];

/// Leaves of what build scripts said only what cargo reads again: a make of several jobs says the rest in any order.
const QUIET: &str =
    "find t/release/build -mindepth 2 -maxdepth 2 -name output -exec sed -i '/^cargo:/!d; /^cargo::\\?warning=/d' {} +
find t/release/build -mindepth 2 -maxdepth 2 -name stderr -exec truncate -s 0 {} +";

/// Sorts what cargo remembers of the files that a crate was made of, which it writes in the order of a hash table with
/// keys of its own: `01 00 00 00 ff 01`, how many there are, and each as kind, length, path, and 0 for no checksum
/// (cargo's `EncodedDepInfo`; numbers are little-endian). Other forms stay as they are.
const SORTED: &str = r#"find t/release/.fingerprint -name 'dep-*' -exec perl -0777 -i -pe '
if (/\A\x01\0\0\0\xff\x01(.{4})/s) {
  my ($count, $at, @files) = (unpack("V", $1), 10);
  while ($count--) {
    my $length = 6 + unpack("V", substr($_, $at + 1, 4));
    push @files, substr($_, $at, $length);
    $at += $length;
  }
  $_ = substr($_, 0, 10) . join("", sort @files) . substr($_, $at) unless grep { substr($_, -1) ne "\0" } @files;
}' {} +"#;

/// The output of the command that builds the dependencies.
const TARGET: &str = "target";

impl Planner<'_> {
    pub(super) fn cargo(&mut self, recipe: &Recipe<Locked>, cargo: &Cargo) -> Result<Unit, Error> {
        let unit = &recipe.name;
        abi::check(self.project, recipe, cargo)?;
        let mut sources = self.sources(recipe)?;
        let mut base = Run {
            root: self.main_output(&cargo.toolroot)?,
            deps: self.references(&cargo.deps)?,
            sources: BTreeMap::new(),
            argv: Vec::new(),
            env: cmd::environment(&environment(cargo)),
            outputs: vec![out()],
            profile: Profile::Build,
            service: None,
        };
        let crates = self.crates(recipe, cargo, &base, sources.remove(Cargo::CRATE_PATCHES))?;
        base.deps.insert(Name::constant(Cargo::CRATES), crates);
        if sources.contains_key(Cargo::PATCHES) || !cargo.updates.is_empty() {
            let patched = self.patched(recipe, cargo, &base, &sources);
            sources.remove(Cargo::PATCHES);
            sources.insert(Name::constant(Cargo::SOURCE), patched);
        }
        let skeleton = Assemble::Skeleton { source: sources[Cargo::SOURCE].clone() };
        let skeleton = self.assemble(unit, format!("{unit}: take the manifests"), skeleton);
        let dependencies = self.dependencies(recipe, cargo, &base, skeleton);
        self.package(recipe, cargo, base, sources, dependencies)
    }

    /// The package with its patches, and Cargo.lock moved.
    fn patched(
        &mut self,
        recipe: &Recipe<Locked>,
        cargo: &Cargo,
        base: &Run<Input>,
        sources: &BTreeMap<Name, Input>,
    ) -> Input {
        let wanted = [Cargo::SOURCE, Cargo::PATCHES];
        let sources = sources.iter().filter(|(name, _)| wanted.contains(&name.as_str()));
        let sources: BTreeMap<_, _> = sources.map(|(name, input)| (name.clone(), input.clone())).collect();
        let mut steps = vec!["cp -r /src/src /out/out\nchmod -R u+w /out/out".to_owned()];
        if sources.contains_key(Cargo::PATCHES) {
            steps.extend(cargo.patches.iter().map(apply));
        }
        if !cargo.updates.is_empty() {
            steps.push(setup(recipe.sources[Cargo::CRATES].git_crates()));
        }
        steps.extend(cargo.updates.iter().map(|(name, version)| {
            let manifest = "--manifest-path /out/out/Cargo.toml";
            format!("cargo update --offline {manifest} --precise {} {}", quote(version), quote(name))
        }));
        let run = Run { sources, argv: cmd::argv(steps), ..base.clone() };
        self.run(recipe, cargo, "patch", run)
    }

    /// cargo's target folder with all dependencies built, and nothing of the package or workspace.
    fn dependencies(&mut self, recipe: &Recipe<Locked>, cargo: &Cargo, base: &Run<Input>, skeleton: Input) -> Input {
        let manifest = "--manifest-path /src/src/Cargo.toml --target-dir /build/t";
        let steps = [
            setup(recipe.sources[Cargo::CRATES].git_crates()),
            format!("cargo build {}", arguments(cargo)),
            format!("cargo clean --offline --release --workspace {manifest}"),
            // What cargo remembers of rustc, in no fixed order.
            "rm t/.rustc_info.json".to_owned(),
            QUIET.to_owned(),
            SORTED.to_owned(),
            format!("mv t /out/{TARGET}"),
        ];
        let run = Run {
            sources: BTreeMap::from([(Name::constant(Cargo::SOURCE), skeleton)]),
            argv: cmd::argv(steps),
            outputs: vec![Name::constant(TARGET)],
            ..base.clone()
        };
        self.run(recipe, cargo, "dependencies", run)
    }

    fn package(
        &mut self,
        recipe: &Recipe<Locked>,
        cargo: &Cargo,
        base: Run<Input>,
        sources: BTreeMap<Name, Input>,
        dependencies: Input,
    ) -> Result<Unit, Error> {
        let steps = [
            setup(recipe.sources[Cargo::CRATES].git_crates()),
            format!("cp -a /deps/{TARGET} t\nchmod -R u+w t"),
            format!("cargo auditable build {}", arguments(cargo)),
            collect(cargo),
        ];
        let deps = base.deps.iter().map(|(name, input)| (name.clone(), input.clone()));
        let run = Run {
            sources,
            deps: deps.chain([(Name::constant(TARGET), dependencies)]).collect(),
            argv: cmd::argv(steps),
            outputs: vec![out(), debug()],
            ..base
        };
        let tree = self.run(recipe, cargo, "build", run);
        let debug = match &tree {
            Input::Step(id, _) => Input::Step(*id, debug()),
            Input::Known(_) => unreachable!("BUG: a command's result is a step's"),
        };
        Ok(self.assembled(recipe, Assemble::Programs { tree, debug, rules: cargo.rules.clone() }))
    }

    /// Adds a command of the unit; its first output.
    pub(super) fn run(&mut self, recipe: &Recipe<Locked>, cargo: &Cargo, what: &str, run: Run<Input>) -> Input {
        let output = run.outputs[0].clone();
        let step = self.plan.add(Step {
            unit: recipe.name.clone(),
            label: format!("{}: {what}", recipe.name),
            derivation: Derivation::Run(run),
            timeout: cargo.timeout,
        });
        Input::Step(step, output)
    }
}

/// Makes cargo's home, with the configuration by which all crates are taken from folders.
fn setup(git: &[GitCrate]) -> String {
    let repositories = replace::tables(git, |repository| format!("{CRATES}/{}", replace::folder(repository)));
    format!(
        "mkdir -p \"$CARGO_HOME\"
cat > \"$CARGO_HOME/config.toml\" <<'END'
[source.crates-io]
replace-with = \"locked\"
[source.locked]
directory = \"{CRATES}\"
{repositories}END"
    )
}

/// The variables of cargo, rustc and C compilers; those of the recipe win.
fn environment(cargo: &Cargo) -> BTreeMap<String, String> {
    let remap = |flag: &str| REMAP.map(|(from, to)| format!("{flag}={from}={to}"));
    let mut flags = vec![cargo.processor_flag(), "-Clink-arg=-Wl,--build-id=sha1".to_owned()];
    flags.extend(remap("--remap-path-prefix"));
    flags.extend(cargo.rustflags.iter().cloned());
    let c_flags = remap("-ffile-prefix-map").join(" ");
    let fixed = [
        ("CARGO_HOME", "/build/cargo"),
        ("CARGO_INCREMENTAL", "0"),
        ("CARGO_NET_OFFLINE", "true"),
        ("CARGO_TERM_COLOR", "never"),
        // Separated by what no flag has.
        ("CARGO_ENCODED_RUSTFLAGS", &flags.join("\u{1f}")),
        ("CFLAGS", &c_flags),
        ("CXXFLAGS", &c_flags),
        ("ZERO_AR_DATE", "1"),
    ];
    let fixed = fixed.map(|(name, value)| (name.to_owned(), value.to_owned()));
    fixed.into_iter().chain(cargo.env.clone()).collect()
}

/// Applies a patch of the source `patches` to what is at `/out/out`.
pub(super) fn apply(patch: &RelPath) -> String {
    let patch = quote(&format!("/src/patches/{patch}"));
    format!("patch -d /out/out -p1 --no-backup-if-mismatch < {patch}")
}

/// What cargo builds, and of what.
fn arguments(cargo: &Cargo) -> String {
    let mut words = vec!["--release", "--locked", "--offline", "--manifest-path", "/src/src/Cargo.toml"];
    words.extend(["--target-dir", "/build/t"]);
    words.extend(cargo.package.iter().flat_map(|package| ["--package", package]));
    words.extend(cargo.lib.then_some("--lib"));
    words.extend(cargo.bins.iter().flat_map(|bin| ["--bin", bin]));
    words.extend((!cargo.default_features).then_some("--no-default-features"));
    words.extend(cargo.features.iter().flat_map(|feature| ["--features", feature]));
    line(words)
}

/// Puts programs into `bin` and the shared library into `lib`, and their debug symbols apart.
fn collect(cargo: &Cargo) -> String {
    let split = "split() {
  mkdir -p /out/out/$2 /out/debug/$2
  objcopy --only-keep-debug \"$1\" \"/out/debug/$2/${1##*/}.debug\"
  objcopy --strip-unneeded --add-gnu-debuglink=\"/out/debug/$2/${1##*/}.debug\" \"$1\" \"/out/out/$2/${1##*/}\"
}";
    let mut lines = vec![split.to_owned()];
    lines.extend(cargo.bins.iter().map(|bin| format!("split t/release/{} bin", quote(bin))));
    if cargo.lib {
        lines.push("for lib in t/release/*.so; do split \"$lib\" lib; done".to_owned());
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text is part of the key of every unit of this kind.
    #[test]
    fn what_is_written_where_all_crates_are_published() {
        let expected = "mkdir -p \"$CARGO_HOME\"
cat > \"$CARGO_HOME/config.toml\" <<'END'
[source.crates-io]
replace-with = \"locked\"
[source.locked]
directory = \"/deps/crates\"
END";
        assert_eq!(setup(&[]), expected);
    }

    /// What cargo writes of files with those paths; `end` is 0 where there is no checksum.
    fn dep_info(paths: &[&str], end: u8) -> Vec<u8> {
        let number = |number: usize| u32::try_from(number).expect("small").to_le_bytes();
        let file = |path: &&str| [&[1], &number(path.len())[..], path.as_bytes(), &[end]].concat();
        let files: Vec<u8> = paths.iter().flat_map(file).collect();
        [b"\x01\0\0\0\xff\x01", &number(paths.len())[..], &files, &number(0)].concat()
    }

    #[test]
    fn lists_of_files_are_sorted() {
        let folder = tempfile::tempdir().expect("tempdir");
        let place = folder.path().join("t/release/.fingerprint/a-0");
        std::fs::create_dir_all(&place).expect("a folder");
        let (one, other) = (["out/a.rs", "out/b.rs", "out/aa.rs"], ["out/aa.rs", "out/b.rs", "out/a.rs"]);
        for (before, after) in [
            (dep_info(&other, 0), dep_info(&one, 0)),
            (dep_info(&one, 0), dep_info(&one, 0)),
            (dep_info(&other, 1), dep_info(&other, 1)),
            (dep_info(&[], 0), dep_info(&[], 0)),
            (b"another form".to_vec(), b"another form".to_vec()),
            (Vec::new(), Vec::new()),
        ] {
            std::fs::write(place.join("dep-lib-a"), &before).expect("writes");
            let script = std::process::Command::new("sh").args(["-euc", SORTED]).current_dir(&folder).status();
            assert!(script.expect("sh, find and perl").success());
            assert_eq!(std::fs::read(place.join("dep-lib-a")).expect("reads"), after);
        }
    }
}
