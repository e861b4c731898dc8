//! Keeps others off a CPU while a race is on. The kernel sleeps some milliseconds before each turn; whoever ran meanwhile
//! would take the caches from the next one.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use rustix::process::setpriority_process;

/// The priorities of who races, and of who only keeps the CPU busy.
const RACER: i32 = -20;
const WARDEN: i32 = -15;

/// Does something on this thread's CPU, where the thread has to stay, while nobody else gets much of it.
pub fn alone<T>(act: impl FnOnce() -> Result<T>) -> Result<T> {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // It inherits the CPU.
        scope.spawn(|| {
            setpriority_process(None, WARDEN).ok();
            while !is_over.load(Ordering::Relaxed) {
                std::hint::spin_loop();
            }
        });
        let _over = Over(&is_over);
        setpriority_process(None, RACER).context("this thread can't come first")?;
        act()
    })
}

/// Ends the busy thread, also where what it is busy for panics.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
