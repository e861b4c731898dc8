//! A blob's way into a repository.
//!
//! ```text
//! HEAD blobs/<digest>                              there already?
//! POST blobs/uploads/[?mount=<digest>&from=<repo>] mounted, or the address of an upload
//! PATCH <address>                                  the bytes; after a cut GET says how many there are
//! PUT <address>?digest=<digest>                    whole
//! ```

use std::io::Read;

use reqwest::blocking::Response;
use reqwest::header::CONTENT_LENGTH;
use reqwest::{Method, StatusCode, Url};

use super::policy::Fault;
use super::token::Access;
use super::upload::Upload;
use super::wire::{Ask, answer};
use super::{Error, Registry, Repository};
use crate::store::{self, Blob};

/// Gives the bytes of a blob, which it verifies.
pub type Source<'a> = dyn Fn(&Blob) -> Result<Box<dyn Read + Send>, store::Error> + Sync + 'a;

/// What became of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was there already.
    There,
    /// It was taken from another repository of that registry.
    Mounted,
    /// Its bytes went over the wire.
    Uploaded,
}

impl Registry {
    /// Whether a repository has a blob.
    pub(super) fn has(&self, repository: &Repository, access: &Access, blob: &Blob) -> Result<bool, Error> {
        let ask = Ask::new(Method::HEAD, repository.url(&format!("blobs/{}", blob.digest))?);
        self.wire.policy.patiently(&self.watch, || {
            let response = self.wire.send(access, &ask)?;
            match response.status() {
                StatusCode::OK => same_size(&ask.url, &response, blob).map(|()| true),
                StatusCode::NOT_FOUND => Ok(false),
                _ => Err(answer("HEAD", &ask.url, response)),
            }
        })
    }

    /// Brings a blob that a repository lacks into it, from the repository `from` or from `source`.
    pub(super) fn bring(
        &self,
        repository: &Repository,
        blob: &Blob,
        from: Option<&Repository>,
        source: &Source<'_>,
    ) -> Result<Fate, Error> {
        let mut upload = Upload::new(self, repository, blob, from, source);
        self.wire.policy.patiently(&self.watch, || upload.attempt())
    }
}

/// A registry that has other bytes under this digest is no good.
fn same_size(url: &Url, response: &Response, blob: &Blob) -> Result<(), Fault> {
    let length = response.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    match length {
        Some(length) if length != blob.size => Err(Fault::Final(Error::Differs {
            what: format!("the size of {url}"),
            want: blob.size.to_string(),
            got: length.to_string(),
        })),
        _ => Ok(()),
    }
}

/// Refuses an answer that names another digest than was meant.
pub(super) fn same_digest(url: &Url, response: &Response, want: &str) -> Result<(), Error> {
    match response.headers().get("docker-content-digest").and_then(|digest| digest.to_str().ok()) {
        Some(got) if got != want => {
            Err(Error::Differs { what: format!("the digest of {url}"), want: want.to_owned(), got: got.to_owned() })
        }
        _ => Ok(()),
    }
}
