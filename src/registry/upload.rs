//! One blob under way: opened, filled, asked how far it is after a cut, and closed.

use std::io::{self, Read};

use reqwest::blocking::{Body, Response};
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, StatusCode, Url};

use super::blob::{Fate, Source, same_digest};
use super::body::{Failed, Outgoing, read_error};
use super::policy::Fault;
use super::range;
use super::token::Access;
use super::wire::{Ask, answer, location};
use super::{Error, Registry, Repository};
use crate::store::Blob;

/// An attempt after which the registry has so many bytes more was not in vain.
const WORTH: u64 = 1 << 20;

/// One blob under way.
pub(super) struct Upload<'a> {
    registry: &'a Registry,
    repository: &'a Repository,
    access: Access,
    blob: &'a Blob,
    from: Option<&'a Repository>,
    source: &'a Source<'a>,
    /// Where the upload goes on.
    place: Option<Url>,
    /// How many bytes the registry has.
    at: u64,
    /// How many it had at most, so that an upload that is begun anew again and again has an end.
    best: u64,
    /// It was put together from more than one attempt.
    resumed: bool,
}

impl<'a> Upload<'a> {
    /// Of a blob that comes from the repository `from` or from `source`.
    pub(super) fn new(
        registry: &'a Registry,
        repository: &'a Repository,
        blob: &'a Blob,
        from: Option<&'a Repository>,
        source: &'a Source<'a>,
    ) -> Self {
        let access = Access::push(repository);
        Self { registry, repository, access, blob, from, source, place: None, at: 0, best: 0, resumed: false }
    }

    /// One attempt; the next goes on where it broke off.
    pub(super) fn attempt(&mut self) -> Result<Fate, Fault> {
        let there = match self.place.clone() {
            None => self.open()?,
            Some(place) => self.resume(&place)?,
        };
        if let Some(fate) = there {
            return Ok(fate);
        }
        let worth = self.at >= self.best + WORTH;
        self.best = self.best.max(self.at);
        self.fill().and_then(|()| self.close()).map_err(|fault| match fault {
            Fault::Passing { error, after, .. } => Fault::Passing { error, after, moved: worth },
            fault @ Fault::Final(_) => fault,
        })?;
        Ok(Fate::Uploaded)
    }

    /// Asks for the mount, or for an upload.
    fn open(&mut self) -> Result<Option<Fate>, Fault> {
        (self.at, self.resumed) = (0, false);
        let mut access = self.access.clone();
        let mut url = self.repository.url("blobs/uploads/")?;
        if let Some(from) = self.from.take() {
            url.query_pairs_mut().append_pair("mount", &self.blob.digest.to_string()).append_pair("from", &from.name);
            access = access.and_pull(from);
        }
        let mounting = url.query().is_some();
        let mut ask = Ask::new(Method::POST, url);
        ask.headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        match self.registry.wire.expect(&access, &ask, &[StatusCode::ACCEPTED, StatusCode::CREATED]) {
            Ok(response) if mounting && response.status() == StatusCode::CREATED => Ok(Some(Fate::Mounted)),
            Ok(response) => {
                self.place = Some(location(&ask.url, &response)?);
                Ok(None)
            }
            // Not every registry lets us mount; all let us upload.
            Err(Fault::Final(Error::Answer { .. })) if mounting => self.open(),
            Err(fault) => Err(fault),
        }
    }

    /// Asks how far the upload is; one that is gone may have ended well, or is begun anew.
    fn resume(&mut self, place: &Url) -> Result<Option<Fate>, Fault> {
        let ask = Ask::new(Method::GET, place.clone());
        let response = self.registry.wire.send(&self.access, &ask)?;
        if response.status().is_success() {
            let at = range::received(response.headers()).filter(|at| *at <= self.blob.size);
            self.place = location(place, &response).ok().or_else(|| Some(place.clone()));
            (self.at, self.resumed) = (at.unwrap_or_default(), true);
            return if at.is_some() { Ok(None) } else { self.open() };
        }
        let fault = answer("GET", place, response);
        if matches!(fault, Fault::Passing { .. }) {
            return Err(fault);
        }
        self.place = None;
        if self.registry.has(self.repository, &self.access, self.blob)? {
            Ok(Some(Fate::Uploaded))
        } else {
            self.open()
        }
    }

    /// Sends what the registry lacks.
    fn fill(&mut self) -> Result<(), Fault> {
        let rest = self.blob.size - self.at;
        let Some(place) = self.place.clone().filter(|_| rest > 0) else { return Ok(()) };
        let failed = Failed::default();
        let body = || Ok(Body::sized(self.outgoing(&failed)?, rest));
        let mut ask = Ask::new(Method::PATCH, place.clone());
        ask.patience = Some(self.registry.wire.policy.patience(rest));
        ask.body = Some(&body);
        ask.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        if self.at > 0 {
            let range = format!("{}-{}", self.at, self.blob.size - 1);
            ask.headers.insert(CONTENT_RANGE, HeaderValue::from_str(&range).expect("BUG: digits"));
        }
        let sent = self.registry.wire.expect(&self.access, &ask, &[StatusCode::ACCEPTED, StatusCode::NO_CONTENT]);
        let sent = sent.map_err(|fault| failed.take().map_or(fault, Fault::Final));
        let response = self.forgiving(sent)?;
        self.place = Some(location(&place, &response)?);
        self.at = self.blob.size;
        Ok(())
    }

    /// The bytes that are still to go.
    fn outgoing(&self, failed: &Failed) -> Result<Outgoing, Error> {
        let mut bytes = (self.source)(self.blob)?;
        io::copy(&mut (&mut bytes).take(self.at), &mut io::sink()).map_err(read_error)?;
        let name = format!("sha256:{}", &self.blob.digest.hex()[..12]);
        let watch = self.registry.watch.clone();
        Ok(Outgoing { bytes, name, at: self.at, size: self.blob.size, watch, failed: failed.clone() })
    }

    /// Tells the registry that the blob is whole.
    fn close(&mut self) -> Result<(), Fault> {
        let Some(mut url) = self.place.clone() else { return Ok(()) };
        url.query_pairs_mut().append_pair("digest", &self.blob.digest.to_string());
        let mut ask = Ask::new(Method::PUT, url);
        ask.headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        ask.patience = Some(self.registry.wire.policy.patience(self.blob.size));
        let closed = self.registry.wire.expect(&self.access, &ask, &[StatusCode::CREATED, StatusCode::NO_CONTENT]);
        let response = self.forgiving(closed)?;
        same_digest(&ask.url, &response, &self.blob.digest.to_string())?;
        Ok(())
    }

    /// An upload that was put together wrongly, or is not there any more, is begun anew.
    fn forgiving(&mut self, end: Result<Response, Fault>) -> Result<Response, Fault> {
        let code = end.as_ref().err().and_then(|fault| fault.error().code());
        let gone = matches!(code, Some(404 | 410)) || (self.resumed && matches!(code, Some(400)));
        match end {
            Err(Fault::Final(error)) if gone => {
                (self.place, self.at) = (None, 0);
                Err(Fault::passing(error))
            }
            // It has another number of bytes than we think.
            Err(Fault::Final(error)) if code == Some(416) => Err(Fault::passing(error)),
            end => end,
        }
    }
}
