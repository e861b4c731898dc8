//! What Linux' Kconfig files say of symbols: which there are, what asks for them, what they depend on.
//!
//! This reads as much of the language as explains why a symbol has not the value that somebody wanted; Kconfig itself
//! decides what it has. Definitions of all architectures' common files count, and those of x86.
//!
//! Source: Documentation/kbuild/kconfig-language.rst.

mod expression;
mod parse;

use std::collections::BTreeMap;

pub use expression::{Expression, tristate};
pub use parse::Failed;

/// Every symbol by its name.
#[derive(Debug, Default)]
pub struct Kconfig {
    /// The symbols.
    pub symbols: BTreeMap<String, Symbol>,
}

/// A symbol.
#[derive(Debug, Default)]
pub struct Symbol {
    /// The places that define it.
    pub definitions: Vec<Definition>,
    /// The symbols that set it, and the condition of each.
    pub selected: Vec<(String, Option<Expression>)>,
}

/// One place that defines a symbol.
#[derive(Clone, Debug, Default)]
pub struct Definition {
    /// Whether it can only be y or n.
    pub is_bool: bool,
    /// Under which conditions its value can be chosen; nothing where it never can.
    pub prompt: Option<Vec<Expression>>,
    /// What must hold for it to be there.
    pub depends: Vec<Expression>,
    /// The values that a number may have, as they are written.
    pub range: Option<String>,
    /// The number of the choice that it is a part of.
    pub choice: Option<usize>,
}

impl Symbol {
    /// Whether anybody can choose its value.
    #[must_use]
    pub fn has_prompt(&self) -> bool {
        self.definitions.iter().any(|definition| definition.prompt.is_some())
    }
}

impl Kconfig {
    /// Reads the file `Kconfig` at the top, and all that it names; `file` gives the text at a path.
    ///
    /// # Errors
    /// If `file` fails, or a file that is named is not there.
    pub fn read<E>(file: &mut dyn FnMut(&str) -> Result<Option<String>, E>) -> Result<Self, Failed<E>> {
        parse::read(file)
    }

    /// The other symbols of the choice that one is a part of.
    pub fn rivals<'a>(&'a self, symbol: &'a str) -> impl Iterator<Item = &'a str> {
        let choices = |symbol: &'a Symbol| symbol.definitions.iter().filter_map(|definition| definition.choice);
        let own: Vec<usize> = self.symbols.get(symbol).into_iter().flat_map(choices).collect();
        let others = self.symbols.iter().filter(move |(name, _)| *name != symbol);
        let others = others.filter(move |(_, other)| choices(other).any(|choice| own.contains(&choice)));
        others.map(|(name, _)| name.as_str())
    }
}
