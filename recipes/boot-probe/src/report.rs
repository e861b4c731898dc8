//! What is said on the console: `FORGE ok <check>` or `FORGE FAIL <check>: <why>` for each check, where `<check>` is its
//! line in the list, and `FORGE end <count>` after the last.

use std::io::Write as _;
use std::io::stdout;

/// What was said so far.
pub struct Report {
    count: usize,
}

impl Report {
    /// Begins a line of its own, whatever the kernel was about to say.
    pub fn new() -> Self {
        say("");
        Self { count: 0 }
    }

    /// Says how a check ended.
    pub fn of(&mut self, check: &str, outcome: Result<(), String>) {
        self.count += 1;
        say(&line(check, &outcome));
    }

    /// Says something that is no check.
    pub fn words(&self, words: &str) {
        say(&format!("FORGE {}", flat(words)));
    }

    /// Says that there is no more.
    pub fn end(&self) {
        say(&format!("FORGE end {}", self.count));
    }
}

fn say(line: &str) {
    // Nobody is left to be told if this fails.
    let _ = writeln!(stdout(), "{line}");
}

fn line(check: &str, outcome: &Result<(), String>) -> String {
    match outcome {
        Ok(()) => format!("FORGE ok {check}"),
        Err(why) => format!("FORGE FAIL {check}: {}", flat(why)),
    }
}

/// As one line.
fn flat(text: &str) -> String {
    text.split('\n').map(str::trim).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        assert_eq!(line("config", &Ok(())), "FORGE ok config");
        assert_eq!(line("config", &Err("one\n two".to_owned())), "FORGE FAIL config: one; two");
    }
}
