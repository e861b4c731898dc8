//! One stanza of a Packages file: one version of one package.

use super::control::{ControlError, Reader, line_number};
use super::relation::{RelationError, is_name};
use super::version::{Version, VersionError};
use crate::digest::{Digest, ParseDigestError};
use crate::path::{PathError, RelPath};

/// One version of one package. Strings are slices of the index's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package<'t> {
    /// Its name.
    pub name: &'t str,
    /// Its version.
    pub version: Version<'t>,
    /// `all`, or that of the index.
    pub architecture: &'t str,
    /// Its path in the archive, from the directory that holds `dists` and `pool`.
    pub filename: RelPath,
    /// Of the .deb, in bytes.
    pub size: u64,
    /// Of the .deb.
    pub sha256: Digest,
    /// Whether every system has it, so that no one depends on it.
    pub essential: bool,
    /// Whether it is hard to remove, as what boots a machine is (`Protected`, once `Important`).
    pub protected: bool,
    /// How much a system wants it.
    pub priority: Priority,
    /// How it serves other architectures.
    pub multi_arch: MultiArch,
    relations: [&'t str; RELATIONS.len()],
}

/// Values of the field Priority, most wanted first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// The field is absent; apt counts that as most wanted.
    Unset,
    /// No system works without it.
    Required,
    /// What one expects on any Unix.
    Important,
    /// A small but not too limited system.
    Standard,
    /// Nearly everything.
    Optional,
    /// Every other value.
    Extra,
}

/// Values of the field Multi-Arch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MultiArch {
    /// It serves packages of its own architecture.
    No,
    /// It can be installed for several architectures at once, in one version.
    Same,
    /// It serves packages of any architecture.
    Foreign,
    /// It serves packages of any architecture that ask with `:any`.
    Allowed,
}

/// A field that relates a package to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelationField {
    /// What must be configured before it is unpacked.
    PreDepends,
    /// What it can't work without.
    Depends,
    /// What must not be unpacked beside it.
    Conflicts,
    /// What must not be configured beside it.
    Breaks,
    /// What nearly everyone wants with it.
    Recommends,
    /// What some want with it.
    Suggests,
    /// Whose files it may overwrite.
    Replaces,
    /// What suggests it, as seen from here.
    Enhances,
    /// The other names that it answers to.
    Provides,
}

/// The relation fields in the order in which apt reads them, and that of [`RelationField`].
pub(super) const RELATIONS: [&str; 9] =
    ["Pre-Depends", "Depends", "Conflicts", "Breaks", "Recommends", "Suggests", "Replaces", "Enhances", "Provides"];

/// The other fields that are read.
const FIELDS: [&str; 11] = [
    "Package",
    "Version",
    "Architecture",
    "Filename",
    "Size",
    "SHA256",
    "Essential",
    "Protected",
    "Important",
    "Priority",
    "Multi-Arch",
];

/// A Packages file that cannot be used. Lines are counted from 1.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// The text is not deb822.
    #[error("the package index is malformed: {0}")]
    Control(#[from] ControlError),
    /// A package lacks a field.
    #[error("package index, line {line}: the package that starts here has no field `{field}`")]
    Missing {
        /// Where its stanza starts.
        line: usize,
        /// The field.
        field: &'static str,
    },
    /// A field stands twice in a stanza.
    #[error("package index, line {line}: the field `{field}` stands a second time in this stanza")]
    Twice {
        /// Where its second value stands.
        line: usize,
        /// The field.
        field: &'static str,
    },
    /// A field's value makes no sense.
    #[error("package index, line {line}: the field `{field}`: {fault}")]
    Value {
        /// Where the value starts.
        line: usize,
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        fault: ValueFault,
    },
    /// The same version of a package twice.
    #[error("package index, line {line}: a second `{name}` of version {version}")]
    Duplicate {
        /// Where one of the two stands.
        line: usize,
        /// Its name.
        name: String,
        /// Its version.
        version: String,
    },
}

/// What is wrong with a field's value.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueFault {
    /// A version.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// A relation to another package.
    #[error(transparent)]
    Relation(#[from] RelationError),
    /// A SHA-256.
    #[error(transparent)]
    Digest(#[from] ParseDigestError),
    /// A path in the archive.
    #[error(transparent)]
    Path(#[from] PathError),
    /// Something that has no type of its own.
    #[error("`{got}` is not {want}")]
    Other {
        /// What stands there.
        got: String,
        /// What may stand there.
        want: String,
    },
}

impl<'t> Package<'t> {
    /// The relations of one kind, as they stand; empty where there are none.
    #[must_use]
    pub fn relations(&self, field: RelationField) -> &'t str {
        self.relations[field as usize]
    }

    /// All relation fields, in the order of [`RELATIONS`].
    pub(super) fn all_relations(&self) -> impl Iterator<Item = &'t str> + use<'t> {
        self.relations.into_iter()
    }
}

/// The fields of one stanza, by their places in [`FIELDS`] and [`RELATIONS`].
pub(super) struct Record<'t> {
    text: &'t str,
    start: &'t str,
    fields: [Option<&'t str>; FIELDS.len()],
    relations: [Option<&'t str>; RELATIONS.len()],
}

impl<'t> Record<'t> {
    /// Reads the stanza that `reader` is at, in `text`.
    pub(super) fn read(text: &'t str, reader: &mut Reader<'t>) -> Result<Self, IndexError> {
        let mut record = Self { text, start: "", fields: [None; FIELDS.len()], relations: [None; RELATIONS.len()] };
        while let Some(field) = reader.field()? {
            if record.start.is_empty() {
                record.start = field.name;
            }
            let place = |names: &[&'static str]| names.iter().position(|name| field.is(name));
            let (slot, name) = match (place(&FIELDS), place(&RELATIONS)) {
                (Some(at), _) => (&mut record.fields[at], FIELDS[at]),
                (None, Some(at)) => (&mut record.relations[at], RELATIONS[at]),
                (None, None) => continue,
            };
            if slot.replace(field.value).is_some() {
                return Err(IndexError::Twice { line: line_number(text, field.name), field: name });
            }
        }
        Ok(record)
    }

    /// The package, which must be for `architecture` or for all.
    pub(super) fn package(&self, architecture: &str) -> Result<Package<'t>, IndexError> {
        let name = self.checked("Package", "the name of a package", is_name)?;
        let ours = |text: &str| text == architecture || text == "all";
        Ok(Package {
            name,
            version: self.parsed("Version", Version::parse)?,
            architecture: self.checked("Architecture", &format!("`{architecture}` or `all`"), ours)?,
            filename: self.parsed("Filename", RelPath::new)?,
            size: self.parsed("Size", number)?,
            sha256: self.parsed("SHA256", str::parse::<Digest>)?,
            essential: self.flag("Essential")?,
            protected: self.flag("Protected")? || self.flag("Important")?,
            priority: self.priority(),
            multi_arch: self.multi_arch()?,
            relations: self.relations.map(Option::unwrap_or_default),
        })
    }

    fn get(&self, field: &str) -> Option<&'t str> {
        FIELDS.iter().position(|name| *name == field).and_then(|at| self.fields[at])
    }

    fn need(&self, field: &'static str) -> Result<&'t str, IndexError> {
        self.get(field).ok_or_else(|| IndexError::Missing { line: line_number(self.text, self.start), field })
    }

    fn parsed<T, E: Into<ValueFault>>(
        &self,
        field: &'static str,
        parse: impl Fn(&'t str) -> Result<T, E>,
    ) -> Result<T, IndexError> {
        let value = self.need(field)?;
        parse(value).map_err(|error| value_error(self.text, value, field, error))
    }

    fn checked(&self, field: &'static str, want: &str, check: impl Fn(&str) -> bool) -> Result<&'t str, IndexError> {
        let other = |got: &str| ValueFault::Other { got: got.to_owned(), want: want.to_owned() };
        self.parsed(field, |value| if check(value) { Ok(value) } else { Err(other(value)) })
    }

    fn flag(&self, field: &'static str) -> Result<bool, IndexError> {
        match self.get(field) {
            None => Ok(false),
            Some(_) => Ok(self.checked(field, "`yes` or `no`", |value| matches!(value, "yes" | "no"))? == "yes"),
        }
    }

    fn priority(&self) -> Priority {
        match self.get("Priority") {
            None => Priority::Unset,
            Some("required") => Priority::Required,
            Some("important") => Priority::Important,
            Some("standard") => Priority::Standard,
            Some("optional") => Priority::Optional,
            Some(_) => Priority::Extra,
        }
    }

    fn multi_arch(&self) -> Result<MultiArch, IndexError> {
        match self.get("Multi-Arch") {
            None | Some("no") => Ok(MultiArch::No),
            Some("same") => Ok(MultiArch::Same),
            Some("foreign") => Ok(MultiArch::Foreign),
            Some("allowed") => Ok(MultiArch::Allowed),
            Some(_) => {
                self.checked("Multi-Arch", "`no`, `same`, `foreign` or `allowed`", |_| false).map(|_| MultiArch::No)
            }
        }
    }
}

/// A value at fault, which is a slice of `text`.
pub(super) fn value_error(text: &str, value: &str, field: &'static str, fault: impl Into<ValueFault>) -> IndexError {
    IndexError::Value { line: line_number(text, value), field, fault: fault.into() }
}

fn number(text: &str) -> Result<u64, ValueFault> {
    text.parse().map_err(|_| ValueFault::Other { got: text.to_owned(), want: "a number of bytes".to_owned() })
}
