//! Debian: whom to trust, what a .deb holds, and how a set of them becomes a toolroot.

pub mod alternatives;
pub mod ar;
pub mod clearsign;
pub mod date;
pub mod deb;
pub mod decode;
#[cfg(test)]
mod host;
pub mod limits;
pub mod openpgp;
pub mod release;
pub mod rules;
pub mod sink;
pub mod tarball;
pub mod toolroot;
pub mod unpack;
