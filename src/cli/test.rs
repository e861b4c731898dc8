//! `forge test`.

use std::collections::{BTreeMap, BTreeSet};
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
use crate::build::{self, Event, Finish, Finishes, Options, Progress, Status, look};
use crate::path::Name;
use crate::plan::{Plan, StepId};
use crate::store::Store;

/// Run the tests that recipes have of their units; one that is as it was when it succeeded is not run again.
///
/// Prints a line `ok NAME: TEST`, `FAIL NAME: TEST` or, where what it needs failed,
/// `skip NAME: TEST: why` for each test as it ends. A failure does not stop the others.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The units; all with `default = true` that have tests where none is named.
    #[arg(value_name = "NAME", value_parser = super::name)]
    names: Vec<Name>,
    /// Print one JSON object a line for each test, as it ends.
    #[arg(long)]
    json: bool,
    /// Use no network; what is not in the store fails.
    #[arg(long)]
    offline: bool,
    /// How many steps run at once [default: the number of processors].
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Run the tests again although they succeeded before.
    #[arg(long)]
    rebuild: bool,
    #[command(flatten)]
    permission: Permission,
    /// Only say which tests would run.
    #[arg(long)]
    dry_run: bool,
}

pub fn run(directory: Option<&Path>, args: &Args) -> Result<Verdict, CliError> {
    let root = session::root(directory)?;
    let store = session::store()?;
    let planned = session::planned_tests(&root, &store, &args.names)?;
    args.permission.check(&planned)?;
    if args.dry_run {
        foretell(&planned.plan, &store, args);
        return Ok(Verdict::Good);
    }
    session::with_worker(&root, &store, &planned, args.offline, args.jobs, |worker| perform(&planned, args, worker))
}

/// The tests that are to run in any case.
fn again(plan: &Plan, args: &Args) -> BTreeSet<StepId> {
    if args.rebuild { plan.tests.values().copied().collect() } else { BTreeSet::new() }
}

fn perform(planned: &Planned, args: &Args, worker: &Worker<'_>) -> Result<Verdict, CliError> {
    let plan = &planned.plan;
    let wanted: Vec<StepId> = plan.tests.values().copied().collect();
    let options = Options { keep_going: true, rebuild: again(plan, args), ..Options::of_jobs(worker.jobs) };
    let screen = Screen::new(plan, &wanted, false);
    let lines = Lines { screen: &screen, plan, tests: names(plan), json: args.json };
    let recorder = Recorder::new(plan, &lines, SystemTime::now());
    let finishes = build::build(plan, &wanted, &options, worker, &recorder)?;
    screen.close();
    // A record that can't be written is no reason to fail.
    let _ = recorder.end().save(worker.store.root(), Purpose::Test);
    let verdict = failure::tell(plan, &finishes, worker.cancelled());
    sum_up(&wanted, &finishes);
    Ok(verdict.unwrap_or(Verdict::Good))
}

fn sum_up(tests: &[StepId], finishes: &Finishes) {
    let count = |status| tests.iter().filter(|id| finishes[*id].status == status).count();
    let (ran, cached) = (count(Status::Built), count(Status::Cached));
    let (failed, skipped) = (count(Status::Failed), count(Status::Skipped));
    output::words(&format!("{} passed ({cached} cached), {failed} failed, {skipped} skipped", ran + cached));
}

/// Says which tests would run.
fn foretell(plan: &Plan, store: &Store, args: &Args) {
    let rebuild = again(plan, args);
    let schedule = look(plan, store, &rebuild, plan.tests.values().copied());
    for ((unit, test), id) in &plan.tests {
        let cached = matches!(schedule.state(*id), State::Done(_));
        if args.json {
            let derivation = schedule.resolved(*id).map(|derivation| derivation.key().to_string());
            output::json(&Foretold { name: unit.as_str(), test: test.as_str(), derivation, cached });
        } else {
            output::data(&format!("{:6}  {unit}: {test}", if cached { "cached" } else { "run" }));
        }
    }
}

#[derive(Serialize)]
struct Foretold<'a> {
    name: &'a str,
    test: &'a str,
    derivation: Option<String>,
    cached: bool,
}

/// The tests by their steps.
fn names(plan: &Plan) -> BTreeMap<StepId, &(Name, Name)> {
    plan.tests.iter().map(|(name, id)| (*id, name)).collect()
}

/// Prints a line for each test beside what a screen shows.
struct Lines<'a> {
    screen: &'a Screen<'a>,
    plan: &'a Plan,
    tests: BTreeMap<StepId, &'a (Name, Name)>,
    json: bool,
}

impl Progress for Lines<'_> {
    fn tell(&self, event: Event<'_>) {
        self.screen.tell(event);
        let Event::Finished(step, finish) = event else { return };
        if let Some((unit, test)) = self.tests.get(&step) {
            let line = line(unit, test, finish, self.plan);
            self.screen.suspended(|| if self.json { output::json(&line) } else { print(&line) });
        }
    }
}

/// The end of a test, as JSON.
#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    test: &'a str,
    status: &'static str,
    cached: bool,
    derivation: Option<String>,
    seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<String>,
}

fn line<'a>(unit: &'a Name, test: &'a Name, finish: &Finish, plan: &Plan) -> Line<'a> {
    let status = match finish.status {
        Status::Built | Status::Cached => "ok",
        Status::Failed => "failed",
        Status::Skipped => "skipped",
        Status::Cancelled => "cancelled",
    };
    Line {
        name: unit.as_str(),
        test: test.as_str(),
        status,
        cached: finish.status == Status::Cached,
        derivation: finish.key.map(|key| key.to_string()),
        seconds: finish.seconds,
        error: finish.reason(plan),
        log: finish.log().map(|log| log.display().to_string()),
    }
}

fn print(Line { name, test, status, error, .. }: &Line<'_>) {
    match *status {
        "ok" => output::data(&format!("ok {name}: {test}")),
        "failed" => output::data(&format!("FAIL {name}: {test}")),
        "skipped" => output::data(&format!("skip {name}: {test}: {}", error.as_deref().unwrap_or_default())),
        _ => {}
    }
}
