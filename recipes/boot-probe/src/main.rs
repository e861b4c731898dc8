//! The first process of a kernel under test.
//!
//! It stands as `/init` in the first root file system, makes the checks that `/forge/checks` lists, one a line (the
//! language is in [`check`]), and ends the machine. What it says on the console is in [`report`].

mod check;
mod config;
mod kernel;
mod kernel_log;
mod layers;
mod loop_device;
mod module;
mod report;
mod wait;

use std::fs;

use rustix::mount::{MountFlags, mount};
use rustix::system::{RebootCommand, reboot};

use check::Check;
use report::Report;

/// The list of checks.
const CHECKS: &str = "/forge/checks";

/// File systems that the kernel makes up.
const MOUNTS: [(&str, &str); 3] = [("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev")];

fn main() {
    let mut report = Report::new();
    for (kind, place) in MOUNTS {
        let made = fs::create_dir_all(place)
            .and_then(|()| Ok(mount(kind, place, kind, MountFlags::empty(), None::<&std::ffi::CStr>)?));
        if let Err(error) = made {
            report.words(&format!("mounting {place}: {error}"));
        }
    }
    // Only what ends it may interrupt what is said here.
    let _ = fs::write("/proc/sys/kernel/printk", "1");
    match fs::read_to_string(CHECKS) {
        Ok(text) => check_all(&text, &mut report),
        Err(error) => report.words(&format!("{CHECKS}: {error}")),
    }
    report.end();
    // QEMU is told to end where a machine would start again.
    let _ = reboot(RebootCommand::Restart);
}

fn check_all(text: &str, report: &mut Report) {
    for line in text.lines() {
        report.of(line, Check::read(line).and_then(|check| kernel::check(&check)));
    }
}
