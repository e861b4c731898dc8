use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::failure::{Failure, read};

/// Read and judge a config
#[derive(clap::Args)]
pub struct Options {
    /// The config, in TOML
    config: PathBuf,
}

pub fn run(options: &Options) -> Result<(), Failure> {
    let config = load(&options.config)?;
    let (classes, peers) = (config.classes.len(), config.peers.len());
    super::print(&format!("{}: {classes} classes, {peers} static peers", options.config.display()))
}

/// The config of a file.
pub fn load(path: &Path) -> Result<Config, Failure> {
    let text = String::from_utf8(read(path)?)
        .map_err(|_| Failure::Input(format!("{}: the file is no UTF-8; write TOML", path.display())))?;
    Config::of(path, &text).map_err(|problems| Failure::Input(problems.to_string()))
}
