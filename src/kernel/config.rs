//! A resolved configuration: the `.config` that Kconfig wrote.

use std::collections::{BTreeMap, BTreeSet};

use super::fragment::{NO, assignment};

/// The value of every symbol that is set, by its name without `CONFIG_`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config(BTreeMap<String, String>);

/// A symbol with another value than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The symbol, without `CONFIG_`.
    pub symbol: String,
    /// What it was; `n` where it was not set.
    pub old: String,
    /// What it is now.
    pub new: String,
}

impl Config {
    /// Reads a `.config`; what is no line of one is passed over.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let set = text.lines().filter_map(|line| assignment(line).ok().flatten()).filter(|(_, value)| *value != NO);
        Self(set.map(|(symbol, value)| (symbol.to_owned(), value.to_owned())).collect())
    }

    /// The value of a symbol; `n` if it is not set.
    #[must_use]
    pub fn value(&self, symbol: &str) -> &str {
        self.0.get(symbol).map_or(NO, String::as_str)
    }

    /// Whether a symbol is as asked for. A text that is not set is as good as an empty one.
    #[must_use]
    pub fn is(&self, symbol: &str, value: &str) -> bool {
        let empty = |value: &str| value == NO || value == "\"\"";
        let found = self.value(symbol);
        found == value || (empty(found) && empty(value))
    }

    /// How many symbols have that value.
    #[must_use]
    pub fn count(&self, value: &str) -> usize {
        self.0.values().filter(|found| *found == value).count()
    }

    /// The symbols that differ, in the order of names.
    #[must_use]
    pub fn changes(old: &Self, new: &Self) -> Vec<Change> {
        let symbols: BTreeSet<&String> = old.0.keys().chain(new.0.keys()).collect();
        let change = |symbol: &String| {
            let (old, new) = (old.value(symbol).to_owned(), new.value(symbol).to_owned());
            (old != new).then(|| Change { symbol: symbol.clone(), old, new })
        };
        symbols.into_iter().filter_map(change).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_changes() {
        let old =
            Config::read("#\n# Automatically generated file\n#\nCONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=\"\"\n");
        let new = Config::read("CONFIG_A=m\nCONFIG_C=\"\"\nCONFIG_D=\"x\"\n");
        assert_eq!((old.value("A"), old.value("B"), old.value("Z")), ("y", "n", "n"));
        for (symbol, value, is) in
            [("A", "y", true), ("A", "m", false), ("B", "n", true), ("C", "n", true), ("Z", "\"\"", true)]
        {
            assert_eq!(old.is(symbol, value), is, "{symbol}={value}");
        }
        let change = |symbol: &str, old: &str, new: &str| {
            let [symbol, old, new] = [symbol, old, new].map(str::to_owned);
            Change { symbol, old, new }
        };
        assert_eq!(Config::changes(&old, &new), [change("A", "y", "m"), change("D", "n", "\"x\"")]);
        assert_eq!((old.count("y"), new.count("m")), (1, 1));
    }
}
