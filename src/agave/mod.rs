//! The command lines of Agave's validators: which arguments each version takes, with which values.
//!
//! A validator refuses an argument that it does not know, and what it takes changes with every minor version: so
//! there is a table, and a list of arguments is judged by it before anything is built. The table was read from the
//! sources of the programs, [`LINES`] by line; only the methods of block production and verification are exact for
//! 1.18 and from 4.1 on alone. It is stricter than the programs in three things: what is deprecated is refused, the
//! old names of arguments are, and the folder of the ledger must be said.
//!
//! ```text
//! [arguments] in a recipe ─→ Wanted ─lines→ --identity     one argument a line
//!                                           /keys/id.json
//! ```
//!
//! Pure: no file that an argument names is looked at.

mod argument;
mod base58;
mod judge;
mod kind;
mod line;
mod mistake;
mod rules;
mod table;
#[cfg(test)]
mod tests;
mod value;

pub use judge::lines;
pub use line::{LINES, Line};
pub use mistake::{At, Help, Mistake};

/// A program that the table has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// A node of a cluster.
    Validator,
    /// A cluster of one node, for tests.
    TestValidator,
}

/// The name of the validator before 2.0.
const OLD_VALIDATOR: &str = "solana-validator";
/// Its name since.
const VALIDATOR: &str = "agave-validator";
/// The test validator has one name.
const TEST_VALIDATOR: &str = "solana-test-validator";

impl Program {
    /// The names that a program may have.
    pub const NAMES: [&str; 3] = [VALIDATOR, OLD_VALIDATOR, TEST_VALIDATOR];

    /// The program of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            VALIDATOR | OLD_VALIDATOR => Some(Self::Validator),
            TEST_VALIDATOR => Some(Self::TestValidator),
            _ => None,
        }
    }

    /// What it is called in a line.
    #[must_use]
    pub fn name(self, line: Line) -> &'static str {
        match self {
            Self::Validator if line < Line::new(2, 0) => OLD_VALIDATOR,
            Self::Validator => VALIDATOR,
            Self::TestValidator => TEST_VALIDATOR,
        }
    }
}

/// An argument with its value, as somebody wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// Its name, without the dashes.
    pub name: &'a str,
    /// Its value.
    pub value: Value,
}

/// The value of an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// It stands without one.
    On,
    /// It does not stand at all; only its name is judged.
    Off,
    /// It has one, or stands once for each.
    Texts(Vec<String>),
}
