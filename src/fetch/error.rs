//! What can go wrong while a source is fetched, observed or pinned.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::download::{Try, Want};
use super::fault::Fault;
use super::supplied::Unsupplied;
use crate::debian::package::IndexError;
use crate::debian::release;
use crate::debian::root::RootError;
use crate::debian::unresolved::Unresolved;
use crate::digest::Digest;
use crate::path::{PathError, RelPath};
use crate::registry;
use crate::store;

/// Why a source could not be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of this host.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The file that `FORGE_MIRRORS` names is not understood.
    #[error("{file}: {error}")]
    Mirrors {
        /// The file.
        file: PathBuf,
        /// Line, column and reason.
        error: Box<toml::de::Error>,
    },
    /// No place gave the file.
    #[error(transparent)]
    Exhausted(Box<Exhausted>),
    /// The user did not give a file.
    #[error(transparent)]
    Unsupplied(Box<Unsupplied>),
    /// The registry that a mirror is in.
    #[error(transparent)]
    Shelf(registry::Error),
    /// Another process writes to the mirror.
    #[error("{}: another forge writes to this mirror; run this again when it is done", .0.display())]
    MirrorInUse(PathBuf),
    /// It is no longer wanted.
    #[error("{0}: cancelled")]
    Cancelled(String),
    /// The git command could not be started.
    #[error("cannot run git: {0}\n  git sources need the git command: install it, or put it on PATH")]
    NoGit(io::Error),
    /// The cargo command could not be started.
    #[error("cannot run cargo: {0}\n  crates are brought by the host's cargo: install Rust, or put cargo on PATH")]
    NoCargo(io::Error),
    /// The cargo command failed.
    #[error("cargo {command} failed:\n  {}", message.replace('\n', "\n  "))]
    Cargo {
        /// Which command.
        command: String,
        /// What it said.
        message: String,
    },
    /// A patch that does not apply.
    #[error("{} does not apply: {message}", patch.display())]
    Patch {
        /// The patch.
        patch: PathBuf,
        /// What git said.
        message: String,
    },
    /// A package or workspace whose crates can't be pinned.
    #[error("{0}")]
    CargoLock(String),
    /// A project that git does not know.
    #[error("{0} is in no git repository")]
    NotARepository(PathBuf),
    /// A name that leads to no commit.
    #[error("`{rev}` names no commit of the repository of {folder}")]
    NoCommit {
        /// The project.
        folder: PathBuf,
        /// The name.
        rev: String,
    },
    /// The git command failed at every place.
    #[error("{url}: cannot fetch {wanted}\n{}", lines(tries))]
    Git {
        /// As the recipe names it.
        url: String,
        /// The commit, tag or branch.
        wanted: String,
        /// Each repository, and what git said.
        tries: Vec<(String, String)>,
    },
    /// No registry knows a name.
    #[error("{reference}: no registry says what it is\n{}\n  {hint}", lines(tries))]
    Registry {
        /// As the recipe names it.
        reference: String,
        /// Each repository, and what was said.
        tries: Vec<(String, String)>,
        /// What to do next.
        hint: &'static str,
    },
    /// The git command failed on what was fetched already.
    #[error("{url}: git {command} failed: {message}")]
    GitCommand {
        /// As the recipe names it.
        url: String,
        /// Its arguments.
        command: String,
        /// What it wrote.
        message: String,
    },
    /// A commit must be written out.
    #[error("{url}: `{commit}` is not a commit: write all 40 hex digits")]
    NotACommit {
        /// As the recipe names it.
        url: String,
        /// As the recipe names it.
        commit: String,
    },
    /// The tree has entries that forge does not fetch.
    #[error("{url}: commit {commit} has submodules, which forge does not follow: {}\n  make each a git source of its own", submodules.join(", "))]
    Submodules {
        /// As the recipe names it.
        url: String,
        /// The commit.
        commit: String,
        /// Where they are.
        submodules: Vec<String>,
    },
    /// A name or a symlink of the tree that a store can't hold.
    #[error("{url}: commit {commit}: {reason}")]
    GitEntry {
        /// As the recipe names it.
        url: String,
        /// The commit.
        commit: String,
        /// What is wrong with which entry.
        reason: String,
    },
    /// The commit's content is not what was locked.
    #[error(
        "{url}: commit {commit} has other content than was locked\n  want {want}\n  got  {got}\n  two commits of one name: do not trust this repository"
    )]
    GitTree {
        /// As the recipe names it.
        url: String,
        /// The commit.
        commit: String,
        /// As locked.
        want: Digest,
        /// As fetched.
        got: Digest,
    },
    /// A path source that is not below the project.
    #[error("{0}: leads out of the project; a path source is a directory of this repository")]
    Outside(RelPath),
    /// Nothing matched.
    #[error("{directory}: no file matches {}; {}", globs.join(", "), meant(near.as_deref()))]
    NothingMatched {
        /// The source's directory.
        directory: RelPath,
        /// Each glob that matches nothing, as the recipe has it.
        globs: Vec<String>,
        /// A file that the first of them may have meant.
        near: Option<String>,
    },
    /// A pattern is no glob.
    #[error("{directory}: {error}")]
    Glob {
        /// The source's directory.
        directory: RelPath,
        /// The pattern and what is wrong with it.
        error: globset::Error,
    },
    /// A name that is not UTF-8.
    #[error("{directory}: {error}; rename it or leave it out with `exclude`")]
    Name {
        /// The directory that has it.
        directory: RelPath,
        /// The name.
        error: PathError,
    },
    /// A socket, a pipe or a device.
    #[error("{0}: not a file, directory or symlink; leave it out with `exclude`")]
    Special(RelPath),
    /// An InRelease that is not believed.
    #[error("{name}: {error}")]
    Release {
        /// Archive, suite and file.
        name: String,
        /// Why.
        error: Box<release::Error>,
    },
    /// An InRelease that is too old.
    #[error(transparent)]
    Stale(#[from] release::Stale),
    /// A component or architecture that the suite does not have.
    #[error("{0}: the suite's InRelease names no such list; check component and architecture")]
    NoPackages(String),
    /// A package list that does not unpack.
    #[error("{name}: {source}")]
    Packages {
        /// Archive, suite and file.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// A package list that makes no sense.
    #[error("{suite}: {error}")]
    Index {
        /// Whose list.
        suite: String,
        /// Where and why.
        error: IndexError,
    },
    /// A text in `packages` that names none.
    #[error(transparent)]
    Root(#[from] RootError),
    /// The packages can't be installed together.
    #[error(transparent)]
    Unresolved(Unresolved),
    /// A package that the suite does not have.
    #[error("{package}: {suite} has no such package; check the name")]
    NoPackage {
        /// As the recipe has it.
        package: String,
        /// As the recipe has it.
        suite: String,
    },
    /// A suite or component that makes no path.
    #[error(transparent)]
    Path(#[from] PathError),
    /// It changes faster than it can be read.
    #[error("{0}: changed while it was read; build again when it is at rest")]
    Changing(RelPath),
}

/// What cargo says when it is the network that failed it.
const NETWORK: [&str; 4] = ["failed to download", "download of", "network", "onnect to server"];

/// What to do about a glob that matches nothing.
fn meant(near: Option<&str>) -> String {
    let spelling = || "check the spelling of `path` and `exclude`".to_owned();
    near.map_or_else(spelling, |near| format!("did you mean `{near}`?"))
}

impl From<registry::Error> for Error {
    fn from(error: registry::Error) -> Self {
        match error {
            registry::Error::Store(error) => Self::Store(error),
            error => Self::Shelf(error),
        }
    }
}

impl Error {
    /// The glob of a recipe that is at fault, as it is written there.
    #[must_use]
    pub fn glob(&self) -> Option<&str> {
        match self {
            Self::NothingMatched { globs, .. } => globs.first().map(String::as_str),
            Self::Glob { error, .. } => error.glob(),
            _ => None,
        }
    }

    /// Whether the recipes or the project's files have to change, not this machine or a mirror.
    #[must_use]
    pub fn is_input(&self) -> bool {
        if let Self::Cargo { message, .. } = self {
            return !NETWORK.iter().any(|words| message.contains(words));
        }
        matches!(
            self,
            Self::NotACommit { .. }
                | Self::NotARepository(_)
                | Self::NoCommit { .. }
                | Self::Submodules { .. }
                | Self::GitEntry { .. }
                | Self::Outside(_)
                | Self::NothingMatched { .. }
                | Self::Glob { .. }
                | Self::Name { .. }
                | Self::Special(_)
                | Self::NoPackages(_)
                | Self::Root(_)
                | Self::Unresolved(_)
                | Self::NoPackage { .. }
                | Self::Path(_)
                | Self::CargoLock(_)
                | Self::Patch { .. }
                | Self::Unsupplied(_)
        )
    }

    /// Whether this machine is at fault, so that it would go no better with another source.
    #[must_use]
    pub fn is_local(&self) -> bool {
        matches!(self, Self::Io { .. } | Self::Store(_) | Self::Shelf(_) | Self::MirrorInUse(_))
    }

    pub(super) fn exhausted(want: &Want<'_>, tries: Vec<Try>) -> Self {
        Self::Exhausted(Box::new(Exhausted {
            name: want.name.to_owned(),
            unit: want.unit.map(str::to_owned),
            digest: want.digest,
            size: want.size,
            tries,
        }))
    }
}

/// A file that no place gave.
#[derive(Debug)]
pub struct Exhausted {
    /// What a person calls it: `gcc-14 14.2.0-19`.
    pub name: String,
    /// The unit to lock again.
    pub unit: Option<String>,
    /// As pinned.
    pub digest: Option<Digest>,
    /// As pinned.
    pub size: Option<u64>,
    /// Every place, in the order they were tried.
    pub tries: Vec<Try>,
}

impl std::error::Error for Exhausted {}

impl fmt::Display for Exhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: no place gave it", self.name)?;
        if let (Some(digest), Some(size)) = (self.digest, self.size) {
            writeln!(f, "  want {digest} ({size} bytes)")?;
        }
        for Try { place, fault } in &self.tries {
            writeln!(f, "  {place}: {fault}")?;
        }
        if self.tries.is_empty() {
            writeln!(f, "  no place is known: name a mirror in the file that FORGE_MIRRORS names")?;
        }
        if self.any(|fault| matches!(fault, Fault::Offline)) {
            writeln!(f, "to ask the places over the network too: build once without --offline")?;
        }
        let refused = self.any(|fault| !matches!(fault, Fault::Offline | Fault::Passing { .. }));
        match &self.unit {
            Some(unit) if refused => write!(f, "to pin what the mirrors have now: forge lock --update {unit}"),
            _ => write!(f, "check the address and the network, or name a mirror in FORGE_MIRRORS"),
        }
    }
}

impl Exhausted {
    fn any(&self, is: impl Fn(&Fault) -> bool) -> bool {
        self.tries.iter().any(|Try { fault, .. }| is(fault))
    }
}

fn lines(tries: &[(String, String)]) -> String {
    if tries.is_empty() {
        return "  not asked (offline), and FORGE_MIRRORS names no repository on this host".to_owned();
    }
    let line = |(place, message): &(String, String)| format!("  {place}: {}", message.trim().replace('\n', "\n    "));
    tries.iter().map(line).collect::<Vec<_>>().join("\n")
}
