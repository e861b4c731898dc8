//! `forge load`.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::Ordering;
use std::thread;

use clap::ValueEnum;
use serde::Serialize;

use super::built::{self, Built};
use super::error::CliError;
use super::unfree::Permission;
use super::{Verdict, output, session};
use crate::artifact::image::{Docker, archive};
use crate::path::Name;
use crate::registry::Image;
use crate::store::{Blob, Store};
use crate::words;

/// How much goes into the pipe at once.
const BUFFER: usize = 256 << 10;

/// Build an image if need be, and load it into podman or docker of this machine.
///
/// The image is called NAME:latest there.
///
/// Images with zstd layers need docker 23 or newer, or `compat = true`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The unit; its kind is `image`.
    #[arg(value_name = "NAME", value_parser = super::name)]
    name: Name,
    /// Which program takes it [default: podman where there is one, else docker].
    #[arg(long, value_name = "PROGRAM")]
    into: Option<Engine>,
    /// Print one JSON object: what was loaded, and how it is called.
    #[arg(long)]
    json: bool,
    /// Use no network to build; what is not in the store fails.
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    permission: Permission,
    /// Only say what would be loaded, and into what.
    #[arg(long)]
    dry_run: bool,
}

/// A program that keeps images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Engine {
    Podman,
    Docker,
}

impl Engine {
    const fn program(self) -> &'static str {
        match self {
            Self::Podman => "podman",
            Self::Docker => "docker",
        }
    }

    fn is_installed(self) -> bool {
        let version = Command::new(self.program()).arg("--version").stdin(Stdio::null()).output();
        !matches!(version, Err(error) if error.kind() == ErrorKind::NotFound)
    }

    /// The one that is asked for, or the first that is there.
    fn of(asked: Option<Self>) -> Result<Self, CliError> {
        let wanted = asked.map_or(vec![Self::Podman, Self::Docker], |engine| vec![engine]);
        let names = wanted.iter().map(|engine| engine.program()).collect::<Vec<_>>().join(" nor ");
        wanted.into_iter().find(|engine| engine.is_installed()).ok_or_else(|| {
            let neither = if asked.is_none() { "neither " } else { "" };
            CliError::environment(format!("{neither}{names} is installed here"))
                .hint("install podman (Debian: apt-get install podman), or docker, and see that it is on PATH")
        })
    }
}

pub fn run(directory: Option<&Path>, args: &Args) -> Result<Verdict, CliError> {
    let root = session::root(directory)?;
    let store = session::store()?;
    let planned = built::planned(&root, &store, &args.name)?;
    args.permission.check(&planned)?;
    let engine = Engine::of(args.into)?;
    if args.dry_run {
        let first =
            if matches!(built::known(&store, &planned, &args.name), Built::Layout(_)) { "" } else { "built, and " };
        output::words(&format!("{} would be {first}loaded into {}", args.name, engine.program()));
        return Ok(Verdict::Good);
    }
    match built::build(&root, &store, &planned, &args.name, args.offline)? {
        Built::Layout(layout) => load(&store, &layout, engine, args),
        Built::Failed(verdict) => Ok(verdict),
        Built::Not => Err(CliError::environment(format!("{} has no layout", args.name))),
    }
}

fn load(store: &Store, layout: &Blob, engine: Engine, args: &Args) -> Result<Verdict, CliError> {
    let image = built::image(store, layout)?;
    let cancel = session::interrupts()?;
    let size = image.blobs().iter().map(|blob| blob.size).sum();
    output::words(&format!("loading {} into {}: {}", args.name, engine.program(), words::size(size)));
    let ended = feed(start(engine)?, |pipe| write(store, layout, engine, &image, args, pipe));
    if cancel.load(Ordering::Relaxed) {
        output::words("interrupted; nothing was loaded");
        return Ok(Verdict::Interrupted);
    }
    let (ended, written) = ended.map_err(|error| CliError::environment(format!("{}: {error}", engine.program())))?;
    // What it says of a failure tells more than that its pipe broke.
    if !ended.status.success() {
        return Err(refused(engine, &ended));
    }
    written.map_err(|error| CliError::environment(format!("{}: {error}", engine.program())))?;
    tell(engine, &ended, &image, args);
    Ok(Verdict::Good)
}

fn start(engine: Engine) -> Result<Child, CliError> {
    let mut command = Command::new(engine.program());
    command.arg("load").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().map_err(|error| CliError::environment(format!("cannot run {}: {error}", engine.program())))
}

/// What a program came to whose input `write` writes, and what that came to.
fn feed<E: Send>(
    mut child: Child,
    write: impl FnOnce(BufWriter<std::process::ChildStdin>) -> Result<(), E> + Send,
) -> io::Result<(Output, Result<(), E>)> {
    let pipe = BufWriter::with_capacity(BUFFER, child.stdin.take().expect("BUG: it has a pipe"));
    thread::scope(|scope| {
        let writing = scope.spawn(move || write(pipe));
        let output = child.wait_with_output()?;
        Ok((output, writing.join().expect("BUG: a thread panicked")))
    })
}

fn write(
    store: &Store,
    layout: &Blob,
    engine: Engine,
    image: &Image,
    args: &Args,
    pipe: BufWriter<std::process::ChildStdin>,
) -> Result<(), String> {
    let name = format!("{}:latest", args.name);
    let docker = Docker { name: &name, config: &image.config, layers: &image.layers };
    let docker = (engine == Engine::Docker).then_some(docker);
    let mut pipe = archive(store, layout, docker, pipe).map_err(|error| error.to_string())?;
    pipe.flush().map_err(|error| error.to_string())
}

/// What the program said of its failure.
fn refused(engine: Engine, ended: &Output) -> CliError {
    let said = String::from_utf8_lossy(&ended.stderr);
    let last = said.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("it did not say why");
    let error = CliError::environment(format!("{0} load: {last}", engine.program()));
    error.hint(match engine {
        Engine::Podman => "`podman info` tells whether podman works for you here",
        Engine::Docker => {
            "`docker info` tells whether docker's daemon runs and takes your requests; before version 23 it takes images \
             with `compat = true` only"
        }
    })
}

#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    into: &'static str,
    image: &'a str,
    id: String,
    digest: String,
}

fn tell(engine: Engine, ended: &Output, image: &Image, args: &Args) {
    let said = String::from_utf8_lossy(&ended.stdout);
    let loaded = said.lines().filter_map(|line| line.split_once("Loaded image")).next_back();
    let loaded = loaded.map(|(_, rest)| rest.trim_start_matches("(s)").trim_start_matches(':').trim());
    let loaded = loaded.filter(|name| !name.is_empty()).unwrap_or(args.name.as_str());
    let (id, digest) = (image.config.digest.to_string(), image.digest().to_string());
    if args.json {
        output::json(&Line { name: args.name.as_str(), into: engine.program(), image: loaded, id, digest });
    } else {
        output::data(&format!("{loaded} {id}"));
    }
}
