//! `manifest.yaml`: what an extension says of itself.
//!
//! ```yaml
//! version: v1alpha1
//! metadata:
//!   name: solana-optimizer
//!   version: "1.0.0"
//!   author: forge
//!   description: Udev rules of a Solana node
//!   compatibility:
//!     talos:
//!       version: ">= v1.10.0"
//! ```
//!
//! Source: machinery/extensions/metadata.go@v1.10.3.

use serde::{Deserialize, Serialize};

use super::super::Release;
use super::archive::Archive;
use super::refusal::{Refusal, Rule};
use super::yaml::{self, or_default};
use super::{FORMS, MANIFEST, accepts, has_form};

/// The version of the format.
const FORMAT: &str = "v1alpha1";

/// What stands in `manifest.yaml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Manifest {
    #[serde(deserialize_with = "or_default")]
    version: String,
    /// What it says of the extension.
    #[serde(deserialize_with = "or_default")]
    pub metadata: Metadata,
}

/// What an extension says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata {
    /// Its name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// Its own version.
    #[serde(deserialize_with = "or_default")]
    pub version: String,
    /// Who made it.
    #[serde(deserialize_with = "or_default")]
    pub author: String,
    /// What it is, for people.
    #[serde(deserialize_with = "or_default")]
    pub description: String,
    #[serde(deserialize_with = "or_default")]
    compatibility: Compatibility,
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    extra_info: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Compatibility {
    #[serde(deserialize_with = "or_default")]
    talos: Constraint,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Constraint {
    #[serde(deserialize_with = "or_default")]
    version: String,
}

impl Metadata {
    /// The versions of Talos that it is for, as a range.
    #[must_use]
    pub fn compatibility(&self) -> &str {
        &self.compatibility.talos.version
    }

    /// The same, for these versions of Talos.
    #[must_use]
    pub fn for_talos(mut self, range: impl Into<String>) -> Self {
        self.compatibility.talos.version = range.into();
        self
    }
}

impl Manifest {
    /// A manifest of the present format.
    #[must_use]
    pub fn new(metadata: Metadata) -> Self {
        Self { version: FORMAT.to_owned(), metadata }
    }

    /// The file.
    #[must_use]
    pub fn text(&self) -> String {
        yaml::write(self)
    }
}

/// What is wrong with the manifest of an extension of that name.
pub(super) fn wrong(archive: &Archive, name: &str, release: Release) -> Vec<Refusal> {
    let refusal = |rule, why: String, help: &str| Refusal::new(rule, MANIFEST, why, help);
    let broken = |why: &str| vec![refusal(Rule::Manifest, why.to_owned(), "write it as the recipe's kind does")];
    let Some(bytes) = archive.texts.get(MANIFEST) else { return broken("it is not there, or no file") };
    let manifest: Manifest = match yaml::read(bytes) {
        Ok(Some(manifest)) => manifest,
        Ok(None) => return broken("it is empty"),
        Err(error) => return broken(&error),
    };
    if manifest.version != FORMAT {
        let why = format!("its format is `{}`", manifest.version.escape_debug());
        return vec![refusal(Rule::Manifest, why, "say `version: v1alpha1` at its top")];
    }
    let mut refusals = Vec::new();
    let Metadata { name: own, version, .. } = &manifest.metadata;
    if own != name {
        let why = format!("it says `{}`, and the unit is `{name}`", own.escape_debug());
        refusals.push(refusal(Rule::Name, why, "give both one name"));
    }
    if !has_form(version) {
        let why = format!("`{}` is no version of an extension", version.escape_debug());
        refusals.push(refusal(Rule::Version, why, &format!("write {FORMS}")));
    }
    refusals.extend(incompatible(manifest.metadata.compatibility(), release));
    refusals
}

fn incompatible(range: &str, release: Release) -> Option<Refusal> {
    let shown = range.escape_debug();
    let (why, help) = match accepts(range, &release.version()) {
        Ok(true) => return None,
        Ok(false) => (format!("`{shown}` has not {release}"), "widen `compatibility`, or name another `talos`"),
        Err(error) => (format!("`{shown}` is no range of versions: {error}"), "write one such as `>= v1.10.0`"),
    };
    Some(Refusal::new(Rule::Compatibility, MANIFEST, why, help))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_bytes() {
        let metadata = Metadata {
            name: "tuning".to_owned(),
            version: "1.10".to_owned(),
            author: "A: B".to_owned(),
            description: "Rules #1\nof a node".to_owned(),
            ..Metadata::default()
        };
        let manifest = Manifest::new(metadata.for_talos(">= v1.10.0"));
        let text = "version: v1alpha1\nmetadata:\n  name: tuning\n  version: \"1.10\"\n  author: \"A: B\"\n  \
                    description: |-\n    Rules #1\n    of a node\n  compatibility:\n    talos:\n      \
                    version: \">= v1.10.0\"\n";
        assert_eq!(manifest.text(), text);
        assert_eq!(yaml::read(text.as_bytes()), Ok(Some(manifest)));
    }
}
