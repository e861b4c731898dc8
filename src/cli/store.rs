//! `forge store`: upkeep.

use std::time::{Duration, SystemTime};

use super::error::CliError;
use super::{Verdict, output, session};
use crate::store::{Finding, Policy};

/// The days for which results are kept that nothing but their last use speaks for.
const KEEP_DAYS: u64 = 30;

/// Look after the store.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, clap::Subcommand)]
enum Task {
    /// Remove what no result link and no recent build needs.
    Gc {
        /// Keep results that were used within so many days.
        #[arg(long, value_name = "DAYS", default_value_t = KEEP_DAYS)]
        keep_days: u64,
        /// Go on, least recently used first, until the store takes no more than so many MB.
        #[arg(long, value_name = "MB")]
        quota: Option<u64>,
        /// Only say what would be removed, and why.
        #[arg(long)]
        dry_run: bool,
    },
    /// Hash every object; take what is damaged out of use, so that the next build makes it again.
    Fsck,
    /// Say who takes how much space.
    Du,
}

pub fn run(args: &Args) -> Result<Verdict, CliError> {
    match args.task {
        Task::Gc { keep_days, quota, dry_run } => {
            let policy = Policy {
                now: SystemTime::now(),
                keep: Duration::from_secs(keep_days.saturating_mul(24 * 3600)),
                quota: quota.map(|megabytes| megabytes.saturating_mul(1_000_000)),
            };
            gc(&policy, dry_run)
        }
        Task::Fsck => fsck(),
        Task::Du => du(),
    }
}

fn gc(policy: &Policy, dry_run: bool) -> Result<Verdict, CliError> {
    let mut store = session::store()?;
    let sweep = if dry_run { store.gc_plan(policy)? } else { store.gc(policy)? };
    for removal in &sweep.removals {
        output::data(&format!("{}  {}  {}", removal.path, output::size(removal.bytes), removal.why));
    }
    let verb = if dry_run { "would free" } else { "freed" };
    output::words(&format!("{verb} {}, kept {}", output::size(sweep.freed()), output::size(sweep.kept)));
    Ok(Verdict::Good)
}

fn fsck() -> Result<Verdict, CliError> {
    let report = session::store()?.fsck()?;
    report.findings.iter().for_each(|finding: &Finding| output::data(&finding.to_string()));
    output::words(&format!("checked {}: {}", output::size(report.bytes), output::count(report.findings.len(), "finding")));
    Ok(if report.findings.is_empty() { Verdict::Good } else { Verdict::Negative })
}

fn du() -> Result<Verdict, CliError> {
    let usage = session::store()?.usage()?;
    for root in &usage.roots {
        let (all, own) = (output::size(root.bytes), output::size(root.own));
        output::data(&format!("{all:>10}  {own:>10} own  {}", root.link.display()));
    }
    output::data(&format!("{:>10}  in results that no link needs", output::size(usage.cached)));
    output::data(&format!("{:>10}  unneeded; `forge store gc` removes it", output::size(usage.unneeded)));
    output::data(&format!("{:>10}  in all", output::size(usage.total)));
    Ok(Verdict::Good)
}
