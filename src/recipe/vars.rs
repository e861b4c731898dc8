//! `${name}` in the texts of a recipe: it names a declared variable, and that is all there is.
//!
//! `$${` stands for a plain `${`, which the shell then reads.

use std::collections::BTreeMap;

use super::diagnostic::Fault;
use super::raw::{At, Table};
use super::text::Texts;

/// The variables of one unit.
pub(super) struct Vars<'a> {
    values: BTreeMap<&'a str, &'a str>,
    texts: &'a Texts,
}

impl<'a> Vars<'a> {
    /// The variables of `own`, over those of `recipe`.
    pub(super) fn new(recipe: &'a Table, own: Option<&'a Table>, texts: &'a Texts) -> Self {
        let tables = [Some(recipe), own].into_iter().flatten();
        Self { values: tables.flatten().map(|(name, value)| (name.as_str(), value.as_str())).collect(), texts }
    }

    /// `text` with the values put in.
    pub(super) fn expand(&self, text: &At<String>, faults: &mut Vec<Fault>) -> String {
        let mut rest = text.as_str();
        let mut out = String::with_capacity(rest.len());
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(before);
            if before.ends_with('$') {
                out.push('{');
                rest = after;
                continue;
            }
            let Some((name, tail)) = after.split_once('}') else {
                faults.push(Fault::new(self.texts.find(&text.span(), "${"), "`${` without `}`").help(PLAIN));
                return out;
            };
            match self.values.get(name) {
                Some(value) => out.push_str(value),
                None => faults.push(self.unknown(text, name)),
            }
            rest = tail;
        }
        out + rest
    }

    fn unknown(&self, text: &At<String>, name: &str) -> Fault {
        let place = self.texts.find(&text.span(), &format!("${{{name}}}"));
        let known = self.values.keys().copied();
        Fault::new(place, format!("`{name}` is not a variable of this recipe")).suggest(name, known, PLAIN)
    }
}

const PLAIN: &str = "declare it in [vars]; for a variable of the shell write `$NAME`, or `$${NAME}`";

#[cfg(test)]
mod tests {
    use super::*;

    /// The expansion of the literal `text`, and where each fault stands.
    fn expand(text: &str) -> (String, Vec<Fault>) {
        #[derive(serde::Deserialize)]
        struct File {
            vars: Table,
            text: At<String>,
        }
        let file = format!("vars = {{ level = '3', a = 'b' }}\ntext = {text}");
        let File { vars, text } = toml::from_str(&file).expect("toml");
        let texts = Texts::new([(crate::path::RelPath::new("f").expect("clean"), file)]);
        let mut faults = Vec::new();
        (Vars::new(&vars, None, &texts).expand(&text, &mut faults), faults)
    }

    #[test]
    fn expansion() {
        let cases = [
            ("'-O${level}${a}'", "-O3b"),
            ("'$CC $(x) $ {'", "$CC $(x) $ {"),
            ("'$${CC:-gcc} ${a}'", "${CC:-gcc} b"),
            ("''", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(expand(text), (expected.to_owned(), vec![]), "{text}");
        }
    }

    #[test]
    fn faults() {
        let (_, faults) = expand("'x ${levle}'");
        let expected = Fault::new(43..51, "`levle` is not a variable of this recipe").help("did you mean `level`?");
        assert_eq!(faults, [expected]);
        assert_eq!(expand("'${HOME:-x} ${'").1.len(), 2);
    }
}
