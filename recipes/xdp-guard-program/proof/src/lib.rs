//! Proves that the XDP guard of a Solana node does what a model of it says.
//!
//! `abi` and `layout` are what both sides share, and the check that they do. `hook` runs the guard in the kernel,
//! `model` is what it should do. `fuzz` lets both judge frames from `generate`; `corpus` has frames for every branch,
//! `rate` offers more than a limit lets pass, and `mutants` asks whether all that would notice a mistake.

pub mod abi;
pub mod btf;
pub mod layout;
pub mod verdict;
pub mod model;
pub mod hook;
