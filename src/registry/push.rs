//! An image into a registry: its blobs, then its manifest by digest, then the tag. So whatever goes wrong on the
//! way, no tag names anything that is not whole.

use reqwest::blocking::Body;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, StatusCode};

use super::blob::same_digest;
pub use super::blob::{Fate, Source};
use super::policy::Fault;
use super::token::Access;
use super::wire::{Ask, answer, lost};
use super::{Error, Image, Registry, Repository};
use crate::digest::Digest;
use crate::parallel;
use crate::store::Blob;

/// How many blobs are looked for and uploaded at once.
const PARALLEL: usize = 4;

/// Every kind of manifest.
pub(super) const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, \
                                    application/vnd.oci.image.index.v1+json, \
                                    application/vnd.docker.distribution.manifest.v2+json, \
                                    application/vnd.docker.distribution.manifest.list.v2+json";

/// An image, and where it is to go.
pub struct Push<'a> {
    /// The image.
    pub image: &'a Image,
    /// The bytes of its blobs.
    pub source: &'a Source<'a>,
    /// Where it goes.
    pub repository: &'a Repository,
    /// By which name.
    pub tag: &'a str,
    /// Another repository of that registry that has a blob.
    pub elsewhere: &'a (dyn Fn(&Blob) -> Option<Repository> + Sync),
    /// Only look what is to be done.
    pub dry_run: bool,
}

/// What the tag named before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// Nothing.
    New,
    /// This very image.
    Same,
    /// Another one.
    Moved(Digest),
}

/// What a push came to.
#[derive(Clone, Debug)]
pub struct Report {
    /// Every blob, and what became of it; in a dry run, what would.
    pub blobs: Vec<(Blob, Fate)>,
    /// What the tag named before.
    pub tag: Tag,
}

impl Registry {
    /// Pushes an image; `done` is called after each blob.
    ///
    /// # Errors
    /// Where the registry fails, with what to do next. No tag has changed then.
    pub fn push(&self, push: &Push<'_>, done: &(dyn Fn() + Sync)) -> Result<Report, Error> {
        let tag = self.tag(push)?;
        let blobs = parallel::each(&push.image.blobs(), PARALLEL, |blob| {
            let fate = self.blob(push, blob)?;
            done();
            Ok::<_, Error>((*blob, fate))
        })?;
        if !push.dry_run && tag != Tag::Same {
            let Image { manifest, media_type, .. } = push.image;
            for name in [&*push.image.digest().to_string(), push.tag] {
                self.put_manifest(push.repository, name, media_type, manifest)?;
            }
            self.read_back(push)?;
        }
        Ok(Report { blobs, tag })
    }

    /// What the tag names now.
    fn tag(&self, push: &Push<'_>) -> Result<Tag, Error> {
        let access = Access::push(push.repository);
        let mut ask = Ask::new(Method::GET, push.repository.url(&format!("manifests/{}", push.tag))?);
        ask.headers.insert(ACCEPT, HeaderValue::from_static(MANIFESTS));
        self.wire.policy.patiently(&self.watch, || {
            let response = self.wire.send(&access, &ask)?;
            match response.status() {
                StatusCode::NOT_FOUND => Ok(Tag::New),
                StatusCode::OK => {
                    let bytes = response.bytes().map_err(|error| lost("GET", &ask.url, &error))?;
                    let digest = Digest::of(&bytes);
                    Ok(if digest == push.image.digest() { Tag::Same } else { Tag::Moved(digest) })
                }
                _ => Err(answer("GET", &ask.url, response)),
            }
        })
    }

    fn blob(&self, push: &Push<'_>, blob: &Blob) -> Result<Fate, Error> {
        if self.has(push.repository, &Access::push(push.repository), blob)? {
            return Ok(Fate::There);
        }
        let from = (push.elsewhere)(blob).filter(|from| from != push.repository);
        if push.dry_run {
            return Ok(if from.is_some() { Fate::Mounted } else { Fate::Uploaded });
        }
        self.bring(push.repository, blob, from.as_ref(), push.source)
    }

    /// Puts a manifest, byte for byte, under a tag or its digest.
    pub(super) fn put_manifest(
        &self,
        repository: &Repository,
        name: &str,
        kind: &str,
        bytes: &[u8],
    ) -> Result<(), Error> {
        let access = Access::push(repository);
        let body = || Ok(Body::from(bytes.to_vec()));
        let mut ask = Ask::new(Method::PUT, repository.url(&format!("manifests/{name}"))?);
        let kind = HeaderValue::from_str(kind);
        ask.headers.insert(CONTENT_TYPE, kind.map_err(|error| Error::Image(error.to_string()))?);
        ask.body = Some(&body);
        self.wire.policy.patiently(&self.watch, || {
            let good = [StatusCode::CREATED, StatusCode::OK, StatusCode::ACCEPTED];
            let response = self.wire.expect(&access, &ask, &good)?;
            same_digest(&ask.url, &response, &Digest::of(bytes).to_string()).map_err(Fault::Final)
        })
    }

    /// Compares what the tag names now with what was pushed: who reads it is oci-client, which knows nothing of us.
    fn read_back(&self, push: &Push<'_>) -> Result<(), Error> {
        let got = self.manifest(push.repository, push.tag)?;
        let (got, want) = (Digest::of(&got), push.image.digest());
        if got == want {
            return Ok(());
        }
        let what = format!("{}:{}, read back after it was pushed", push.repository, push.tag);
        Err(Error::Differs { what, want: want.to_string(), got: got.to_string() })
    }
}
