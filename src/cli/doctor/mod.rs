//! `forge doctor`.
//!
//! A check that fails stands with what to do about it. What only some recipes or verbs want is a
//! note and fails nothing.

mod disk;
mod host;

use std::path::Path;

use serde::Serialize;

use super::error::CliError;
use super::{Verdict, output, session};
use crate::sandbox;
use crate::store::Store;
use crate::words;

/// Check what forge needs of this host, and say how to mend what is missing.
///
/// Exit code 1 says that something is missing that every build needs; a note is about what only
/// some need.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Ask the Debian mirrors too, which may take some seconds.
    #[arg(long)]
    network: bool,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Ok,
    /// Something that only some need, or that may become short.
    Note,
    Fail,
}

/// One line of the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Check {
    status: Status,
    /// What was looked at, and what was found.
    name: String,
    /// What is wrong and what to do about it; empty where it is ok.
    fix: String,
}

impl Check {
    fn ok(name: impl Into<String>) -> Self {
        Self { status: Status::Ok, name: name.into(), fix: String::new() }
    }

    fn note(name: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { status: Status::Note, name: name.into(), fix: fix.into() }
    }

    fn fail(name: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { status: Status::Fail, name: name.into(), fix: fix.into() }
    }

    /// Ok, or else `other`.
    fn or(ok: bool, name: &str, other: impl FnOnce(&str) -> Self) -> Self {
        if ok { Self::ok(name) } else { other(name) }
    }
}

pub fn run(_: Option<&Path>, args: &Args) -> Result<Verdict, CliError> {
    let mut checks = host::checks();
    match session::store() {
        Ok(store) => {
            checks.extend(disk::checks(&store)?);
            checks.extend(sandbox_checks(&store)?);
        }
        Err(error) => checks.push(Check::fail("the store can be opened", error.to_string())),
    }
    checks.extend(host::programs());
    checks.extend(host::mirrors(args.network)?);
    checks.extend(host::supplied());
    for check in &checks {
        if args.json { output::json(check) } else { output::data(&draw(check)) }
    }
    let failed = checks.iter().filter(|check| check.status == Status::Fail).count();
    if failed > 0 {
        output::words(&format!("{} to mend before forge can build here", words::count(failed, "thing")));
    }
    Ok(if failed == 0 { Verdict::Good } else { Verdict::Negative })
}

fn draw(Check { status, name, fix }: &Check) -> String {
    let word = match status {
        Status::Ok => "ok",
        Status::Note => "note",
        Status::Fail => "FAIL",
    };
    let fix: String = fix.lines().map(|line| format!("\n      {line}")).collect();
    format!("{word:4}  {name}{fix}")
}

fn sandbox_checks(store: &Store) -> Result<Vec<Check>, CliError> {
    let program = std::env::current_exe().map_err(|error| CliError::environment(format!("own program: {error}")))?;
    let scratch = store.scratch()?;
    let checks = sandbox::probe(&program, scratch.path()).into_iter();
    Ok(checks.map(|check| Check::or(check.ok, check.name, |name| Check::fail(name, check.fix.clone()))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawing() {
        for (check, text) in [
            (Check::ok("git"), "ok    git"),
            (Check::note("git", "install it"), "note  git\n      install it"),
            (Check::fail("a", "one\ntwo"), "FAIL  a\n      one\n      two"),
        ] {
            assert_eq!(draw(&check), text);
        }
    }
}
