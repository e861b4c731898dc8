//! What the guard costs.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Args;

use xdp_proof::race::field::Objects;
use xdp_proof::race::{self, NOISE_BAR, Report};
use xdp_proof::stop;

use super::{Output, pin};

/// A median and its percentiles need as many.
const ROUNDS_MIN: usize = 31;
/// What is returned where the machine had too much else to do.
const NOISY: u8 = 3;

#[derive(Args)]
pub struct Options {
    /// The folder of solana-xdp.o and solana-tcx.o.
    guard: PathBuf,
    /// The folder of what they are measured with, as `forge build xdp-yardsticks` makes it.
    yardsticks: PathBuf,
    /// Debian's xdp-filter, which looks at everything and passes what is not listed.
    #[arg(long, value_name = "OBJECT")]
    filter: Option<PathBuf>,
    /// How often each case has its turn.
    #[arg(long, default_value_t = 61)]
    rounds: usize,
    /// The CPU to run on; where this program is, if not given.
    #[arg(long)]
    cpu: Option<usize>,
    #[command(flatten)]
    output: Output,
}

/// Races; 1 where a bar is missed, 3 where nothing can be said.
pub fn run(options: &Options) -> Result<ExitCode> {
    ensure!(options.rounds >= ROUNDS_MIN, "{} rounds tell nothing: give at least {ROUNDS_MIN}", options.rounds);
    stop::listen()?;
    let cpu = pin(options.cpu)?;
    let objects = Objects::read(&options.guard, &options.yardsticks, options.filter.as_deref())?;
    let report = race::run(&objects, cpu, options.rounds)?;
    options.output.write(&report, || race::picture::draw(&report))?;
    Ok(judge(&report))
}

fn judge(report: &Report) -> ExitCode {
    if report.is_noisy() {
        eprintln!("too noisy: the empty program's p90 is {:.2} of its p10, above {NOISE_BAR}", report.noise);
        return ExitCode::from(NOISY);
    }
    ExitCode::from(u8::from(report.is_missed()))
}
