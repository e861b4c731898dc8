//! One difference, and how it reads.

use std::fmt;

use serde::Serialize;

use super::bytes::Bytes;

/// The path in the tree, then the way through containers: member, section …
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The path in the compared trees; empty for what was compared itself.
    pub path: String,
    /// The names on the way into the file, from the outermost container.
    pub inside: Vec<String>,
}

impl Place {
    /// The entry `name` of the directory at this place.
    #[must_use]
    pub fn below(&self, name: &str) -> Self {
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}/{name}", self.path) };
        Self { path, inside: Vec::new() }
    }

    /// The member `name` of the container at this place.
    #[must_use]
    pub fn within(&self, name: &str) -> Self {
        let inside = self.inside.iter().map(String::as_str).chain([name]).map(str::to_owned).collect();
        Self { path: self.path.clone(), inside }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "." } else { &self.path };
        f.write_str(path)?;
        self.inside.iter().try_for_each(|name| write!(f, " → {name}"))
    }
}

/// One of what is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The first, which the second is measured by.
    Want,
    /// The second.
    Got,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Want => "want",
            Self::Got => "got",
        })
    }
}

/// A difference and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Where.
    pub place: Place,
    /// What.
    #[serde(flatten)]
    pub what: What,
    /// What a reader should know, as that the container could not be read.
    pub note: Option<String>,
}

/// What differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "differs", rename_all = "lowercase")]
pub enum What {
    /// A file, member or value that the other side lacks.
    Only {
        /// Who has it.
        side: Side,
        /// What it is, as `a file`.
        what: String,
    },
    /// A fact, such as a member's time.
    Field {
        /// Its name.
        name: String,
        /// The fact on the first side.
        want: String,
        /// The fact on the second side.
        got: String,
    },
    /// The same fact of several members.
    Fields {
        /// Its name.
        name: String,
        /// Of how many members.
        count: usize,
        /// The first of them.
        first: String,
        /// The fact of that one on the first side.
        want: String,
        /// The fact of that one on the second side.
        got: String,
    },
    /// The same members in another order.
    Order {
        /// What they are called, as `members`.
        of: &'static str,
        /// The first place that differs, counted from 1.
        number: usize,
        /// The member that stands there on the first side.
        want: String,
        /// The member that stands there on the second side.
        got: String,
    },
    /// Lines of a text.
    Line {
        /// The first that differs, counted from 1.
        number: usize,
        /// How many do; `None` if one text has more lines.
        count: Option<usize>,
        /// That line on the first side; `None` if the text has ended.
        want: Option<String>,
        /// That line on the second side.
        got: Option<String>,
        /// What the place looks like.
        meaning: Option<String>,
    },
    /// Bytes.
    Bytes(Bytes),
}

impl fmt::Display for Difference {
    /// The place and the words; then indented lines with both sides. No newline at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)?;
        self.note.iter().try_for_each(|note| write!(f, "\n    {note}"))
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Only { side, what } => write!(f, "only in {side}: {what}"),
            Self::Field { name, want, got } => write!(f, "{name} differs{}", Both(want, got)),
            Self::Fields { name, count, first, want, got } => {
                write!(f, "{name} differs in {count} members, first in `{first}`{}", Both(want, got))
            }
            Self::Order { of, number, want, got } => {
                write!(f, "the order of {of} differs, first at no. {number}{}", Both(want, got))
            }
            Self::Line { number, count, want, got, meaning } => {
                line(f, *number, *count, [want.as_deref(), got.as_deref()])?;
                means(f, meaning.as_deref())
            }
            Self::Bytes(bytes) => {
                write!(f, "{bytes}")?;
                means(f, bytes.meaning.as_deref())
            }
        }
    }
}

/// Both sides, under each other.
pub(super) struct Both<'a>(pub(super) &'a str, pub(super) &'a str);

impl fmt::Display for Both<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n    want {}\n    got  {}", self.0, self.1)
    }
}

fn line(f: &mut fmt::Formatter<'_>, number: usize, count: Option<usize>, sides: [Option<&str>; 2]) -> fmt::Result {
    let [want, got] = sides.map(|side| side.unwrap_or("(the text ends)"));
    let [want, got] = [want, got].map(|side| if side.is_empty() { "(an empty line)" } else { side });
    write!(f, "line {number} differs")?;
    match count {
        None => write!(f, "; one text has more lines")?,
        Some(0 | 1) => {}
        Some(count) => write!(f, " ({count} lines differ)")?,
    }
    write!(f, "{}", Both(want, got))
}

fn means(f: &mut fmt::Formatter<'_>, meaning: Option<&str>) -> fmt::Result {
    meaning.map_or(Ok(()), |meaning| write!(f, "\n    looks like {meaning}"))
}
