//! Hermetic, reproducible builds: recipes and one lockfile in, verified trees out.
//!
//! The modules stand in one order; each uses only modules above it. ARCHITECTURE.md draws the
//! whole.

pub mod digest;
pub mod path;
pub mod words;
pub mod canon;
pub mod parallel;
pub mod store;
pub mod sandbox;
pub mod debian;
pub mod agave;
pub mod kernel;
pub mod yaml;
pub mod talos;
pub mod registry;
pub mod recipe;
pub mod lockfile;
pub mod derivation;
pub mod plan;
pub mod artifact;
pub mod compare;
pub mod fetch;
pub mod build;
pub mod check;
pub mod explain;
pub mod graph;
pub mod cli;
