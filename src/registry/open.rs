//! Content of a registry by its digest, from any byte on.

use std::fmt;
use std::io::Read;
use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderValue, RANGE};
use reqwest::{Method, StatusCode};

use super::policy::Fault;
use super::push::MANIFESTS;
use super::range;
use super::token::Access;
use super::wire::{Ask, answer};
use super::{Error, Registry, Repository};
use crate::digest::Digest;

/// Where content lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// In which repository.
    pub repository: Repository,
    /// What names it.
    pub digest: Digest,
    /// Whether it is a manifest, which registries keep apart from blobs.
    pub manifest: bool,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oci://{}@{}", self.repository, self.digest)
    }
}

/// Content that has begun. Who reads it compares it with its digest.
pub struct Content {
    /// The bytes.
    pub body: Box<dyn Read>,
    /// Where in the content they start.
    pub from: u64,
    /// The size of the whole, where the registry says it.
    pub total: Option<u64>,
}

/// Why content did not come.
#[derive(Debug)]
pub struct Failure {
    /// What happened.
    pub error: Error,
    /// Whether it may go better in a moment.
    pub passing: bool,
    /// When the registry wants to be asked again.
    pub after: Option<Duration>,
}

impl Registry {
    /// Asks once for what stands at `address`, from the byte `from` on.
    ///
    /// # Errors
    /// Where the registry fails, or does not have it.
    pub fn open(&self, address: &Address, from: u64) -> Result<Content, Failure> {
        self.begin(address, from).map_err(|fault| match fault {
            Fault::Final(error) => Failure { error, passing: false, after: None },
            Fault::Passing { error, after, .. } => Failure { error, passing: true, after },
        })
    }

    fn begin(&self, address: &Address, from: u64) -> Result<Content, Fault> {
        let kind = if address.manifest { "manifests" } else { "blobs" };
        let mut ask = Ask::new(Method::GET, address.repository.url(&format!("{kind}/{}", address.digest))?);
        if address.manifest {
            ask.headers.insert(ACCEPT, HeaderValue::from_static(MANIFESTS));
        }
        if from > 0 {
            ask.headers.insert(RANGE, HeaderValue::from_str(&format!("bytes={from}-")).expect("BUG: digits"));
        }
        let response = self.wire.send(&Access::pull(&address.repository), &ask)?;
        let (from, total) = match response.status() {
            StatusCode::OK => (0, response.content_length()),
            StatusCode::PARTIAL_CONTENT => match range::part(response.headers()) {
                Some((start, total)) if start == from => (start, total),
                _ => {
                    let why = "answers with another range than was asked for".to_owned();
                    return Err(Fault::Final(Error::Broken { request: format!("GET {}", ask.url), why }));
                }
            },
            _ => return Err(answer("GET", &ask.url, response)),
        };
        Ok(Content { body: Box::new(response), from, total })
    }
}
