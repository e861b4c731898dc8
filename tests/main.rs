//! End-to-end tests, in one binary.
#![allow(clippy::unwrap_used)]

mod sandbox;
