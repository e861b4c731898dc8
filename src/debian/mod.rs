//! Debian: whom to trust, which packages a set of names comes to, what a .deb holds, and how a set
//! of them becomes a toolroot. In that order:
//!
//! * [`release`] verifies a suite's signed list ([`clearsign`], [`openpgp`], [`date`]);
//! * [`index`] holds the packages it lists ([`control`], [`package`], [`relation`], [`version`]);
//! * [`resolve`] finds the set that apt would install for some [`root`]s, or why there is none ([`unresolved`]); [`chain`] says
//!   which of them needs which;
//! * [`deb`] reads packages ([`ar`], [`decode`], [`tarball`], within [`limits`]), [`unpack`] makes
//!   trees of them by [`rules`] into a [`sink`];
//! * [`toolroot`] merges trees and asks for what scripts would have linked ([`alternatives`]).

pub mod alternatives;
pub mod ar;
pub mod chain;
pub mod clearsign;
pub mod control;
pub mod date;
pub mod deb;
pub mod decode;
pub mod index;
pub mod limits;
pub mod openpgp;
pub mod package;
pub mod relation;
pub mod release;
pub mod resolve;
pub mod root;
pub mod rules;
pub mod sink;
pub mod tarball;
pub mod toolroot;
pub mod unpack;
pub mod unresolved;
pub mod version;

#[cfg(test)]
mod host;
mod mark;
mod need;
mod verify;
