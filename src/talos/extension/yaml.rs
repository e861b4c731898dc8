//! YAML as Talos reads it: a key that is not known is passed over, `null` is as good as nothing, and what stands behind
//! the first document is not looked at.
//!
//! Source: machinery/extensions/load.go@v1.10.3:63, whose `yaml.v3` does so.

use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde::ser::Serialize;

/// The first document of a text; nothing if there is none.
///
/// # Errors
/// In one line, if it is no YAML or not of that shape.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<Option<T>, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let documents = serde_saphyr::from_multiple(text).map_err(|error| first_line(&error.to_string()))?;
    Ok(documents.into_iter().next())
}

/// The library draws the place in the lines behind the first.
fn first_line(drawn: &str) -> String {
    let line = drawn.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

/// A document with its keys in the order of the fields.
pub(super) fn write(value: &impl Serialize) -> String {
    serde_saphyr::to_string(value).expect("BUG: YAML has a form for texts and lists")
}

/// A value, or what stands for none.
pub(super) fn or_default<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(source: D) -> Result<T, D::Error> {
    Option::deserialize(source).map(Option::unwrap_or_default)
}
