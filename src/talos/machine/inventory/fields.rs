//! Reads the fields of a map, and notes what is wrong with them.

use std::ops::RangeInclusive;

use super::Said;
use super::net;
use crate::talos::machine::mistake::Mistake;
use crate::yaml::{Map, Node, Place};

/// A map, what it is called, and where mistakes go.
pub(super) struct Fields<'n, 'm> {
    map: &'n Map,
    at: Place,
    what: String,
    mistakes: &'m mut Vec<Mistake>,
}

impl<'n, 'm> Fields<'n, 'm> {
    /// The fields of `node`, called `what`, which must have those of `needed` and may have those of `more`.
    pub(super) fn of(
        node: &'n Node,
        what: &str,
        needed: &[&str],
        more: &[&str],
        mistakes: &'m mut Vec<Mistake>,
    ) -> Option<Self> {
        let Some(map) = node.as_map() else {
            mistakes.push(Mistake::new(node.at, format!("{what} is no map"), format!("give it {}", listed(needed))));
            return None;
        };
        let known = || needed.iter().chain(more).copied();
        for entry in map.iter().filter(|entry| !known().any(|name| name == entry.key)) {
            let title = format!("{what} has no field `{}`", entry.key.escape_debug());
            mistakes.push(Mistake::name(entry.at, title, &entry.key, known()));
        }
        for name in needed.iter().filter(|name| map.get(name).is_none()) {
            mistakes.push(Mistake::new(node.at, format!("{what} has no `{name}`"), format!("add `{name}: …`")));
        }
        Some(Self { map, at: node.at, what: what.to_owned(), mistakes })
    }

    /// The fields of a map in this one.
    pub(super) fn within<'s>(&'s mut self, name: &str, needed: &[&str], more: &[&str]) -> Option<Fields<'n, 's>> {
        Fields::of(self.map.get(name)?, &format!("`{name}`"), needed, more, self.mistakes)
    }

    pub(super) fn at(&self) -> Place {
        self.at
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.map.get(name).is_some()
    }

    /// A text that is not empty.
    pub(super) fn text(&mut self, name: &str) -> Option<Said<String>> {
        self.parsed(name, "a text", |text| (!text.is_empty()).then(|| text.to_owned()))
    }

    /// A text that `parse` reads; `wanted` says what it takes.
    pub(super) fn parsed<T>(&mut self, name: &str, wanted: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Said<T>> {
        let node = self.map.get(name)?;
        self.read(node, name, wanted, parse)
    }

    /// A list of texts that `parse` reads.
    pub(super) fn list<T>(
        &mut self,
        name: &str,
        wanted: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<Vec<Said<T>>> {
        self.items(name).into_iter().map(|item| self.read(item, name, wanted, &parse)).collect()
    }

    /// A list of addresses.
    pub(super) fn addresses(&mut self, name: &str) -> Option<Vec<Said<String>>> {
        self.list(name, net::ADDRESS, |text| net::address(text).map(|address| address.to_string()))
    }

    /// The items of a list that is not empty.
    pub(super) fn items(&mut self, name: &str) -> Vec<&'n Node> {
        let Some(node) = self.map.get(name) else { return Vec::new() };
        if node.items().is_empty() {
            let title = format!("`{name}` of {} has no items", self.what);
            self.mistakes.push(Mistake::new(node.at, title, format!("write a list with one at least: `{name}: […]`")));
        }
        node.items().iter().collect()
    }

    pub(super) fn number(&mut self, name: &str, bounds: RangeInclusive<i64>) -> Option<Said<i64>> {
        let node = self.map.get(name)?;
        let number = node.as_int().filter(|number| bounds.contains(number));
        if number.is_none() {
            let title = format!("`{name}` of {} is no such number", self.what);
            let help = format!("write one from {} to {}", bounds.start(), bounds.end());
            self.mistakes.push(Mistake::new(node.at, title, help));
        }
        number.map(|value| Said { value, at: node.at })
    }

    /// The entries of a map of names.
    pub(super) fn named(&mut self, name: &str) -> Vec<(&'n str, Place, &'n Node)> {
        let Some(node) = self.map.get(name) else { return Vec::new() };
        match node.as_map() {
            Some(map) => map.iter().map(|entry| (entry.key.as_str(), entry.at, &entry.node)).collect(),
            None => {
                self.mistakes.push(Mistake::new(node.at, format!("`{name}` is no map"), "give each a name"));
                Vec::new()
            }
        }
    }

    pub(super) fn mistakes(&mut self) -> &mut Vec<Mistake> {
        self.mistakes
    }

    fn read<T>(&mut self, node: &Node, name: &str, wanted: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Said<T>> {
        let value = node.as_text().and_then(parse);
        if value.is_none() {
            let written = node.as_text().map(|text| format!(", not `{}`", text.escape_debug())).unwrap_or_default();
            let title = format!("`{name}` of {} takes {wanted}{written}", self.what);
            self.mistakes.push(Mistake::new(node.at, title, format!("write {wanted}")));
        }
        value.map(|value| Said { value, at: node.at })
    }
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
