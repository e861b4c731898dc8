//! Explanations: why one thing needs another, and why a unit would be rebuilt.
//!
//! * [`need`] draws everything that units need as a [`graph`], down to a package or a file, each
//!   need with the line of the recipe or the relation of the package that says so. Pure: what the
//!   store knows of packages and files is handed in. [`target`] finds what a user asks about.
//! * [`account`] tells all that a step's key is made of, by the walk that makes the key; [`cause`]
//!   compares two accounts and finds words, [`tree`] names the files that differ, [`symbols`] those of a
//!   kernel's configuration. [`last`] keeps
//!   the accounts of the last build, and [`rebuild`] holds a plan against them. [`changed`] holds
//!   two plans against each other.

pub mod account;
pub mod cause;
pub mod changed;
pub mod graph;
pub mod last;
pub mod need;
pub mod rebuild;
pub mod symbols;
pub mod target;
pub mod tree;
