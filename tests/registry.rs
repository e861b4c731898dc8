//! Registries: a real one, and one that is as bad as they come.

mod double;
mod hostile;
mod docker;
mod load;
mod login;
mod mirror;
pub mod push;
pub mod real;
mod source;
mod tls;
