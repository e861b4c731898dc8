//! `forge check`.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use super::error::CliError;
use super::finding::{self, Report, Status};
use super::progress::{Rebuilds, Screen};
use super::session::Planned;
use super::unfree::Permission;
use super::{Verdict, failure, output, session};
use crate::build::realise::{Trouble, Worker};
use crate::build::{self, Finishes, Options};
use crate::check::factor::{Factor, Factors};
use crate::check::{Check, Subject};
use crate::path::Name;
use crate::plan::{Input, Plan, StepId};
use crate::words::nearest;

/// Rebuild units in a world in which every factor differs; blame one where that makes a difference.
///
/// A reproducible unit costs one rebuild. Where it comes out differently, or fails, some factors are
/// changed at a time until those are found that make the difference. An interrupted check goes on
/// where it was.
#[derive(Debug, clap::Args)]
#[command(after_help = factors())]
pub struct Args {
    /// The units; only their own steps are rebuilt.
    #[arg(value_name = "NAME", value_parser = super::name, required = true)]
    names: Vec<Name>,
    /// Vary only these [default: all that this host can].
    #[arg(long = "factor", value_name = "F", value_delimiter = ',', num_args = 1..)]
    factors: Vec<String>,
    /// Print one JSON object a line for each unit.
    #[arg(long)]
    json: bool,
    /// Use no network; what is not in the store fails.
    #[arg(long)]
    offline: bool,
    /// Forget what earlier checks of these units found out.
    #[arg(long)]
    fresh: bool,
    /// Print what diffoscope says of outputs that differ; it must be installed.
    #[arg(long, conflicts_with = "json")]
    diffoscope: bool,
    #[command(flatten)]
    permission: Permission,
    /// Only say what would be rebuilt, and what is varied.
    #[arg(long)]
    dry_run: bool,
}

/// What `--help` says of the factors.
fn factors() -> String {
    let line = |factor: Factor| format!("\n  {:9} {}", factor.word(), factor.change());
    format!("Factors, and what a rebuild meets:{}", Factor::ALL.map(line).concat())
}

pub fn run(directory: Option<&Path>, args: &Args) -> Result<Verdict, CliError> {
    let factors = chosen(&args.factors)?;
    if args.diffoscope {
        finding::find_diffoscope()?;
    }
    let root = session::root(directory)?;
    let store = session::store()?;
    let planned = session::planned(&root, &store, &args.names)?;
    args.permission.check(&planned)?;
    if args.dry_run {
        return Ok(show(&planned, &factors));
    }
    session::with_worker(&root, &store, &planned, args.offline, None, |worker| check(&planned, &factors, args, worker))
}

/// The factors that are to be varied and can be.
fn chosen(words: &[String]) -> Result<Factors, CliError> {
    let named = words.iter().map(|word| Factor::of(word).ok_or_else(|| unknown(word)));
    let named = named.collect::<Result<Vec<_>, _>>()?;
    let wanted = if named.is_empty() { Factor::ALL.to_vec() } else { named };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let (kept, left): (Factors, Factors) =
        wanted.into_iter().partition(|factor| factor.hindrance(processors).is_none());
    for factor in left {
        let why = factor.hindrance(processors).unwrap_or_default();
        output::words(&format!("{} is not varied: {why}", factor.word()));
    }
    Ok(kept)
}

fn unknown(word: &str) -> CliError {
    let error = CliError::user(format!("there is no factor `{word}`"));
    match nearest(word, Factor::ALL.map(Factor::word)) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => {
            error.hint(format!("there are {}; units stand before --factor", Factor::ALL.map(Factor::word).join(", ")))
        }
    }
}

/// The steps that a unit itself consists of, without those that fetch.
fn own<'a>(plan: &'a Plan, unit: &'a Name) -> impl Iterator<Item = StepId> + 'a {
    let steps = plan.steps.iter().enumerate();
    steps.filter(move |(_, step)| step.unit == *unit && step.derivation.fixed().is_none()).map(|(id, _)| id)
}

fn show(planned: &Planned, factors: &Factors) -> Verdict {
    for unit in &planned.units {
        for id in own(&planned.plan, unit) {
            output::data(&format!("rebuild  {}", planned.plan.steps[id].label));
        }
    }
    output::words(&format!("would vary {}", finding::list(factors)));
    Verdict::Good
}

fn check(planned: &Planned, factors: &Factors, args: &Args, worker: &Worker<'_>) -> Result<Verdict, CliError> {
    let finishes = built(planned, worker)?;
    let mut verdict = failure::tell(&planned.plan, &finishes, worker.cancelled()).unwrap_or(Verdict::Good);
    let rebuilds = Rebuilds::new();
    let check = Check { worker, factors, progress: &|rebuild| rebuilds.show(rebuild) };
    for unit in planned.units.iter().collect::<BTreeSet<_>>() {
        if worker.cancelled() {
            return Ok(Verdict::Interrupted);
        }
        let Some(report) = examine(&check, planned, &finishes, unit, args.fresh)? else {
            output::words("interrupted; the same command goes on with what was found out");
            return Ok(Verdict::Interrupted);
        };
        rebuilds.suspended(|| finding::print(&report, args.json));
        if args.diffoscope {
            finding::diffoscope(&report)?;
        }
        verdict = if verdict == Verdict::Good { report.verdict() } else { verdict };
    }
    Ok(verdict)
}

/// Brings about that the units and all that their own steps read are in the store.
fn built(planned: &Planned, worker: &Worker<'_>) -> Result<Finishes, CliError> {
    let plan = &planned.plan;
    let mut wanted = BTreeSet::new();
    for id in planned.units.iter().flat_map(|unit| own(plan, unit)) {
        wanted.insert(id);
        wanted.extend(plan.steps[id].derivation.inputs().into_iter().filter_map(Input::step));
    }
    let wanted: Vec<_> = wanted.into_iter().collect();
    let options = Options { keep_going: true, ..Options::of_jobs(worker.jobs) };
    let screen = Screen::new(plan, &wanted, false);
    let finishes = build::build(plan, &wanted, &options, worker, &screen)?;
    screen.close();
    Ok(finishes)
}

/// Checks a unit; `None` if the user wants to stop.
fn examine<'a>(
    check: &Check<'_>,
    planned: &Planned,
    finishes: &Finishes,
    unit: &'a Name,
    fresh: bool,
) -> Result<Option<Report<'a>>, CliError> {
    let start = Instant::now();
    let mut report = Report::new(unit);
    for id in own(&planned.plan, unit) {
        let Some(subject) = subject(&planned.plan, finishes, id) else {
            report.status = Status::Failed;
            continue;
        };
        if fresh {
            check.forget(&subject).map_err(|trouble| CliError::from(&trouble))?;
        }
        match check.step(&subject) {
            Ok(finding) => report.add(check.worker.store, &subject, finding)?,
            Err(Trouble::Cancelled) => return Ok(None),
            Err(trouble) => return Err(CliError::environment(format!("{}: {trouble}", subject.step.label))),
        }
    }
    report.seconds = start.elapsed().as_secs_f64();
    Ok(Some(report))
}

/// A step as it was built; `None` if that failed.
fn subject<'a>(plan: &'a Plan, finishes: &Finishes, id: StepId) -> Option<Subject<'a>> {
    let step = &plan.steps[id];
    let first = finishes.get(&id).map(|finish| finish.outputs.clone()).filter(|outputs| !outputs.is_empty())?;
    let content = |input: &Input| build::content(finishes, input).ok_or(());
    Some(Subject { step, derivation: step.derivation.resolve(content).ok()?, first })
}
