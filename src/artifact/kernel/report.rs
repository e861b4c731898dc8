//! What became of each line that was asked for, as a file.
//!
//! ```text
//! { "lines": [ { "file": "solana.config", "line": 5, "asked": "CONFIG_TRANSPARENT_HUGEPAGE=y",
//!                "verdict": "kept", "why": null, "waived": null } ],
//!   "set": { "y": 890, "m": 12 } }
//! ```

use serde::Serialize;

use crate::kernel::Config;
use crate::kernel::judge::Finding;

/// The file's name.
pub const FILE: &str = "configuration.json";

#[derive(Serialize)]
struct Report<'f> {
    lines: Vec<Line<'f>>,
    set: Set,
}

#[derive(Serialize)]
struct Line<'f> {
    file: &'f str,
    line: usize,
    asked: String,
    verdict: &'static str,
    why: Option<String>,
    waived: Option<&'f str>,
}

impl<'f> Line<'f> {
    fn of(finding: &'f Finding) -> Self {
        Self {
            file: &finding.file,
            line: finding.request.line,
            asked: finding.request.text(),
            verdict: finding.verdict.word(),
            why: finding.verdict.why(&finding.request.symbol),
            waived: finding.waived.as_deref(),
        }
    }
}

/// How many symbols are built in, and as modules.
#[derive(Serialize)]
struct Set {
    y: usize,
    m: usize,
}

/// The text of the report.
pub(super) fn text(findings: &[Finding], config: &Config) -> String {
    let lines = findings.iter().map(Line::of).collect();
    let report = Report { lines, set: Set { y: config.count("y"), m: config.count("m") } };
    serde_json::to_string_pretty(&report).expect("BUG: a report is plain data") + "\n"
}
