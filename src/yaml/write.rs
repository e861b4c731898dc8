//! The one way in which nodes are written.

use std::fmt::Write as _;

use super::scalar::needs_no_quotes;
use super::{Entry, Map, Node, Value};

/// The keys that come first, as they say what a document is; all others in the order of their bytes.
const FIRST: [&str; 4] = ["apiVersion", "kind", "version", "name"];

/// The text of `documents`, with `---` between them.
#[must_use]
pub fn write<'n>(documents: impl IntoIterator<Item = &'n Node>) -> String {
    let texts = documents.into_iter().map(|document| {
        let mut text = String::new();
        block(document, 0, &mut text);
        text
    });
    texts.collect::<Vec<_>>().join("---\n")
}

/// Writes a value on lines of its own.
fn block(node: &Node, level: usize, out: &mut String) {
    match &node.value {
        Value::Map(map) if !is_empty(node) => {
            for entry in ordered(map) {
                indent(level, out);
                field(entry, level, out);
            }
        }
        Value::List(items) if !is_empty(node) => {
            for item in items {
                indent(level, out);
                out.push_str("- ");
                element(item, level, out);
            }
        }
        _ => {
            indent(level, out);
            line(node, out);
        }
    }
}

/// Writes a key and its value, where a line has begun.
fn field(entry: &Entry, level: usize, out: &mut String) {
    out.push_str(&scalar(&entry.key));
    out.push(':');
    match &entry.node.value {
        Value::Map(_) | Value::List(_) if !is_empty(&entry.node) => {
            out.push('\n');
            block(&entry.node, level + 1, out);
        }
        _ => {
            out.push(' ');
            line(&entry.node, out);
        }
    }
}

/// Writes an item of a list behind its dash: a map begins on the same line.
fn element(item: &Node, level: usize, out: &mut String) {
    match &item.value {
        Value::Map(map) if !is_empty(item) => {
            for (number, entry) in ordered(map).into_iter().enumerate() {
                if number > 0 {
                    indent(level + 1, out);
                }
                field(entry, level + 1, out);
            }
        }
        Value::List(_) if !is_empty(item) => {
            out.pop();
            out.push('\n');
            block(item, level + 1, out);
        }
        _ => line(item, out),
    }
}

fn ordered(map: &Map) -> Vec<&Entry> {
    let rank = |key: &str| FIRST.iter().position(|first| *first == key).unwrap_or(FIRST.len());
    let mut entries: Vec<&Entry> = map.iter().collect();
    entries.sort_by(|a, b| (rank(&a.key), &a.key).cmp(&(rank(&b.key), &b.key)));
    entries
}

fn is_empty(node: &Node) -> bool {
    match &node.value {
        Value::Map(map) => map.iter().next().is_none(),
        Value::List(items) => items.is_empty(),
        _ => false,
    }
}

fn indent(level: usize, out: &mut String) {
    out.extend(std::iter::repeat_n("  ", level));
}

/// Writes a value that fits on the rest of a line.
fn line(node: &Node, out: &mut String) {
    let written = match &node.value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Text(text) => scalar(text),
        Value::List(_) => "[]".to_owned(),
        Value::Map(_) => "{}".to_owned(),
    };
    out.push_str(&written);
    out.push('\n');
}

fn scalar(text: &str) -> String {
    if needs_no_quotes(text) {
        return text.to_owned();
    }
    let mut quoted = String::from('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            control
                if control.is_control() || ('\u{2028}'..='\u{2029}').contains(&control) || control == '\u{feff}' =>
            {
                _ = write!(quoted, "\\u{:04x}", u32::from(control));
            }
            plain => quoted.push(plain),
        }
    }
    quoted.push('"');
    quoted
}
