//! Brings sources into the store, verified.
//!
//! * [`places`] says where a pinned file is to be had (pure), from configuration: [`Mirrors`] and [`apt`].
//! * [`Downloader`] gets it from the first place that has it.
//! * [`Fetcher`] brings locked sources into the store, and pins sources while locking: .debs from a
//!   [`Suite`], files behind URLs, crates through [`Cargo`], commits through [`Git`],
//!   which also knows what a project was like at a commit.
//! * [`newer`] compares what is locked with what there is by now (pure).
//! * [`inventory`] lists what the lock pins, and a [`mirror`] keeps copies of it by digest, or
//!   a [`shelf`] in a registry.
//! * `supplied` takes the files that nobody but the user can give.
//! * [`Observer`] makes trees of this repository's files; a [`Finder`] tells which source holds one of them.

pub mod apt;
mod cargo;
mod closure;
mod crates;
mod download;
mod error;
mod fault;
mod features;
mod fetcher;
pub mod git;
mod git_tree;
mod http;
pub mod inventory;
mod location;
pub mod mirror;
mod named;
mod oci;
pub mod newer;
mod observe;
mod part;
mod past;
mod pin;
pub mod places;
mod published;
mod seen;
pub mod shelf;
mod snapshot;
mod stanzas;
mod suite;
mod supplied;
mod tree;
mod walk;

pub use cargo::Cargo;
pub use download::{Downloader, Progress, Try, Want, Watch};
pub use error::{Error, Exhausted};
pub use fault::{Fault, Policy};
pub use fetcher::Fetcher;
pub use git::Git;
pub use location::{Base, Location, NotABase};
pub use observe::{Finder, Observer};
pub use pin::Indexes;
pub use places::{Mirrors, Places};
pub use suite::{Suite, Trust};
pub use supplied::Unsupplied;
pub use tree::SharedWatch;
