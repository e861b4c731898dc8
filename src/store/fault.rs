//! Places where a test can kill the process, to prove that any moment is a good one to die.
//!
//! Nothing happens at a point until [`arm`] was called; then the process kills itself with
//! SIGKILL the n-th time it passes there. A disarmed point costs one atomic load.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Signal, getpid, kill_process};

use super::Error;

/// Every point, in the order in which a build passes them.
pub const POINTS: &[&str] = &[
    "create.format",
    "scratch.made",
    "write.begun",
    "write.sealed",
    "write.placed",
    "import.walked",
    "import.hashed",
    "import.moved",
    "import.stored",
    "checkout.linked",
    "checkout.made",
    "checkout.placed",
    "commit.written",
    "commit.synced",
    "commit.renamed",
    "commit.done",
    "sweep.removed",
];

struct Armed {
    name: &'static str,
    left: AtomicU32,
}

static ARMED: OnceLock<Armed> = OnceLock::new();

/// Arms one point: `name`, or `name:count` to die at the count-th passage. The first call wins.
///
/// # Errors
/// For a name that is not in [`POINTS`].
pub fn arm(spec: &str) -> Result<(), Error> {
    let (name, count) = spec.split_once(':').unwrap_or((spec, "1"));
    let unknown = || Error::NoSuchPoint(spec.to_owned());
    let name = POINTS.iter().find(|point| **point == name).ok_or_else(unknown)?;
    let left = AtomicU32::new(count.parse().map_err(|_| unknown())?);
    ARMED.get_or_init(|| Armed { name, left });
    Ok(())
}

/// Dies here if this point is armed.
pub fn point(name: &'static str) {
    debug_assert!(POINTS.contains(&name), "BUG: the fault point {name} is not in POINTS");
    if let Some(armed) = ARMED.get()
        && armed.name == name
        && armed.left.fetch_sub(1, Ordering::Relaxed) == 1
    {
        die();
    }
}

fn die() -> ! {
    loop {
        // Fails only where the kernel forbids a process to kill itself; there is no such kernel.
        let _ = kill_process(getpid(), Signal::KILL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_unknown_points() {
        for spec in ["", "nowhere", "write.sealed:x"] {
            assert!(arm(spec).is_err(), "{spec}");
        }
    }
}
