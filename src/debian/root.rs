//! What a user asks for: the roots of a set of packages.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::index::{Index, PackageId};
use super::relation::{Relation, is_name};
use super::unresolved::Unresolved;
use super::version::{Version, VersionError};

/// A package that the user asks for: `name`, or `name=version`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    name: String,
    version: Option<String>,
}

/// A text that is no root.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RootError {
    /// The part before `=`.
    #[error("`{0}` is no name of a package (write `name` or `name=version`)")]
    Name(String),
    /// The part after `=`.
    #[error("the package `{name}`: {error}")]
    Version {
        /// The part before `=`.
        name: String,
        /// What is wrong with the version.
        error: VersionError,
    },
}

impl FromStr for Root {
    type Err = RootError;

    fn from_str(text: &str) -> Result<Self, RootError> {
        let (name, version) = match text.split_once('=') {
            Some((name, version)) => (name, Some(version)),
            None => (text, None),
        };
        if !is_name(name) {
            return Err(RootError::Name(text.to_owned()));
        }
        let checked = version.map(Version::parse).transpose();
        checked.map_err(|error| RootError::Version { name: name.to_owned(), error })?;
        Ok(Self { name: name.to_owned(), version: version.map(str::to_owned) })
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            Some(version) => write!(f, "{}={version}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// Whether a package is the candidate of its name.
pub(super) fn is_highest(index: &Index<'_>, id: PackageId) -> bool {
    index.name(index.owner(id)).packages.first() == Some(&id)
}

/// The package that a root means.
pub(super) fn find(index: &Index<'_>, root: &Root) -> Result<PackageId, Unresolved> {
    let relation = Relation { name: &root.name, qualifier: None, constraint: None };
    let name = index.id(&relation).map(|id| index.name(id)).ok_or_else(|| Unresolved::Unknown(root.to_string()))?;
    let version = |id: &PackageId| index.package(*id).version;
    let wanted = root
        .version
        .as_deref()
        .map(|text| Version::parse(text).expect("BUG: a root's version is checked when it is parsed"));
    if let Some(id) = name.packages.iter().find(|id| wanted.is_none_or(|wanted| version(id) == wanted)) {
        return Ok(*id);
    }
    let list = |ids: &mut dyn Iterator<Item = String>| ids.collect::<Vec<_>>().join(", ");
    if let (Some(want), false) = (wanted, name.packages.is_empty()) {
        let got = list(&mut name.packages.iter().map(|id| version(id).to_string()));
        return Err(Unresolved::Version { name: root.name.clone(), want: want.to_string(), got });
    }
    let providers: BTreeSet<_> = name.providers.iter().map(|(id, _)| *id).filter(|id| is_highest(index, *id)).collect();
    match (providers.first(), providers.len()) {
        (Some(only), 1) => Ok(*only),
        (None, _) => Err(Unresolved::Unknown(root.to_string())),
        (Some(_), _) => {
            let providers = list(&mut providers.iter().map(|id| index.package(*id).name.to_owned()));
            Err(Unresolved::Virtual { name: root.name.clone(), providers })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots() {
        for (text, want) in [("g++", None), ("gcc=4:14.2.0-1", Some("4:14.2.0-1"))] {
            let root: Root = text.parse().expect(text);
            assert_eq!((root.version.as_deref(), root.to_string().as_str()), (want, text));
        }
        for text in ["", "A", "a b", "a=", "a=x", "=1"] {
            text.parse::<Root>().expect_err(text);
        }
    }
}
