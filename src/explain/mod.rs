//! Explanations: why one thing needs another.
//!
//! * [`need`] draws everything that units need as a [`graph`], down to a package or a file, each
//!   need with the line of the recipe or the relation of the package that says so. Pure: what the
//!   store knows of packages and files is handed in.

pub mod graph;
pub mod need;
pub mod target;
