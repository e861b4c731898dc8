//! Configurations and command lines of Linux kernels: what was asked for, what became of it, and why. Pure.
//!
//! | module | |
//! |---|---|
//! | [`fragment`] | the lines that ask for something |
//! | [`config`] | the configuration that Kconfig made of them |
//! | [`kconfig`] | what Linux says of its symbols |
//! | [`judge`](mod@judge) | what became of each line; `reason`: and why |
//! | [`refused`](mod@refused) | lines that no fragment may have |
//! | [`specification`] | where each line of the platform's specification went |
//! | [`command_line`] | the arguments that a kernel is started with |

pub mod command_line;
pub mod config;
pub mod fragment;
pub mod judge;
pub mod kconfig;
mod reason;
pub mod refused;
pub mod specification;

pub use config::Config;
pub use refused::refused;

use crate::words::nearest;
