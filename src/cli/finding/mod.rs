//! What `forge check` found, in words and as JSON.

mod json;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Serialize;

use super::error::CliError;
use super::{Verdict, output};
use crate::check::difference::{Difference, differences};
use crate::check::factor::Factors;
use crate::check::verdict::Outcome;
use crate::check::{Cause, Finding, Subject};
use crate::compare;
use crate::path::Name;
use crate::store::Store;
use crate::words;

/// How many differences of an output are shown; `--json` has more.
const SHOWN: usize = 5;

/// How many lines of the log of a rebuild that failed are shown.
const LOG_LINES: usize = 10;

/// What a unit came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Every rebuild made the same.
    Reproducible,
    /// One did not.
    Differs,
    /// It could not be built the first time.
    Failed,
}

/// What was found of a unit.
#[derive(Debug)]
pub struct Report<'a> {
    unit: &'a Name,
    /// What it came to.
    pub status: Status,
    varied: Factors,
    effects: Vec<Effect>,
    rebuilds: usize,
    /// How long the check took.
    pub seconds: f64,
}

/// What some factors do to a step.
#[derive(Debug)]
struct Effect {
    label: String,
    factors: Factors,
    /// How the rebuild failed, and the file with its log.
    failure: Option<(String, PathBuf)>,
    differences: Vec<Difference>,
    races: bool,
}

impl<'a> Report<'a> {
    /// Nothing was found of `unit` yet.
    pub fn new(unit: &'a Name) -> Self {
        let (varied, effects) = (Factors::new(), Vec::new());
        Self { unit, status: Status::Reproducible, varied, effects, rebuilds: 0, seconds: 0.0 }
    }

    /// Adds what was found of one of its steps.
    pub fn add(&mut self, store: &Store, subject: &Subject<'_>, finding: Finding) -> Result<(), CliError> {
        self.varied.extend(finding.varied);
        self.rebuilds += finding.rebuilds;
        for cause in finding.causes {
            self.status = Status::Differs;
            self.effects.push(effect(store, subject, cause)?);
        }
        Ok(())
    }

    /// What it means for the exit code.
    pub fn verdict(&self) -> Verdict {
        if self.status == Status::Reproducible { Verdict::Good } else { Verdict::Negative }
    }

    fn differences(&self) -> impl Iterator<Item = (&Effect, &Difference)> {
        self.effects.iter().flat_map(|effect| effect.differences.iter().map(move |difference| (effect, difference)))
    }
}

fn effect(store: &Store, subject: &Subject<'_>, cause: Cause) -> Result<Effect, CliError> {
    let (failure, differences) = match &cause.outcome {
        Outcome::Failed { what, log } => (Some((what.clone(), store.file(log, false)?)), Vec::new()),
        Outcome::Made(made) => {
            (None, differences(store, &subject.first, made).map_err(|trouble| CliError::from(&trouble))?)
        }
    };
    let Cause { factors, races, .. } = cause;
    Ok(Effect { label: subject.step.label.clone(), factors, failure, differences, races })
}

/// Factors by name: `uid`, `cpus and locale`.
pub fn list(factors: &Factors) -> String {
    match words(factors).split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
    }
}

/// Their names.
fn words(factors: &Factors) -> Vec<&'static str> {
    factors.iter().map(|factor| factor.word()).collect()
}

/// Prints a report: as a line of JSON, or in words.
pub fn print(report: &Report<'_>, json: bool) {
    let unit = report.unit;
    match report.status {
        _ if json => output::json(&json::line(report)),
        Status::Failed => output::data(&format!("FAIL {unit}: can't be built")),
        Status::Reproducible => {
            let factors = words::count(report.varied.len(), "factor");
            output::data(&format!("ok {unit}: reproducible ({factors})"));
        }
        Status::Differs => report.effects.iter().for_each(|effect| tell(unit, effect)),
    }
}

fn tell(unit: &Name, effect: &Effect) {
    output::data(&format!("FAIL {unit}: {}", summary(unit, effect)));
    if let Some((what, log)) = &effect.failure {
        tell_failure(what, log);
    }
    effect.differences.iter().for_each(tell_difference);
    hints(unit, effect).iter().for_each(|hint| output::words(&format!("hint: {hint}")));
}

/// What to do next.
fn hints(unit: &Name, effect: &Effect) -> Vec<String> {
    let factors = &effect.factors;
    if factors.is_empty() {
        let again = "mend this first and check again: a factor can be blamed only in what keeps still";
        return vec![advice(effect).to_owned(), again.to_owned()];
    }
    let mut hints: Vec<_> = factors.iter().map(|factor| format!("{}: {}", factor.word(), factor.advice())).collect();
    if factors.iter().all(|factor| factor.held()) {
        let held = "forge gives this to every build alike, so builds by forge agree; builds elsewhere do not";
        hints.push(held.to_owned());
    }
    hints.push(format!(
        "when that is done, `forge check {unit} --factor {}` asks for this alone",
        words(factors).join(",")
    ));
    hints
}

/// `differs with another uid`, with the step where that is not the unit itself.
fn summary(unit: &Name, effect: &Effect) -> String {
    let does = if effect.failure.is_some() { "fails" } else { "differs" };
    let step = effect.label.strip_prefix(unit.as_str()).unwrap_or(&effect.label).trim_start_matches(": ");
    let step = if step.is_empty() { String::new() } else { format!(" (step `{step}`)") };
    let changes: Vec<_> = effect.factors.iter().map(|factor| factor.change()).collect();
    match effect.factors.len() {
        0 => format!("{does} by itself, with nothing changed{step}"),
        1 => format!("{does} by {}: {}{step}", list(&effect.factors), changes[0]),
        _ => format!("{does} by {} together: {}{step}", list(&effect.factors), changes.join("; ")),
    }
}

fn tell_failure(what: &str, log: &Path) {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.trim_end().lines().collect();
    output::data(&format!("  the rebuild failed: {what}"));
    lines[lines.len().saturating_sub(LOG_LINES)..].iter().for_each(|line| output::data(&format!("  | {line}")));
    output::data(&format!("  its log: {}", log.display()));
}

fn tell_difference(difference: &Difference) {
    let Difference { first, second, found } = difference;
    for difference in found.differences.iter().take(SHOWN) {
        output::data(&format!("  {}", difference.to_string().replace('\n', "\n  ")));
    }
    let more = found.count().saturating_sub(SHOWN as u64);
    if more > 0 {
        output::data(&format!(
            "  and {}",
            words::count(usize::try_from(more).unwrap_or(usize::MAX), "more difference")
        ));
    }
    output::data(&format!("  first build  {}", first.display()));
    output::data(&format!("  rebuild      {} (until `forge store gc`)", second.display()));
}

/// What helps against a difference that nothing was changed for, by what the bytes look like.
fn advice(effect: &Effect) -> &'static str {
    const TIMES: [&str; 2] = ["a time", "a date"];
    let differences = || effect.differences.iter().flat_map(|difference| &difference.found.differences);
    let like = |meaning: &str, words: &[&str]| words.iter().any(|word| meaning.starts_with(word));
    let looks = |words| differences().filter_map(|each| meaning(&each.what)).any(|meaning| like(meaning, words));
    let reads = |words| differences().filter_map(|each| text_meaning(&each.what)).any(|meaning| like(meaning, words));
    // A number of four bytes can look like a time by chance, so what was tried out counts for more.
    if reads(&TIMES) || (looks(&TIMES) && !effect.races) {
        "the time of the build is in it: take SOURCE_DATE_EPOCH, which every step has, in place of the clock"
    } else if effect.races {
        "two rebuilds on one processor came out alike, so what runs side by side races: sort what it makes, or let it \
         run one after the other"
    } else if looks(&["random", "a random", "a UUID"]) {
        "it looks random: give the tool a fixed seed or identifier (such as -frandom-seed=… for gcc)"
    } else {
        "time passes or something is random: take SOURCE_DATE_EPOCH in place of the clock, and give a fixed seed"
    }
}

fn meaning(what: &compare::What) -> Option<&str> {
    match what {
        compare::What::Bytes(bytes) => bytes.meaning.as_deref(),
        _ => text_meaning(what),
    }
}

fn text_meaning(what: &compare::What) -> Option<&str> {
    match what {
        compare::What::Line { meaning, .. } => meaning.as_deref(),
        _ => None,
    }
}

/// Prints what diffoscope says of all outputs that differ.
pub fn diffoscope(report: &Report<'_>) -> Result<(), CliError> {
    for (_, difference) in report.differences() {
        output::raw(&run_diffoscope(&["--text=-".as_ref(), &difference.first, &difference.second])?);
    }
    Ok(())
}

/// An error if diffoscope can't be run, so that it comes before the long work.
pub fn find_diffoscope() -> Result<(), CliError> {
    run_diffoscope(&["--version".as_ref()]).map(drop)
}

fn run_diffoscope(args: &[&Path]) -> Result<Vec<u8>, CliError> {
    let run = Command::new("diffoscope").args(args).stderr(Stdio::inherit()).output();
    run.map(|run| run.stdout).map_err(|error| {
        CliError::environment(format!("diffoscope: {error}"))
            .hint("install it (`apt-get install diffoscope`), or leave --diffoscope out: forge compares as well")
    })
}
