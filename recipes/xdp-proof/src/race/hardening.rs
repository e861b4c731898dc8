//! Whether the kernel blinds the constants of programs that it compiles: `net.core.bpf_jit_harden`, which counts while a
//! program is loaded. Hardened systems, such as Talos, set it to 2.

use anyhow::{Context, Result};

const SETTING: &str = "/proc/sys/net/core/bpf_jit_harden";

/// The setting is another one as long as this lives.
pub struct Hardening {
    before: String,
}

impl Hardening {
    /// Sets it: 0 for nobody, 1 for users without privileges, 2 for all.
    pub fn set(level: u8) -> Result<Self> {
        let before = std::fs::read_to_string(SETTING).with_context(|| format!("{SETTING} can't be read"))?;
        std::fs::write(SETTING, level.to_string()).with_context(|| format!("{SETTING} can't be set to {level}"))?;
        Ok(Hardening { before })
    }
}

impl Drop for Hardening {
    fn drop(&mut self) {
        // Nobody is left to tell; whoever reads the setting sees it.
        std::fs::write(SETTING, &self.before).ok();
    }
}
