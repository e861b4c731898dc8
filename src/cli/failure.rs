//! How steps that failed are told: the log, what happened where, and what to do next.

use std::fs;
use std::path::Path;

use super::{Verdict, advice, output};
use crate::build::realise::Trouble;
use crate::build::{Finish, Finishes, Status};
use crate::derivation::Derivation;
use crate::plan::{self, Plan, Step, StepId};
use crate::words;

/// How many lines of a log are printed; `forge log` prints the others.
const LOG_LINES: usize = 60;

/// Tells every failure, and what the work came to by them; `None` where all went well.
pub fn tell(plan: &Plan, finishes: &Finishes, cancelled: bool) -> Option<Verdict> {
    let troubles = || finishes.values().filter_map(|finish| finish.trouble.as_ref());
    let commands = troubles().filter(|trouble| matches!(trouble, Trouble::Command { .. })).count();
    for (id, finish) in finishes.iter().filter(|(_, finish)| finish.status == Status::Failed) {
        explain(plan, *id, finish, commands > 1);
    }
    if cancelled {
        output::words("interrupted; what was finished is kept");
        Some(Verdict::Interrupted)
    } else if troubles().any(|trouble| matches!(trouble, Trouble::Environment(_) | Trouble::Corrupt(_))) {
        Some(Verdict::Environment)
    } else {
        troubles().next().map(|_| Verdict::Negative)
    }
}

/// One failed step; `among` others, it is named where one would do without.
fn explain(plan: &Plan, id: StepId, finish: &Finish, among: bool) {
    let Some(trouble) = &finish.trouble else { return };
    let step = &plan.steps[id];
    let whole = |log: &Path| match plan.test(id) {
        Some(test) => {
            format!("`forge log {} --test {test}` prints all of it; the file is {}", step.unit, log.display())
        }
        None => format!("`forge log {}` prints all of it; the file is {}", step.unit, log.display()),
    };
    let text = trouble.to_string();
    // The trouble of a download already starts with its label.
    let text = text.strip_prefix(&format!("{}: ", step.label)).unwrap_or(&text);
    let Trouble::Command { log, .. } = trouble else {
        return output::words(&format!("error: {}: {text}", step.label));
    };
    let said = fs::read(log).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let (before, last) = tail(said.trim_end(), LOG_LINES);
    output::words(&format!("── log of {} ──", step.label));
    if before > 0 {
        output::words(&format!("… {}; {}", words::count(before, "more line"), whole(log)));
    }
    output::words(&format!("{last}\n──"));
    output::words(&format!("error: {}: {text}{}", step.label, place(step, &said)));
    advice::on(&said).for_each(|advice| output::words(&format!("hint: {advice}")));
    output::words(&format!("hint: {}", whole(log)));
    let name = if among { format!(" {}", step.unit) } else { String::new() };
    output::words(&format!("hint: `forge shell --failed{name}` enters its sandbox there, with the files it left"));
}

/// Where in the recipe a command failed, with what stands there.
fn place(step: &Step, log: &str) -> String {
    let Derivation::Run(run) = &step.derivation else { return String::new() };
    let steps = plan::steps(&run.argv);
    plan::last_step(log, steps.len()).map_or_else(String::new, |number| {
        format!(" in step {number} of {}:\n{}", steps.len(), output::indented(&steps[number - 1]))
    })
}

/// The last lines of a text, and how many more there are.
fn tail(text: &str, lines: usize) -> (usize, &str) {
    let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
    let before = (ends.len() + 1).saturating_sub(lines);
    (before, if before == 0 { text } else { &text[ends[before - 1]..] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines() {
        for (text, lines, want) in
            [("", 2, (0, "")), ("a\nb", 2, (0, "a\nb")), ("a\nb\nc", 2, (1, "b\nc")), ("a\n\nb\nc", 1, (3, "c"))]
        {
            assert_eq!(tail(text, lines), want, "{text:?}");
        }
    }
}
