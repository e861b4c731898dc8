//! `forge shell`.

use std::io;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::time::Duration;

use super::error::CliError;
use super::progress::Screen;
use super::session::{self, Planned};
use super::terminal::{self, Raw};
use super::unfree::Permission;
use super::{Verdict, failure, output};
use crate::build::command::workspace;
use crate::build::failed::{self, Failed};
use crate::build::kit::{Kit, Wish};
use crate::build::realise::Worker;
use crate::build::{self, Finishes, Options};
use crate::derivation::{Derivation, Run};
use crate::path::Name;
use crate::plan::{self, Input, Plan, StepId};
use crate::sandbox::{Console, Exit};
use crate::store::{KEPT_FOR, MOST_KEPT, Output, Scratch, Shelf, Store};
use crate::words;

/// The exit code of a command that a signal ended, less the signal's number.
const SIGNALLED: i32 = 128;

/// Enter the sandbox of a unit: its root file system, sources, dependencies and environment.
///
/// The steps lie in /tmp/step-N; `r` runs the failed one again (or all, where none failed), `step N`
/// any other. Where stdin is no terminal, commands are read from it. The exit code is that of the
/// shell, or of CMD; 128 and the number of the signal that ended it.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "forge shell NAME [--test TEST] [--keep] [-- CMD...]\n       forge shell --failed [NAME] [-- CMD...]"
)]
pub struct Args {
    /// The unit; its dependencies are built first.
    #[arg(value_name = "NAME", value_parser = super::name, required_unless_present = "failed")]
    name: Option<Name>,
    /// Enter at the step that failed last (of NAME), with /build and /out as it left them. They
    /// stay, with what is changed there, until the step succeeds.
    #[arg(long)]
    failed: bool,
    /// Enter the sandbox of this test of the unit.
    #[arg(long, value_name = "TEST", value_parser = super::name, conflicts_with = "failed")]
    test: Option<Name>,
    /// Keep /build and /out when the shell ends.
    #[arg(long, conflicts_with = "failed")]
    keep: bool,
    /// Use no network for the dependencies.
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    permission: Permission,
    /// Run this in place of a shell.
    #[arg(last = true, value_name = "CMD")]
    command: Vec<String>,
}

pub fn run(directory: Option<&Path>, args: &Args) -> Result<Verdict, CliError> {
    let root = session::root(directory)?;
    let store = session::store()?;
    match &args.name {
        Some(name) if !args.failed => fresh(&root, &store, name, args),
        name => again(&root, &store, name.as_ref(), args),
    }
}

/// A unit's sandbox as its build finds it.
fn fresh(root: &Path, store: &Store, name: &Name, args: &Args) -> Result<Verdict, CliError> {
    let names = std::slice::from_ref(name);
    let planned = match &args.test {
        None => session::planned(root, store, names)?,
        Some(_) => session::planned_tests(root, store, names)?,
    };
    args.permission.check(&planned)?;
    let run = match &args.test {
        None => entrance(&planned.plan, name)?,
        Some(test) => trial(&planned.plan, name, test)?,
    };
    session::with_worker(root, store, &planned, args.offline, None, |worker| {
        let inputs = match inputs(&planned.plan, &run, worker)? {
            Ok(finishes) => finishes,
            Err(verdict) => return Ok(verdict),
        };
        let run =
            run.resolve(|input| build::content(&inputs, input).ok_or_else(|| CliError::environment("BUG: no input")))?;
        let scratch = store.scratch()?;
        workspace(scratch.path()).map_err(|trouble| CliError::from(&trouble))?;
        let steps = plan::steps(&run.argv);
        if args.command.is_empty() {
            greet(name, steps);
        }
        let kit = Kit { name: name.as_str(), steps, runs: 1..=steps.len() };
        let verdict = enter(worker, &run, &kit, scratch.path(), args)?;
        if args.keep {
            keep(store, name, &run, &scratch)?;
        }
        Ok(verdict)
    })
}

/// The sandbox of a step that failed, as it left it.
fn again(root: &Path, store: &Store, name: Option<&Name>, args: &Args) -> Result<Verdict, CliError> {
    let failed = find(root, store, name)?;
    let _hold = store.hold(&failed.folder)?.ok_or_else(|| {
        CliError::environment(format!("another shell is in the sandbox of `{}`", failed.unit))
            .hint("leave that one first")
    })?;
    let steps = plan::steps(&failed.run.argv);
    let step = failed.step(store);
    if args.command.is_empty() {
        lament(&failed, steps, step);
    }
    let runs = step.map_or(1..=steps.len(), |step| step..=step);
    let kit = Kit { name: failed.unit.as_str(), steps, runs };
    session::with_worker(root, store, &Planned::default(), args.offline, None, |worker| {
        enter(worker, &failed.run, &kit, &failed.folder, args)
    })
}

/// The failure that is meant: the last one, or that of a unit.
fn find(root: &Path, store: &Store, name: Option<&Name>) -> Result<Failed, CliError> {
    let project = session::recipes(root)?;
    session::known(&project, name.map(std::slice::from_ref).unwrap_or_default())?;
    let meant = |failed: &Failed| match name {
        Some(name) => failed.unit == *name,
        None => project.units.contains_key(&failed.unit),
    };
    failed::list(store)?.into_iter().find(meant).ok_or_else(|| match name {
        Some(name) => CliError::user(format!("no step of `{name}` has failed and left its files"))
            .hint(format!("`forge shell {name}` enters its sandbox as a build finds it")),
        None => CliError::user("no step has failed and left its files")
            .hint("`forge shell NAME` enters the sandbox of a unit as a build finds it"),
    })
}

/// The command whose sandbox is a unit's: its own, or none in a toolroot.
fn entrance(plan: &Plan, name: &Name) -> Result<Run<Input>, CliError> {
    let own = plan.steps.iter().filter(|step| step.unit == *name);
    let mut runs = own.filter_map(|step| match &step.derivation {
        Derivation::Run(run) => Some(run.clone()),
        _ => None,
    });
    let unit = &plan.units[name];
    match runs.next_back() {
        Some(run) => Ok(run),
        None if unit.kind == "toolroot" => Ok(plan::bare(unit.outputs[0].1.clone())),
        None => Err(CliError::user(format!("`{name}` runs no command, so it has no sandbox"))
            .hint("`forge plan` shows what it is made of; enter a unit that it needs")),
    }
}

/// The command of a unit's test.
fn trial(plan: &Plan, name: &Name, test: &Name) -> Result<Run<Input>, CliError> {
    match &plan.steps[session::test(plan, name, test)?].derivation {
        Derivation::Run(run) => Ok(run.clone()),
        _ => unreachable!("BUG: a test that runs no command"),
    }
}

/// Builds what the command reads; the verdict of a build that failed.
fn inputs(plan: &Plan, run: &Run<Input>, worker: &Worker<'_>) -> Result<Result<Finishes, Verdict>, CliError> {
    let wanted: Vec<StepId> = run.inputs().filter_map(Input::step).collect();
    let screen = Screen::new(plan, &wanted, false);
    let finishes = build::build(plan, &wanted, &Options::of_jobs(worker.jobs), worker, &screen)?;
    screen.close();
    Ok(match failure::tell(plan, &finishes, worker.cancelled()) {
        Some(verdict) => Err(verdict),
        None => Ok(finishes),
    })
}

/// Runs the shell or the command, at the user's terminal if there is one.
fn enter(
    worker: &Worker<'_>,
    run: &Run<Output>,
    kit: &Kit<'_>,
    workspace: &Path,
    args: &Args,
) -> Result<Verdict, CliError> {
    let interactive = terminal::interactive();
    let wish = match (args.command.as_slice(), interactive) {
        ([], true) => Wish::Shell,
        ([], false) => Wish::Script,
        (command, _) => Wish::Command(command),
    };
    let root = worker.store.realise(&run.root)?;
    let argv = kit.argv(&root, wish).ok_or_else(|| {
        CliError::user(format!("the toolroot of `{}` has no shell", kit.name))
            .hint("add `dash` or `bash` to its packages")
            .hint(format!("`forge shell {} -- PROGRAM` runs a program of it", kit.name))
    })?;
    let (input, output, errors) = (io::stdin(), io::stdout(), io::stderr());
    let window: Option<&dyn Fn() -> _> = if interactive { Some(&terminal::window) } else { None };
    let console = Console { input: input.as_fd(), output: output.as_fd(), errors: errors.as_fd(), window };
    let _raw = if interactive { Some(Raw::begin()?) } else { None };
    let run = Run { argv, ..run.clone() };
    let exit = worker.attend(&run, workspace, &console).map_err(|trouble| CliError::from(&trouble))?;
    Ok(verdict(exit))
}

fn verdict(exit: Exit) -> Verdict {
    match exit {
        Exit::Code(code) => Verdict::Command(code as u8),
        Exit::Signal(signal) => Verdict::Command((SIGNALLED + signal) as u8),
        Exit::Cancelled | Exit::TimedOut => Verdict::Interrupted,
    }
}

/// What one meets in a fresh sandbox.
fn greet(name: &Name, steps: &[String]) {
    if steps.is_empty() {
        return output::words(&format!("the root file system of {name}; /build is empty, `exit` leaves"));
    }
    output::words(&format!("the sandbox of {name}, as its build finds it"));
    output::words("  r        runs its steps as the build does");
    words_on_steps(steps);
}

/// What failed, and what one meets in its sandbox.
fn lament(failed: &Failed, steps: &[String], step: Option<usize>) {
    let age = failed.at.elapsed().map_or_else(|_| String::new(), |age| format!(", {} ago", span(age)));
    match step {
        Some(step) => {
            output::words(&format!("{} failed{age} in step {step} of {}: {}", failed.label, steps.len(), failed.what));
            output::words(&output::indented(&steps[step - 1]));
            output::words("this is its sandbox, with /build and /out as it left them (/tmp is fresh)");
            output::words(&format!("  r        runs step {step} again"));
        }
        None => {
            output::words(&format!("{} failed{age}: {}", failed.label, failed.what));
            output::words("this is its sandbox, with /build and /out as it left them (/tmp is fresh)");
            output::words("  r        runs all steps again");
        }
    }
    words_on_steps(steps);
    output::words("what is changed in /build and /out stays until the step succeeds in `forge build`");
}

fn words_on_steps(steps: &[String]) {
    output::words(&format!("  step N   runs one of the {}; /tmp/step-N holds its text", steps.len()));
    output::words("  exit     leaves");
}

/// `5 minutes`: a time for people.
fn span(age: Duration) -> String {
    let seconds = age.as_secs() as usize;
    match seconds {
        0..120 => words::count(seconds, "second"),
        120..7200 => words::count(seconds / 60, "minute"),
        _ => words::count(seconds / 3600, "hour"),
    }
}

/// Keeps the workspace of a shell, and says for how long.
fn keep(store: &Store, name: &Name, run: &Run<Output>, scratch: &Scratch) -> Result<(), CliError> {
    let key = Derivation::Run(run.clone()).key();
    let Some(path) = store.keep(Shelf::Shell, &key, scratch, name.as_str().as_bytes())? else { return Ok(()) };
    output::words(&format!("kept /build as {}", path.join("build").display()));
    output::words(&format!("kept /out as {}", path.join("out").display()));
    output::words(&format!(
        "they go with the next `forge shell {name} --keep`, with `forge store gc`, or when {MOST_KEPT} newer ones are \
         kept or {} days are over",
        KEPT_FOR.as_secs() / (24 * 3600)
    ));
    Ok(())
}
