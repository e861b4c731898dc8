//! SKELETON of recipes: the model. The parser (files beside this one) fills it.
#![allow(missing_docs, clippy::todo, unused_variables, clippy::missing_errors_doc, dead_code)]
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use crate::digest::Digest;
use crate::path::{Name, RelPath};

/// The six recipe roots, in the order in which references may go: a unit refers to its own root or an earlier one
/// (`recipes ← kernel ← bpf ← extensions ← images ← charts`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Root { Recipes, Kernel, Bpf, Extensions, Images, Charts }

/// A unit as its author wrote it; `S` is [`Source`] before locking, `lockfile::Locked` after.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe<S = Source> {
    pub name: Name,
    pub root: Root,
    /// The recipe file, relative to the project.
    pub file: RelPath,
    pub description: String,
    pub default: bool,
    pub unfree: bool,
    pub sources: BTreeMap<Name, S>,
    pub build: Build,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Build { Toolroot(Toolroot), Cmd(Cmd), Bpf(Bpf) }

/// A root file system of .debs: the set stands in `sources["debs"]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Toolroot {
    /// Symlinks that maintainer scripts would have made: name in /usr/bin (or absolute path) → target.
    pub links: BTreeMap<String, String>,
    /// Directories left out (`usr/share/doc` …).
    pub trim: Vec<RelPath>,
    /// Alternatives that the table need not answer, by name.
    pub ignore_alternatives: Vec<String>,
}
/// Steps in a sandbox.
#[derive(Clone, Debug, PartialEq)]
pub struct Cmd {
    pub toolroot: Name,
    pub deps: BTreeMap<Name, Reference>,
    pub env: BTreeMap<String, String>,
    /// Shell lines (`sh -eu`), each its own process, run in /build.
    pub steps: Vec<String>,
    pub outputs: Vec<Name>, // default ["out"]; the first is the main one
    pub timeout: Duration,
}
/// clang → BPF objects with BTF.
#[derive(Clone, Debug, PartialEq)]
pub struct Bpf {
    pub toolroot: Name,
    pub deps: BTreeMap<Name, Reference>,
    /// The .c files in source `src`, each becomes `<stem>.o`.
    pub programs: Vec<RelPath>,
    pub cflags: Vec<String>,
    /// -mcpu: `v3` by default.
    pub cpu: String,
    /// What the objects must say of themselves: licence, and ELF section of each program (e.g. `xdp.frags`).
    pub license: String,
    pub sections: Vec<String>,
}
/// `unit` or `unit:output`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference { pub unit: Name, pub output: Option<Name> }

/// An input from outside, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A closed set of packages, resolved as apt would on an empty system.
    Debs { archive: Archive, packages: Vec<String>, essential: bool },
    /// One file inside one package (linux-source's tarball), or the whole data tree (`member: None`), never its dependencies.
    DebMember { archive: Archive, package: String, member: Option<RelPath>, unpack: Option<Unpack> },
    Url { url: String, unpack: Option<Unpack> },
    Git { url: String, rev: Rev },
    /// Files of this repository: globs relative to the recipe's directory.
    Path { directory: RelPath, include: Vec<String>, exclude: Vec<String> },
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpack { pub strip: u32 }
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rev { Commit(String), Tag(String), Branch(String) }
/// A Debian archive: from a recipe of `kind = "archive"`, copied into each source that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    pub name: Name,           // "debian"
    pub suite: String,        // "trixie"
    pub components: Vec<String>,
    pub architecture: String, // "amd64"
    /// Primary-key fingerprints of which one must have signed; the keys stand in recipes/keys/<FINGERPRINT>.asc.
    pub fingerprints: Vec<String>,
}

/// All recipes of a project, checked: unique names, references exist and go the right way, no cycles.
#[derive(Clone, Debug)]
pub struct Project<S = Source> { pub units: BTreeMap<Name, Recipe<S>> }

/// Reads every recipe below the six roots of `project`.
pub fn load(project: &Path) -> Result<Project, Vec<Diagnostic>> { todo!() }

/// An error with its place; `render()` draws file, line and caret.
#[derive(Debug, Clone)]
pub struct Diagnostic {}
impl Source {
    /// The digest a lock entry is keyed by (canon encoding). Path sources are not locked.
    pub fn specification(&self) -> Digest { todo!() }
}
