//! Where mirrors are: a folder, or a repository of a registry.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::super::error::CliError;
use super::super::meter::Meter;
use super::super::{environment, registry};
use crate::fetch::inventory::Item;
use crate::fetch::mirror::{Found, Mirror, Writer};
use crate::fetch::shelf::Shelved;
use crate::fetch::{Error, Fetcher, SharedWatch};
use crate::registry::{Reference, Repository};

/// Where a mirror is.
pub(super) enum Place {
    Folder(PathBuf),
    Repository(Repository),
}

impl Place {
    /// What `place` names.
    pub(super) fn of(place: &Path) -> Result<Self, CliError> {
        let text = place.to_string_lossy();
        if text.starts_with("oci://") {
            let Reference { repository, version } = text.parse()?;
            return match version {
                None => Ok(Self::Repository(repository)),
                Some(_) => Err(CliError::user(format!("{text}: a mirror is a whole repository"))
                    .hint(format!("write oci://{repository}"))),
            };
        }
        if text.contains("://") {
            let error = CliError::user(format!("{text}: a mirror is written to a folder or a registry"));
            return Err(
                error.hint("name a folder of this host, which any web server can serve, or oci://host/repository")
            );
        }
        let folder = std::path::absolute(place).map_err(|error| CliError::user(format!("{text}: {error}")))?;
        Ok(Self::Folder(folder))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(f),
            Self::Repository(repository) => write!(f, "oci://{repository}"),
        }
    }
}

/// What is copied into.
pub(super) enum Target {
    /// No writer in a dry run.
    Folder(Mirror, Option<Writer>),
    Registry(Box<Shelved>),
}

impl Target {
    /// What `place` is written to by.
    pub(super) fn of(
        place: &Place,
        dry_run: bool,
        cancel: &Arc<AtomicBool>,
        meter: &Arc<Meter>,
    ) -> Result<Self, CliError> {
        Ok(match place {
            Place::Folder(folder) => {
                let mirror = Mirror::new(folder.clone());
                let writer = if dry_run { None } else { Some(mirror.writer()?) };
                Self::Folder(mirror, writer)
            }
            Place::Repository(repository) => {
                Self::Registry(Box::new(Shelved::new(registry::client(cancel, meter), repository.clone())))
            }
        })
    }

    /// What it has of an item.
    pub(super) fn find(&self, fetcher: &Fetcher<'_>, item: &Item) -> Result<Found, Error> {
        match self {
            Self::Folder(mirror, _) => Ok(mirror.find(item)),
            Self::Registry(shelved) => shelved.find(fetcher, item),
        }
    }

    /// Copies an item; how many bytes it has.
    pub(super) fn copy(&self, fetcher: &Fetcher<'_>, item: &Item, watch: &SharedWatch<'_>) -> Result<u64, Error> {
        match self {
            Self::Folder(_, writer) => {
                writer.as_ref().expect("BUG: nothing is copied in a dry run").copy(fetcher, item, watch)
            }
            Self::Registry(shelved) => shelved.copy(fetcher, item, watch),
        }
    }

    /// Makes sure of all that was copied.
    pub(super) fn finish(&self) -> Result<(), Error> {
        match self {
            Self::Folder(_, Some(writer)) if environment::sync() => writer.sync(),
            Self::Folder(..) => Ok(()),
            Self::Registry(shelved) => shelved.keep(),
        }
    }
}
