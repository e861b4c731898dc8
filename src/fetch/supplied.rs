//! Files that the user has, and that nobody else may give: `[supplied]` in the file of mirrors says where they are.

use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;

use super::{Error, Fetcher, Location, Try, Want, Watch};
use crate::lockfile::{Pin, Place};
use crate::store::Blob;

/// The largest such file.
const MAX: u64 = 8 << 30;

/// Where such a file is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "PathBuf")]
pub struct Supply(PathBuf);

impl TryFrom<PathBuf> for Supply {
    type Error = String;

    fn try_from(path: PathBuf) -> Result<Self, String> {
        if path.is_absolute() {
            return Ok(Self(path));
        }
        Err(format!("`{}` is relative, to nobody knows what: write an absolute path", path.display()))
    }
}

impl Supply {
    /// As a place.
    pub(super) fn location(&self) -> Location {
        Location::File(self.0.clone())
    }
}

/// A file that the user has to give and did not, or in place of which there is another one.
#[derive(Debug)]
pub struct Unsupplied {
    /// What recipes call it.
    pub name: String,
    /// The unit whose source it is, where it is pinned.
    pub unit: Option<String>,
    /// As pinned.
    pub want: Option<Blob>,
    /// Where it was looked for.
    pub tries: Vec<Try>,
    /// Whether `[supplied]` names it.
    pub named: bool,
}

impl std::error::Error for Unsupplied {}

impl fmt::Display for Unsupplied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, unit, want, tries, named } = self;
        write!(f, "you have to supply the file `{name}`: forge can't fetch it")?;
        if let Some(Blob { digest, size }) = want {
            write!(f, "\n  want {digest} ({size} bytes)")?;
        }
        tries.iter().try_for_each(|Try { place, fault }| write!(f, "\n  {place}: {fault}"))?;
        match (named, unit) {
            (false, _) => write!(
                f,
                "\nwrite where it is into the file that FORGE_MIRRORS names:\n  [supplied]\n  {name} = \"/path/to/it\""
            ),
            (true, Some(unit)) => write!(
                f,
                "\nput the right file there; or pin the one that is there with `forge lock --update {unit}/SOURCE`, and with \
                 `--allow-unfree` if it is not free"
            ),
            (true, None) => write!(f, "\nmend `{name}` under [supplied] in the file that FORGE_MIRRORS names"),
        }
    }
}

impl Fetcher<'_> {
    /// Pins the file as the user has it now.
    pub(super) fn pin_supplied(&self, name: &str, watch: &Watch<'_>) -> Result<Pin, Error> {
        let want = Want { name, unit: None, digest: None, size: None, limit: MAX };
        let blob = self.given(name, &want, Vec::new(), watch)?;
        Ok(Pin { place: Place::Supplied(name.to_owned()), size: blob.size, digest: blob.digest })
    }

    /// The pinned file: out of a content mirror, or as the user has it.
    pub(super) fn supplied(&self, name: &str, pin: &Pin, want: &Want<'_>, watch: &Watch<'_>) -> Result<Blob, Error> {
        match self.downloader.download(self.store, want, &self.places.of(pin), watch) {
            Err(Error::Exhausted(missed)) => self.given(name, want, missed.tries, watch),
            end => end,
        }
    }

    /// The file from where the user says it is. One of another size is read all the same: its digest tells which it is.
    fn given(&self, name: &str, want: &Want<'_>, mut tries: Vec<Try>, watch: &Watch<'_>) -> Result<Blob, Error> {
        let open = Want { size: None, limit: MAX, ..*want };
        let place = self.places.supplied(name);
        match self.downloader.download(self.store, &open, place.as_slice(), watch) {
            Err(Error::Exhausted(missed)) => {
                tries.extend(missed.tries);
                let (name, unit) = (name.to_owned(), want.unit.map(str::to_owned));
                let want = want.digest.zip(want.size).map(|(digest, size)| Blob { digest, size });
                Err(Error::Unsupplied(Box::new(Unsupplied { name, unit, want, tries, named: place.is_some() })))
            }
            end => end,
        }
    }
}
