//! The machine: its interfaces, the length of its jiffies, and what is kept on it.

pub mod features;
pub mod interface;
pub mod lock;
pub mod netlink;
pub mod pins;
pub mod record;

use std::io::{self, Write as _};
use std::path::Path;

/// Replaces a file in one step, so that no crash leaves half of it.
pub fn keep(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = std::fs::File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(new, path)
}
