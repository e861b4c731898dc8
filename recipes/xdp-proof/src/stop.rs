//! Whether somebody wants this program to end: then all that it changed on the machine is put back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, ensure};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

static WANTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From now on signals that would end this program only have it asked to.
pub fn listen() -> Result<()> {
    let wanted = WANTED.get_or_init(Arc::default);
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(wanted)).context("signals can't be taken")?;
    }
    Ok(())
}

/// Whether such a signal came.
pub fn is_wanted() -> bool {
    WANTED.get().is_some_and(|wanted| wanted.load(Ordering::Relaxed))
}

/// Such a signal as an error.
pub fn check() -> Result<()> {
    ensure!(!is_wanted(), "interrupted");
    Ok(())
}
