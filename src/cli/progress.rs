//! How a build looks while it goes on.
//!
//! On a terminal: one line a running step with the time it has taken, one bar a download, and the
//! count of all. Elsewhere: one plain line where a step starts or ends, and one for downloads now
//! and then. JSON lines go to stdout as units end, in both cases.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, IsTerminal as _};
use std::ops::ControlFlow;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde::Serialize;

use super::overrides::Overridden;
use super::{environment, finding, output};
use crate::artifact::image;
use crate::build::realise::News;
use crate::build::{Event, Finish, Progress, Status};
use crate::check::Rebuild;
use crate::fetch;
use crate::path::Name;
use crate::plan::{Plan, StepId, Unit};
use crate::recipe::{Extension, Image, Installer};
use crate::words;

/// How often the spinners move.
const TICK: Duration = Duration::from_millis(120);

/// How often downloads get a plain line.
const PLAIN_EVERY: Duration = Duration::from_secs(5);

/// Whether words may have colours.
pub fn color() -> bool {
    !environment::no_color() && io::stderr().is_terminal()
}

/// The screen of one build.
pub struct Screen<'a> {
    plan: &'a Plan,
    /// The units that get a JSON line, by the step that makes them; `None` prints none.
    json: Option<BTreeMap<StepId, Vec<&'a Name>>>,
    overridden: Overridden,
    bars: Option<MultiProgress>,
    total: ProgressBar,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: HashMap<StepId, ProgressBar>,
    downloads: HashMap<StepId, u64>,
    fetched: Fetched,
    /// When the first download began, or the last plain line on them was.
    last_plain: Option<Instant>,
}

/// What was downloaded so far.
#[derive(Clone, Copy, Default)]
struct Fetched {
    files: usize,
    bytes: u64,
}

impl<'a> Screen<'a> {
    /// A screen for the steps of `plan`; with `json`, `wanted` steps print a line as they end.
    pub fn new(plan: &'a Plan, wanted: &[StepId], json: bool) -> Self {
        let bars = io::stderr().is_terminal().then(MultiProgress::new);
        let total = match &bars {
            Some(bars) => bars.add(ProgressBar::new(0).with_style(style("{elapsed_precise} {pos}/{len} steps {msg}"))),
            None => ProgressBar::hidden(),
        };
        total.enable_steady_tick(TICK);
        let mut units = BTreeMap::<_, Vec<_>>::new();
        for (name, unit) in plan.units.iter().filter(|(_, unit)| wanted.contains(&unit.last)) {
            units.entry(unit.last).or_default().push(name);
        }
        let overridden = Overridden::default();
        Self { plan, json: json.then_some(units), overridden, bars, total, state: Mutex::default() }
    }

    /// The same, with JSON lines that name what was put in place of locked sources.
    pub fn overridden(self, overridden: &Overridden) -> Self {
        Self { overridden: overridden.clone(), ..self }
    }

    /// Clears the moving lines.
    pub fn close(&self) {
        let fetched = self.lock().fetched;
        if let Some(bars) = &self.bars {
            // A screen that can't be cleared stays as it is.
            let _ = bars.clear();
        }
        if fetched.files > 0 {
            output::words(&format!("fetched {}, {}", words::count(fetched.files, "file"), words::size(fetched.bytes)));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn words(&self, line: &str) {
        match &self.bars {
            Some(bars) => bars.suspend(|| output::words(line)),
            None => output::words(line),
        }
    }

    fn is_download(&self, step: StepId) -> bool {
        self.plan.steps[step].derivation.fixed().is_some()
    }

    /// Now and then, a plain line on the downloads.
    fn plain_downloads(&self, state: &mut State) {
        let now = Instant::now();
        let due = now - *state.last_plain.get_or_insert(now) >= PLAIN_EVERY;
        if self.bars.is_none() && due {
            state.last_plain = Some(now);
            let under_way: u64 = state.downloads.values().sum();
            let bytes = words::size(state.fetched.bytes + under_way);
            output::words(&format!("fetching: {} done, {bytes}", words::count(state.fetched.files, "file")));
        }
    }
}

impl Progress for Screen<'_> {
    fn tell(&self, event: Event<'_>) {
        let label = |step: StepId| &self.plan.steps[step].label;
        match event {
            Event::Counted { over, wanted } => {
                self.total.set_length(wanted as u64);
                self.total.set_position(over as u64);
            }
            Event::Started(step) => self.started(step),
            Event::News(step, News::Part(words)) => self.part(step, words),
            Event::News(step, News::Waiting) => {
                self.words(&format!("{}: another forge builds this; waiting for it", label(step)));
            }
            Event::News(step, News::Transferred { got, total }) => self.transferred(step, got, total),
            Event::Repairing(step, damage) => self.words(&format!("{}: {damage}; making it again", label(step))),
            Event::Finished(step, finish) => self.finished(step, finish),
        }
    }
}

impl Screen<'_> {
    fn started(&self, step: StepId) {
        let label = &self.plan.steps[step].label;
        match &self.bars {
            Some(bars) => {
                let template = if self.is_download(step) {
                    "  {wide_msg} {bytes}/{total_bytes} {bytes_per_sec}"
                } else {
                    "  {spinner} {wide_msg} {elapsed}"
                };
                let bar = ProgressBar::new(0).with_style(style(template)).with_message(label.clone());
                let bar = bars.insert_before(&self.total, bar);
                bar.enable_steady_tick(TICK);
                // A step that was damaged starts again.
                if let Some(old) = self.lock().running.insert(step, bar) {
                    old.finish_and_clear();
                }
            }
            None if !self.is_download(step) => output::words(&format!("{label}: started")),
            None => {}
        }
    }

    fn part(&self, step: StepId, words: &str) {
        let label = &self.plan.steps[step].label;
        // Without a screen, parts that are done would fill the log.
        if let Some(bar) = self.lock().running.get(&step) {
            bar.set_message(format!("{label}: {words}"));
        }
    }

    fn transferred(&self, step: StepId, got: u64, total: u64) {
        let mut state = self.lock();
        if let Some(bar) = state.running.get(&step) {
            bar.set_length(total);
            bar.set_position(got);
        }
        state.downloads.insert(step, got);
        self.plain_downloads(&mut state);
    }

    fn finished(&self, step: StepId, finish: &Finish) {
        let mut state = self.lock();
        if let Some(bar) = state.running.remove(&step) {
            bar.finish_and_clear();
        }
        let bytes = state.downloads.remove(&step);
        let label = &self.plan.steps[step].label;
        match finish.status {
            Status::Built if self.is_download(step) => {
                state.fetched.files += 1;
                state.fetched.bytes += bytes.unwrap_or_default();
            }
            Status::Built => {
                let done = if self.plan.steps[step].is_test() { "passed" } else { "built" };
                self.words(&format!("{label}: {done} in {:.1} s", finish.seconds));
            }
            Status::Failed => self.words(&format!("{label}: failed")),
            Status::Skipped => {
                self.words(&format!("{label}: skipped, as {}", finish.reason(self.plan).unwrap_or_default()))
            }
            Status::Cached | Status::Cancelled => {}
        }
        for name in self.json.as_ref().and_then(|units| units.get(&step)).into_iter().flatten() {
            self.suspended(|| output::json(&line(self.plan, &self.overridden, name, finish)));
        }
    }

    /// Prints without moving lines in the way.
    pub fn suspended(&self, print: impl FnOnce()) {
        match &self.bars {
            Some(bars) => bars.suspend(print),
            None => print(),
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("BUG: a good template")
}

#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    kind: &'static str,
    status: &'static str,
    derivation: Option<String>,
    seconds: f64,
    outputs: Vec<OutputLine<'a>>,
    /// Of an image: the digest by which registries know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    overridden: &'a [String],
}

#[derive(Serialize)]
struct OutputLine<'a> {
    name: &'a str,
    path: String,
    digest: String,
}

fn line<'a>(plan: &'a Plan, overridden: &'a Overridden, name: &'a Name, finish: &'a Finish) -> Line<'a> {
    let unit = &plan.units[name];
    let outputs = unit.outputs.iter().filter_map(|(output, _)| {
        let (path, content) = (finish.paths.get(output)?, finish.outputs.get(output)?);
        let digest = content.digest().to_string();
        Some(OutputLine { name: output.as_str(), path: path.display().to_string(), digest })
    });
    Line {
        name: name.as_str(),
        kind: unit.kind,
        status: finish.status.word(),
        derivation: finish.key.map(|key| key.to_string()),
        seconds: finish.seconds,
        outputs: outputs.collect(),
        manifest: manifest(unit, finish),
        error: finish.reason(plan),
        log: finish.log().map(|log| log.display().to_string()),
        overridden: overridden.get(name).map_or(&[], Vec::as_slice),
    }
}

fn manifest(unit: &Unit, finish: &Finish) -> Option<String> {
    let (layout, _) =
        unit.outputs.first().filter(|_| [Image::KIND, Extension::KIND, Installer::KIND].contains(&unit.kind))?;
    let index = std::fs::read(finish.paths.get(layout)?.join("index.json")).ok()?;
    image::manifest_digest(&index)
}

/// What shows while `forge check` rebuilds: a moving line on a terminal, elsewhere a plain line a rebuild.
pub struct Rebuilds(Option<ProgressBar>);

impl Rebuilds {
    /// Shows nothing yet.
    pub fn new() -> Self {
        let bar = || ProgressBar::new_spinner().with_style(style("  {spinner} {wide_msg} {elapsed}"));
        Self(io::stderr().is_terminal().then(bar))
    }

    /// Shows a rebuild that starts.
    pub fn show(&self, rebuild: &Rebuild<'_>) {
        let Rebuild { label, number, of, factors, all } = rebuild;
        let changed = match factors.len() {
            0 => "in the same world".to_owned(),
            _ if *all => "in a world where everything differs".to_owned(),
            _ => format!("{} changed", finding::list(factors)),
        };
        let of = if number <= of { format!(" of {of}") } else { String::new() };
        let words = format!("{label}: rebuild {number}{of}: {changed}");
        match &self.0 {
            Some(bar) => {
                bar.reset_elapsed();
                bar.enable_steady_tick(TICK);
                bar.set_message(words);
            }
            None => output::words(&words),
        }
    }

    /// Prints what came out; nothing moves any more.
    pub fn suspended(&self, print: impl FnOnce()) {
        self.0.iter().for_each(ProgressBar::finish_and_clear);
        print();
    }
}

/// One moving line for downloads outside a build, as `forge lock` has them.
pub struct Bar(ProgressBar);

impl Bar {
    /// Hidden where stderr is no terminal.
    pub fn new() -> Self {
        let bar = if io::stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
        Self(bar.with_style(style("{wide_msg} {bytes}/{total_bytes} {bytes_per_sec}")))
    }

    /// Shows each download that it is told of.
    pub fn watch(&self) -> impl Fn(fetch::Progress<'_>) -> ControlFlow<()> + '_ {
        |progress| {
            if self.0.message() != progress.name {
                self.0.set_message(progress.name.to_owned());
            }
            self.0.set_length(progress.total.unwrap_or(progress.got));
            self.0.set_position(progress.got);
            ControlFlow::Continue(())
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
