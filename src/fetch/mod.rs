//! Brings sources into the store, verified.
//!
//! * [`places`] says where a pinned file is to be had (pure), from configuration: [`Mirrors`] and [`apt`].
//! * [`Downloader`] gets it from the first place that has it.

pub mod apt;
mod download;
mod error;
mod fault;
pub mod git;
mod git_tree;
mod http;
mod location;
mod observe;
mod part;
pub mod places;
mod seen;
mod snapshot;
mod walk;

pub use download::{Downloader, Progress, Try, Want, Watch};
pub use error::{Error, Exhausted};
pub use fault::{Fault, Policy};
pub use git::Git;
pub use location::{Base, Location, NotABase};
pub use observe::Observer;
pub use places::{Mirrors, Places};
