//! Relations between packages: the values of Depends, Conflicts, Provides and their like.
//!
//! `a (>= 1) | b, c:any` is a list of groups with `,` between them; a group is alternatives with
//! `|` between them. Binary packages know no `[architectures]` and no `<profiles>`.

use std::fmt;

use super::version::{Version, VersionError};

/// How a package's version must compare to the one in parentheses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `<<`
    Earlier,
    /// `<=`, and the obsolete `<`
    EarlierOrEqual,
    /// `=`
    Equal,
    /// `>=`, and the obsolete `>`
    LaterOrEqual,
    /// `>>`
    Later,
}

/// Both signs of each operator, the longer ones first.
const OPERATORS: [(&str, Operator); 7] = [
    ("<<", Operator::Earlier),
    ("<=", Operator::EarlierOrEqual),
    (">=", Operator::LaterOrEqual),
    (">>", Operator::Later),
    ("=", Operator::Equal),
    ("<", Operator::EarlierOrEqual),
    (">", Operator::LaterOrEqual),
];

/// A bound on a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Constraint<'t> {
    /// How to compare.
    pub operator: Operator,
    /// What to compare with.
    pub version: Version<'t>,
}

impl Constraint<'_> {
    /// Whether a package of this version meets the bound.
    #[must_use]
    pub fn admits(&self, version: Version<'_>) -> bool {
        let order = version.cmp(&self.version);
        match self.operator {
            Operator::Earlier => order.is_lt(),
            Operator::EarlierOrEqual => order.is_le(),
            Operator::Equal => order.is_eq(),
            Operator::LaterOrEqual => order.is_ge(),
            Operator::Later => order.is_gt(),
        }
    }
}

/// One alternative: a name, perhaps an architecture, perhaps a bound on the version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relation<'t> {
    /// The package's name, real or virtual.
    pub name: &'t str,
    /// What stands after `:`, as in `python3:any`.
    pub qualifier: Option<&'t str>,
    /// What stands in parentheses.
    pub constraint: Option<Constraint<'t>>,
}

/// A text that is no relation of a binary package.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RelationError {
    /// It has none of the forms that are known.
    #[error("`{text}` is no relation: {reason}")]
    Malformed {
        /// One alternative.
        text: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// The version in it.
    #[error("in the relation `{text}`: {error}")]
    Version {
        /// One alternative.
        text: String,
        /// What is wrong with the version.
        error: VersionError,
    },
}

impl<'t> Relation<'t> {
    /// Reads one alternative.
    ///
    /// # Errors
    /// Quotes the text and says what is wrong with it.
    pub fn parse(text: &'t str) -> Result<Self, RelationError> {
        let text = text.trim_ascii();
        let malformed = |reason| RelationError::Malformed { text: text.to_owned(), reason };
        let end = text.find([' ', '\t', '\n', '(', '[', '<']).unwrap_or(text.len());
        let (name, rest) = (&text[..end], text[end..].trim_ascii_start());
        let (name, qualifier) = match name.split_once(':') {
            Some((name, qualifier)) => (name, Some(qualifier)),
            None => (name, None),
        };
        if !is_name(name) {
            return Err(malformed("a name is lower-case letters, digits, `+`, `-` and `.`, a letter or digit first"));
        }
        if qualifier.is_some_and(|qualifier| !is_name(qualifier)) {
            return Err(malformed("`:` wants `any`, `native` or an architecture after it"));
        }
        match rest.as_bytes().first() {
            None => Ok(Self { name, qualifier, constraint: None }),
            Some(b'(') => Ok(Self { name, qualifier, constraint: Some(Constraint::parse(text, &rest[1..])?) }),
            Some(b'[' | b'<') => {
                Err(malformed("restrictions to architectures or profiles have no place in a binary package"))
            }
            Some(_) => Err(malformed("`,`, `|` or `(` is missing after the name")),
        }
    }

    /// Reads a whole field, group by group, each a list of alternatives.
    ///
    /// # Errors
    /// The first relation that is malformed.
    pub fn groups(field: &'t str) -> Result<Vec<Vec<Self>>, RelationError> {
        field.split(',').map(|group| group.split('|').map(Self::parse).collect()).collect()
    }
}

impl<'t> Constraint<'t> {
    /// Reads what follows the `(` in `text`.
    fn parse(text: &str, inside: &'t str) -> Result<Self, RelationError> {
        let malformed = |reason| RelationError::Malformed { text: text.to_owned(), reason };
        let Some(inside) = inside.strip_suffix(')') else {
            return Err(malformed("the `)` is missing, or something follows it"));
        };
        let inside = inside.trim_ascii();
        let Some((sign, operator)) = OPERATORS.into_iter().find(|(sign, _)| inside.starts_with(sign)) else {
            return Err(malformed("the version wants one of << <= = >= >> before it"));
        };
        let version = Version::parse(inside[sign.len()..].trim_ascii_start());
        let version = version.map_err(|error| RelationError::Version { text: text.to_owned(), error })?;
        Ok(Self { operator, version })
    }
}

/// Whether a text can be the name of a package (Debian Policy 5.6.1, one character being enough).
#[must_use]
pub fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.bytes().next().is_some_and(plain) && text.bytes().all(|byte| plain(byte) || b"+-.".contains(&byte))
}

impl fmt::Display for Constraint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = OPERATORS.iter().find(|(_, operator)| *operator == self.operator).map_or("", |(sign, _)| sign);
        write!(f, "{sign} {}", self.version)
    }
}

impl fmt::Display for Relation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        if let Some(qualifier) = self.qualifier {
            write!(f, ":{qualifier}")?;
        }
        match self.constraint {
            Some(constraint) => write!(f, " ({constraint})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields() {
        let table = [
            ("a", "a"),
            ("a,b", "a, b"),
            ("a|b , c", "a | b, c"),
            ("a (>= 1:2~3-4), python3:any(<<3)", "a (>= 1:2~3-4), python3:any (<< 3)"),
            ("a (< 1) | a:native (> 2) | a:amd64 (=3)", "a (<= 1) | a:native (>= 2) | a:amd64 (= 3)"),
            ("a (<= 1),\n b (>>\n 2)", "a (<= 1), b (>> 2)"),
        ];
        for (text, want) in table {
            let groups = Relation::groups(text).expect(text);
            let show =
                |group: &Vec<Relation<'_>>| group.iter().map(Relation::to_string).collect::<Vec<_>>().join(" | ");
            assert_eq!(groups.iter().map(show).collect::<Vec<_>>().join(", "), want);
        }
    }

    #[test]
    fn refused() {
        let table = [
            ("", "name"),
            ("a,", "name"),
            ("a,,b", "name"),
            ("a||b", "name"),
            ("é", "name"),
            ("A", "name"),
            ("-a", "name"),
            ("a b", "missing after the name"),
            ("a:", "wants `any`"),
            ("a (1)", "wants one of"),
            ("a (>= 1", "`)` is missing"),
            ("a (>= 1) b", "`)` is missing"),
            ("a (>=)", "must start with a digit"),
            ("a (>= x)", "must start with a digit"),
            ("a [amd64]", "no place"),
            ("a <!nocheck>", "no place"),
        ];
        for (text, reason) in table {
            let error = Relation::groups(text).expect_err(text).to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn constraints_admit() {
        // Whether 1, 2-0 (which equals 2) and 3 are admitted.
        let table = [
            ("<<", [true, false, false]),
            ("<=", [true, true, false]),
            ("=", [false, true, false]),
            (">=", [false, true, true]),
            (">>", [false, false, true]),
        ];
        for (sign, want) in table {
            let text = format!("a ({sign} 2)");
            let constraint = Relation::parse(&text).expect("well-formed").constraint.expect("there");
            let got = ["1", "2-0", "3"].map(|text| constraint.admits(Version::parse(text).expect("well-formed")));
            assert_eq!(got, want, "{sign}");
        }
    }
}
