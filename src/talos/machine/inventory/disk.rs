//! Disks, and how one is chosen.

use super::Said;
use super::fields::Fields;
use crate::talos::machine::mistake::Mistake;
use crate::yaml::{Node, Place};

/// Units of bytes as disks are sold, the largest first.
const UNITS: [(&str, u64); 3] = [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000)];

const SIZE: &str = "a size in GB or TB, such as `15.36TB`";

/// A disk that is built in.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::talos::machine) struct Disk {
    pub(super) serial: Said<String>,
    model: Option<String>,
    transport: String,
    size: u64,
}

/// What a disk must be to be chosen.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::talos::machine) struct Choice {
    pub(in crate::talos::machine) serial: Option<String>,
    pub(in crate::talos::machine) model: Option<String>,
    pub(in crate::talos::machine) transport: Option<String>,
    /// Bytes that it has at least.
    pub(in crate::talos::machine) min: Option<u64>,
    max: Option<u64>,
    pub(in crate::talos::machine) at: Place,
}

impl Choice {
    pub(super) fn fits(&self, disk: &Disk) -> bool {
        let same = |wanted: &Option<String>, found: Option<&str>| wanted.is_none() || wanted.as_deref() == found;
        same(&self.serial, Some(&disk.serial.value))
            && same(&self.model, disk.model.as_deref())
            && same(&self.transport, Some(&disk.transport))
            && self.min.is_none_or(|min| disk.size >= min)
            && self.max.is_none_or(|max| disk.size <= max)
    }

    /// The same as an expression of CEL over `disk`.
    pub(in crate::talos::machine) fn expression(&self) -> String {
        let text =
            |field: &str, wanted: &Option<String>| wanted.as_ref().map(|text| format!("disk.{field} == {text:?}"));
        let size = |sign: &str, bound: Option<u64>| bound.map(|bytes| format!("disk.size {sign} {}", product(bytes)));
        let parts = [
            text("transport", &self.transport),
            text("serial", &self.serial),
            text("model", &self.model),
            size(">=", self.min),
            size("<=", self.max),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" && ")
    }
}

pub(super) fn disk(node: &Node, mistakes: &mut Vec<Mistake>) -> Option<Disk> {
    let mut fields = Fields::of(node, "a disk", &["serial", "size", "transport"], &["model"], mistakes)?;
    let (serial, model, transport) = (fields.text("serial"), fields.text("model"), fields.text("transport"));
    let size = fields.parsed("size", SIZE, bytes);
    let model = model.map(|model| model.value);
    Some(Disk { serial: serial?, model, transport: transport?.value, size: size?.value })
}

/// A choice by the fields that `known` has.
pub(super) fn choice(node: &Node, known: &[&str], mistakes: &mut Vec<Mistake>) -> Option<Choice> {
    let before = mistakes.len();
    let mut fields = Fields::of(node, "the choice of a disk", &[], known, mistakes)?;
    let mut text = |name: &str| fields.text(name).map(|said| said.value);
    let (serial, model, transport) = (text("serial"), text("model"), text("transport"));
    let [min, max] = ["min", "max"].map(|name| fields.parsed(name, SIZE, bytes).map(|said| said.value));
    let choice = Choice { serial, model, transport, min, max, at: node.at };
    if choice.expression().is_empty() && mistakes.len() == before {
        let help = format!("say what it is, by {}", known.join(", "));
        mistakes.push(Mistake::new(node.at, "any disk would do", help));
    }
    Some(choice)
}

/// How many bytes a text such as `15.36TB` stands for, whole megabytes.
fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = UNITS.iter().find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, *bytes)))?;
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let digits =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    let scale = 10_u64.checked_pow(u32::try_from(part.len()).ok()?)?;
    let part = digits(part)?.checked_mul(unit)?;
    let bytes = digits(whole)?.checked_mul(unit)?.checked_add(part / scale)?;
    let (_, least) = UNITS[UNITS.len() - 1];
    (part.is_multiple_of(scale) && bytes.is_multiple_of(least) && bytes > 0).then_some(bytes)
}

/// So many of the largest unit that goes into it: `14TB`.
pub(in crate::talos::machine) fn written(bytes: u64) -> String {
    let (number, unit) = units(bytes);
    format!("{number}{unit}")
}

/// The same for CEL, whose sizes have no sign: `14u * TB`.
fn product(bytes: u64) -> String {
    let (number, unit) = units(bytes);
    format!("{number}u * {unit}")
}

fn units(bytes: u64) -> (u64, &'static str) {
    let fits = UNITS.into_iter().find(|(_, unit)| bytes.is_multiple_of(*unit));
    let (unit, size) = fits.expect("BUG: a size that is no multiple of the least unit");
    (bytes / size, unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, expected) in [
            ("14TB", Some(14_000_000_000_000)),
            ("15.36TB", Some(15_360_000_000_000)),
            ("960GB", Some(960_000_000_000)),
            ("0.5MB", None),
            ("14", None),
            ("14TiB", None),
            ("-1TB", None),
            ("0TB", None),
            ("1.0000000000001TB", None),
            ("99999999999TB", None),
            (".5TB", None),
        ] {
            assert_eq!(bytes(text), expected, "{text}");
        }
        assert_eq!(
            (written(14_000_000_000_000), product(1_800_000_000_000)),
            ("14TB".to_owned(), "1800u * GB".to_owned())
        );
    }
}
