//! YAML as configuration files have it: read with the place of everything, written in one way.
//!
//! ```text
//! text ─read→ Node with Place ─write→ text: keys in order, two spaces a level, quotes only where they are needed
//! ```
//!
//! The reader is stricter than YAML 1.2: keys are texts and stand once; there are no anchors, aliases and tags; and
//! a plain scalar that readers of YAML 1.1 take for something else (`yes`, `off`, `0755`) is refused, as a file must
//! mean the same to every program that reads it. Several documents stand one after the other, with `---` between them.

mod read;
mod scalar;
#[cfg(test)]
mod tests;
mod write;

pub use read::{Error, read};
pub use write::write;

/// Where in which text something stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The number that the text was read under.
    pub file: usize,
    /// Its first byte there.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
}

/// A value and its place; that of a list or map is the key before it, or where it begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Where it stands.
    pub at: Place,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing, or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a point.
    Float(f64),
    /// A text.
    Text(String),
    /// Values in their order.
    List(Vec<Node>),
    /// Values by key.
    Map(Map),
}

/// Values by key, in the order of the text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Map(Vec<Entry>);

/// A key with its place, and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub at: Place,
    /// Its value.
    pub node: Node,
}

impl Map {
    /// The entry of that key.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.key == key)
    }

    /// The value of that key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// The value of that key.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.0.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.node)
    }

    /// Puts an entry in, in place of one with the same key.
    pub fn insert(&mut self, entry: Entry) {
        match self.0.iter_mut().find(|old| old.key == entry.key) {
            Some(old) => *old = entry,
            None => self.0.push(entry),
        }
    }

    /// Takes an entry out.
    pub fn remove(&mut self, key: &str) {
        self.0.retain(|entry| entry.key != key);
    }

    /// The entries, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter()
    }
}

impl IntoIterator for Map {
    type Item = Entry;
    type IntoIter = std::vec::IntoIter<Entry>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Node {
    /// A text that stands for what is at `at`.
    #[must_use]
    pub fn text(at: Place, text: impl Into<String>) -> Self {
        Self { value: Value::Text(text.into()), at }
    }

    /// A number that stands for what is at `at`.
    #[must_use]
    pub fn int(at: Place, number: i64) -> Self {
        Self { value: Value::Int(number), at }
    }

    /// `true` or `false` that stands for what is at `at`.
    #[must_use]
    pub fn bool(at: Place, value: bool) -> Self {
        Self { value: Value::Bool(value), at }
    }

    /// A list that stands for what is at `at`.
    #[must_use]
    pub fn list(at: Place, items: Vec<Self>) -> Self {
        Self { value: Value::List(items), at }
    }

    /// A map that stands for what is at `at`; each key stands where its value does.
    #[must_use]
    pub fn map<'k>(at: Place, entries: impl IntoIterator<Item = (&'k str, Self)>) -> Self {
        let mut map = Map::default();
        for (key, node) in entries {
            map.insert(Entry { key: key.to_owned(), at: node.at, node });
        }
        Self { value: Value::Map(map), at }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    /// The whole number, if it is one.
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        if let Value::Int(number) = &self.value { Some(*number) } else { None }
    }

    /// The items of a list; none if it is no list.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        if let Value::List(items) = &self.value { items } else { &[] }
    }

    /// The map, if it is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map> {
        if let Value::Map(map) = &self.value { Some(map) } else { None }
    }

    /// What stands at `path`, keys with points between them.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<&Self> {
        path.split('.').try_fold(self, |node, key| node.as_map()?.get(key))
    }

    /// The entry at `path`, keys with points between them.
    #[must_use]
    pub fn entry(&self, path: &str) -> Option<&Entry> {
        match path.rsplit_once('.') {
            Some((above, key)) => self.find(above)?.as_map()?.entry(key),
            None => self.as_map()?.entry(path),
        }
    }

    /// The same as JSON.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Int(number) => (*number).into(),
            Value::Float(number) => (*number).into(),
            Value::Text(text) => text.as_str().into(),
            Value::List(items) => items.iter().map(Self::json).collect(),
            Value::Map(map) => map.iter().map(|entry| (entry.key.clone(), entry.node.json())).collect(),
        }
    }
}
