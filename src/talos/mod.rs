//! Talos Linux: what each of its versions takes from who builds for it.
//!
//! | module | what it knows |
//! |---|---|
//! | [`Release`] | the versions whose rules are known |
//! | [`boot`] | what machines boot: arguments, entries of the boot manager, partitions |
//! | [`machine`] | the configuration of machines |
//! | [`extension`] | system extensions: their manifest, their services, and what may be in one |
//!
//! Pure: texts and lists in, verdicts out. A rule says where Talos has it, as `file@version:line`.

pub mod boot;
pub mod extension;
pub mod machine;
mod release;

pub use release::{Release, UnknownRelease};
