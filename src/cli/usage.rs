//! What is wrong with a command line, in forge's words: clap finds it, this tells it as every other error.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};

use super::error::CliError;

/// What clap calls suggestions of one name or several.
const NEAR: [ContextKind; 3] =
    [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];

/// The error for `arguments` that clap refused; where they ask for help, that is printed, and forge ends.
pub fn refusal(error: &Error, command: &Command, arguments: impl Iterator<Item = String>) -> CliError {
    if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        error.exit();
    }
    let text = plain(&error.render());
    let (what, _) = text.split_once("\n\n").unwrap_or((&text, ""));
    let refusal = CliError::user(what.strip_prefix("error: ").unwrap_or(what).trim_end());
    let usage = match error.get(ContextKind::Usage) {
        Some(ContextValue::StyledStr(usage)) => format!("{}; ", one_line(&plain(usage))),
        _ => String::new(),
    };
    let help = format!("{usage}`{} --help` explains it", path(command, arguments));
    hints(error).into_iter().chain([help]).fold(refusal, CliError::hint)
}

/// What clap thinks was meant.
fn hints(error: &Error) -> Vec<String> {
    let near = NEAR.into_iter().filter_map(|kind| match error.get(kind)? {
        ContextValue::String(name) => Some(format!("did you mean `{name}`?")),
        ContextValue::Strings(names) => Some(format!("did you mean `{}`?", names.join("` or `"))),
        _ => None,
    });
    let advice = match error.get(ContextKind::Suggested) {
        Some(ContextValue::StyledStrs(advice)) => advice.as_slice(),
        _ => &[],
    };
    near.chain(advice.iter().map(plain)).collect()
}

/// The verb that `arguments` name, as it is called: `forge store gc`.
fn path(command: &Command, arguments: impl Iterator<Item = String>) -> String {
    let mut verb = (command, command.get_name().to_owned());
    for argument in arguments {
        if let Some(inner) = verb.0.find_subcommand(&argument) {
            verb = (inner, format!("{} {argument}", verb.1));
        }
    }
    verb.1
}

/// `usage: forge shell NAME or forge shell --failed`, from clap's lines.
fn one_line(usage: &str) -> String {
    let lines: Vec<&str> = usage.trim_start_matches("Usage:").lines().map(str::trim).collect();
    format!("usage: {}", lines.join(" or "))
}

/// A text without colours; what stands in quotes and in a colour, as arguments do, is in backquotes.
fn plain(styled: &StyledStr) -> String {
    let text = styled.ansi().to_string();
    let mut pieces = text.split('\x1b');
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (code, rest) = piece.split_once('m').unwrap_or(("", piece));
        let quoted = rest.strip_prefix('\'').filter(|_| code == "[0");
        if code != "[0" && plain.ends_with('\'') {
            plain.pop();
            plain.push('`');
        }
        plain.extend(quoted.map(|_| '`'));
        plain.push_str(quoted.unwrap_or(rest));
    }
    plain
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::super::Args;
    use super::*;

    #[test]
    fn what_is_wrong_and_what_was_meant() {
        for (line, want) in [
            (
                "bulid",
                "unrecognized subcommand `bulid`; did you mean `build`?; usage: forge [OPTIONS] <COMMAND>; `forge --help` explains it",
            ),
            (
                "store gcc",
                "unrecognized subcommand `gcc`; did you mean `gc`?; usage: forge store [OPTIONS] <COMMAND>; `forge store --help` explains it",
            ),
            ("build --jsn", "unexpected argument `--jsn` found; did you mean `--json`?; usage: forge build "),
            (
                "build -j 0",
                "invalid value `0` for `--jobs <N>`: 0 is not in 1..=65535; `forge build --help` explains it",
            ),
            ("build it's", "invalid value `it's` for `[NAME[:OUTPUT]]...`: "),
            (
                "graph -f htm",
                "invalid value `htm` for `--format <FORMAT>`\n  [possible values: dot, svg, html, json]; did you mean `html`?; `forge graph --help`",
            ),
            ("why a", "the following required arguments were not provided:\n  <B>; usage: forge why "),
            ("lock --check --dry-run", "the argument `--check` cannot be used with `--dry-run`; "),
            (
                "shell",
                "the following required arguments were not provided:\n  <NAME>; usage: forge shell NAME [--test TEST] [--keep] [-- CMD...] or forge shell --failed [NAME] [-- CMD...]; `forge shell --help` explains it",
            ),
        ] {
            let words = || std::iter::once("forge").chain(line.split(' '));
            let error = Args::try_parse_from(words()).expect_err("wrong");
            let refusal = refusal(&error, &Args::command(), words().map(str::to_owned)).to_string();
            assert!(refusal.starts_with(want), "{line}:\n{refusal}\n{want}");
        }
    }
}
