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
    let mut checks = vec![store_check()];
    checks.extend(sandbox_checks()?);
    for Check { name, ok, fix } in &checks {
        output::data(&format!("{}  {name}", if *ok { "ok  " } else { "FAIL" }));
        if !ok {
            output::data(&format!("      {fix}"));
        }
    }
    note(git(), "git", "it is not installed; only git sources need it");
    note(mirror(), "a Debian mirror", "neither FORGE_MIRRORS nor apt sources name one; the snapshot archive is slow");
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

/// A check whose failure is no fault of the host.
fn note(ok: bool, name: &str, words: &str) {
    output::data(&if ok { format!("ok    {name}") } else { format!("note  {name}: {words}") });
}

fn git() -> bool {
    Command::new("git").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Whether something is nearer than the permanent snapshot archive.
fn mirror() -> bool {
    let apt = apt::bases(Path::new(session::APT)).is_ok_and(|bases| !bases.is_empty());
    environment::mirrors().is_some() || apt
}
