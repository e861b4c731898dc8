//! Every environment variable that forge reads.

use std::env;
use std::path::PathBuf;

use super::error::CliError;
use crate::store::fault;

/// What `--help` says of them.
pub const HELP: &str = "\
Environment:
  FORGE_STORE     the store's folder [default: $XDG_DATA_HOME/forge, or ~/.local/share/forge]
  FORGE_MIRRORS   a TOML file that says where sources are to be had
  DOCKER_CONFIG   the folder of docker's config.json, which has credentials for registries [default: ~/.docker]
  SSL_CERT_FILE   a file with the CAs to trust, in place of those of this machine
  FORGE_NO_SYNC   set: do not wait for the disk; a power cut may then cost the whole store
  NO_COLOR        set: no colours

Exit codes: 0 done; 1 a build or check came out negative; 2 wrong input, a stale lock too;
3 forge, its environment, a mirror or a registry failed; 130 interrupted.";

/// The folder of the store.
pub fn store() -> Result<PathBuf, CliError> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let given = set("FORGE_STORE");
    let data = || set("XDG_DATA_HOME").map(|data| data.join("forge"));
    let home = || set("HOME").map(|home| home.join(".local/share/forge"));
    match given.or_else(data).or_else(home) {
        Some(store) if store.is_absolute() => Ok(store),
        Some(store) => Err(CliError::user(format!("the store must have an absolute path, not {}", store.display()))
            .hint("FORGE_STORE, or XDG_DATA_HOME, names it")),
        None => Err(CliError::environment("there is no place for the store: HOME is not set")
            .hint("set FORGE_STORE to a folder")),
    }
}

/// The file that lists mirrors.
pub fn mirrors() -> Option<PathBuf> {
    env::var_os("FORGE_MIRRORS").filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Docker's configuration, which may not be there.
pub fn docker_config() -> Option<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("DOCKER_CONFIG").or_else(|| set("HOME").map(|home| home.join(".docker")));
    folder.map(|folder| folder.join("config.json"))
}

/// The whole environment, for programs that forge starts for the user; what is not UTF-8 is left out.
pub fn all() -> impl Iterator<Item = (String, String)> {
    env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Whether results wait for the disk.
pub fn sync() -> bool {
    env::var_os("FORGE_NO_SYNC").is_none_or(|value| value.is_empty())
}

/// Whether colours are unwanted.
pub fn no_color() -> bool {
    env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// Crash tests name a fault point: `FORGE_FAULT=point[:count]` kills forge when it gets there for
/// the count-th time.
pub fn arm_faults() -> Result<(), CliError> {
    match env::var_os("FORGE_FAULT") {
        Some(point) => fault::arm(&point.to_string_lossy()).map_err(CliError::user),
        None => Ok(()),
    }
}
