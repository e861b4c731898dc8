//! Expressions of Kconfig: `PCI && (X86_64 || !NUMA) && ARCH = "x86"`.
//!
//! Source: Documentation/kbuild/kconfig-language.rst, "Menu dependencies".

use std::fmt;

use crate::kernel::Config;

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// A symbol, or one of the values `y`, `m` and `n`, or a number.
    Word(String),
    /// A text in quotes.
    Text(String),
    /// What a compiler or a shell is asked: `$(cc-option,-mfoo)`.
    Macro(String),
    /// `!A`.
    Not(Box<Self>),
    /// `A && B`.
    And(Box<Self>, Box<Self>),
    /// `A || B`.
    Or(Box<Self>, Box<Self>),
    /// `A = B` and the like.
    Compare(Box<Self>, &'static str, Box<Self>),
}

/// Signs, the longest that start alike first.
const SIGNS: [&str; 11] = ["&&", "||", "!=", "<=", ">=", "=", "<", ">", "!", "(", ")"];
const COMPARISONS: [&str; 6] = ["!=", "<=", ">=", "=", "<", ">"];

/// What `y`, `m` and `n` count.
pub fn tristate(value: &str) -> u8 {
    match value {
        "y" => 2,
        "m" => 1,
        _ => 0,
    }
}

impl Expression {
    /// Reads a text that is one expression; nothing where it is none.
    pub fn read(text: &str) -> Option<Self> {
        let tokens = tokens(text)?;
        let mut reader = Reader { tokens: &tokens };
        let expression = reader.any()?;
        reader.tokens.is_empty().then_some(expression)
    }

    /// What it comes to by a configuration: 2 for y, 1 for m, 0 for n; nothing where it needs an answer that no
    /// configuration has.
    pub fn value(&self, config: &Config) -> Option<u8> {
        Some(match self {
            Self::Word(word) => tristate(plain(word, config)),
            Self::Text(text) => tristate(text),
            Self::Macro(_) => return None,
            Self::Not(one) => 2 - one.value(config)?,
            Self::And(one, other) => match (one.value(config), other.value(config)) {
                (Some(0), _) | (_, Some(0)) => 0,
                (one, other) => one?.min(other?),
            },
            Self::Or(one, other) => match (one.value(config), other.value(config)) {
                (Some(2), _) | (_, Some(2)) => 2,
                (one, other) => one?.max(other?),
            },
            Self::Compare(one, sign, other) => {
                if compare(one.text(config)?, sign, other.text(config)?) {
                    2
                } else {
                    0
                }
            }
        })
    }

    /// The parts that must all hold.
    pub fn parts(self) -> Vec<Self> {
        match self {
            Self::And(one, other) => [*one, *other].into_iter().flat_map(Self::parts).collect(),
            one => vec![one],
        }
    }

    /// The symbols in it.
    pub fn symbols(&self) -> Vec<&str> {
        match self {
            Self::Word(word) if is_symbol(word) => vec![word],
            Self::Word(_) | Self::Text(_) | Self::Macro(_) => Vec::new(),
            Self::Not(one) => one.symbols(),
            Self::And(one, other) | Self::Or(one, other) | Self::Compare(one, _, other) => {
                [one.symbols(), other.symbols()].concat()
            }
        }
    }

    fn text<'a>(&'a self, config: &'a Config) -> Option<&'a str> {
        match self {
            Self::Word(word) => Some(plain(word, config)),
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// The value of a word, without quotes.
fn plain<'a>(word: &'a str, config: &'a Config) -> &'a str {
    if is_symbol(word) { config.value(word).trim_matches('"') } else { word }
}

fn is_symbol(word: &str) -> bool {
    !["y", "m", "n"].contains(&word) && number(word).is_none()
}

fn number(word: &str) -> Option<i64> {
    match word.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16).ok(),
        None => word.parse().ok(),
    }
}

fn compare(one: &str, sign: &str, other: &str) -> bool {
    let order = match (number(one), number(other)) {
        (Some(one), Some(other)) => one.cmp(&other),
        _ => one.cmp(other),
    };
    match sign {
        "=" => order.is_eq(),
        "!=" => order.is_ne(),
        "<" => order.is_lt(),
        ">" => order.is_gt(),
        "<=" => order.is_le(),
        _ => order.is_ge(),
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = |one: &Self| match one {
            Self::And(..) | Self::Or(..) => format!("({one})"),
            _ => one.to_string(),
        };
        match self {
            Self::Word(word) | Self::Macro(word) => f.write_str(word),
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::Not(one) => write!(f, "!{}", inner(one)),
            Self::And(one, other) => write!(f, "{} && {}", inner(one), inner(other)),
            Self::Or(one, other) => write!(f, "{one} || {other}"),
            Self::Compare(one, sign, other) => write!(f, "{one} {sign} {other}"),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Sign(&'static str),
    Leaf(Expression),
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let (mut rest, mut tokens) = (text.trim(), Vec::new());
    while !rest.is_empty() {
        let (token, length) = token(rest)?;
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    Some(tokens)
}

/// The first token of a text, and how many bytes it takes.
fn token(text: &str) -> Option<(Token, usize)> {
    if text.starts_with("$(") {
        let length = macro_length(text)?;
        return Some((Token::Leaf(Expression::Macro(text[..length].to_owned())), length));
    }
    if let Some(quote @ ('"' | '\'')) = text.chars().next() {
        let end = text[1..].find(quote)?;
        return Some((Token::Leaf(Expression::Text(text[1..=end].to_owned())), end + 2));
    }
    if let Some(sign) = SIGNS.into_iter().find(|sign| text.starts_with(sign)) {
        return Some((Token::Sign(sign), sign.len()));
    }
    let is_word = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    let length = text.find(|c| !is_word(c)).unwrap_or(text.len());
    (length > 0).then(|| (Token::Leaf(Expression::Word(text[..length].to_owned())), length))
}

/// How long a macro is, which may hold others.
fn macro_length(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, char) in text.char_indices() {
        depth += i32::from(char == '(') - i32::from(char == ')');
        if char == ')' && depth == 0 {
            return Some(at + 1);
        }
    }
    None
}

struct Reader<'t> {
    tokens: &'t [Token],
}

impl Reader<'_> {
    fn any(&mut self) -> Option<Expression> {
        let mut left = self.all()?;
        while self.takes("||") {
            left = Expression::Or(Box::new(left), Box::new(self.all()?));
        }
        Some(left)
    }

    fn all(&mut self) -> Option<Expression> {
        let mut left = self.one()?;
        while self.takes("&&") {
            left = Expression::And(Box::new(left), Box::new(self.one()?));
        }
        Some(left)
    }

    fn one(&mut self) -> Option<Expression> {
        if self.takes("!") {
            return Some(Expression::Not(Box::new(self.one()?)));
        }
        if self.takes("(") {
            let inner = self.any()?;
            return self.takes(")").then_some(inner);
        }
        let left = self.leaf()?;
        match COMPARISONS.into_iter().find(|sign| self.takes(sign)) {
            Some(sign) => Some(Expression::Compare(Box::new(left), sign, Box::new(self.leaf()?))),
            None => Some(left),
        }
    }

    fn leaf(&mut self) -> Option<Expression> {
        let (Token::Leaf(leaf), rest) = self.tokens.split_first()? else { return None };
        self.tokens = rest;
        Some(leaf.clone())
    }

    fn takes(&mut self, sign: &str) -> bool {
        let Some((Token::Sign(found), rest)) = self.tokens.split_first() else { return false };
        let takes = *found == sign;
        if takes {
            self.tokens = rest;
        }
        takes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        let config = Config::read("CONFIG_A=y\nCONFIG_M=m\nCONFIG_ARCH=\"x86\"\nCONFIG_V=140200\n");
        for (text, value) in [
            ("A", Some(2)),
            ("M", Some(1)),
            ("A && M", Some(1)),
            ("A && B", Some(0)),
            ("B || M", Some(1)),
            ("!M", Some(1)),
            ("!(A && B) && A", Some(2)),
            ("A || B && B", Some(2)),
            ("M != y", Some(2)),
            ("ARCH = \"x86\"", Some(2)),
            ("ARCH=\"arm\"", Some(0)),
            ("V >= 130000", Some(2)),
            ("V < 130000", Some(0)),
            ("$(cc-option,-m(x))", None),
            ("$(success,true) && B", Some(0)),
            ("A || $(success,true)", Some(2)),
            ("y", Some(2)),
        ] {
            let read = Expression::read(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(read.value(&config), value, "{text}");
        }
        for text in ["", "A &&", "(A", "A B", "&& A", "\"a", "$(a"] {
            assert_eq!(Expression::read(text), None, "{text}");
        }
    }

    #[test]
    fn parts_and_words() {
        let read = |text: &str| Expression::read(text).expect("an expression");
        let parts: Vec<_> = read("A && (B || !C) && D!=n").parts().iter().map(Expression::to_string).collect();
        assert_eq!(parts, ["A", "B || !C", "D != n"]);
        assert_eq!(read("A && (B || !C) && D != n && E > 3").symbols(), ["A", "B", "C", "D", "E"]);
        assert_eq!(read("!(A && B) || C").to_string(), "!(A && B) || C");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_not(text in "[A-C&|!()= \"$<>]{0,30}") {
            if let Some(read) = Expression::read(&text) {
                proptest::prop_assert_eq!(Expression::read(&read.to_string()), Some(read));
            }
        }
    }
}
