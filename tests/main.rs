//! End-to-end tests on the real binary, in one program so that they link once.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod architecture;
mod build;
mod compare;
mod crash;
mod doctor;
mod fetch;
mod fuzz;
mod graph;
mod hermetic;
mod input;
mod log;
mod mirror;
mod outdated;
mod overrides;
mod readme;
mod reapi;
mod reproducible;
mod resolver;
mod sandbox;
mod settled;
mod store;
mod support;
mod why;
