//! Two JSON documents by values; a place is a JSON pointer (RFC 6901).

use serde_json::{Map, Value};

use super::difference::{Place, Side, What};
use super::look::look;
use super::{Walk, text};

/// Both sides as JSON, if both are an object or array.
pub(super) fn both(texts: [&str; 2]) -> Option<[Value; 2]> {
    let parse = |text: &str| {
        let opens = text.trim_start().starts_with(['{', '[']);
        opens.then(|| serde_json::from_str(text).ok())?
    };
    Some([parse(texts[0])?, parse(texts[1])?])
}

impl Walk<'_> {
    /// Compares two documents that stand at `place`.
    pub(super) fn json(&mut self, place: &Place, want: &Value, got: &Value) {
        self.value(place, "", want, got);
    }

    fn value(&mut self, place: &Place, pointer: &str, want: &Value, got: &Value) {
        match (want, got) {
            (Value::Object(want), Value::Object(got)) => self.object(place, pointer, want, got),
            (Value::Array(want), Value::Array(got)) => self.array(place, pointer, want, got),
            (want, got) => {
                if want != got {
                    self.scalar(&at(place, pointer), &want.to_string(), &got.to_string());
                }
            }
        }
    }

    fn scalar(&mut self, place: &Place, want: &str, got: &str) {
        let meaning = look(want.as_bytes(), got.as_bytes(), text::place(want, got));
        let [want, got] = text::windows(want, got);
        let what = What::Field { name: "the value".to_owned(), want, got };
        self.add_noted(place, what, meaning.map(|meaning| format!("looks like {meaning}")));
    }

    fn object(&mut self, place: &Place, pointer: &str, want: &Map<String, Value>, got: &Map<String, Value>) {
        let extra = got.iter().filter(|(key, _)| !want.contains_key(*key));
        let pairs = want.iter().map(|(key, value)| (key, Some(value), got.get(key)));
        for (key, one, two) in pairs.chain(extra.map(|(key, value)| (key, None, Some(value)))) {
            let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
            self.pair(place, &pointer, one, two);
        }
    }

    fn array(&mut self, place: &Place, pointer: &str, want: &[Value], got: &[Value]) {
        if let Some(index) = turned(want, got) {
            let [want, got] = [want, got].map(|values| text::windows(&values[index].to_string(), "")[0].clone());
            return self.add(&at(place, pointer), What::Order { of: "elements", number: index + 1, want, got });
        }
        for index in 0..want.len().max(got.len()) {
            self.pair(place, &format!("{pointer}/{index}"), want.get(index), got.get(index));
        }
    }

    fn pair(&mut self, place: &Place, pointer: &str, want: Option<&Value>, got: Option<&Value>) {
        let shown = |value: &Value| text::windows(&value.to_string(), "")[0].clone();
        match (want, got) {
            (Some(want), Some(got)) => self.value(place, pointer, want, got),
            (Some(want), None) => self.only(&at(place, pointer), Side::Want, &shown(want)),
            (None, Some(got)) => self.only(&at(place, pointer), Side::Got, &shown(got)),
            (None, None) => {}
        }
    }
}

/// The first place that differs, if both have the same elements in another order.
fn turned(want: &[Value], got: &[Value]) -> Option<usize> {
    let first = want.iter().zip(got).position(|(want, got)| want != got)?;
    let sorted = |values: &[Value]| {
        let mut texts: Vec<_> = values[first..].iter().map(Value::to_string).collect();
        texts.sort_unstable();
        texts
    };
    (want.len() == got.len() && sorted(want) == sorted(got)).then_some(first)
}

fn at(place: &Place, pointer: &str) -> Place {
    if pointer.is_empty() { place.clone() } else { place.within(pointer) }
}
