//! Registries as places: which repository may have the content of another, and locking what a name means.

use std::fmt;

use serde::Deserialize;

use super::location::{Base, NotABase};
use super::{Error, Fetcher, Location};
use crate::digest::Digest;
use crate::lockfile::Locked;
use crate::registry::{self, Address, Reference, Repository};

/// Keeps content by its digest: a folder, a web server, or a repository of a registry.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Shelf {
    /// Has `sha256/<hex>` below it.
    Base(Base),
    /// Has blobs.
    Repository(Repository),
}

impl TryFrom<String> for Shelf {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.starts_with("oci://") {
            let reference: Reference = text.parse().map_err(|error: registry::Error| error.to_string())?;
            return Ok(Self::Repository(reference.repository));
        }
        text.parse().map(Self::Base).map_err(|error: NotABase| format!("{error}, or oci://host/repository"))
    }
}

impl Shelf {
    /// Where content of this digest may lie.
    pub(super) fn place(&self, digest: &Digest) -> Location {
        match self {
            Self::Base(base) => base.join(&format!("sha256/{}", digest.hex())),
            Self::Repository(repository) => {
                Location::Registry(Address { repository: repository.clone(), digest: *digest, manifest: false })
            }
        }
    }
}

/// What the repositories of another registry are below: `oci://host` or `oci://host/prefix`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Other(String);

impl TryFrom<String> for Other {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let other = Self(text.trim_end_matches('/').to_owned());
        other.below("x").map_err(|error| error.to_string())?;
        Ok(other)
    }
}

impl Other {
    /// The repository that has what `name` has.
    pub(super) fn below(&self, name: &str) -> Result<Repository, registry::Error> {
        let reference: Reference = format!("{}/{name}", self.0).parse()?;
        Ok(reference.repository)
    }
}

impl fmt::Display for Other {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Fetcher<'_> {
    /// Pins what a name means now.
    pub(super) fn pin_oci(&self, reference: &Reference) -> Result<Locked, Error> {
        let found = self.resolve_oci(reference)?;
        let registry::Resolved { index, manifest, blobs } = found;
        Ok(Locked::Oci { repository: reference.repository.clone(), index, manifest, blobs })
    }

    /// What a name means now, from the first place that knows it.
    ///
    /// # Errors
    /// What the last place said, where none knows it.
    pub fn resolve_oci(&self, reference: &Reference) -> Result<registry::Resolved, Error> {
        let version = reference.version.as_ref().map_or("latest".to_owned(), ToString::to_string);
        let (mut tries, mut last) = (Vec::new(), None);
        for repository in self.places.oci(&reference.repository) {
            match self.downloader.registry().resolve(&repository, &version) {
                Ok(resolved) => return Ok(resolved),
                Err(error) => {
                    tries.push((repository.to_string(), error.to_string()));
                    last = Some(error);
                }
            }
        }
        let hint = last.and_then(|error| error.hint()).unwrap_or("is the name right?");
        Err(Error::Registry { reference: reference.to_string(), tries, hint })
    }
}
