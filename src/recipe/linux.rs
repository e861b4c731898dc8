//! What recipes of `kind = "kernel"` say once they are read.

use std::collections::BTreeMap;
use std::time::Duration;

use super::model::{DEBUG, OUTPUT};
use super::{Boot, Signing};
use crate::path::{Name, RelPath};

/// A Linux kernel, of the sources in `sources["linux"]` and the files in `sources["config"]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// The root file system with the compiler.
    pub toolroot: Name,
    /// What its configuration starts from.
    pub base: Base,
    /// Fragments of its configuration, in their order, in the source `config`.
    pub fragments: Vec<RelPath>,
    /// Patches of its sources, in their order, in the source `patches`.
    pub patches: Vec<RelPath>,
    /// What its release ends with.
    pub localversion: String,
    /// The certificate that its modules must be signed for, in the source `config`.
    pub certificate: Option<RelPath>,
    /// What it is compiled with.
    pub compiler: Compiler,
    /// The arguments that it is to be started with.
    pub command_line: Vec<String>,
    /// Symbols of which fragments may ask what is refused or does not come true, and why.
    pub waivers: BTreeMap<String, String>,
    /// By whom its modules are signed; by nobody if there is nothing here.
    pub signing: Option<Signing>,
    /// How it is tried in a virtual machine.
    pub boot: Option<Boot>,
    /// Whether it is only configured, and nothing compiled.
    pub configure_only: bool,
    /// How long each of its steps may take.
    pub timeout: Duration,
}

/// What a configuration starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// What a target of Linux' make writes.
    Target(String),
    /// A whole configuration, in the source `config`.
    File(RelPath),
}

/// What a kernel is compiled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compiler {
    /// gcc and the GNU binutils.
    Gcc,
    /// clang, lld and LLVM's other tools.
    Clang,
}

impl Kernel {
    /// The word for the kind in recipes.
    pub const KIND: &'static str = "kernel";
    /// The source with Linux.
    pub const SOURCE: &str = "linux";
    /// The source with fragments and certificate.
    pub const CONFIG: &str = "config";
    /// The source with the patches of the recipe, if it has some.
    pub const PATCHES: &str = "patches";
    /// The output with the modules.
    pub const MODULES: &str = "modules";
    /// The output with what modules of others are built with.
    pub const HEADERS: &str = "headers";
    /// The output that says what became of the configuration.
    pub const REPORT: &str = "report";
    /// The outputs of one that is compiled, in their order.
    pub const OUTPUTS: [&str; 5] = [OUTPUT, Self::MODULES, Self::HEADERS, DEBUG, Self::REPORT];
    /// The outputs of one that is only configured.
    pub const CONFIGURED: [&str; 2] = [OUTPUT, Self::REPORT];

    /// Its outputs in their order. Where modules are signed, those that were built are one more.
    #[must_use]
    pub fn outputs(&self) -> Vec<Name> {
        let names: &[&str] = if self.configure_only { &Self::CONFIGURED } else { &Self::OUTPUTS };
        let unsigned = self.signing.as_ref().map(|_| Signing::UNSIGNED);
        names.iter().copied().chain(unsigned).map(Name::constant).collect()
    }
}

impl Compiler {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Gcc, Self::Clang];

    /// The word in recipes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gcc => "gcc",
            Self::Clang => "clang",
        }
    }
}
