//! The features that crates have in a unit.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// A crate that a unit is linked with, and its features there. Its text is a line of the lockfile:
/// `serde 1.0.200 default,std`, or `wire 0.2.0#0a0a… default` of one from a git repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Linked {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The commit that it is of, if it is from a git repository.
    pub commit: Option<String>,
    /// The features that are on.
    pub features: BTreeSet<String>,
}

impl Linked {
    /// What it is known by: `serde 1.0.200`, `wire 0.2.0#0a0a…`.
    #[must_use]
    pub fn reference(&self) -> String {
        let Self { name, version, commit, features: _ } = self;
        match commit {
            Some(commit) => format!("{name} {version}#{commit}"),
            None => format!("{name} {version}"),
        }
    }

    /// Its features in words.
    #[must_use]
    pub fn words(&self) -> String {
        if self.features.is_empty() { "no features".to_owned() } else { self.list() }
    }

    fn list(&self) -> String {
        self.features.iter().map(String::as_str).collect::<Vec<_>>().join(",")
    }
}

impl fmt::Display for Linked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = format!("{} {}", self.reference(), self.list());
        f.write_str(line.trim_end())
    }
}

impl FromStr for Linked {
    type Err = &'static str;
    fn from_str(line: &str) -> Result<Self, Self::Err> {
        let words: Vec<&str> = line.split(' ').collect();
        let (name, version, features) = match words[..] {
            [name, version] => (name, version, BTreeSet::new()),
            [name, version, list] => (name, version, list.split(',').map(str::to_owned).collect()),
            _ => return Err("the features of a crate are `name version feature,feature`"),
        };
        let (version, commit) = match version.split_once('#') {
            Some((version, commit)) => (version, Some(commit.to_owned())),
            None => (version, None),
        };
        Ok(Self { name: name.to_owned(), version: version.to_owned(), commit, features })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        for (line, words) in [
            ("serde 1.0.200 default,std", "default,std"),
            ("serde 1.0.200", "no features"),
            ("wire 0.2.0+x#0a0a default", "default"),
            ("wire 0.2.0#0a0a", "no features"),
        ] {
            let linked: Linked = line.parse().expect("a line");
            assert_eq!((linked.to_string(), linked.words()), (line.to_owned(), words.to_owned()));
        }
        assert!("serde".parse::<Linked>().is_err() && "serde 1 a b".parse::<Linked>().is_err());
    }
}
