//! The command line: flags, words, exit codes. One file a verb.
//!
//! This module alone prints, reads the environment, the clock and the current directory. Data goes
//! to stdout, words and progress to stderr.

mod advice;
mod boot_test;
mod build;
mod built;
mod check;
mod doctor;
mod environment;
mod error;
mod failure;
mod finding;
mod graph;
mod list;
mod load;
mod lock;
mod lock_report;
mod log;
mod meter;
mod mirror;
mod needs;
mod outdated;
mod output;
mod overrides;
mod plan;
mod progress;
mod push;
mod quantity;
mod schema;
mod session;
mod registry;
mod shell;
mod sign_modules;
mod store;
mod terminal;
mod test;
mod unfree;
mod usage;
mod wanted;
mod why;
mod why_changed;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::path::{Name, PathError};
use crate::recipe::Reference;
use crate::sandbox;
use error::CliError;

/// Build hermetic, reproducible artifacts from recipes and one lockfile.
#[derive(Debug, Parser)]
#[command(name = "forge", version, after_help = environment::HELP, disable_help_subcommand = true)]
struct Args {
    /// Work on the project in DIR, not on the nearest one above the current folder.
    #[arg(short = 'C', long = "directory", value_name = "DIR", global = true)]
    directory: Option<PathBuf>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Build(build::Args),
    Check(check::Args),
    Lock(lock::Args),
    Plan(plan::Args),
    Why(why::Args),
    WhyChanged(why_changed::Args),
    List(list::Args),
    Log(log::Args),
    Shell(shell::Args),
    Test(test::Args),
    BootTest(boot_test::Args),
    SignModules(sign_modules::Args),
    Graph(graph::Args),
    Store(store::Args),
    Push(push::Args),
    Load(load::Args),
    Mirror(mirror::Args),
    Outdated(outdated::Args),
    Doctor(doctor::Args),
    Schema(schema::Args),
}

/// What a verb that did its work came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Exit code 0.
    Good,
    /// A build, check or test came out negative: exit code 1.
    Negative,
    /// The environment, a mirror or a registry failed in a part of the work: exit code 3.
    Environment,
    /// The user stopped it: exit code 130.
    Interrupted,
    /// What ran in `forge shell` ended with this exit code.
    Command(u8),
}

impl Verdict {
    fn code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Negative => 1,
            Self::Environment => 3,
            Self::Interrupted => 130,
            Self::Command(code) => code,
        }
    }
}

/// The program.
#[must_use]
pub fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|argument| argument == sandbox::HELPER_ARG) {
        sandbox::helper_main();
    }
    let words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    let args = Args::try_parse().map_err(|error| usage::refusal(&error, &Args::command(), words));
    match args.and_then(|args| run(&args)) {
        Ok(verdict) => ExitCode::from(verdict.code()),
        Err(error) => {
            error.show();
            ExitCode::from(error.code())
        }
    }
}

fn run(args: &Args) -> Result<Verdict, CliError> {
    environment::arm_faults()?;
    let directory = args.directory.as_deref();
    match &args.verb {
        Verb::Build(build) => build::run(directory, build),
        Verb::Check(check) => check::run(directory, check),
        Verb::Lock(lock) => lock::run(directory, lock),
        Verb::Plan(plan) => plan::run(directory, plan),
        Verb::Why(why) => why::run(directory, why),
        Verb::WhyChanged(changed) => why_changed::run(directory, changed),
        Verb::List(list) => list::run(directory, list),
        Verb::Log(log) => log::run(directory, log),
        Verb::Shell(shell) => shell::run(directory, shell),
        Verb::Test(test) => test::run(directory, test),
        Verb::BootTest(boot) => boot_test::run(directory, boot),
        Verb::SignModules(sign) => sign_modules::run(directory, sign),
        Verb::Graph(graph) => graph::run(directory, graph),
        Verb::Store(store) => store::run(directory, store),
        Verb::Push(push) => push::run(directory, push),
        Verb::Load(load) => load::run(directory, load),
        Verb::Mirror(mirror) => mirror::run(directory, mirror),
        Verb::Outdated(outdated) => outdated::run(directory, outdated),
        Verb::Doctor(doctor) => doctor::run(directory, doctor),
        Verb::Schema(schema) => schema::run(schema),
    }
}

/// A unit's name as an argument.
fn name(text: &str) -> Result<Name, String> {
    Name::new(text).map_err(|error| error.to_string())
}

/// A unit's name, or that of an output of it, as an argument.
fn reference(text: &str) -> Result<Reference, String> {
    text.parse().map_err(|error: PathError| error.to_string())
}
