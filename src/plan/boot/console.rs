//! What a kernel and its probe said: a line `FORGE ok <check>` or `FORGE FAIL <check>: <why>` for each check of the list.
//!
//! Lines of a serial port end with a carriage return too. What else stands there is the kernel's. All stands in the log of
//! the command that runs the machine, after the line [`START`] and before what the command says of its own end.

/// The line after which the machine speaks.
pub(super) const START: &str = "== the machine starts";
/// How a line starts in which the command speaks.
const COMMAND: &str = "== ";
/// How many lines are shown of a kernel that did not get to a check.
const SHOWN: usize = 3;

/// How a check ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome<'c> {
    /// The check, as in the list.
    pub check: &'c str,
    /// What is wrong; nothing if it is as it must be.
    pub failure: Option<String>,
}

/// How each check of a list ended, by the log of the command that ran the machine.
#[must_use]
pub fn outcomes<'c>(log: &str, checks: &'c [String]) -> Vec<Outcome<'c>> {
    let console: Vec<&str> = console(log).collect();
    let answers: Vec<&str> = console.iter().filter_map(|line| line.strip_prefix("FORGE ")).collect();
    let outcome = |check: &'c String| {
        let failure = answers.iter().find_map(|answer| answered(answer, check));
        Outcome { check, failure: failure.unwrap_or_else(|| Some(unanswered(&console))) }
    };
    checks.iter().map(outcome).collect()
}

/// What an answer says of a check, if it is about it.
fn answered(answer: &str, check: &str) -> Option<Option<String>> {
    if answer.strip_prefix("ok ") == Some(check) {
        return Some(None);
    }
    let why = answer.strip_prefix("FAIL ")?.strip_prefix(check)?.strip_prefix(": ")?;
    Some(Some(why.to_owned()))
}

/// What the machine said, line by line.
fn console(log: &str) -> impl Iterator<Item = &str> {
    let said = log.lines().map(str::trim_end).skip_while(|line| *line != START).skip(1);
    said.take_while(|line| !line.starts_with(COMMAND)).filter(|line| !line.is_empty())
}

fn unanswered(console: &[&str]) -> String {
    let last = &console[console.len().saturating_sub(SHOWN)..];
    format!("the machine ended before; its last words: {}", last.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_found_among_the_kernel_s_words() {
        let checks = ["config", "file /a=b", "file /a=b: c", "load x"].map(str::to_owned);
        let log = "== step 1 of 1: x\nFORGE ok load x\n== the machine starts\nFORGE nothing\r\n[ 1.0] ok config\r\nFORGE ok config\r\nFORGE FAIL file /a=b: it has : c\r\n\
                       FORGE ok file /a=b: c\r\n\r\n[ 2.0] Kernel panic\r\n== step 1 of 1 failed\n";
        let found: Vec<_> = outcomes(log, &checks).into_iter().map(|outcome| outcome.failure).collect();
        let lost = "the machine ended before; its last words: FORGE FAIL file /a=b: it has : c | FORGE ok file /a=b: c | \
                    [ 2.0] Kernel panic";
        assert_eq!(found, [None, Some("it has : c".to_owned()), None, Some(lost.to_owned())]);
    }

    #[test]
    fn a_machine_that_says_nothing() {
        let checks = ["config".to_owned()];
        let found = outcomes("", &checks);
        assert_eq!(found[0].failure.as_deref(), Some("the machine ended before; its last words: "));
    }
}
