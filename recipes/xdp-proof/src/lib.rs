//! Proves that the XDP guard of a Solana node does what a model of it says.
//!
//! `abi` and `layout` are what both sides share, and the check that they do. `hook` runs the guard in the kernel, with
//! the addresses and peers that `locals` and `roster` put in its tables, `model` is what it should do, and `duel` lets both judge the same frames. `fuzz`
//! draws frames with `generate`, `corpus` has them by hand for every branch, `rate` offers more than limits let pass, and
//! `mutants` asks whether all that notices mistakes. `vector` and `attest` say in a line what a kernel made of an object,
//! which `record` compares with what others made of it. `boot` runs all that in another kernel, where `guest` is the
//! first program; `cpio` is what it boots from. `race` measures what the guard costs and
//! `live` what it is worth in a flood, on this `machine`, until somebody says `stop`; both leave a `picture`.

pub mod abi;
pub mod btf;
pub mod layout;
pub mod verdict;
pub mod model;
pub mod locals;
pub mod roster;
mod program;
pub mod hook;
pub mod duel;
pub mod generate;
pub mod fuzz;
pub mod corpus;
pub mod rate;
pub mod mutants;
pub mod vector;
pub mod attest;
pub mod record;
pub mod cpio;
pub mod guest;
pub mod boot;
pub mod words;
pub mod machine;
pub mod stop;
pub mod picture;
pub mod race;
pub mod live;
