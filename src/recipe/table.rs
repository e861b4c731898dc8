//! TOML tables with places: read, merged, and turned into Rust values.

use std::mem;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, Deserializer};

use super::diagnostic::Fault;
use super::text::Span;

/// Reads the text that starts at position `start` of the laid-out texts: what could be read, and every syntax error.
pub(super) fn read(text: &str, start: usize) -> (DeTable<'_>, Vec<Fault>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let fault = |error: toml::de::Error| {
        let span = error.span().unwrap_or_default();
        Fault::new(span.start + start..span.end + start, error.message()).help("see https://toml.io for the syntax")
    };
    (shift(table.into_inner(), start), errors.into_iter().map(fault).collect())
}

fn shift(table: DeTable<'_>, by: usize) -> DeTable<'_> {
    table.into_iter().map(|(key, value)| (moved(key, by, |key, _| key), moved(value, by, shift_value))).collect()
}

fn shift_value(value: DeValue<'_>, by: usize) -> DeValue<'_> {
    match value {
        DeValue::Table(table) => DeValue::Table(shift(table, by)),
        DeValue::Array(array) => DeValue::Array(array.into_iter().map(|item| moved(item, by, shift_value)).collect()),
        plain => plain,
    }
}

fn moved<T>(spanned: Spanned<T>, by: usize, inside: impl Fn(T, usize) -> T) -> Spanned<T> {
    let Span { start, end } = spanned.span();
    Spanned::new(start + by..end + by, inside(spanned.into_inner(), by))
}

/// Lays `over` on `base`: tables merge, arrays append, anything else is replaced.
pub(super) fn merge<'a>(base: &mut DeTable<'a>, over: DeTable<'a>) {
    for (key, value) in over {
        let span = value.span();
        let below = base.remove(&**key.get_ref()).map(Spanned::into_inner);
        let merged = match (below, value.into_inner()) {
            (Some(DeValue::Table(mut below)), DeValue::Table(above)) => {
                merge(&mut below, above);
                DeValue::Table(below)
            }
            (Some(DeValue::Array(below)), DeValue::Array(above)) => {
                DeValue::Array(below.into_iter().chain(above).collect())
            }
            (_, above) => above,
        };
        base.insert(key, Spanned::new(span, merged));
    }
}

/// The Rust value of `table`, and every entry that has no place in it. Such entries are cut out of the table, one after
/// the other, so that all are found in one go.
pub(super) fn value<T: DeserializeOwned>(table: &mut DeTable<'_>) -> (Option<T>, Vec<Fault>) {
    let mut faults = Vec::new();
    loop {
        let error = match T::deserialize(Deserializer::from(Spanned::new(0..0, table.clone()))) {
            Ok(value) => return (Some(value), faults),
            Err(error) => error,
        };
        let span = error.span().unwrap_or_default();
        faults.push(misfit(error.message(), span.clone()));
        if !cut(table, &span) {
            return (None, faults);
        }
    }
}

/// Removes the innermost entry whose key or value stands at `span`; whether there was one.
fn cut(table: &mut DeTable<'_>, span: &Span) -> bool {
    if table.iter_mut().any(|(_, value)| cut_value(value.get_mut(), span)) {
        return true;
    }
    let count = table.len();
    *table = mem::take(table).into_iter().filter(|(key, value)| key.span() != *span && value.span() != *span).collect();
    table.len() < count
}

fn cut_value(value: &mut DeValue<'_>, span: &Span) -> bool {
    match value {
        DeValue::Table(table) => cut(table, span),
        DeValue::Array(array) => {
            if array.iter_mut().any(|item| cut_value(item.get_mut(), span)) {
                return true;
            }
            let count = array.len();
            let whole = mem::replace(array, DeArray::new());
            *array = whole.into_iter().filter(|item| item.span() != *span).collect();
            array.len() < count
        }
        _ => false,
    }
}

/// serde's message, with "did you mean" where it lists what is known: "unknown field `x`, expected one of `a`, `b`".
fn misfit(message: &str, span: Span) -> Fault {
    let message = &in_toml_words(message);
    let (what, expected) = message.split_once(", expected ").unwrap_or((message, ""));
    let mut words = message.split('`').skip(1).step_by(2);
    match words.next() {
        Some(word) if what.starts_with("unknown") => {
            let known = format!("known here: {}", words.clone().collect::<Vec<_>>().join(", "));
            Fault::new(span, what).suggest(word, words, known)
        }
        _ if expected.is_empty() => Fault::new(span, message).help("correct this value"),
        _ => Fault::new(span, what).help(format!("write {expected}")),
    }
}

/// What serde calls things, and what people who write TOML do.
const WORDS: [(&str, &str); 4] =
    [("a sequence", "a list"), ("sequence", "list"), ("a map", "a table"), (": map", ": table")];

/// The message in words of TOML; what stands in backticks was written by the user.
fn in_toml_words(message: &str) -> String {
    let part = |(number, part): (usize, &str)| {
        let replace = |text: String, (serde, toml): &(&str, &str)| text.replace(serde, toml);
        if number % 2 == 0 { WORDS.iter().fold(part.to_owned(), replace) } else { part.to_owned() }
    };
    message.split('`').enumerate().map(part).collect::<Vec<_>>().join("`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Shape {
        steps: Option<Vec<String>>,
        strip: Option<u32>,
    }

    fn table(text: &str) -> DeTable<'_> {
        let (table, faults) = read(text, 0);
        assert_eq!(faults, []);
        table
    }

    #[test]
    fn merging() {
        let mut base = table("a = 1\nlist = [1]\n[t]\nx = 1\ny = 1");
        merge(&mut base, table("a = 2\nlist = [2]\nnew = 1\n[t]\nx = 2"));
        let expected = "a = 2\nlist = [1, 2]\nnew = 1\n[t]\nx = 2\ny = 1";
        assert_eq!(value::<toml::Table>(&mut base).0, toml::from_str(expected).ok());
    }

    #[test]
    fn every_misfit_is_found() {
        let (shape, faults) = value::<Shape>(&mut table("step = 1\nsteps = ['a', 2]\nstrip = -1\nzzz = 1"));
        assert_eq!(shape, Some(Shape { steps: Some(vec!["a".to_owned()]), strip: None }));
        let expected = [
            Fault::new(0..4, "unknown field `step`").help("did you mean `steps`?"),
            Fault::new(23..24, "invalid type: integer `2`").help("write a string"),
            Fault::new(34..36, "invalid value: integer `-1`").help("write u32"),
            Fault::new(37..40, "unknown field `zzz`").help("known here: steps, strip"),
        ];
        assert_eq!(faults, expected);
    }

    #[test]
    fn words_of_toml() {
        for (serde, toml) in [
            ("invalid type: sequence, expected a string", "invalid type: list, expected a string"),
            ("invalid type: map, expected a sequence", "invalid type: table, expected a list"),
            ("invalid type: string \"x\", expected a map", "invalid type: string \"x\", expected a table"),
            ("unknown field `a sequence`", "unknown field `a sequence`"),
        ] {
            assert_eq!(in_toml_words(serde), toml);
        }
    }

    #[test]
    fn every_syntax_error_is_found_at_its_place() {
        let (table, faults) = read("a = \nb = 1\nb = 2\nc = 3", 100);
        assert_eq!(table.get("c").map(Spanned::span), Some(121..122));
        assert_eq!(faults.len(), 2, "{faults:?}");
    }
}
