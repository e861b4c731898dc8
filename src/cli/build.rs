//! `forge build`.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::error::CliError;
use super::overrides::{self, Overridden, Override, Overrides};
use super::progress::Screen;
use super::session::Planned;
use super::unfree::Permission;
use super::{Verdict, failure, output, session, wanted};
use crate::build::realise::Worker;
use crate::build::settled::{Link, Settled};
use crate::build::timeline::{Purpose, Recorder};
use crate::build::{self, Finishes, Options, Status};
use crate::digest::Digest;
use crate::explain::last::Last;
use crate::explain::rebuild::remember;
use crate::path::Name;
use crate::plan::{Plan, StepId, Unit};
use crate::recipe::Reference;
use crate::store::Store;
use crate::words;

/// Where the links to results stand in the project.
const RESULTS: &str = "result";

/// Build units; their results are linked as ./result/NAME (other outputs as NAME:OUTPUT).
///
/// The file system of an image is linked where it is named: `forge build NAME:root`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The units, or single outputs of them; all with `default = true` where none is named.
    #[arg(value_name = "NAME[:OUTPUT]", value_parser = super::reference)]
    names: Vec<Reference>,
    /// Print one JSON object a line for each unit, as it ends.
    #[arg(long)]
    json: bool,
    /// With --json: the units' dependencies too.
    #[arg(long, requires = "json")]
    all: bool,
    /// Use no network; what is not in the store fails.
    #[arg(long)]
    offline: bool,
    /// After a failure, go on with what does not need what failed.
    #[arg(long)]
    keep_going: bool,
    /// How many steps run at once [default: the number of processors].
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Run the named units again although their results are known; one that comes out differently fails.
    #[arg(long)]
    rebuild: bool,
    /// Say on stderr why each unit is built that is, as `forge plan` does.
    #[arg(long)]
    explain: bool,
    /// Build with a local folder or file in place of a locked source: of UNIT/SOURCE, or of SOURCE where one unit
    /// has it. Can be given many times. What it reaches is linked as ./result/NAME+override and can't be released.
    #[arg(long = "override", value_name = "SOURCE=PATH")]
    overrides: Vec<Override>,
    #[command(flatten)]
    permission: Permission,
    /// Only say what would be built, and why.
    #[arg(long)]
    dry_run: bool,
}

pub fn run(directory: Option<&Path>, args: &Args) -> Result<Verdict, CliError> {
    let names = wanted::units(&args.names);
    if args.dry_run {
        return super::plan::show(directory, &names, &args.overrides, args.json, |planned| args.check(planned));
    }
    let root = session::root(directory)?;
    let store = session::store()?;
    let observer = session::observer(&root, &store)?;
    // A record that there is nothing to do knows of no overrides, nor who may have what is not free.
    let plain = args.overrides.is_empty() && !args.permission.allow_unfree;
    let state = if plain { session::state(&root, &observer) } else { None };
    if let Some(settled) = args.settled(&root, &store, state) {
        output::words(&summary(0, settled.units));
        return Ok(Verdict::Good);
    }
    let planned = session::plan(&root, &observer, &store, &names, &args.overrides)?;
    args.check(&planned)?;
    announce(&planned.overrides);
    session::with_worker(&root, &store, &planned, args.offline, args.jobs, |worker| {
        realise(&root, state, &planned, args, worker)
    })
}

impl Args {
    /// Refuses outputs that are not there, and what needs a permission that was not given.
    fn check(&self, planned: &Planned) -> Result<(), CliError> {
        self.names.iter().try_for_each(|reference| wanted::known(&planned.project, reference))?;
        self.permission.check(planned)
    }

    /// The record that there is nothing to do, if there is one and it holds.
    fn settled(&self, root: &Path, store: &Store, state: Option<Digest>) -> Option<Settled> {
        if self.json || self.rebuild {
            return None;
        }
        let settled = Settled::read(store, root, &self.names)?;
        (Some(settled.state) == state && settled.holds(store)).then_some(settled)
    }
}

fn realise(
    root: &Path,
    state: Option<Digest>,
    planned: &Planned,
    args: &Args,
    worker: &Worker<'_>,
) -> Result<Verdict, CliError> {
    let Planned { project, units, plan, overrides } = planned;
    let overridden = overrides.reach(project);
    let asked: Vec<StepId> = units.iter().map(|name| plan.units[name].last).collect();
    let shown: Vec<&Name> = if args.all { plan.units.keys().collect() } else { units.iter().collect() };
    let wanted: Vec<StepId> = shown.iter().map(|name| plan.units[*name].last).collect();
    let visible = wanted::outputs(plan, shown, &args.names);
    let rebuild = if args.rebuild { asked.iter().copied().collect() } else { BTreeSet::new() };
    let options = Options { jobs: worker.jobs, keep_going: args.keep_going, rebuild, visible };
    if args.explain {
        super::plan::explain(root, worker.store, plan);
    }
    let screen = Screen::new(plan, &wanted, args.json).overridden(&overridden);
    let recorder = Recorder::new(plan, &screen, SystemTime::now());
    let finishes = build::build(plan, &wanted, &options, worker, &recorder)?;
    screen.close();
    // Records that can't be written are no reason to fail.
    let _ = recorder.end().save(worker.store.root(), Purpose::Build);
    let mut last = Last::read(worker.store.root(), root);
    remember(&mut last, plan, &finishes);
    let _ = last.save();
    let links = link(root, worker.store, plan, units, &overridden, &finishes)?;
    let verdict = conclude(plan, &asked, &finishes, worker.cancelled());
    if verdict != Verdict::Good && !worker.cancelled() && !args.keep_going {
        untried(plan, &finishes);
    }
    if let (Some(state), true) = (state, asked.iter().all(|id| finishes[id].status == Status::Cached)) {
        // Without the record the next build works out anew that there is nothing to do.
        let _ = Settled { state, links, units: units.len() }.save(worker.store, root, &args.names);
    }
    Ok(verdict)
}

/// Says what is not as the lock has it.
fn announce(overrides: &Overrides) {
    for ((unit, source), path) in overrides.iter() {
        output::words(&format!("override: {unit}/{source} is {}, not what is locked", path.display()));
    }
    if overrides.iter().next().is_some() {
        output::words(&format!("results of that are linked as result/NAME{} and can't be released", overrides::MARK));
    }
}

/// Links the results of the units asked for, and makes them roots of the store.
fn link(
    root: &Path,
    store: &Store,
    plan: &Plan,
    units: &[Name],
    overridden: &Overridden,
    finishes: &Finishes,
) -> Result<Vec<Link>, CliError> {
    let mut links = Vec::new();
    let folder = root.join(RESULTS);
    let failed = |path: &Path, error: std::io::Error| {
        CliError::environment(format!("{}: {error}", path.display()))
            .hint("the links to results stand there: move away what is yours, and see that you may write there")
    };
    fs::create_dir_all(&folder).map_err(|error| failed(&folder, error))?;
    for name in units {
        let unit = &plan.units[name];
        let Some(finish) = finishes.get(&unit.last) else { continue };
        for (number, (output, _)) in unit.outputs.iter().enumerate() {
            let (Some(path), Some(content)) = (finish.paths.get(output), finish.outputs.get(output)) else { continue };
            let output = if number == 0 { String::new() } else { format!(":{output}") };
            let mark = if overridden.contains_key(name) { overrides::MARK } else { "" };
            let link = folder.join(format!("{name}{output}{mark}"));
            replace(&link, path).map_err(|error| failed(&link, error))?;
            store.add_root(&link, std::slice::from_ref(content))?;
            links.push(Link { link, output: *content, toolroot: plan.is_toolroot(unit.last) });
        }
    }
    Ok(links)
}

/// Points `link` to `target`, in one step; one that does so already stays.
fn replace(link: &Path, target: &Path) -> std::io::Result<()> {
    if fs::read_link(link).is_ok_and(|old| old == target) {
        return Ok(());
    }
    let aside = PathBuf::from(format!("{}.{}", link.display(), std::process::id()));
    symlink(target, &aside)?;
    fs::rename(aside, link)
}

/// Says what went wrong and what to do next, or what was done.
fn conclude(plan: &Plan, wanted: &[StepId], finishes: &Finishes, cancelled: bool) -> Verdict {
    failure::tell(plan, finishes, cancelled).unwrap_or_else(|| {
        let count = |status| wanted.iter().filter(|id| finishes[*id].status == status).count();
        output::words(&summary(count(Status::Built), count(Status::Cached)));
        Verdict::Good
    })
}

/// Says how many units a build left alone as it ended with its first failure.
fn untried(plan: &Plan, finishes: &Finishes) {
    let left = |unit: &&Unit| finishes.get(&unit.last).is_some_and(|finish| finish.status == Status::Cancelled);
    let units = plan.units.values().filter(left).count();
    if units > 0 {
        let (units, were) = (words::count(units, "other unit"), if units == 1 { "was" } else { "were" });
        output::words(&format!(
            "hint: {units} {were} not tried; `forge build --keep-going` goes on with what does not need what failed"
        ));
    }
}

/// What a good build came to.
fn summary(built: usize, cached: usize) -> String {
    format!("{built} built, {cached} cached")
}
