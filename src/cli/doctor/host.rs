//! The kernel, its limits, the clock, and what other programs there are.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::process::{Resource, getrlimit};

use super::Check;
use crate::cli::error::CliError;
use crate::cli::{environment, session};
use crate::fetch::{Location, Mirrors, apt};

/// The first kernel with mount_setattr(2).
const LEAST_KERNEL: (u32, u32) = (5, 12);
/// Fewer open files than this end a parallel build.
const LEAST_FILES: u64 = 256;
/// What most hosts allow.
const USUAL_FILES: u64 = 1024;
/// 2025-01-01: a clock before it is wrong, and no certificate or package list is valid then.
const LEAST_TIME: Duration = Duration::from_secs(1_735_689_600);

/// What every build needs of the host, the sandbox apart.
pub fn checks() -> Vec<Check> {
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    vec![
        kernel(&release),
        open_files(limit),
        clock(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()),
        temporary(&std::env::temp_dir()),
        overlay(&fs::read_to_string("/proc/filesystems").unwrap_or_default()),
    ]
}

fn kernel(release: &str) -> Check {
    let name = format!("Linux {release}");
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse::<u32>().unwrap_or(0));
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let (major, minor) = LEAST_KERNEL;
    Check::or(version >= LEAST_KERNEL, &name, |name| {
        Check::fail(name, format!("it is too old: forge needs Linux {major}.{minor} or newer"))
    })
}

fn open_files(limit: u64) -> Check {
    let name = format!("{limit} open files");
    let fix = "raise it: `ulimit -n 4096`, or LimitNOFILE of the service that starts forge";
    match limit {
        0..LEAST_FILES => Check::fail(name, fix),
        LEAST_FILES..USUAL_FILES => Check::note(name, fix),
        _ => Check::ok(if limit == u64::MAX { "open files without limit".to_owned() } else { name }),
    }
}

fn clock(now: Duration) -> Check {
    Check::or(now >= LEAST_TIME, "clock", |name| {
        Check::fail(
            name,
            "it says a time before 2025, in which no certificate is valid: set it, as with `timedatectl set-ntp true`",
        )
    })
}

fn temporary(path: &Path) -> Check {
    let probe = path.join(format!("forge-doctor.{}", std::process::id()));
    let made = fs::create_dir(&probe).and_then(|()| fs::remove_dir(&probe));
    let fix = |error: std::io::Error| {
        Check::note(
            format!("{}", path.display()),
            format!("{error}: git wants to write there; TMPDIR names another folder"),
        )
    };
    made.map_or_else(fix, |()| Check::ok(format!("{} can be written", path.display())))
}

fn overlay(file_systems: &str) -> Check {
    let there = file_systems.split_whitespace().any(|word| word == "overlay");
    Check::or(there, "overlayfs", |name| {
        Check::note(name, "builds do without, and only `forge shell` wants it: `sudo modprobe overlay`")
    })
}

/// Programs that some sources are fetched with.
pub fn programs() -> Vec<Check> {
    let runs = |program: &str| Command::new(program).arg("--version").output().is_ok_and(|run| run.status.success());
    let program = |(name, want): (&str, &str)| {
        Check::or(runs(name), name, |name| Check::note(name, format!("it is not installed; {want}")))
    };
    [("git", "only git sources need it"), ("cargo", "only crates as sources need it: https://rustup.rs")]
        .map(program)
        .into()
}

/// Whether something is nearer than the permanent snapshot archive; with `ask`, whether it answers.
pub fn mirrors(ask: bool) -> Result<Vec<Check>, CliError> {
    let apt = apt::bases(Path::new(session::APT)).unwrap_or_default();
    if apt.is_empty() && environment::mirrors().is_none() {
        let fix = "neither FORGE_MIRRORS nor apt sources name one; the snapshot archive is slow";
        return Ok(vec![Check::note("a Debian mirror", fix)]);
    }
    let mut checks = vec![Check::ok("a Debian mirror is named")];
    if ask {
        checks.extend(apt.iter().map(|base| match base.answers() {
            Ok(()) => Check::ok(format!("{base} answers")),
            Err(error) => Check::note(format!("{base}"), format!("it does not answer: {error}")),
        }));
    }
    Ok(checks)
}

/// Whether the files are where the user says, which only some units need.
pub fn supplied() -> Vec<Check> {
    let Some(file) = environment::mirrors() else { return Vec::new() };
    let mirrors = match Mirrors::read(&file) {
        Ok(mirrors) => mirrors,
        Err(error) => return vec![Check::fail("FORGE_MIRRORS names a file of mirrors", error.to_string())],
    };
    let check = |(name, place): (&str, Location)| {
        let there = matches!(&place, Location::File(path) if path.is_file());
        Check::or(there, &format!("`{name}` is supplied"), |name| {
            Check::note(name, format!("{place}: no such file; mend it under [supplied] in {}", file.display()))
        })
    };
    mirrors.supplied().map(check).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::*;

    #[test]
    fn what_is_short_is_said() {
        for (check, status) in [
            (kernel("6.12.94+deb13-amd64"), Status::Ok),
            (kernel("5.12.0"), Status::Ok),
            (kernel("5.11.22"), Status::Fail),
            (kernel("4.19.0-27"), Status::Fail),
            (kernel("weird"), Status::Fail),
            (open_files(100), Status::Fail),
            (open_files(256), Status::Note),
            (open_files(1024), Status::Ok),
            (clock(Duration::ZERO), Status::Fail),
            (clock(LEAST_TIME), Status::Ok),
            (overlay("nodev\ttmpfs\nnodev\toverlay\n"), Status::Ok),
            (overlay("nodev\ttmpfs\n"), Status::Note),
            (temporary(Path::new("/nowhere")), Status::Note),
        ] {
            assert_eq!(check.status, status, "{check:?}");
            assert_eq!(check.fix.is_empty(), status == Status::Ok, "{check:?}");
        }
    }
}
