//! `forge store fsck`.

use std::path::Path;

use serde::Serialize;

use super::repair::Repair;
use super::watch::Upkeep;
use crate::cli::error::CliError;
use crate::cli::{Verdict, output, session};
use crate::store::{self, Damage, Finding, Report};
use crate::words;

/// Hash every object, and compare every tree and result.
///
/// What is damaged is taken out of use: bad copies go to the store's quarantine, and what was made
/// of them is forgotten, so that the next build makes it again. Only this finds damage that leaves
/// size, mode and time of a file as they were. Exit code 1 says that something was found, 0 with
/// --repair that all that this project had is there again.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Fetch and build again at once what the units of this project lost.
    #[arg(long)]
    repair: bool,
    /// Use no network for the repair.
    #[arg(long, requires = "repair")]
    offline: bool,
    /// Print one JSON object a line for each finding, and for each unit that is made again.
    #[arg(long)]
    json: bool,
}

pub fn run(directory: Option<&Path>, args: &Args) -> Result<Verdict, CliError> {
    let mut store = session::store()?;
    let repair = if args.repair { Some(Repair::prepare(&session::root(directory)?, &store)?) } else { None };
    let upkeep = Upkeep::new()?;
    let checked = store.fsck(&upkeep.watch());
    drop(upkeep);
    if matches!(checked, Err(store::Error::Stopped)) {
        output::words("interrupted; nothing was taken out of use");
        return Ok(Verdict::Interrupted);
    }
    let report = checked?;
    show(&report, args);
    match repair {
        _ if report.findings.is_empty() => Ok(Verdict::Good),
        Some(repair) => repair.run(&store, args.offline, args.json),
        None => {
            output::words("hint: the next build makes again what it needs; in a project, --repair does so now");
            Ok(Verdict::Negative)
        }
    }
}

fn show(report: &Report, args: &Args) {
    for finding in &report.findings {
        if args.json {
            output::json(&Line::from(finding));
        } else {
            output::data(&draw(finding));
        }
    }
    let (objects, findings) = (report.objects, report.findings.len());
    output::words(&format!(
        "checked {}, {}: {}",
        words::count(objects, "object"),
        words::size(report.bytes),
        words::count(findings, "finding")
    ));
}

fn draw(finding: &Finding) -> String {
    let of: Vec<_> = finding.of.iter().filter(|label| !label.is_empty()).map(String::as_str).collect();
    let of = if of.is_empty() { "nothing that a result names".to_owned() } else { of.join(", ") };
    match finding.damage {
        Damage::Line(_) => finding.damage.to_string(),
        _ => format!("{}\n  part of: {of}", finding.damage),
    }
}

#[derive(Serialize)]
struct Line<'a> {
    damage: &'static str,
    path: String,
    of: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    want: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    got: Option<String>,
    words: String,
}

impl<'a> From<&'a Finding> for Line<'a> {
    fn from(finding: &'a Finding) -> Self {
        let (damage, path) = match &finding.damage {
            Damage::Corrupt { path, .. } => ("corrupt", path.clone()),
            Damage::Tree(tree) => ("tree", format!("tree/{}", tree.hex())),
            Damage::Result(key) => ("result", key.hex()),
            Damage::Line(path) => ("line", path.clone()),
        };
        let (want, got) = match &finding.damage {
            Damage::Corrupt { want, got, .. } => (Some(want.to_string()), Some(got.to_string())),
            _ => (None, None),
        };
        let words = finding.damage.to_string().lines().next().unwrap_or_default().to_owned();
        Self { damage, path, of: finding.of.iter().map(String::as_str).collect(), want, got, words }
    }
}
