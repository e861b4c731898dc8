//! `forge boot-test`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use serde::Serialize;

use super::error::CliError;
use super::progress::Screen;
use super::session::{self, Planned};
use super::unfree::Permission;
use super::{Verdict, failure, output};
use crate::build::realise::Worker;
use crate::build::schedule::State;
use crate::build::timeline::{Purpose, Recorder};
use crate::build::{self, Event, Finish, Options, Progress, Status, look};
use crate::path::Name;
use crate::plan::{Outcome, Plan, StepId, outcomes};
use crate::store::Store;

/// Start kernels and installers in QEMU; one that is as it was when all was well is not started again.
///
/// Prints a line `ok NAME: CHECK` or `FAIL NAME: CHECK: why` for each check, in the order in which they are made, and
/// `skip NAME: why` for a kernel that can't be built. A kernel that hangs or gives up fails what it did not get to.
/// `forge log NAME --test boot` prints all that the kernel said. What is checked is said by the table [boot] of its recipe.
///
/// A kernel is checked from inside; always checked are the configuration, the arguments, both segments of the first root
/// file system, squashfs images in loop devices laid one over the other, and two memory nodes. Of an installer each form
/// is started until its console shows what it must: kernel and initramfs, the UKI, the disk, the iPXE script. No KVM is
/// used, and no privileges.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The kernels and installers.
    #[arg(value_name = "NAME", value_parser = super::name, required = true)]
    names: Vec<Name>,
    /// Print one JSON object a line for each check.
    #[arg(long)]
    json: bool,
    /// Use no network; what is not in the store fails.
    #[arg(long)]
    offline: bool,
    /// How many steps run at once [default: the number of processors].
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Start the kernels again although all was well before.
    #[arg(long)]
    rebuild: bool,
    #[command(flatten)]
    permission: Permission,
    /// Only say which kernels would be started.
    #[arg(long)]
    dry_run: bool,
}

pub fn run(directory: Option<&Path>, args: &Args) -> Result<Verdict, CliError> {
    let root = session::root(directory)?;
    let store = session::store()?;
    let planned = session::planned_boots(&root, &store, &args.names)?;
    args.permission.check(&planned)?;
    if args.dry_run {
        foretell(&planned.plan, &store, args);
        return Ok(Verdict::Good);
    }
    session::with_worker(&root, &store, &planned, args.offline, args.jobs, |worker| perform(&planned, args, worker))
}

/// The kernels by the steps that start them.
fn boots(plan: &Plan) -> BTreeMap<StepId, &Name> {
    plan.tests.iter().map(|((unit, _), step)| (*step, unit)).collect()
}

fn perform(planned: &Planned, args: &Args, worker: &Worker<'_>) -> Result<Verdict, CliError> {
    let plan = &planned.plan;
    let wanted: Vec<StepId> = plan.tests.values().copied().collect();
    let rebuild = if args.rebuild { wanted.iter().copied().collect() } else { BTreeSet::new() };
    let options = Options { keep_going: true, rebuild, ..Options::of_jobs(worker.jobs) };
    let screen = Screen::new(plan, &wanted, false);
    let lines = Lines { screen: &screen, plan, boots: boots(plan), store: worker.store, json: args.json };
    let recorder = Recorder::new(plan, &lines, SystemTime::now());
    let finishes = build::build(plan, &wanted, &options, worker, &recorder)?;
    screen.close();
    // A record that can't be written is no reason to fail.
    let _ = recorder.end().save(worker.store.root(), Purpose::Test);
    Ok(failure::tell(plan, &finishes, worker.cancelled()).unwrap_or(Verdict::Good))
}

/// Says which kernels would be started.
fn foretell(plan: &Plan, store: &Store, args: &Args) {
    let boots = boots(plan);
    let rebuild = if args.rebuild { boots.keys().copied().collect() } else { BTreeSet::new() };
    let schedule = look(plan, store, &rebuild, boots.keys().copied());
    for (step, unit) in boots {
        let cached = matches!(schedule.state(step), State::Done(_));
        if args.json {
            let derivation = schedule.resolved(step).map(|derivation| derivation.key().to_string());
            output::json(&Foretold { name: unit.as_str(), derivation, cached });
        } else {
            output::data(&format!("{:6}  {unit}", if cached { "cached" } else { "run" }));
        }
    }
}

#[derive(Serialize)]
struct Foretold<'a> {
    name: &'a str,
    derivation: Option<String>,
    cached: bool,
}

/// Prints a line for each check beside what a screen shows.
struct Lines<'a> {
    screen: &'a Screen<'a>,
    plan: &'a Plan,
    boots: BTreeMap<StepId, &'a Name>,
    store: &'a Store,
    json: bool,
}

impl Progress for Lines<'_> {
    fn tell(&self, event: Event<'_>) {
        self.screen.tell(event);
        let Event::Finished(step, finish) = event else { return };
        let Some((unit, checks)) = self.boots.get(&step).and_then(|unit| Some((*unit, self.plan.boot(unit)?.1))) else {
            return;
        };
        self.screen.suspended(|| match finish.status {
            Status::Built | Status::Cached | Status::Failed => {
                let console = self.console(finish);
                outcomes(&console, checks).iter().for_each(|outcome| self.print(&line(unit, outcome, finish)));
            }
            Status::Skipped => self.print(&Line {
                check: None,
                status: "skipped",
                error: finish.reason(self.plan).as_deref(),
                ..Line::of(unit, finish)
            }),
            Status::Cancelled => {}
        });
    }
}

impl Lines<'_> {
    /// What the kernel said; nothing where that is lost, as then it is no proof of anything.
    fn console(&self, finish: &Finish) -> String {
        let read = |log: &Path| fs::read(log).unwrap_or_default();
        let kept = || {
            let log = self.store.result(finish.key.as_ref()?).ok()??.log?;
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut self.store.read(&log).ok()?, &mut bytes).ok()?;
            Some(bytes)
        };
        let bytes = finish.log().map(read).or_else(kept).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn print(&self, line: &Line<'_>) {
        if self.json {
            return output::json(line);
        }
        let Line { name, check, status, error, .. } = line;
        let error = error.map(|error| format!(": {error}")).unwrap_or_default();
        let check = check.map(|check| format!(": {check}")).unwrap_or_default();
        let word = match *status {
            "ok" => "ok",
            "failed" => "FAIL",
            _ => "skip",
        };
        output::data(&format!("{word} {name}{check}{error}"));
    }
}

/// The end of a check, as JSON.
#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<&'a str>,
    status: &'static str,
    cached: bool,
    derivation: Option<String>,
    /// How long the whole boot took.
    seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

impl<'a> Line<'a> {
    fn of(unit: &'a Name, finish: &Finish) -> Self {
        Self {
            name: unit.as_str(),
            check: None,
            status: "ok",
            cached: finish.status == Status::Cached,
            derivation: finish.key.map(|key| key.to_string()),
            seconds: finish.seconds,
            error: None,
        }
    }
}

fn line<'a>(unit: &'a Name, outcome: &'a Outcome<'a>, finish: &Finish) -> Line<'a> {
    let error = outcome.failure.as_deref();
    let status = if error.is_none() { "ok" } else { "failed" };
    Line { check: Some(outcome.check), status, error, ..Line::of(unit, finish) }
}
