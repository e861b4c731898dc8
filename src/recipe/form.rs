//! The kinds of recipes, and which fields belong to each.

use super::Root;

/// What a recipe's `kind` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Not a unit: a Debian archive that sources name.
    Archive,
    Toolroot,
    Cmd,
    Bpf,
    Cargo,
    Arguments,
    Image,
    Kernel,
    Extension,
    Machine,
    Installer,
}

impl Form {
    pub(super) const ALL: [Self; 11] = [
        Self::Archive,
        Self::Toolroot,
        Self::Cmd,
        Self::Bpf,
        Self::Cargo,
        Self::Arguments,
        Self::Image,
        Self::Kernel,
        Self::Extension,
        Self::Machine,
        Self::Installer,
    ];

    /// The word in recipes.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Archive => "archive",
            Self::Toolroot => "toolroot",
            Self::Cmd => "cmd",
            Self::Bpf => "bpf",
            Self::Cargo => "cargo",
            Self::Arguments => "arguments",
            Self::Machine => "machine",
            Self::Installer => "installer",
            Self::Image => "image",
            Self::Kernel => "kernel",
            Self::Extension => "extension",
        }
    }

    /// Whether a recipe of this kind may have that field.
    pub(super) fn has(self, field: &str) -> bool {
        self.fields().any(|known| known == field)
    }

    /// The fields that a recipe of this kind may have.
    pub(super) fn fields(self) -> impl Iterator<Item = &'static str> {
        let common = ["kind", "extends", "abstract", "description", "target"];
        let units: &[&str] =
            if self == Self::Archive { &[] } else { &["default", "unfree", "on-demand", "vars", "matrix", "tests"] };
        common.into_iter().chain(units.iter().copied()).chain(self.own().iter().copied())
    }

    fn own(self) -> &'static [&'static str] {
        match self {
            Self::Archive => &["suite", "components", "architecture", "fingerprints"],
            Self::Toolroot => &["archive", "packages", "essential", "links", "trim", "ignore-alternatives"],
            Self::Cmd => &["toolroot", "sources", "deps", "env", "steps", "outputs", "timeout-seconds"],
            Self::Bpf => &["toolroot", "sources", "deps", "programs", "cflags", "cpu", "license", "sections"],
            Self::Cargo => &[
                "toolroot",
                "sources",
                "deps",
                "env",
                "package",
                "bins",
                "lib",
                "features",
                "default-features",
                "target-cpu",
                "rustflags",
                "lock-patches",
                "patches",
                "crate-patches",
                "needed",
                "glibc",
                "abi",
                "timeout-seconds",
            ],
            Self::Arguments => &["program", "version", "arguments"],
            Self::Machine => &["version", "sources"],
            Self::Installer => {
                &["toolroot", "sources", "talos", "kernel", "extensions", "command-line", "boot", "timeout-seconds"]
            }
            Self::Image => &[
                "archive",
                "packages",
                "essential",
                "links",
                "trim",
                "ignore-alternatives",
                "sources",
                "deps",
                "env",
                "files",
                "users",
                "directories",
                "attributes",
                "user",
                "entrypoint",
                "command",
                "workdir",
                "labels",
                "annotations",
                "ports",
                "stop-signal",
                "layers",
                "compat",
                "waivers",
            ],
            Self::Kernel => &[
                "toolroot",
                "sources",
                "base",
                "fragments",
                "patches",
                "localversion",
                "certificate",
                "compiler",
                "command-line",
                "signing",
                "signatures",
                "boot",
                "configure-only",
                "waivers",
                "timeout-seconds",
            ],
            Self::Extension => {
                &["architecture", "talos", "version", "author", "compatibility", "sources", "deps", "files", "services"]
            }
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.name() == name)
    }

    /// The kind of a recipe that says none.
    pub(super) fn of(root: Root) -> Option<Self> {
        match root {
            Root::Recipes => Some(Self::Cmd),
            Root::Bpf => Some(Self::Bpf),
            Root::Images => Some(Self::Image),
            Root::Kernel => Some(Self::Kernel),
            Root::Extensions => Some(Self::Extension),
            Root::Charts => None,
        }
    }
}
