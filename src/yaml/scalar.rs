//! What plain scalars mean: YAML 1.2's core schema, without what older readers take otherwise.

use super::Value;

/// Words that are `true` or `false` in YAML 1.1 alone, in small letters.
const WORDS: [&str; 6] = ["yes", "no", "on", "off", "y", "n"];

/// What a plain scalar means; nothing if that depends on who reads it.
pub(super) fn plain(text: &str) -> Option<Value> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Some(Value::Null),
        "true" | "True" | "TRUE" => Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => Some(Value::Bool(false)),
        word if WORDS.contains(&word.to_ascii_lowercase().as_str()) => None,
        _ => number(text),
    }
}

/// A number, or the text itself if it does not look like one.
fn number(text: &str) -> Option<Value> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let looks = digits.starts_with(|first: char| first.is_ascii_digit());
    let whole = looks && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let based = digits.len() > 2 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_alphabetic();
    let clock = looks && digits.split(':').all(|part| is_digits(part) && part.len() <= 2) && digits.contains(':');
    let dotted = digits.starts_with('.') && is_word_or_digits(&digits[1..]);
    if whole {
        let plain = is_digits(digits) && (digits.len() == 1 || !digits.starts_with('0'));
        return plain.then(|| text.parse().ok().map(Value::Int)).flatten();
    }
    if clock || dotted || based && is_based(&digits[1..]) {
        return None;
    }
    match text.parse::<f64>() {
        Ok(number) if looks && number.is_finite() => Some(Value::Float(number)),
        _ => Some(Value::Text(text.to_owned())),
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What stands behind the point of `.5`, `.inf` and `.nan`.
fn is_word_or_digits(rest: &str) -> bool {
    is_digits(rest) || ["inf", "nan"].contains(&rest.to_ascii_lowercase().as_str())
}

/// What stands behind the nought of `0x1f`, `0o17` and `0b1`.
fn is_based(rest: &str) -> bool {
    let radix = match rest.as_bytes()[0] {
        b'x' => 16,
        b'o' => 8,
        b'b' => 2,
        _ => return false,
    };
    rest[1..].chars().all(|char| char.is_digit(radix))
}

/// Whether a text may stand without quotes, and is read back as that text.
pub(super) fn needs_no_quotes(text: &str) -> bool {
    let first = |char: char| char.is_ascii_alphanumeric() || "/_.".contains(char);
    let rest = |char: char| char.is_ascii_alphanumeric() || "-_./:@+=, ()".contains(char);
    let shape = text.starts_with(first) && text.chars().all(rest) && !text.ends_with([' ', ':']);
    let split = text.contains(": ") || text.contains("---") || text.starts_with("..");
    shape && !split && plain(text) == Some(Value::Text(text.to_owned()))
}
