//! What recipes say once they are read: units, and what they are built by.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use super::{Boot, Extension, Image, Installer, Kernel, Places, Root, Source, Start};
use crate::path::{Name, RelPath};
use crate::talos::machine::Line;

/// The output of a unit that names none.
pub const OUTPUT: &str = "out";
/// The output with the debug symbols, of kinds that take them out.
pub const DEBUG: &str = "debug";

/// All recipes of a project, checked: unique names; references exist and go the right way; no cycles.
#[derive(Clone, Debug, PartialEq)]
pub struct Project<S = Source> {
    /// Every unit by its name.
    pub units: BTreeMap<Name, Recipe<S>>,
    /// Units that are not among them, once sources are pinned, as one is not free and not locked.
    pub unlocked: BTreeMap<Name, Unlocked>,
}

/// A unit that is not locked, as it is not free or locked on demand, for which others are left out with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlocked {
    /// The unit.
    pub unit: Name,
    /// Whether it is locked on demand.
    pub on_demand: bool,
    /// The files that its user has to give.
    pub supplied: Vec<String>,
}

/// A unit as its author wrote it; `S` is [`Source`] before locking, `lockfile::Locked` after.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe<S = Source> {
    /// Unique over all roots.
    pub name: Name,
    /// The folder it stands in.
    pub root: Root,
    /// The recipe file, relative to the project.
    pub file: RelPath,
    /// The recipes that it is based on: those it extends, and its archives.
    pub bases: Vec<RelPath>,
    /// Where in it, or in those it extends, stands what it names.
    pub places: Places,
    /// One line for people, or empty.
    pub description: String,
    /// Built when no name is given.
    pub default: bool,
    /// Not free software: made only for who says that they may, never pushed to a public registry.
    pub unfree: bool,
    /// What it takes from outside, but for packages, is locked only for who names it: it can't be had everywhere.
    pub on_demand: bool,
    /// Inputs from outside, by the name under which the build sees them.
    pub sources: BTreeMap<Name, S>,
    /// Globs of the tags and versions that sources may move to, by the source's name; not part of what is locked.
    pub updates: BTreeMap<Name, String>,
    /// How it is made.
    pub build: Build,
    /// What is tried on its result, by name.
    pub tests: BTreeMap<Name, Test>,
}

impl<S> Default for Project<S> {
    fn default() -> Self {
        Self { units: BTreeMap::new(), unlocked: BTreeMap::new() }
    }
}

impl<S> Project<S> {
    /// The units that `changed` ones are, or are built from, through any number of others.
    #[must_use]
    pub fn dependents(&self, changed: &BTreeSet<Name>) -> BTreeSet<Name> {
        let mut found: BTreeSet<Name> = changed.iter().filter(|name| self.units.contains_key(*name)).cloned().collect();
        loop {
            let reads = |recipe: &Recipe<S>| {
                recipe.toolroot().is_some_and(|unit| found.contains(unit))
                    || recipe.deps().any(|(_, reference)| found.contains(&reference.unit))
            };
            let more = self.units.values().filter(|recipe| !found.contains(&recipe.name) && reads(recipe));
            let more: Vec<Name> = more.map(|recipe| recipe.name.clone()).collect();
            if more.is_empty() {
                return found;
            }
            found.extend(more);
        }
    }
}

impl<S> Recipe<S> {
    /// The unit in whose root file system this one is built.
    #[must_use]
    pub fn toolroot(&self) -> Option<&Name> {
        match &self.build {
            Build::Toolroot(_) | Build::Arguments(_) | Build::Image(_) | Build::Extension(_) | Build::Machine(_) => {
                None
            }
            Build::Cmd(Cmd { toolroot, .. }) | Build::Bpf(Bpf { toolroot, .. }) => Some(toolroot),
            Build::Cargo(cargo) => Some(&cargo.toolroot),
            Build::Kernel(kernel) => Some(&kernel.toolroot),
            Build::Installer(installer) => Some(&installer.toolroot),
        }
    }

    /// How it is tried in a virtual machine, if it is a kernel that says so.
    #[must_use]
    pub fn boot(&self) -> Option<&Boot> {
        match &self.build {
            Build::Kernel(kernel) => kernel.boot.as_ref(),
            _ => None,
        }
    }

    /// How it is started in a virtual machine, if it is an installer that says so.
    #[must_use]
    pub fn start(&self) -> Option<&Start> {
        match &self.build {
            Build::Installer(installer) => installer.start.as_ref(),
            _ => None,
        }
    }

    /// The outputs of other units that this one reads, by the name under which it sees them.
    pub fn deps(&self) -> impl Iterator<Item = (&Name, &Reference)> {
        let deps = match &self.build {
            Build::Toolroot(_) | Build::Arguments(_) | Build::Kernel(_) | Build::Machine(_) => None,
            Build::Cmd(Cmd { deps, .. }) | Build::Bpf(Bpf { deps, .. }) => Some(deps),
            Build::Cargo(cargo) => Some(&cargo.deps),
            Build::Image(image) => Some(&image.deps),
            Build::Extension(extension) => Some(&extension.deps),
            Build::Installer(installer) => Some(&installer.deps),
        };
        deps.into_iter().flatten()
    }

    /// The names of its outputs, the main one first.
    #[must_use]
    pub fn outputs(&self) -> Vec<Name> {
        match &self.build {
            Build::Cmd(cmd) => cmd.outputs.clone(),
            Build::Cargo(_) | Build::Bpf(_) => [OUTPUT, DEBUG].map(Name::constant).into(),
            Build::Image(_) => [OUTPUT, Image::ROOT].map(Name::constant).into(),
            Build::Kernel(kernel) => kernel.outputs(),
            Build::Installer(_) => Installer::OUTPUTS.map(Name::constant).into(),
            Build::Extension(_) => [OUTPUT, Extension::ROOTFS].map(Name::constant).into(),
            Build::Toolroot(_) | Build::Arguments(_) | Build::Machine(_) => vec![Name::constant(OUTPUT)],
        }
    }
}

/// How a unit is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Build {
    /// A root file system of .debs.
    Toolroot(Toolroot),
    /// Steps in a sandbox.
    Cmd(Cmd),
    /// BPF objects.
    Bpf(Bpf),
    /// Rust programs and libraries.
    Cargo(Box<Cargo>),
    /// The arguments of a program.
    Arguments(Arguments),
    /// Talos with a kernel and extensions.
    Installer(Box<Installer>),
    /// The configuration of machines.
    Machine(Machine),
    /// A container image.
    Image(Box<Image>),
    /// A Linux kernel.
    Kernel(Box<Kernel>),
    /// A system extension of Talos.
    Extension(Box<Extension>),
}

impl Build {
    /// The word for it in recipes and in `forge list`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Toolroot(_) => Toolroot::KIND,
            Self::Cmd(_) => "cmd",
            Self::Bpf(_) => "bpf",
            Self::Cargo(_) => "cargo",
            Self::Arguments(_) => "arguments",
            Self::Machine(_) => "machine",
            Self::Installer(_) => Installer::KIND,
            Self::Image(_) => Image::KIND,
            Self::Kernel(_) => Kernel::KIND,
            Self::Extension(_) => Extension::KIND,
        }
    }
}

/// A root file system of .debs: the set stands in `sources["debs"]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolroot {
    /// Symlinks that maintainer scripts would have made: name in /usr/bin (or absolute path) → target.
    pub links: BTreeMap<String, String>,
    /// Directories left out (`usr/share/doc` …).
    pub trim: Vec<RelPath>,
    /// Alternatives that the table need not answer, by name.
    pub ignore_alternatives: Vec<String>,
}

impl Toolroot {
    /// The word for it in recipes and in `forge list`.
    pub const KIND: &str = "toolroot";
}

/// Steps in a sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cmd {
    /// The root file system they run in.
    pub toolroot: Name,
    /// Outputs of other units, at /deps/<name>.
    pub deps: BTreeMap<Name, Reference>,
    /// Environment variables, beside the fixed ones of the sandbox.
    pub env: BTreeMap<String, String>,
    /// Shell lines (`sh -eu`), each its own process, run in /build.
    pub steps: Vec<String>,
    /// Names below /out, at least one; the first is the main one.
    pub outputs: Vec<Name>,
    /// How long all steps together may take.
    pub timeout: Duration,
}

/// clang → BPF objects with BTF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bpf {
    /// The root file system with clang.
    pub toolroot: Name,
    /// Outputs of other units, at /deps/<name>.
    pub deps: BTreeMap<Name, Reference>,
    /// The .c files in source `src`; each becomes `<stem>.o`.
    pub programs: Vec<RelPath>,
    /// More flags for clang.
    pub cflags: Vec<String>,
    /// `-mcpu`.
    pub cpu: String,
    /// The licence that each object must declare.
    pub license: String,
    /// The ELF sections that programs must stand in (such as `xdp.frags`).
    pub sections: Vec<String>,
}

/// cargo → programs and libraries: the package or workspace in `sources["src"]`, with the crates of
/// `sources["crates"]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cargo {
    /// The root file system with cargo and rustc.
    pub toolroot: Name,
    /// Outputs of other units, at /deps/<name>.
    pub deps: BTreeMap<Name, Reference>,
    /// Environment variables, beside the fixed ones of the sandbox.
    pub env: BTreeMap<String, String>,
    /// The member of a workspace that is built; the package at its top if there is none.
    pub package: Option<String>,
    /// Its programs that are wanted.
    pub bins: Vec<String>,
    /// Whether its library is wanted, a shared one.
    pub lib: bool,
    /// Features of the package.
    pub features: Vec<String>,
    /// Whether its default features are on.
    pub default_features: bool,
    /// The processor that code is made for, as rustc calls it.
    pub target_cpu: String,
    /// More flags for rustc.
    pub rustflags: Vec<String>,
    /// Packages (`name`, or `name@version`) and the versions that Cargo.lock is moved to, one after the other.
    pub updates: Vec<(String, String)>,
    /// Patches of the package or workspace, in their order, in the source `patches`.
    pub patches: Vec<RelPath>,
    /// Patches of crates (`name`, or `name@version`), in their order, in the source `crate-patches`.
    pub crate_patches: Vec<(String, Vec<RelPath>)>,
    /// What must hold of the results.
    pub rules: LinkRules,
    /// What the library has in common with the program that loads it.
    pub abi: Option<Abi>,
    /// How long each of its steps may take.
    pub timeout: Duration,
}

/// What a plugin must have in common with the program that loads it: Rust has no stable layout of types, so both must
/// be made by one compiler, with the same flags, from the same versions and features of what crosses the boundary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Abi {
    /// The unit with that program.
    pub host: Name,
    /// Crates whose types cross, as named here and there.
    pub crates: Vec<(String, String)>,
    /// Differences that are let pass, and why: of versions by the crate as named here, of a feature by `crate/feature`.
    pub waivers: BTreeMap<String, String>,
}

impl Cargo {
    /// Tells rustc the processor.
    #[must_use]
    pub fn processor_flag(&self) -> String {
        format!("-Ctarget-cpu={}", self.target_cpu)
    }

    /// The source with the package or workspace.
    pub const SOURCE: &str = "src";
    /// The source with the crates that Cargo.lock names.
    pub const CRATES: &str = "crates";
    /// The source with the patches of the recipe, if it has some.
    pub const PATCHES: &str = "patches";
    /// The source with the patches of crates, if it has some.
    pub const CRATE_PATCHES: &str = "crate-patches";
}

/// The arguments of a program, which its version takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// An argument or a value each.
    pub lines: Vec<String>,
}

/// The configuration of the nodes in an inventory, a file for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// The version of Talos that they run.
    pub line: Line,
    /// Where the source `config` stands, relative to the project.
    pub folder: RelPath,
}

impl Machine {
    /// The source with the inventory and the patches.
    pub const CONFIG: &str = "config";
    /// The source with the JSON Schema of the version.
    pub const SCHEMA: &str = "schema";
}

/// What the linkage of programs must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkRules {
    /// The shared libraries, beside glibc's, that they may need, by soname; each must be needed by one of the files.
    pub needed: Vec<String>,
    /// The highest version of glibc's symbols that they may use: `2.34`.
    pub glibc: String,
}

/// Steps that try what a unit made: its main output at /deps/<unit>, each output at /deps/<output>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// The root file system they run in.
    pub toolroot: Name,
    /// Outputs of other units, at /deps/<name>.
    pub deps: BTreeMap<Name, Reference>,
    /// Environment variables, beside the fixed ones of the sandbox.
    pub env: BTreeMap<String, String>,
    /// Of an image: the program that is started beside the steps, none if it is empty; its own `entrypoint` if there is
    /// nothing here.
    pub entrypoint: Option<Vec<String>>,
    /// What that program is started with; the image's own `command` if there is none.
    pub arguments: Option<Vec<String>>,
    /// Shell lines (`sh -eu`), each its own process, run in /build.
    pub steps: Vec<String>,
    /// How long all steps together may take.
    pub timeout: Duration,
}

/// `unit` or `unit:output`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The unit.
    pub unit: Name,
    /// Its output; the main one if there is none here.
    pub output: Option<Name>,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.output {
            Some(output) => write!(f, "{}:{output}", self.unit),
            None => write!(f, "{}", self.unit),
        }
    }
}
