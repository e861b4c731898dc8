//! What the kernel says of a program that it has taken.

use anyhow::{Result, ensure};

use crate::hook::{Hook, Kind, Loaded, Settings};

/// The most instructions that the verifier may look at: it refuses a program at a million, and each kernel counts
/// otherwise.
pub const MOST: u32 = 20_000;

/// Loads a program as a node has it. One that is too hard to verify is an error.
pub fn run(object: &[u8], kind: Kind, cpu: usize) -> Result<Loaded> {
    let settings = Settings { seed: 1, sampling: true, testing: false };
    let loaded = Hook::load(object, kind, settings, cpu)?.loaded()?;
    ensure!(
        loaded.verified <= MOST,
        "the verifier looked at {} instructions, at most {MOST} are right",
        loaded.verified
    );
    Ok(loaded)
}
