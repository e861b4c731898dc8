//! Waiting for what the kernel does in its own time.

use std::thread;
use std::time::{Duration, Instant};

/// How long at most; a machine in software on a busy host is slow.
const LONGEST: Duration = Duration::from_secs(20);
/// How long between two looks.
const TICK: Duration = Duration::from_millis(50);

/// Looks until `seen` does.
///
/// # Errors
/// If it did not in time.
pub fn until(seen: impl Fn() -> bool) -> Result<(), String> {
    let start = Instant::now();
    while !seen() {
        if start.elapsed() > LONGEST {
            return Err(format!("not within {} s", LONGEST.as_secs()));
        }
        thread::sleep(TICK);
    }
    Ok(())
}
