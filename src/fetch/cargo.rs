//! The crate registry, through the host's cargo: with the user's own mirrors, proxies and credentials.
//!
//! Cargo runs in an empty folder, on a package that forge writes there, so that no file of a project
//! steers it. Where packages are of git repositories, a configuration in that folder says where they lie. What it
//! downloads lies in its cache as `registry/cache/<registry>/<name>-<version>.crate` and is compared with the pin
//! before it enters the store, as from any other place.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use super::{Error, Location};
use crate::lockfile::Crate;
use crate::store::{Scratch, Store};

/// The registry that Cargo.lock files name; which host serves it is cargo's configuration.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// What cargo says of a Cargo.lock that it would have to change.
const UNFIT: &str = "because --locked was passed";

/// Variables by which a cargo that started forge would steer the one that forge starts.
const DROPPED: [&str; 3] = ["CARGO_TARGET_DIR", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"];

/// The host's cargo.
#[derive(Clone, Debug, Default)]
pub struct Cargo {
    environment: BTreeMap<String, String>,
    /// Configuration beside the user's.
    config: String,
}

impl Cargo {
    /// A cargo that sees the caller's `environment`.
    #[must_use]
    pub fn new(environment: impl IntoIterator<Item = (String, String)>) -> Self {
        let passes = |(name, _): &(String, String)| !DROPPED.contains(&name.as_str());
        Self { environment: environment.into_iter().filter(passes).collect(), config: String::new() }
    }

    /// The same, with `config` beside the user's configuration.
    pub(super) fn replacing(&self, config: String) -> Self {
        Self { environment: self.environment.clone(), config }
    }

    /// An empty folder to run in, but for the configuration.
    fn scratch(&self, store: &Store) -> Result<Scratch, Error> {
        let scratch = store.scratch()?;
        if !self.config.is_empty() {
            let path = scratch.path().join(".cargo");
            fs::create_dir(&path).map_err(|source| Error::Io { path, source })?;
            write(&scratch, ".cargo/config.toml", &self.config)?;
        }
        Ok(scratch)
    }

    /// Where the cache has the file of a crate, the newest first.
    pub(super) fn cached(&self, name: &str, version: &str) -> Vec<Location> {
        let file = format!("{name}-{version}.crate");
        let Some(registries) = self.home().and_then(|home| fs::read_dir(home.join("registry/cache")).ok()) else {
            return Vec::new();
        };
        let found = registries.flatten().map(|registry| registry.path().join(&file));
        let mut found: Vec<_> = found.filter_map(|path| Some((path.metadata().ok()?.modified().ok()?, path))).collect();
        found.sort();
        found.into_iter().rev().map(|(_, path)| Location::File(path)).collect()
    }

    pub(super) fn home(&self) -> Option<PathBuf> {
        let given = self.environment.get("CARGO_HOME").map(PathBuf::from);
        given.or_else(|| self.environment.get("HOME").map(|home| Path::new(home).join(".cargo")))
    }

    /// Puts one crate into the cache, without what it depends on.
    pub(super) fn bring_one(&self, store: &Store, name: &str, version: &str) -> Result<(), Error> {
        let scratch = self.scratch(store)?;
        self.run(&scratch, &["info", "--color=never", &format!("{name}@{version}")], &mut |_| {})
    }

    /// Puts `crates`, all that one Cargo.lock names, into the cache; `downloaded` is told of each that was not there.
    pub(super) fn bring(&self, store: &Store, crates: &[Crate], downloaded: &mut dyn FnMut(&str)) -> Result<(), Error> {
        let scratch = self.scratch(store)?;
        write(&scratch, "lib.rs", "")?;
        write(&scratch, "Cargo.toml", &manifest(crates))?;
        write(&scratch, "Cargo.lock", &lock(crates))?;
        self.run(&scratch, &["fetch", "--color=never"], &mut |line| {
            if let Some((name, version)) =
                line.trim().strip_prefix("Downloaded ").and_then(|rest| rest.split_once(" v"))
            {
                downloaded(&format!("{name} {version}"));
            }
        })
    }

    /// Moves packages of the Cargo.lock in `folder` to other versions.
    pub(super) fn update(&self, store: &Store, folder: &Path, updates: &[(String, String)]) -> Result<(), Error> {
        let scratch = self.scratch(store)?;
        let manifest = folder.join("Cargo.toml").display().to_string();
        for (name, version) in updates {
            let arguments = ["update", "--color=never", "--manifest-path", &manifest, "--precise", version, name];
            self.run(&scratch, &arguments, &mut |_| {})?;
        }
        Ok(())
    }

    /// What cargo knows of the workspace in `folder`; its Cargo.lock must fit its manifests.
    pub(super) fn workspace(&self, store: &Store, folder: &Path) -> Result<cargo_metadata::Metadata, Error> {
        let manifest = folder.join("Cargo.toml").display().to_string();
        let arguments =
            ["metadata", "--locked", "--color=never", "--format-version", "1", "--manifest-path", &manifest];
        cargo_metadata::MetadataCommand::parse(self.answer(store, &arguments)?)
            .map_err(|error| failed(&arguments, &error.to_string()))
    }

    /// What cargo answers on stdout.
    pub(super) fn answer(&self, store: &Store, arguments: &[&str]) -> Result<String, Error> {
        let scratch = self.scratch(store)?;
        let text = self.command(&scratch, arguments).stdout_capture().stderr_capture().unchecked().run();
        let output = text.map_err(Error::NoCargo)?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(if said.contains(UNFIT) { misfit() } else { failed(arguments, &said) });
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The same cargo with flags for rustc, in place of those of the caller.
    pub(super) fn with_rustflags(&self, flags: &[String]) -> Self {
        let flags = ("CARGO_ENCODED_RUSTFLAGS".to_owned(), flags.join("\u{1f}"));
        let environment = self.environment.clone().into_iter().chain([flags]).collect();
        Self { environment, config: self.config.clone() }
    }

    fn command(&self, scratch: &Scratch, arguments: &[&str]) -> duct::Expression {
        let program = self.environment.get("CARGO").map_or_else(|| "cargo".to_owned(), String::clone);
        duct::cmd(program, arguments).dir(scratch.path()).full_env(&self.environment).stdin_null()
    }

    /// Runs cargo; `line` is told of each line that it says.
    fn run(&self, scratch: &Scratch, arguments: &[&str], line: &mut dyn FnMut(&str)) -> Result<(), Error> {
        let command = self.command(scratch, arguments).stderr_to_stdout().unchecked();
        let reader = command.reader().map_err(Error::NoCargo)?;
        let mut said = String::new();
        for text in BufReader::new(&reader).lines() {
            let text = text.map_err(Error::NoCargo)?;
            line(&text);
            said.push_str(&text);
            said.push('\n');
        }
        match reader.try_wait().map_err(Error::NoCargo)? {
            Some(output) if output.status.success() => Ok(()),
            _ => Err(failed(arguments, &said)),
        }
    }
}

/// What to do about a Cargo.lock that cargo would have to change.
fn misfit() -> Error {
    let what = "its Cargo.lock does not fit its manifests";
    Error::CargoLock(format!("{what}; run `cargo update --workspace` there, and look at what it changes"))
}

/// What cargo said against it, from its first error on.
fn failed(arguments: &[&str], said: &str) -> Error {
    let from = said.find("error:").unwrap_or_default();
    Error::Cargo { command: arguments[0].to_owned(), message: said[from..].trim().to_owned() }
}

fn write(scratch: &Scratch, name: &str, text: &str) -> Result<(), Error> {
    let path = scratch.path().join(name);
    fs::write(&path, text).map_err(|source| Error::Io { path, source })
}

/// A package that depends on each of `crates` in just that version.
fn manifest(crates: &[Crate]) -> String {
    let mut text = "[package]\nname = \"forge-fetch\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\
                    [lib]\npath = \"lib.rs\"\n[workspace]\n[dependencies]\n"
        .to_owned();
    for (number, Crate { name, version, .. }) in crates.iter().enumerate() {
        // What follows `+` is no part of a requirement.
        let version = version.split('+').next().unwrap_or_default();
        _ = writeln!(
            text,
            "d{number} = {{ package = \"{name}\", version = \"={version}\", default-features = false }}"
        );
    }
    text
}

/// The versions that cargo is to choose, yanked ones too, with the content that they must have.
fn lock(crates: &[Crate]) -> String {
    let mut text = "version = 3\n".to_owned();
    for Crate { name, version, digest, .. } in crates {
        _ = write!(
            text,
            "\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"{REGISTRY}\"\nchecksum = \"{}\"\n",
            digest.hex()
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    #[test]
    fn what_cargo_reads() {
        let one = Crate {
            name: "zstd-sys".to_owned(),
            version: "2.0.9+zstd.1.5.5".to_owned(),
            size: 0,
            digest: Digest::of(b""),
        };
        let manifest: toml::Table = manifest(std::slice::from_ref(&one)).parse().expect("toml");
        let dependency = &manifest["dependencies"]["d0"];
        assert_eq!(dependency["version"].as_str(), Some("=2.0.9"));
        assert_eq!(dependency["default-features"].as_bool(), Some(false));
        let lock: cargo_lock::Lockfile = lock(&[one]).parse().expect("a Cargo.lock");
        assert_eq!(lock.packages[0].version.to_string(), "2.0.9+zstd.1.5.5");
        assert!(lock.packages[0].source.as_ref().is_some_and(cargo_lock::SourceId::is_default_registry));
    }

    #[test]
    fn what_cargo_said_against_it() {
        let error = failed(&["fetch"], "    Updating index\nerror: no such crate\n\nCaused by:\n  x\n");
        assert_eq!(error.to_string(), "cargo fetch failed:\n  error: no such crate\n  \n  Caused by:\n    x");
    }
}
