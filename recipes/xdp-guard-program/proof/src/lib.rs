//! Proves that the XDP guard of a Solana node does what a model of it says.
//!
//! `abi` and `layout` are what both sides share, and the check that they do. `hook` runs the guard in the kernel, `model`
//! is what it should do, and `duel` lets both judge the same frames. `fuzz` draws frames with `generate`, `corpus` has
//! them by hand for every branch, `rate` offers more than limits let pass, and `mutants` asks whether all that notices
//! mistakes.

pub mod abi;
pub mod btf;
pub mod layout;
pub mod verdict;
pub mod model;
pub mod hook;
pub mod duel;
pub mod generate;
pub mod fuzz;
pub mod corpus;
pub mod rate;
pub mod mutants;
