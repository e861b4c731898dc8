//! InRelease: the signed list of a repository's index files.
//!
//! It is one clearsigned message; its text has fields (`Suite: stable`) and one section a digest
//! algorithm, of which only `SHA256` is read: ` <hex> <size> <path>` a line, paths relative to
//! `dists/<suite>`. Nothing outside the verified text is looked at. The dates are data: the
//! moment "now" comes from the caller.
//!
//! Source: <https://wiki.debian.org/DebianRepository/Format>.

use std::collections::{BTreeMap, BTreeSet};

use super::clearsign::{self, Message};
use super::date::{Date, ParseDateError};
use super::openpgp::{Key, Refusal};
use crate::digest::{Digest, ParseDigestError};
use crate::path::{PathError, RelPath};

/// Why an InRelease file is not believed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not a clearsigned message.
    #[error("the InRelease file is not usable: {0}")]
    Message(#[from] clearsign::Error),
    /// No signature of a pinned key counts.
    #[error("the InRelease file has no valid signature of a pinned key{}", indented(.0))]
    Untrusted(Vec<Refusal>),
    /// A field that must be there is not.
    #[error("the InRelease file has no field `{0}`")]
    Missing(&'static str),
    /// A field that stands twice.
    #[error("the InRelease file has the field `{0}` twice")]
    Twice(String),
    /// A line that is neither field nor continuation, or no line of a digest section.
    #[error("the InRelease file has the malformed line `{0}`")]
    Line(String),
    /// A date.
    #[error("the InRelease file: {0}")]
    Date(#[from] ParseDateError),
    /// A digest.
    #[error("the InRelease file: {0}")]
    Digest(#[from] ParseDigestError),
    /// A path that could lead outside.
    #[error("the InRelease file: {0}")]
    Path(#[from] PathError),
    /// Another suite than the one asked for.
    #[error("the InRelease file is of another suite:\n  want {want}\n  got  {suite} ({codename})")]
    Suite {
        /// As the recipe says.
        want: String,
        /// The field `Suite`.
        suite: String,
        /// The field `Codename`.
        codename: String,
    },
}

fn indented(refusals: &[Refusal]) -> String {
    if refusals.is_empty() {
        return ": it has no signature at all".to_owned();
    }
    refusals.iter().map(|refusal| format!("\n  {refusal}")).collect()
}

/// Why a live mirror's list must not be locked.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stale {
    /// Its own last day is over.
    #[error("the repository's list was valid until {until}; the mirror serves an old one")]
    Expired {
        /// The field `Valid-Until`.
        until: Date,
    },
    /// It is older than what is locked.
    #[error("the repository went back in time, which a mirror under attack may do:\n  locked {locked}\n  got    {got}")]
    Older {
        /// The date in the lockfile.
        locked: Date,
        /// The list's date.
        got: Date,
    },
}

/// An index file of the repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    /// Bytes.
    pub size: u64,
    /// Of the bytes; also its name below `by-hash/SHA256`.
    pub digest: Digest,
}

/// What a verified InRelease file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Such as `stable`.
    pub suite: String,
    /// Such as `trixie`.
    pub codename: String,
    /// When it was made; printed as `20260912T075541Z`.
    pub date: Date,
    /// Its last day, if it has one.
    pub valid_until: Option<Date>,
    /// Whether index files can be had by digest.
    pub acquire_by_hash: bool,
    /// Such as `amd64`.
    pub architectures: Vec<String>,
    /// Such as `main`.
    pub components: Vec<String>,
    /// The index files, by path below `dists/<suite>`.
    pub files: BTreeMap<RelPath, File>,
    /// Fingerprints of the pinned keys whose signatures count.
    pub signers: BTreeSet<String>,
}

/// Checks the signatures of an InRelease file and parses its signed text.
///
/// `fingerprints` are of primary keys, of which one must have signed; spaces and case are free.
///
/// # Errors
/// If no signature counts (each is listed with its reason), or the text is malformed.
pub fn verify(inrelease: &[u8], keys: &[Key], fingerprints: &[String]) -> Result<Release, Error> {
    let pinned = fingerprints.iter().map(|print| print.replace(' ', "").to_ascii_uppercase()).collect();
    let message = Message::read(inrelease)?;
    let (signers, mut refusals) = message.signers(keys, &pinned);
    if signers.is_empty() {
        return Err(Error::Untrusted(refusals));
    }
    let mut release = Release::parse(&message.text())?;
    for signer in signers {
        match signer.valid(release.date) {
            Ok(fingerprint) => drop(release.signers.insert(fingerprint)),
            Err(refusal) => refusals.push(refusal),
        }
    }
    if release.signers.is_empty() { Err(Error::Untrusted(refusals)) } else { Ok(release) }
}

impl Release {
    /// Parses the text of a Release file. Signers are for [`verify`] to add.
    fn parse(text: &str) -> Result<Self, Error> {
        let fields = fields(text)?;
        let get = |name: &'static str| fields.get(name).map(|lines| lines[0]);
        let need = |name: &'static str| get(name).ok_or(Error::Missing(name));
        let words = |text: &str| text.split_ascii_whitespace().map(str::to_owned).collect();
        Ok(Self {
            suite: need("Suite")?.to_owned(),
            codename: need("Codename")?.to_owned(),
            date: Date::from_release(need("Date")?)?,
            valid_until: get("Valid-Until").map(Date::from_release).transpose()?,
            acquire_by_hash: get("Acquire-By-Hash") == Some("yes"),
            architectures: words(need("Architectures")?),
            components: words(need("Components")?),
            files: files(fields.get("SHA256").ok_or(Error::Missing("SHA256"))?)?,
            signers: BTreeSet::new(),
        })
    }

    /// Checks that it is the list of `suite`, by suite or code name: a mirror might serve another, signed as well.
    ///
    /// # Errors
    /// If it is not.
    pub fn expect_suite(&self, suite: &str) -> Result<(), Error> {
        if [&self.suite, &self.codename].iter().any(|own| *own == suite) {
            return Ok(());
        }
        let (want, own, codename) = (suite.to_owned(), self.suite.clone(), self.codename.clone());
        Err(Error::Suite { want, suite: own, codename })
    }

    /// Whether this list may be locked from a live mirror, `now`, when the lock has one of date `locked`.
    ///
    /// # Errors
    /// If it is expired, or older than the locked one.
    pub fn freshness(&self, now: Date, locked: Option<Date>) -> Result<(), Stale> {
        match (self.valid_until, locked) {
            (Some(until), _) if until < now => Err(Stale::Expired { until }),
            (_, Some(locked)) if self.date < locked => Err(Stale::Older { locked, got: self.date }),
            _ => Ok(()),
        }
    }
}

/// Field name → its lines, the first being what stands behind the colon.
fn fields(text: &str) -> Result<BTreeMap<&str, Vec<&str>>, Error> {
    let mut fields: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut current = None;
    for line in text.lines().filter(|line| !line.is_empty()) {
        let malformed = || Error::Line(line.to_owned());
        if let Some(more) = line.strip_prefix(' ') {
            let lines = current.and_then(|name| fields.get_mut(name)).ok_or_else(malformed)?;
            lines.push(more.trim());
            continue;
        }
        let (name, value) = line.split_once(':').ok_or_else(malformed)?;
        if fields.insert(name, vec![value.trim()]).is_some() {
            return Err(Error::Twice(name.to_owned()));
        }
        current = Some(name);
    }
    Ok(fields)
}

fn files(lines: &[&str]) -> Result<BTreeMap<RelPath, File>, Error> {
    let mut files = BTreeMap::new();
    for line in lines.iter().skip(1) {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let [digest, size, path] = words[..] else { return Err(Error::Line((*line).to_owned())) };
        let size = size.parse().map_err(|_| Error::Line((*line).to_owned()))?;
        if files.insert(RelPath::new(path)?, File { size, digest: digest.parse()? }).is_some() {
            return Err(Error::Twice(path.to_owned()));
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests;
