//! A report as a line of JSON.

use serde::Serialize;

use super::{Effect, Report, Status, words};
use crate::check::difference::Difference;
use crate::check::factor::Factors;
use crate::compare;

/// The JSON of a report.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    name: &'a str,
    status: Status,
    /// Those that make a difference; empty too where it differs by itself.
    factors: Vec<&'static str>,
    differences: Vec<DifferenceLine<'a>>,
    failures: Vec<FailureLine<'a>>,
    varied: Vec<&'static str>,
    rebuilds: usize,
    seconds: f64,
}

/// The JSON of a difference.
#[derive(Serialize)]
struct DifferenceLine<'a> {
    path: &'a str,
    factors: Vec<&'static str>,
    first: String,
    second: String,
    #[serde(flatten)]
    difference: &'a compare::Difference,
}

/// The JSON of a rebuild that failed.
#[derive(Serialize)]
struct FailureLine<'a> {
    factors: Vec<&'static str>,
    error: &'a str,
    log: String,
}

/// What is printed of a report.
pub(super) fn line<'a>(report: &'a Report<'_>) -> Line<'a> {
    let blamed: Factors = report.effects.iter().flat_map(|effect| effect.factors.iter().copied()).collect();
    let failures = report.effects.iter().filter_map(|effect| {
        let (error, log) = effect.failure.as_ref()?;
        Some(FailureLine { factors: words(&effect.factors), error, log: log.display().to_string() })
    });
    Line {
        name: report.unit.as_str(),
        status: report.status,
        factors: words(&blamed),
        differences: report
            .differences()
            .flat_map(|(effect, difference)| difference_lines(effect, difference))
            .collect(),
        failures: failures.collect(),
        varied: words(&report.varied),
        rebuilds: report.rebuilds,
        seconds: report.seconds,
    }
}

fn difference_lines<'a>(effect: &Effect, outputs: &'a Difference) -> Vec<DifferenceLine<'a>> {
    let line = |difference: &'a compare::Difference| DifferenceLine {
        path: &difference.place.path,
        factors: words(&effect.factors),
        first: outputs.first.display().to_string(),
        second: outputs.second.display().to_string(),
        difference,
    };
    outputs.found.differences.iter().map(line).collect()
}
