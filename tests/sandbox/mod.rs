//! The sandbox, from outside: what a command gets, what it is refused, and how it ends.

mod ending;
mod hermetic;
pub mod house;
mod traced;
mod world;
