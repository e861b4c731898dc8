//! Verbs that measure, and what they have in common.

pub mod live;
pub mod race;

use std::fmt::Display;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use rustix::thread::{CpuSet, sched_getcpu, sched_setaffinity};
use serde::Serialize;

use xdp_proof::picture::Picture;

/// Where a report goes.
#[derive(Args)]
pub struct Output {
    /// Prints JSON, not a table.
    #[arg(long)]
    json: bool,
    /// Writes a page with a picture of the report; it needs no network.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Writes the picture alone.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

impl Output {
    /// Prints a report, and writes the pictures of it that are wanted.
    pub fn write<R: Display + Serialize>(&self, report: &R, draw: impl Fn() -> Picture) -> Result<()> {
        let text = if self.json { serde_json::to_string_pretty(report)? } else { report.to_string() };
        println!("{}", text.trim_end());
        self.html.as_deref().map_or(Ok(()), |path| write(path, &draw().page()))?;
        self.svg.as_deref().map_or(Ok(()), |path| write(path, &draw().svg()))
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("{} can't be written", path.display()))
}

/// Keeps this thread on a CPU, or on the one where it is: the guard has a state for each.
pub fn pin(cpu: Option<usize>) -> Result<usize> {
    let cpu = cpu.unwrap_or_else(sched_getcpu);
    let mut set = CpuSet::new();
    set.set(cpu);
    sched_setaffinity(None, &set).with_context(|| format!("this thread can't stay on CPU {cpu}"))?;
    Ok(cpu)
}
