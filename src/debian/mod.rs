//! Debian: whom to trust, which packages there are and which a set comes to, what a .deb holds,
//! and how a set of them becomes a toolroot.

pub mod alternatives;
pub mod ar;
pub mod clearsign;
pub mod control;
pub mod date;
pub mod deb;
pub mod decode;
#[cfg(test)]
mod host;
pub mod index;
pub mod limits;
mod mark;
mod need;
pub mod openpgp;
pub mod package;
pub mod relation;
pub mod release;
pub mod resolve;
pub mod rules;
pub mod sink;
pub mod tarball;
pub mod toolroot;
pub mod unpack;
mod verify;
pub mod version;
