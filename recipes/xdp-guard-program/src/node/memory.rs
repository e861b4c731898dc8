//! What the node told last, for a start while it is away: a validator is away longest when its machine starts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::abi::PEERS;
use crate::config::Socket;
use crate::failure::{During, Failure};
use crate::guard::peers::Peers;
use crate::host::keep;

/// The longest file that is read.
const BYTES_MAX: u64 = 16 << 20;

/// What the node told last.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// When, in seconds since 1970.
    pub at: u64,
    /// Ports of its own sockets.
    pub sockets: BTreeMap<Socket, u16>,
    /// Senders and their tiers.
    pub peers: Peers,
}

impl Memory {
    /// What was kept; none where nothing was, or where it can't be read.
    pub fn read(folder: &Path, interface: &str) -> Option<Self> {
        let path = path(folder, interface);
        if std::fs::metadata(&path).ok()?.len() > BYTES_MAX {
            return None;
        }
        let memory: Self = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
        (memory.peers.len() <= 2 * PEERS).then_some(memory)
    }

    /// Keeps it.
    pub fn write(&self, folder: &Path, interface: &str) -> Result<(), Failure> {
        let path = path(folder, interface);
        let text = serde_json::to_vec(self).during(|| "writing JSON".into())?;
        std::fs::create_dir_all(folder).during(|| format!("making {}", folder.display()))?;
        keep(&path, &text).during(|| format!("writing {}", path.display()))
    }
}

fn path(folder: &Path, interface: &str) -> PathBuf {
    folder.join(format!("{interface}.node.json"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Tier;

    #[test]
    fn reads_what_it_wrote_and_nothing_else() {
        let folder = std::env::temp_dir().join(format!("xdp-guard-memory-{}", std::process::id()));
        let address = std::net::IpAddr::from([192, 0, 2, 1]);
        let memory =
            Memory { at: 7, sockets: [(Socket::TpuQuic, 8009)].into(), peers: [(address, Tier::Staked)].into() };
        assert_eq!(Memory::read(&folder, "eth0"), None);
        memory.write(&folder, "eth0").expect("written");
        assert_eq!(Memory::read(&folder, "eth0"), Some(memory));
        std::fs::write(path(&folder, "eth0"), "{\"at\":").expect("written");
        assert_eq!(Memory::read(&folder, "eth0"), None);
        std::fs::remove_dir_all(folder).expect("removed");
    }
}
