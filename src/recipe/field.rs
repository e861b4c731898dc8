//! Texts that must have a form: names, paths, globs, addresses, hex digits.

use std::fmt::Display;
use std::str::FromStr;

use globset::Glob;

use super::diagnostic::Fault;
use super::model::Reference;
use super::raw::At;
use crate::path::{Name, PathError, RelPath};

/// Length of a git commit and of an OpenPGP fingerprint in hex digits.
const HEX_DIGITS: usize = 40;
const SCHEMES: [&str; 4] = ["https://", "http://", "file://", "ssh://"];

/// A text whose type says what is wrong with it.
pub(super) fn parsed<T: FromStr<Err: Display>>(text: &At<String>, help: &str, faults: &mut Vec<Fault>) -> Option<T> {
    let fault = |error: T::Err| faults.push(Fault::new(text.span(), error.to_string()).help(help));
    text.parse().map_err(fault).ok()
}

/// The name of a unit, source, dependency or output.
pub(super) fn name(text: &At<String>, faults: &mut Vec<Fault>) -> Option<Name> {
    parsed(text, "write a name such as `zlib` or `linux-6.12`", faults)
}

/// A path that stays below the place it is relative to.
pub(super) fn path(text: &At<String>, faults: &mut Vec<Fault>) -> Option<RelPath> {
    parsed(text, "write a path such as `src/main.c`, which leads down only", faults)
}

/// `unit` or `unit:output`.
pub(super) fn reference(text: &At<String>, faults: &mut Vec<Fault>) -> Option<Reference> {
    parsed(text, "write `unit` or `unit:output`", faults)
}

impl FromStr for Reference {
    type Err = PathError;
    fn from_str(text: &str) -> Result<Self, PathError> {
        let (unit, output) = text.split_once(':').map_or((text, None), |(unit, output)| (unit, Some(output)));
        Ok(Self { unit: Name::new(unit)?, output: output.map(Name::new).transpose()? })
    }
}

/// Globs that match below the recipe's folder only.
pub(super) fn globs(texts: &[At<String>], faults: &mut Vec<Fault>) -> Vec<String> {
    for text in texts {
        let wrong = match RelPath::new(text.as_str()) {
            Err(error) => Some(error.to_string()),
            Ok(_) => Glob::new(text).err().map(|error| error.to_string()),
        };
        faults.extend(wrong.map(|title| Fault::new(text.span(), title).help("write a glob such as `src/**/*.c`")));
    }
    texts.iter().map(|text| text.to_string()).collect()
}

/// `expanded`, the address that `text` gives.
pub(super) fn url(text: &At<String>, expanded: String, faults: &mut Vec<Fault>) -> String {
    let host = SCHEMES.iter().find_map(|scheme| expanded.strip_prefix(scheme));
    let plain = expanded.bytes().all(|byte| byte.is_ascii_graphic());
    if !plain || host.is_none_or(str::is_empty) {
        let title = format!("`{}` is not an address forge can fetch from", expanded.escape_debug());
        faults.push(Fault::new(text.span(), title).help(format!("it must start with {}", SCHEMES.join(" or "))));
    }
    expanded
}

/// `expanded`, the Debian package that `text` names; deb-control(5) gives the form.
pub(super) fn package(text: &At<String>, expanded: String, faults: &mut Vec<Fault>) -> String {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.:".contains(&byte);
    if expanded.is_empty() || expanded.starts_with('-') || !expanded.bytes().all(allowed) {
        let title = format!("`{}` is not the name of a Debian package", expanded.escape_debug());
        faults.push(
            Fault::new(text.span(), title).help("write a name such as `libc6-dev`; the lockfile has the version"),
        );
    }
    expanded
}

/// `expanded`, the crate that `text` names.
pub(super) fn crate_name(text: &At<String>, expanded: String, faults: &mut Vec<Fault>) -> String {
    if !is_crate_name(&expanded) {
        let title = format!("`{}` is not the name of a crate", expanded.escape_debug());
        faults.push(Fault::new(text.span(), title).help("use letters, digits, `-` and `_`"));
    }
    expanded
}

/// `name` or `name@version`, as cargo names a package of a Cargo.lock.
pub(super) fn package_spec(text: &At<String>, faults: &mut Vec<Fault>) {
    let (name, version) = text.split_once('@').unwrap_or((text, "1"));
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte);
    if !is_crate_name(name) || !version.starts_with(|char: char| char.is_ascii_digit()) || !version.bytes().all(allowed)
    {
        let title = format!("`{}` is no package of a Cargo.lock", text.escape_debug());
        faults.push(Fault::new(text.span(), title).help("write a name, or `name@version` where there are several"));
    }
}

/// The registry's rule for names.
fn is_crate_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    name.starts_with(|char: char| char.is_ascii_alphabetic()) && name.bytes().all(allowed)
}

/// `expanded`, the whole version that `text` names.
pub(super) fn version(text: &At<String>, expanded: String, faults: &mut Vec<Fault>) -> String {
    if let Err(error) = semver::Version::parse(&expanded) {
        let title = format!("`{}` is not a version: {error}", expanded.escape_debug());
        faults.push(Fault::new(text.span(), title).help("write one in full, such as `1.2.3`"));
    }
    expanded
}

/// A commit, or a fingerprint in either case.
pub(super) fn hex(text: &At<String>, what: &str, faults: &mut Vec<Fault>) -> String {
    if text.len() != HEX_DIGITS || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let title = format!("a {what} has {HEX_DIGITS} hex digits");
        let label = format!("these are {} characters", text.chars().count());
        faults.push(Fault::new(text.span(), title).label(label).help(format!("write the whole {what}")));
    }
    text.to_string()
}
