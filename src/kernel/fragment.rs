//! Fragments of a kernel's configuration: a few lines of `.config`, with comments.
//!
//! ```text
//! # Comments stand on lines of their own.
//! CONFIG_IKCONFIG=y
//! # CONFIG_MODULE_COMPRESS is not set
//! CONFIG_LOG_BUF_SHIFT=18
//! ```
//!
//! `n` and `is not set` are one. Anything else on a line is a mistake, as is a symbol that one fragment sets twice.
//! Source: `conf_read_simple` in Linux' scripts/kconfig/confdata.c, which passes over what it does not know.

use std::collections::BTreeMap;

/// What every symbol's name starts with in a configuration.
pub(super) const PREFIX: &str = "CONFIG_";
/// How a line ends that sets a symbol to `n`.
const UNSET: &str = " is not set";
/// The value of what is not set.
pub const NO: &str = "n";

/// What one line of a fragment asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its number, from 1.
    pub line: usize,
    /// The symbol, without `CONFIG_`.
    pub symbol: String,
    /// As it stands in `.config`; `n` where it is not set.
    pub value: String,
}

impl Request {
    /// The line as Kconfig writes it.
    #[must_use]
    pub fn text(&self) -> String {
        line(&self.symbol, &self.value)
    }
}

/// A line of `.config`.
#[must_use]
pub fn line(symbol: &str, value: &str) -> String {
    if value == NO { format!("# {PREFIX}{symbol}{UNSET}") } else { format!("{PREFIX}{symbol}={value}") }
}

/// Reads a fragment.
///
/// # Errors
/// Each mistake, with the number of its line.
pub fn read(text: &str) -> Result<Vec<Request>, Vec<(usize, String)>> {
    let (mut requests, mut mistakes) = (Vec::<Request>::new(), Vec::new());
    let mut seen = BTreeMap::new();
    for (line, text) in (1..).zip(text.lines()) {
        match assignment(text) {
            Ok(None) => {}
            Err(mistake) => mistakes.push((line, mistake)),
            Ok(Some((symbol, value))) => match seen.insert(symbol, line) {
                Some(first) => mistakes.push((line, format!("sets {PREFIX}{symbol} again, after line {first}"))),
                None => requests.push(Request { line, symbol: symbol.to_owned(), value: value.to_owned() }),
            },
        }
    }
    if mistakes.is_empty() { Ok(requests) } else { Err(mistakes) }
}

/// Symbol and value of a line; nothing of a comment or an empty line.
pub(super) fn assignment(line: &str) -> Result<Option<(&str, &str)>, String> {
    let line = line.trim();
    if let Some(comment) = line.strip_prefix('#') {
        let unset = comment.trim_start().strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(UNSET));
        return Ok(unset.filter(|symbol| is_name(symbol)).map(|symbol| (symbol, NO)));
    }
    if line.is_empty() {
        return Ok(None);
    }
    let pair = line.strip_prefix(PREFIX).and_then(|rest| rest.split_once('='));
    let Some((symbol, value)) = pair.filter(|(symbol, _)| is_name(symbol)) else {
        return Err(format!(
            "`{}` is no line of a configuration: write `{PREFIX}…=…` or a comment",
            line.escape_debug()
        ));
    };
    if !is_value(value) {
        let known = "`y`, `m`, `n`, a number or a text in quotes";
        return Err(format!("`{}` is no value for {PREFIX}{symbol}: write {known}", value.escape_debug()));
    }
    Ok(Some((symbol, value)))
}

fn is_name(symbol: &str) -> bool {
    !symbol.is_empty() && symbol.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn is_value(value: &str) -> bool {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let hex = value.strip_prefix("0x").is_some_and(|hex| !hex.is_empty() && u64::from_str_radix(hex, 16).is_ok());
    let quoted = value.len() >= 2 && value.starts_with('"') && value.ends_with('"');
    ["y", "m", NO].contains(&value) || number || hex || quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_line() {
        let text = "# About\n\nCONFIG_A=y\n# CONFIG_B is not set\n#CONFIG_C is not set\nCONFIG_D=n\nCONFIG_E=\"a # b\"\n\
                    CONFIG_F=-1\nCONFIG_G=0x1000000\n# CONFIG_H=y\nCONFIG_9P_FS=m\n";
        let found: Vec<_> = read(text).expect("a fragment").iter().map(|one| (one.line, one.text())).collect();
        let want = [
            (3, "CONFIG_A=y"),
            (4, "# CONFIG_B is not set"),
            (5, "# CONFIG_C is not set"),
            (6, "# CONFIG_D is not set"),
            (7, "CONFIG_E=\"a # b\""),
            (8, "CONFIG_F=-1"),
            (9, "CONFIG_G=0x1000000"),
            (11, "CONFIG_9P_FS=m"),
        ];
        assert_eq!(found, want.map(|(line, text)| (line, text.to_owned())));
    }

    #[test]
    fn mistakes_are_told_with_their_lines() {
        let text = "CONFIG_A=yes\nA=y\nCONFIG_B=y\nCONFIG_B=y\nCONFIG_C\nCONFIG_=y\n";
        let mistakes = read(text).expect_err("mistakes");
        assert_eq!(mistakes.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 2, 4, 5, 6]);
        assert_eq!(mistakes[0].1, "`yes` is no value for CONFIG_A: write `y`, `m`, `n`, a number or a text in quotes");
        assert_eq!(mistakes[2].1, "sets CONFIG_B again, after line 3");
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read(symbol in "[A-Z0-9_]{1,20}", value in "y|m|n|[0-9]{1,9}|\"[ -!#-~]{0,9}\"") {
            let request = Request { line: 1, symbol, value };
            proptest::prop_assert_eq!(read(&request.text()), Ok(vec![request]));
        }
    }
}
