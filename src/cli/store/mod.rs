//! `forge store`: upkeep. One file a task.

mod du;
mod fsck;
mod gc;
mod repair;
mod watch;

use std::path::Path;

use super::Verdict;
use super::error::CliError;

/// Look after the store: make room, see who takes it, find damage.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, clap::Subcommand)]
enum Task {
    Gc(gc::Args),
    Fsck(fsck::Args),
    Du(du::Args),
}

pub fn run(directory: Option<&Path>, args: &Args) -> Result<Verdict, CliError> {
    match &args.task {
        Task::Gc(args) => gc::run(args),
        Task::Fsck(args) => fsck::run(directory, args),
        Task::Du(args) => du::run(args),
    }
}
