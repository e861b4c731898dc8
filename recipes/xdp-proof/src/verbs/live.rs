//! What the guard is worth in a flood.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;

use xdp_proof::live::{self, Parts};
use xdp_proof::stop;

use super::Output;

#[derive(Args)]
pub struct Options {
    /// The folder of solana-xdp.o.
    guard: PathBuf,
    /// The folder of what it is measured with, as `forge build xdp-yardsticks` makes it.
    yardsticks: PathBuf,
    /// The agent's program.
    #[arg(long, value_name = "PROGRAM")]
    agent: PathBuf,
    /// The CPU on which packets are sent and come in, and the one for the rest.
    #[arg(long, num_args = 2, value_names = ["WIRE", "REST"], default_values_t = [0, 1])]
    cpus: Vec<usize>,
    #[command(flatten)]
    output: Output,
}

/// Runs the test; 1 where something does not hold.
pub fn run(options: &Options) -> Result<ExitCode> {
    stop::listen()?;
    let flood = options.yardsticks.join("flood.o");
    let report = live::run(&Parts {
        agent: options.agent.clone(),
        object: options.guard.join("solana-xdp.o"),
        next: options.yardsticks.join("guard-next.o"),
        flood: std::fs::read(&flood).with_context(|| format!("{} can't be read", flood.display()))?,
        cpus: [options.cpus[0], options.cpus[1]],
    })?;
    options.output.write(&report, || live::picture::draw(&report))?;
    Ok(ExitCode::from(u8::from(!report.holds())))
}
