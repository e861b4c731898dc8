//! `forge doctor`.

use std::path::Path;
use std::process::Command;

use super::error::CliError;
use super::{Verdict, environment, output, session};
use crate::fetch::apt;
use crate::sandbox::{self, Check};

/// Check what forge needs of this host, and say how to mend what is missing.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_: Option<&Path>, _: &Args) -> Result<Verdict, CliError> {
    let mut checks = vec![store_check(), program("git", "git sources"), program("cargo", "crates as sources"), mirrors()];
    checks.extend(sandbox_checks()?);
    for Check { name, ok, fix } in &checks {
        output::data(&format!("{}  {name}", if *ok { "ok  " } else { "FAIL" }));
        if !ok {
            output::data(&format!("      {fix}"));
        }
    }
    Ok(if checks.iter().all(|check| check.ok) { Verdict::Good } else { Verdict::Negative })
}

fn sandbox_checks() -> Result<Vec<Check>, CliError> {
    let program = std::env::current_exe().map_err(|error| CliError::environment(format!("own program: {error}")))?;
    let store = session::store()?;
    let scratch = store.scratch()?;
    Ok(sandbox::probe(&program, scratch.path()))
}

fn store_check() -> Check {
    let fix = match session::store() {
        Ok(_) => None,
        Err(error) => Some(format!("{error}")),
    };
    Check { name: "the store can be written", ok: fix.is_none(), fix: fix.unwrap_or_default() }
}

/// Whether a program that some sources need can be started.
fn program(name: &'static str, what: &str) -> Check {
    let ok = Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success());
    Check { name, ok, fix: format!("install {name}: it is needed for {what}") }
}

/// Whether something is nearer than the permanent snapshot archive.
fn mirrors() -> Check {
    let configured = environment::mirrors().is_some();
    let apt = apt::bases(Path::new(session::APT)).is_ok_and(|bases| !bases.is_empty());
    let fix = "neither FORGE_MIRRORS nor apt sources name one: .debs come from the permanent snapshot archive, slowly";
    Check { name: "a Debian mirror is configured", ok: configured || apt, fix: fix.to_owned() }
}
