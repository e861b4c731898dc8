//! What a Cargo.lock names.

use std::fs;
use std::path::Path;
use std::str::FromStr as _;

use cargo_lock::package::GitReference;
use cargo_lock::{Dependency, Lockfile, Package, SourceId};

use super::Error;
use crate::lockfile::{Asked, Crate, is_word};

/// The packages of a Cargo.lock that are not of its workspace.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    /// Those of the registry; their sizes, which do not stand there, are 0.
    pub(super) published: Vec<Crate>,
    /// Those of git repositories.
    pub(super) git: Vec<Unpinned>,
}

/// A package of a git repository whose tree is not known.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unpinned {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) url: String,
    pub(super) commit: String,
    pub(super) asked: Asked,
}

impl Named {
    /// Reads the Cargo.lock at `path`.
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let broken = |source| Error::Io { path: path.to_owned(), source };
        Self::parse(&fs::read_to_string(path).map_err(broken)?).map_err(Error::CargoLock)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let unreadable = |error: cargo_lock::Error| {
            let reason = error.to_string();
            format!("its Cargo.lock can't be read: {}", reason.trim_start_matches("parse error: "))
        };
        let lock = Lockfile::from_str(text).map_err(unreadable)?;
        let mut named = Self::default();
        for package in &lock.packages {
            match &package.source {
                None => {}
                Some(source) if source.is_git() => named.git.push(of_git(&package.into(), source)?),
                Some(source) => named.published.push(published(package, source)?),
            }
        }
        // Cargo looks at patches that nothing uses, too.
        for patch in &lock.patch.unused {
            if let Some(source) = patch.source.as_ref().filter(|source| source.is_git()) {
                named.git.push(of_git(patch, source)?);
            }
        }
        Ok(named)
    }
}

fn published(package: &Package, source: &SourceId) -> Result<Crate, String> {
    let (name, version) = (package.name.to_string(), package.version.to_string());
    if !source.is_default_registry() {
        return Err(format!("`{name} {version}` is from another registry, {}", source.url()));
    }
    let checksum = package.checksum.as_ref().ok_or_else(|| format!("`{name} {version}` has no checksum"))?;
    let digest = checksum.to_string().parse().map_err(|_| format!("`{name} {version}` has no SHA-256 checksum"))?;
    Ok(Crate { name, version, size: 0, digest })
}

fn of_git(package: &Dependency, source: &SourceId) -> Result<Unpinned, String> {
    let (name, version, url) = (package.name.to_string(), package.version.to_string(), source.url().to_string());
    let Some(commit) = source.precise() else {
        return Err(format!(
            "`{name} {version}` is from the git repository {url}, at no commit: run `cargo update --workspace` there"
        ));
    };
    let asked = match source.git_reference() {
        Some(GitReference::Branch(branch)) => Asked::Branch(branch.clone()),
        Some(GitReference::Tag(tag)) => Asked::Tag(tag.clone()),
        Some(GitReference::Rev(rev)) => Asked::Rev(rev.clone()),
        Some(GitReference::DefaultBranch) | None => Asked::Default,
    };
    match asked.field() {
        Some((field, value)) if !is_word(value) => Err(format!(
            "`{name} {version}` is from a {field} of {url} with odd characters, `{}`",
            value.escape_debug()
        )),
        _ => Ok(Unpinned { name, version, url, commit: commit.to_owned(), asked }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUM: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

    fn package(fields: &str) -> String {
        format!(
            "version = 4\n\n[[package]]\nname = \"own\"\nversion = \"0.1.0\"\n\n\
                 [[package]]\nname = \"a\"\nversion = \"1.0.0\"\n{fields}"
        )
    }

    #[test]
    fn packages_of_the_registry() {
        let text = package(&format!("source = \"{REGISTRY}\"\nchecksum = \"{SUM}\"\n"));
        let (name, version) = ("a".to_owned(), "1.0.0".to_owned());
        let one = Crate { name, version, size: 0, digest: SUM.parse().expect("hex") };
        assert_eq!(Named::parse(&text), Ok(Named { published: vec![one], git: Vec::new() }));
    }

    #[test]
    fn packages_of_repositories() {
        for (query, asked) in [
            ("", Asked::Default),
            ("?branch=main", Asked::Branch("main".to_owned())),
            ("?tag=v1%2F2", Asked::Tag("v1/2".to_owned())),
            ("?rev=0a0a", Asked::Rev("0a0a".to_owned())),
        ] {
            let commit = "0a".repeat(20);
            let text = package(&format!("source = \"git+https://host/a{query}#{commit}\"\n"));
            let (name, version, url) = ("a".to_owned(), "1.0.0".to_owned(), "https://host/a".to_owned());
            let git = vec![Unpinned { name, version, url, commit, asked }];
            let named = Ok(Named { published: Vec::new(), git });
            assert_eq!(Named::parse(&text), named);
            let unused = text.replace("[[package]]\nname = \"a\"", "[[patch.unused]]\nname = \"a\"");
            assert_eq!(Named::parse(&unused), named);
        }
    }

    #[test]
    fn what_is_refused() {
        for (fields, words) in [
            (
                "source = \"git+https://host/a?branch=main\"\n".to_owned(),
                "`a 1.0.0` is from the git repository https://host/a, at no commit",
            ),
            ("source = \"git+https://host/a?branch=a%0Ab#0a\"\n".to_owned(), "odd characters, `a\\nb`"),
            (format!("source = \"registry+https://host/index\"\nchecksum = \"{SUM}\"\n"), "from another registry"),
            (format!("source = \"{REGISTRY}\"\n"), "has no checksum"),
            ("source = 1".to_owned(), "TOML parse error"),
        ] {
            let error = Named::parse(&package(&fields)).expect_err(words);
            assert!(error.contains(words), "{error}");
        }
    }
}
