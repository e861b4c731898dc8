//! Reads deb822 text (deb822(5)): the format of Packages, Release and control files.
//!
//! A text is stanzas with empty lines between them. A stanza is fields `Name: value`; a line that
//! starts with a space or a tab continues the value above it. Nothing is copied: names and values
//! are slices of the text, continuation lines and their leading blank included. Field names mean
//! the same in any case.

/// Reads stanza by stanza, field by field.
#[derive(Debug, Clone)]
pub struct Reader<'t> {
    text: &'t str,
    at: usize,
}

/// One field of a stanza.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'t> {
    /// As it was written; compare with [`Field::is`].
    pub name: &'t str,
    /// Without blanks around it. Continuation lines are kept as they are.
    pub value: &'t str,
}

impl Field<'_> {
    /// Whether this is the field called `name`, in any case.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// Text that is not deb822.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}, in `{text}`")]
pub struct ControlError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong.
    pub reason: &'static str,
    /// The line, cut where it is long.
    pub text: String,
}

/// An error shows at most this many characters of the line at fault.
const MAX_SHOWN: usize = 80;

impl<'t> Reader<'t> {
    /// A reader at the start of `text`.
    #[must_use]
    pub fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// Goes to the start of the next stanza; false at the end of the text. Call it before the
    /// first [`Reader::field`] and after each `None` of it.
    pub fn stanza(&mut self) -> bool {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|byte| **byte == b'\n').count();
        self.at < self.text.len()
    }

    /// The next field of this stanza; `None` at its end.
    ///
    /// # Errors
    /// The line is no field, or continues none.
    pub fn field(&mut self) -> Result<Option<Field<'t>>, ControlError> {
        let line = self.line();
        if line.is_empty() {
            return Ok(None);
        }
        let start = self.at;
        let colon = line.bytes().position(|byte| byte == b':' || byte.is_ascii_whitespace());
        let name = match colon {
            Some(0) if line.starts_with(':') => return Err(self.error(start, "a field without a name")),
            Some(0) => return Err(self.error(start, "a line that continues no field")),
            Some(colon) if line.as_bytes()[colon] == b':' => &line[..colon],
            _ => return Err(self.error(start, "a line that is no field (`Name: value`)")),
        };
        if name.starts_with(['#', '-']) || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(self.error(start, "a field name may have no `#` or `-` in front and only visible ASCII"));
        }
        self.at += line.len();
        self.continuation()?;
        let value = self.text[start + name.len() + 1..self.at].trim_matches([' ', '\t']);
        self.at += usize::from(self.at < self.text.len());
        Ok(Some(Field { name, value }))
    }

    /// Goes over the lines that continue a field, up to the last one's line feed.
    fn continuation(&mut self) -> Result<(), ControlError> {
        while let Some(b' ' | b'\t') = self.text.as_bytes().get(self.at + 1) {
            self.at += 1;
            let line = self.line();
            if line.trim_matches([' ', '\t']).is_empty() {
                return Err(
                    self.error(self.at, "a line of nothing but blanks (` .` continues, an empty line separates)")
                );
            }
            self.at += line.len();
        }
        Ok(())
    }

    /// From here to the end of the line.
    fn line(&self) -> &'t str {
        let rest = &self.text[self.at..];
        rest.find('\n').map_or(rest, |end| &rest[..end])
    }

    fn error(&self, at: usize, reason: &'static str) -> ControlError {
        let shown = Self { text: self.text, at }.line().chars().take(MAX_SHOWN).collect();
        ControlError { line: line_number(self.text, &self.text[at..]), reason, text: shown }
    }
}

/// The line of `text` on which `part`, a slice of it, starts; counted from 1.
///
/// Lines are counted only when an error needs one, so that reading stays fast.
#[must_use]
pub fn line_number(text: &str, part: &str) -> usize {
    let offset = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len());
    1 + text.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Vec<(&str, &str)>>, ControlError> {
        let mut reader = Reader::new(text);
        let mut stanzas = Vec::new();
        while reader.stanza() {
            let mut fields = Vec::new();
            while let Some(field) = reader.field()? {
                fields.push((field.name, field.value));
            }
            stanzas.push(fields);
        }
        Ok(stanzas)
    }

    #[test]
    fn stanzas_and_fields() {
        type Stanzas = &'static [&'static [(&'static str, &'static str)]];
        let table: [(&str, Stanzas); 6] = [
            ("", &[]),
            ("\n\n", &[]),
            ("A: 1", &[&[("A", "1")]]),
            ("A: 1\nB:\t2 \n\n\nC: x: y\n", &[&[("A", "1"), ("B", "2")], &[("C", "x: y")]]),
            ("A:\n one\n .\n two\nB:\n", &[&[("A", "\n one\n .\n two"), ("B", "")]]),
            ("A: 1\n\t2", &[&[("A", "1\n\t2")]]),
        ];
        for (text, want) in table {
            let want: Vec<_> = want.iter().map(|stanza| stanza.to_vec()).collect();
            assert_eq!(read(text), Ok(want), "{text:?}");
        }
    }

    #[test]
    fn names_in_any_case() {
        let field = Field { name: "multi-ARCH", value: "" };
        assert!(field.is("Multi-Arch") && !field.is("Multi"));
    }

    #[test]
    fn refused_with_the_line() {
        let table = [
            (" x", 1, "continues no field"),
            ("A: 1\n\n x", 3, "continues no field"),
            ("A: 1\nB", 2, "no field"),
            ("A: 1\nB c: 2", 2, "no field"),
            ("A: 1\n: 2", 2, "without a name"),
            ("A: 1\n \nB: 2", 2, "nothing but blanks"),
            ("A: 1\n#B: 2", 2, "field name"),
            ("-A: 1", 1, "field name"),
            ("É: 1", 1, "field name"),
        ];
        for (text, line, reason) in table {
            let error = read(text).expect_err(text);
            assert_eq!(error.line, line, "{text:?}");
            assert!(error.to_string().contains(reason), "{error}");
        }
    }
}
