//! Debian: the package index, and which packages a set of names comes to.

pub mod control;
pub mod index;
pub mod package;
pub mod relation;
pub mod resolve;
pub mod root;
pub mod unresolved;
pub mod version;

mod mark;
mod need;
mod verify;
