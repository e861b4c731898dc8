//! This program as the first one of a machine that was booted for it: the kernel's command line is its own.

use std::fs;

use anyhow::{Context, Result, ensure};
use rustix::mount::{MountFlags, mount};
use rustix::system::{RebootCommand, reboot, uname};

/// The last line of a machine whose kernel does all that was asked.
pub const DONE: &str = "guest: all is as it should be";

/// Does something as the first program of a machine, says how it went, and ends the machine.
pub fn run(work: impl FnOnce() -> Result<()>) -> Result<()> {
    ensure!(std::process::id() == 1, "this is not the first program of a machine");
    match prepare().and_then(|()| work()) {
        Ok(()) => println!("{DONE}"),
        Err(error) => println!("guest: error: {error:#}"),
    }
    reboot(RebootCommand::Restart).context("the machine can't be ended")
}

/// Mounts what is read here, and tells of the kernel.
fn prepare() -> Result<()> {
    for (kind, place) in [("proc", "/proc"), ("sysfs", "/sys"), ("securityfs", "/sys/kernel/security")] {
        fs::create_dir_all(place).with_context(|| format!("{place} can't be made"))?;
        mount(kind, place, kind, MountFlags::empty(), None).with_context(|| format!("{place} can't be mounted"))?;
    }
    let lockdown = fs::read_to_string("/sys/kernel/security/lockdown").unwrap_or_else(|_| "none".into());
    println!("guest: Linux {}, lockdown {}", uname().release().to_string_lossy(), lockdown.trim());
    Ok(())
}
