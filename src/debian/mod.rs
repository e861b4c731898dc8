//! Debian: whom to trust, what a .deb holds, and how a set of them becomes a toolroot.

pub mod alternatives;
pub mod ar;
pub mod date;
pub mod deb;
pub mod decode;
#[cfg(test)]
mod host;
pub mod openpgp;
pub mod release;
pub mod tarball;
pub mod toolroot;
pub mod unpack;
