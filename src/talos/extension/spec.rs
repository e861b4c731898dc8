//! A service of an extension: a container that Talos runs as `ext-<name>`, with the host's network and all capabilities.
//!
//! ```yaml
//! name: guard                          # its file system is /usr/local/lib/containers/guard
//! container:
//!   entrypoint: /usr/bin/guard
//!   args:
//!   - run
//! depends:
//! - network:
//!   - addresses
//! restart: always
//! ```
//!
//! It stands in /usr/local/etc/containers, a file a service. `environment` is a list of `NAME=value`; `restart` and
//! `network` are taken in any case. A list of `maskedPaths` or `readonlyPaths`, even an empty one, replaces the usual.
//!
//! Source: machinery/extensions/services/services.go@v1.10.3, restartkind_enumer.go, machinery/nethelpers/status.go; how
//! it is run: internal/app/machined/pkg/system/services/extension.go.

use serde::{Deserialize, Serialize};

use super::yaml::{self, or_default};

/// Where services are described.
const CONTAINERS: &str = "usr/local/etc/containers";
/// Where their file systems stand.
pub const ROOTS: &str = "usr/local/lib/containers";

/// A service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spec {
    /// Its name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// What is run.
    #[serde(deserialize_with = "or_default")]
    pub container: Container,
    /// What must be there before.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub depends: Vec<Dependency>,
    /// When it is started again.
    #[serde(deserialize_with = "or_default")]
    pub restart: String,
    /// Whether its log goes to the console too.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_off")]
    pub log_to_console: bool,
}

/// What a service runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Container {
    /// Its program, in its file system.
    #[serde(deserialize_with = "or_default")]
    pub entrypoint: String,
    /// Environment variables, as `NAME=value`.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub environment: Vec<String>,
    /// A file of the host with more of them; the service waits until it is there.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub environment_file: String,
    /// The program's arguments.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// What of the host it sees.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub mounts: Vec<Mount>,
    /// What it may do.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Security::is_usual")]
    pub security: Security,
}

/// A mount, as the OCI runtime specification has it. Talos makes a source that is missing a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mount {
    /// The place on the host.
    #[serde(deserialize_with = "or_default")]
    pub source: String,
    /// The place in the service's file system.
    #[serde(deserialize_with = "or_default")]
    pub destination: String,
    /// Its kind: `bind`.
    #[serde(deserialize_with = "or_default")]
    pub r#type: String,
    /// Its options: `rbind`, `ro`.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
}

/// What a service may do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Security {
    /// Whether it may write to /sys.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_off")]
    pub writeable_sysfs: bool,
    /// Paths that it does not see, in place of the usual ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub masked_paths: Option<Vec<String>>,
    /// Paths that it may only read, in place of the usual ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readonly_paths: Option<Vec<String>>,
    /// Whether it may write to its file system.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_off")]
    pub writeable_rootfs: bool,
    /// How mounts below its file system spread: `shared`.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub rootfs_propagation: String,
}

/// Something that must be there before a service starts; one thing each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dependency {
    /// A service that runs.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub service: String,
    /// A file or folder of the host.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// What of the network is up.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub network: Vec<String>,
    /// Whether the clock is right.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_off")]
    pub time: bool,
    /// Whether its `ExtensionServiceConfig` is there.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_off")]
    pub configuration: bool,
}

impl Spec {
    /// The file that describes it.
    #[must_use]
    pub fn text(&self) -> String {
        yaml::write(self)
    }
}

impl Security {
    fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// Where the service of that name is described, relative to the tree.
#[must_use]
pub fn spec_path(name: &str) -> String {
    format!("{CONTAINERS}/{name}.yaml")
}

/// Whether a path of the archive is that of a service's description.
pub(super) fn is_spec(path: &str) -> bool {
    let below = path.strip_prefix("rootfs/").and_then(|path| path.strip_prefix(CONTAINERS));
    let name = below.and_then(|name| name.strip_prefix('/'));
    name.is_some_and(|name| name.ends_with(".yaml") && !name.contains('/'))
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_off(value: &bool) -> bool {
    !value
}
