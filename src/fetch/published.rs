//! Which versions of a crate the registry has.
//!
//! `cargo info` brings the crate's file of the registry's index up to date, and forge reads that: cargo keeps it as
//! `registry/index/<registry>/.cache/ag/av/agave-validator`, a JSON object for each version, apart by NULs.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::{Cargo, Error, Fetcher};
use crate::store::Store;

/// One version, as the index has it.
#[derive(Deserialize)]
struct Line {
    vers: String,
    #[serde(default)]
    yanked: bool,
}

impl Fetcher<'_> {
    /// The versions of a crate that can be had now, in no order; none where cargo does not say, as of a folder of
    /// crates that stands for the registry.
    ///
    /// # Errors
    /// What cargo says.
    pub fn versions(&self, name: &str) -> Result<Vec<String>, Error> {
        self.cargo.versions(self.store, name)
    }
}

impl Cargo {
    fn versions(&self, store: &Store, name: &str) -> Result<Vec<String>, Error> {
        self.answer(store, &["info", "--color=never", name])?;
        let Some(registries) = self.home().and_then(|home| fs::read_dir(home.join("registry/index")).ok()) else {
            return Ok(Vec::new());
        };
        let file = |registry: &Path| registry.join(".cache").join(place(name));
        let texts = registries.flatten().filter_map(|registry| fs::read(file(&registry.path())).ok());
        Ok(texts.flat_map(|bytes| read(&bytes)).collect())
    }
}

/// Where a registry's index has a crate.
fn place(name: &str) -> String {
    let name = name.to_lowercase();
    match name.len() {
        1 | 2 => format!("{}/{name}", name.len()),
        3 => format!("3/{}/{name}", &name[..1]),
        _ => format!("{}/{}/{name}", &name[..2], &name[2..4]),
    }
}

/// The versions that were not withdrawn.
fn read(index: &[u8]) -> Vec<String> {
    let objects = index.split(|byte| *byte == 0).filter_map(|part| serde_json::from_slice::<Line>(part).ok());
    objects.filter(|line| !line.yanked).map(|line| line.vers).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index() {
        let index = b"\x03\x02\0\0\0etag: \"x\"\x000.1.0\0{\"name\":\"a\",\"vers\":\"0.1.0\",\"yanked\":true}\0\
                      0.2.0\0{\"name\":\"a\",\"vers\":\"0.2.0\",\"deps\":[]}\x001.0.0\0{\"vers\":1}\0";
        assert_eq!(read(index), ["0.2.0"]);
        for (name, path) in [("a", "1/a"), ("Ab", "2/ab"), ("abc", "3/a/abc"), ("agave-x", "ag/av/agave-x")] {
            assert_eq!(place(name), path);
        }
    }
}
