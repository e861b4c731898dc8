//! The folders that recipes stand in, and the architectures they are built for.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::path::{Name, RelPath};

/// The six recipe roots, in the order in which references may go: a unit refers to its own root or an earlier one
/// (`recipes ← kernel ← bpf ← extensions ← images ← charts`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Root {
    /// Userland packages and toolroots.
    Recipes,
    /// Kernels.
    Kernel,
    /// BPF programs.
    Bpf,
    /// System extensions.
    Extensions,
    /// Container images and the installer.
    Images,
    /// Helm charts.
    Charts,
}

impl Root {
    /// All six, in order.
    pub const ALL: [Self; 6] = [Self::Recipes, Self::Kernel, Self::Bpf, Self::Extensions, Self::Images, Self::Charts];

    /// The folder's name.
    #[must_use]
    pub fn folder(self) -> &'static str {
        match self {
            Self::Recipes => "recipes",
            Self::Kernel => "kernel",
            Self::Bpf => "bpf",
            Self::Extensions => "extensions",
            Self::Images => "images",
            Self::Charts => "charts",
        }
    }

    /// The folders that sources of this project may stand in: the roots, and that of what deploys, which has no recipes.
    pub fn folders() -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().map(Self::folder).chain(["deploy"])
    }

    /// The root and the name that a recipe file has by its place: `<root>/<name>.toml` or `<root>/<name>/recipe.toml`.
    pub(super) fn of(file: &RelPath) -> Option<(Self, Name)> {
        let parts: Vec<&str> = file.components().collect();
        let (folder, name) = match parts[..] {
            [folder, file] => (folder, file.strip_suffix(".toml")?),
            [folder, name, "recipe.toml"] => (folder, name),
            _ => return None,
        };
        let root = Self::ALL.into_iter().find(|root| root.folder() == folder)?;
        Some((root, Name::new(name).ok()?))
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", self.folder())
    }
}

/// The architecture that artifacts run on; picks the `[target.…]` tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// 64-bit Intel and AMD.
    #[default]
    #[serde(rename = "x86_64")]
    X86_64,
    /// 64-bit Arm.
    Aarch64,
}

impl Target {
    /// The name in recipes.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
        }
    }

    /// The name that rustc has for it.
    pub(super) fn triple(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-unknown-linux-gnu",
            Self::Aarch64 => "aarch64-unknown-linux-gnu",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let cases = [
            ("recipes/gcc.toml", Some((Root::Recipes, "gcc"))),
            ("bpf/filter/recipe.toml", Some((Root::Bpf, "filter"))),
            ("recipes/GCC.toml", None),
            ("deploy/gcc.toml", None),
            ("recipes/gcc/other.toml", None),
            ("gcc.toml", None),
        ];
        for (file, expected) in cases {
            let found = Root::of(&RelPath::new(file).expect("clean"));
            assert_eq!(found.as_ref().map(|(root, name)| (*root, name.as_str())), expected, "{file}");
        }
    }
}
