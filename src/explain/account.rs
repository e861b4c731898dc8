//! A step's account: all that its key is made of, in a form that can be kept, read and compared.
//!
//! It is a visitor of the same walk as the key ([`Derivation::walk`]), so it has every field that
//! the key has. As text it is a line a field or item, words parted by tabs:
//!
//! ```text
//! text   kind     2                              a number, a digest or a text
//! list   argv     /bin/sh  -eu  -c  …            a list, whole
//! pair   env      CC       gcc                   an item of a table
//! input  sources  src      tree:<hex>:123  <from>    an input, where it comes from in words
//! ```
//!
//! A tab, a line feed, a carriage return and a backslash in a word are `\t`, `\n`, `\r`, `\\`.

use std::collections::BTreeMap;

use crate::derivation::{Derivation, Value};
use crate::digest::Digest;
use crate::store::{Blob, Output};

/// An input of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// What it holds; nothing where it has to be built first.
    pub output: Option<Output>,
    /// What stands for the content that is not known: the way in which it is made. Not kept.
    pub made: Option<Digest>,
    /// What it comes from, for people: a version, a unit, a URL. Not a part of the key.
    pub from: String,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// One value; `None` where it is optional and not there.
    Text(Option<String>),
    /// Texts in order.
    List(Vec<String>),
    /// Texts by name.
    Table(BTreeMap<String, String>),
    /// Inputs by name; a single one has an empty name.
    Inputs(BTreeMap<String, Content>),
}

/// All fields of a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account(pub BTreeMap<String, Fact>);

impl Account {
    /// The account of a step; `content` tells of an input.
    pub fn of<I>(derivation: &Derivation<I>, content: impl Fn(&I) -> Content) -> Self {
        let mut fields = BTreeMap::new();
        derivation.walk(&mut |field, value| drop(fields.insert(field.to_owned(), fact(value, &content))));
        Self(fields)
    }

    /// The text; a field that holds nothing has no line.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut out = String::new();
        for (field, fact) in &self.0 {
            match fact {
                Fact::Text(text) => text.iter().for_each(|text| line(&mut out, "text", &[field, text])),
                Fact::List(items) if items.is_empty() => {}
                Fact::List(items) => {
                    let words: Vec<&str> = [field].into_iter().chain(items).map(String::as_str).collect();
                    line(&mut out, "list", &words);
                }
                Fact::Table(items) => {
                    items.iter().for_each(|(name, value)| line(&mut out, "pair", &[field, name, value]))
                }
                Fact::Inputs(items) => items.iter().for_each(|(name, content)| {
                    line(
                        &mut out,
                        "input",
                        &[field, name, &content.output.map_or_else(String::new, show), &content.from],
                    );
                }),
            }
        }
        out
    }

    /// Reads a text; lines that make no sense are passed over, as it is only there to explain.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut account = Self::default();
        for line in text.lines() {
            let words: Vec<String> = line.split('\t').map(unescape).collect();
            if let [kind, field, rest @ ..] = &words[..] {
                account.add(kind, field, rest);
            }
        }
        account
    }

    fn add(&mut self, kind: &str, field: &str, words: &[String]) {
        let empty = match kind {
            "pair" => Fact::Table(BTreeMap::new()),
            "input" => Fact::Inputs(BTreeMap::new()),
            "list" => Fact::List(words.to_vec()),
            "text" => Fact::Text(words.first().cloned()),
            _ => return,
        };
        match (self.0.entry(field.to_owned()).or_insert(empty), words) {
            (Fact::Table(items), [name, value]) => drop(items.insert(name.clone(), value.clone())),
            (Fact::Inputs(items), [name, output, from]) => {
                let content = Content { output: read(output), made: None, from: from.clone() };
                items.insert(name.clone(), content);
            }
            _ => {}
        }
    }
}

fn fact<I>(value: Value<'_, I>, content: &impl Fn(&I) -> Content) -> Fact {
    match value {
        Value::Number(number) => Fact::Text(Some(number.to_string())),
        Value::Digest(digest) => Fact::Text(Some(digest.to_string())),
        Value::Text(text) => Fact::Text(Some(text.to_owned())),
        Value::Optional(text) => Fact::Text(text.map(str::to_owned)),
        Value::List(items) => Fact::List(items.into_iter().map(str::to_owned).collect()),
        Value::Table(items) => {
            Fact::Table(items.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
        }
        Value::Input(input) => Fact::Inputs(BTreeMap::from([(String::new(), content(input))])),
        Value::Inputs(items) => Fact::Inputs(named(items, content)),
    }
}

/// The inputs by name; where two packages have one name, as of two architectures, the second is `name 2`.
fn named<I>(items: Vec<(&str, &I)>, content: &impl Fn(&I) -> Content) -> BTreeMap<String, Content> {
    let mut named = BTreeMap::new();
    for (name, input) in items {
        let mut key = name.to_owned();
        for number in 2.. {
            if !named.contains_key(&key) {
                break;
            }
            key = format!("{name} {number}");
        }
        named.insert(key, content(input));
    }
    named
}

/// `file:<hex>:<size>`, `exec:…` or `tree:…`.
fn show(output: Output) -> String {
    let (kind, Blob { digest, size }) = match output {
        Output::File { blob, executable: false } => ("file", blob),
        Output::File { blob, executable: true } => ("exec", blob),
        Output::Tree(blob) => ("tree", blob),
    };
    format!("{kind}:{}:{size}", digest.hex())
}

fn read(text: &str) -> Option<Output> {
    let (kind, rest) = text.split_once(':')?;
    let (digest, size) = rest.split_once(':')?;
    let blob = Blob { digest: digest.parse().ok()?, size: size.parse().ok()? };
    match kind {
        "file" => Some(Output::File { blob, executable: false }),
        "exec" => Some(Output::File { blob, executable: true }),
        "tree" => Some(Output::Tree(blob)),
        _ => None,
    }
}

fn line(out: &mut String, kind: &str, words: &[&str]) {
    out.push_str(kind);
    for word in words {
        out.push('\t');
        out.push_str(&escape(word));
    }
    out.push('\n');
}

pub(super) fn escape(word: &str) -> String {
    word.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
}

pub(super) fn unescape(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let mut chars = word.chars();
    while let Some(char) = chars.next() {
        match (char, char == '\\') {
            (_, true) => out.extend(match chars.next() {
                Some('t') => Some('\t'),
                Some('n') => Some('\n'),
                Some('r') => Some('\r'),
                other => other,
            }),
            (char, false) => out.push(char),
        }
    }
    out
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::derivation::{Assemble, Run};
    use crate::path::{Name, RelPath};

    pub(in super::super) fn name(text: &str) -> Name {
        Name::new(text).expect("a name")
    }

    pub(in super::super) fn tree(text: &str) -> Output {
        Output::Tree(Blob { digest: Digest::of(text.as_bytes()), size: text.len() as u64 })
    }

    pub(in super::super) fn run() -> Run<Output> {
        Run {
            root: tree("root"),
            sources: BTreeMap::from([(name("src"), tree("src"))]),
            deps: BTreeMap::from([(name("lib"), tree("lib"))]),
            argv: ["/bin/sh", "-eu", "-c", "run\n\"$@\"", "forge", "make\tall", "make install"]
                .map(str::to_owned)
                .to_vec(),
            env: BTreeMap::from([("CC".to_owned(), "gcc \\".to_owned())]),
            outputs: vec![name("out")],
            profile: crate::sandbox::Profile::Build,
            service: None,
        }
    }

    pub(in super::super) fn toolroot() -> Assemble<Output> {
        Assemble::Toolroot {
            debs: vec![("gcc".to_owned(), tree("gcc 1")), ("libc6".to_owned(), tree("libc6 1"))],
            links: BTreeMap::from([("cc".to_owned(), "gcc".to_owned())]),
            trim: vec![RelPath::new("usr/share/doc").expect("clean")],
            ignore: Vec::new(),
        }
    }

    pub(in super::super) fn account(derivation: &Derivation<Output>) -> Account {
        let from = |output: &Output| Content { output: Some(*output), made: None, from: "its origin".to_owned() };
        Account::of(derivation, from)
    }

    #[test]
    fn golden_text() {
        let text = account(&Derivation::Run(run())).encode();
        let hex = |text: &str| Digest::of(text.as_bytes()).hex();
        let want = format!(
            "list\targv\t/bin/sh\t-eu\t-c\trun\\n\"$@\"\tforge\tmake\\tall\tmake install\n\
             input\tdeps\tlib\ttree:{}:3\tits origin\n\
             pair\tenv\tCC\tgcc \\\\\n\
             text\tkind\t2\n\
             list\toutputs\tout\n\
             input\troot\t\ttree:{}:4\tits origin\n\
             input\tsources\tsrc\ttree:{}:3\tits origin\n",
            hex("lib"),
            hex("root"),
            hex("src")
        );
        assert_eq!(text, want);
    }

    #[test]
    fn what_is_written_is_read() {
        for derivation in [Derivation::Run(run()), Derivation::Assemble(toolroot())] {
            let mut account = account(&derivation);
            let read = Account::parse(&account.encode());
            account.0.retain(|_, fact| *fact != Fact::List(Vec::new()));
            assert_eq!(read, account);
        }
        assert_eq!(Account::parse("nonsense\n\ninput\tx\ttree\n").0.len(), 1, "and nothing else stops it");
    }

    proptest::proptest! {
        #[test]
        fn any_word_can_be_written(word: String) {
            proptest::prop_assert_eq!(unescape(&escape(&word)), word.clone());
            proptest::prop_assert!(!escape(&word).contains(['\t', '\n', '\r']));
        }
    }
}
