//! The verbs. Data goes to stdout, words to stderr.

mod attach;
mod check;
mod detach;
mod run;
mod status;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::SCHEMA;
use crate::failure::Failure;

/// Guards the ports of a Solana node with XDP
///
/// Exit codes: 0 done, 1 the answer is no, 2 what was given is wrong, 3 the machine does not let it happen.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Options {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Check(check::Options),
    /// Print the JSON schema of the config
    Schema,
    Attach(attach::Options),
    Run(run::Options),
    Status(status::Options),
    Detach(detach::Options),
}

/// Does what the command line says.
pub fn run() -> ExitCode {
    let done = match Options::parse().verb {
        Verb::Check(options) => check::run(&options),
        Verb::Schema => print(SCHEMA.trim_end()),
        Verb::Attach(options) => attach::run(&options),
        Verb::Run(options) => run::run(&options),
        Verb::Status(options) => status::run(&options),
        Verb::Detach(options) => detach::run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say(&format!("error: {failure}"));
            failure.code()
        }
    }
}

/// Data, for whoever reads stdout.
#[allow(clippy::print_stdout)]
pub fn print(data: &str) -> Result<(), Failure> {
    println!("{data}");
    Ok(())
}

/// Words, for whoever looks on.
#[allow(clippy::print_stderr)]
pub fn say(words: &str) {
    eprintln!("{words}");
}
