//! OCI registries: blobs and manifests by digest.
//!
//! | module | what it does |
//! |---|---|
//! | [`Host`] [`reference`] `grammar` [`public`] | names of registries and repositories, and which registries all the world reads |
//! | [`credentials`] `challenge` `token` | who we are, from docker's configuration; the tokens that registries want to see |
//! | `clients` `wire` `policy` | one request and its answer; asking again, with patience that has bounds |
//! | `trust` | servers that TLS does not trust |
//! | `body` `blob` `upload` `range` | a blob's way into a registry: mounted, or uploaded and resumed |
//! | [`image`] [`push`] | an image, blobs first, the tag last |
//! | `keep` | blobs that no image names, kept all the same |
//! | [`pushed`] | which repository has which blob, for mounts |
//! | `read` `resolve` | manifests, by oci-client; what a name means for our platform |
//! | `open` | content by its digest, from any byte on |
//!
//! oci-client reads manifests and tags. It does not write, because it
//! * can't go on with an upload where it broke off: the address of one is lost with its error;
//! * does not tell `Retry-After`, nor a full disk from other refusals;
//! * takes the answer to a mount that was not done for an error, and so the upload that it opened is lost;
//! * asks for tokens of one repository, so that a registry with tokens never mounts;
//! * does not take identity tokens, as `docker login` gets from some registries.
//!
//! That part is plain requests with the HTTP client that oci-client brings. Its async half runs inside of
//! `read`, or in reqwest's own thread.
//!
//! Source: OCI distribution-spec 1.1; distribution's token specification.

mod blob;
mod body;
mod challenge;
mod clients;
pub mod credentials;
mod error;
mod grammar;
mod host;
pub mod image;
mod keep;
mod open;
mod policy;
pub mod public;
pub mod push;
pub mod pushed;
mod range;
mod read;
pub mod reference;
mod resolve;
mod token;
mod trust;
mod upload;
mod wire;

pub use body::Watch;
pub use credentials::Credentials;
pub use error::Error;
pub use host::Host;
pub use image::Image;
pub use open::{Address, Content, Failure};
pub use policy::Policy;
pub use reference::{Reference, Repository, Version};
pub use resolve::Resolved;
pub use trust::Distrust;

use wire::Wire;

/// Speaks to registries; used from many threads at once.
pub struct Registry {
    wire: Wire,
    watch: Watch,
}

impl Registry {
    /// One that knows these credentials and is so patient.
    #[must_use]
    pub fn new(credentials: Credentials, policy: Policy, watch: Watch) -> Self {
        Self { wire: Wire::new(credentials, policy, watch.clone()), watch }
    }
}
