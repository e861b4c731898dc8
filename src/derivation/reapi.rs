//! A command as a REAPI v2 `Action`, for farms that run each action with the input root as `/`.
//!
//! The action is a pure function of the derivation: `working_directory` is empty, `output_paths` is
//! `["out"]`, there is no timeout and no core count, and one platform property, `forge-world = 1`
//! (`1-run` for a test), stands for what the sandbox fixes beside the files (host name, user, time zone, seccomp profile).
//! An engine that does not know the property runs the action in a world of its own (buildbox: as
//! uid 0 on the host `buildbox`, no read-only `/src`, files of 2011); the same digest comes out of
//! every command that does not look at that, as tests/reapi.rs shows.
//! Fields and numbers: `build/bazel/remote/execution/v2/remote_execution.proto`.

use prost::Message;

use super::Run;
use crate::path::RelPath;
use crate::sandbox::Profile;
use crate::store::{self, Blob, Output, Store, TreeBuilder};

/// The platform property that stands for the sandbox's world.
const WORLD: &str = "forge-world";

/// Where outputs are collected from, relative to the input root.
const OUTPUT_PATH: &str = "out";

/// An action and what it refers to, all in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Messages {
    /// The `Action` message.
    pub action: Blob,
    /// The `Command` message.
    pub command: Blob,
    /// The root `Directory` of all inputs.
    pub input_root: Blob,
}

#[derive(Clone, PartialEq, Message)]
struct Digest {
    #[prost(string, tag = "1")]
    hash: String,
    #[prost(int64, tag = "2")]
    size_bytes: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Pair {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct Platform {
    #[prost(message, repeated, tag = "1")]
    properties: Vec<Pair>,
}

#[derive(Clone, PartialEq, Message)]
struct Command {
    #[prost(string, repeated, tag = "1")]
    arguments: Vec<String>,
    #[prost(message, repeated, tag = "2")]
    environment_variables: Vec<Pair>,
    #[prost(message, optional, tag = "5")]
    platform: Option<Platform>,
    #[prost(string, repeated, tag = "7")]
    output_paths: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
struct Action {
    #[prost(message, optional, tag = "1")]
    command_digest: Option<Digest>,
    #[prost(message, optional, tag = "2")]
    input_root_digest: Option<Digest>,
    #[prost(message, optional, tag = "10")]
    platform: Option<Platform>,
}

impl From<Blob> for Digest {
    fn from(blob: Blob) -> Self {
        let size = i64::try_from(blob.size).expect("BUG: a blob of over 8 EiB");
        Self { hash: blob.digest.hex(), size_bytes: size }
    }
}

/// Puts the action of `run` into the store.
///
/// # Errors
/// Where the store fails, or an input clashes with the toolroot.
pub fn action(run: &Run<Output>, store: &Store) -> Result<Messages, store::Error> {
    let input_root = input_root(run, store)?;
    let command = store.put(&command(run).encode_to_vec())?;
    let message = Action {
        command_digest: Some(command.into()),
        input_root_digest: Some(input_root.into()),
        platform: Some(platform(run)),
    };
    Ok(Messages { action: store.put(&message.encode_to_vec())?, command, input_root })
}

fn command(run: &Run<Output>) -> Command {
    let pair = |(name, value): (&String, &String)| Pair { name: name.clone(), value: value.clone() };
    Command {
        arguments: run.argv.clone(),
        environment_variables: run.env.iter().map(pair).collect(),
        platform: Some(platform(run)),
        output_paths: vec![OUTPUT_PATH.to_owned()],
    }
}

fn platform(run: &Run<Output>) -> Platform {
    let value = match run.profile {
        Profile::Build => "1",
        Profile::Run => "1-run",
    };
    Platform { properties: vec![Pair { name: WORLD.to_owned(), value: value.to_owned() }] }
}

/// The toolroot with sources and results of other units where the sandbox binds them.
fn input_root(run: &Run<Output>, store: &Store) -> Result<Blob, store::Error> {
    let mut tree = TreeBuilder::new();
    let sources = run.sources.iter().map(|(name, output)| (format!("src/{name}"), output));
    let deps = run.deps.iter().map(|(name, output)| (format!("deps/{name}"), output));
    if let Output::Tree(root) = &run.root {
        tree.graft(store, None, &root.digest)?;
    }
    for (path, output) in sources.chain(deps) {
        let path = RelPath::new(path).expect("BUG: a name is a clean path");
        match output {
            Output::File { blob, executable } => tree.file(&path, *blob, *executable)?,
            Output::Tree(blob) => tree.graft(store, Some(&path), &blob.digest)?,
        }
    }
    tree.finish(store)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::path::Name;

    #[test]
    fn golden_command() {
        let blob = Blob { digest: crate::digest::Digest::of(b""), size: 0 };
        let run = Run {
            root: Output::Tree(blob),
            sources: BTreeMap::new(),
            deps: BTreeMap::new(),
            argv: vec!["true".to_owned()],
            env: BTreeMap::from([("A".to_owned(), "b".to_owned())]),
            outputs: vec![Name::new("out").expect("a name")],
            profile: Profile::Build,
            service: None,
        };
        let expect = b"\x0a\x04true\x12\x06\x0a\x01A\x12\x01b\x2a\x12\x0a\x10\x0a\x0bforge-world\x12\x011\x3a\x03out";
        assert_eq!(command(&run).encode_to_vec(), expect);
    }
}
