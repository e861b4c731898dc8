//! What the last build did when: a record for people to look at, written by `forge build`.
//!
//! `last-build` at the top of the store holds the newest build that ran a step, `last-test` the newest
//! `forge test` that did:
//!
//! ```text
//! forge timeline 1⇥<start, ms since 1970>⇥<length in ms>
//! <start>⇥<end>⇥<lane>⇥<status>⇥<key>⇥<label>      a line a step, in the order in which they ended
//! ```
//!
//! Starts and ends are milliseconds since the build's start. A lane is one of a kind's threads, such
//! as `fetch 2` or `work 1`, and `-` for a step that was not started; so is a key that never came to
//! be known. Advice only: a lost or damaged file makes a picture poorer and nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use super::schedule::Lane;
use super::{Event, Finish, Progress, Status};
use crate::digest::Digest;
use crate::plan::{Plan, StepId};

/// What its first line starts with.
const TAG: &str = "forge timeline 1";

/// What steps were run for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// `forge build`.
    Build,
    /// `forge test`.
    Test,
}

impl Purpose {
    /// The file's name in the store.
    fn file(self) -> &'static str {
        match self {
            Self::Build => "last-build",
            Self::Test => "last-test",
        }
    }
}

/// A build as it went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    /// When it began, in milliseconds since 1970.
    pub begun: u64,
    /// How long it took, in milliseconds.
    pub length: u64,
    /// Its steps, in the order in which they ended.
    pub spans: Vec<Span>,
}

/// One step of a build. Times are milliseconds since the build began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// When it was started.
    pub start: u64,
    /// When it was over.
    pub end: u64,
    /// The thread that did it, such as `work 1`; `None` where it was not started.
    pub lane: Option<String>,
    /// How it ended.
    pub status: Status,
    /// Its key, where that came to be known.
    pub key: Option<Digest>,
    /// What people call it.
    pub label: String,
}

impl Timeline {
    /// The newest run for `purpose` that the store at `root` remembers.
    #[must_use]
    pub fn read(root: &Path, purpose: Purpose) -> Option<Self> {
        Self::parse(&fs::read_to_string(root.join(purpose.file())).ok()?)
    }

    /// The newest build or test that the store at `root` remembers.
    #[must_use]
    pub fn newest(root: &Path) -> Option<Self> {
        let both = [Purpose::Build, Purpose::Test].into_iter().filter_map(|purpose| Self::read(root, purpose));
        both.max_by_key(|timeline| timeline.begun)
    }

    /// Writes it, unless no step was started.
    ///
    /// # Errors
    /// Where the store can't be written.
    pub fn save(&self, root: &Path, purpose: Purpose) -> io::Result<()> {
        if self.spans.iter().all(|span| span.lane.is_none()) {
            return Ok(());
        }
        let aside = root.join(format!("{}.{}", purpose.file(), std::process::id()));
        fs::write(&aside, self.text())?;
        fs::rename(aside, root.join(purpose.file()))
    }

    fn text(&self) -> String {
        let head = format!("{TAG}\t{}\t{}\n", self.begun, self.length);
        self.spans.iter().fold(head, |text, span| text + &span.line())
    }

    /// Lines that are damaged are passed over.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut head = lines.next()?.split('\t');
        let (TAG, begun, length) = (head.next()?, head.next()?, head.next()?) else { return None };
        let (begun, length) = (begun.parse().ok()?, length.parse().ok()?);
        Some(Self { begun, length, spans: lines.filter_map(Span::parse).collect() })
    }
}

impl Span {
    fn line(&self) -> String {
        let Self { start, end, lane, status, key, label } = self;
        let (lane, key) = (lane.as_deref().unwrap_or("-"), key.map_or("-".to_owned(), |key| key.to_string()));
        let label = label.replace(char::is_control, " ");
        format!("{start}\t{end}\t{lane}\t{}\t{key}\t{label}\n", status.word())
    }

    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.splitn(6, '\t');
        let mut next = || fields.next();
        let (start, end, lane, status, key, label) = (next()?, next()?, next()?, next()?, next()?, next()?);
        Some(Self {
            start: start.parse().ok()?,
            end: end.parse().ok().filter(|end| start.parse().is_ok_and(|start: u64| start <= *end))?,
            lane: (lane != "-").then(|| lane.to_owned()),
            status: Status::ALL.into_iter().find(|known| known.word() == status)?,
            key: key.parse().ok(),
            label: label.to_owned(),
        })
    }
}

/// Passes a build's progress on and takes the time of each step.
pub struct Recorder<'a> {
    plan: &'a Plan,
    progress: &'a dyn Progress,
    wall: SystemTime,
    clock: Instant,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// When each step that goes on was started, and its place among those of its kind.
    running: BTreeMap<StepId, (u64, usize)>,
    spans: Vec<Span>,
}

impl<'a> Recorder<'a> {
    /// Starts the clock. `wall` is the time of day.
    pub fn new(plan: &'a Plan, progress: &'a dyn Progress, wall: SystemTime) -> Self {
        Self { plan, progress, wall, clock: Instant::now(), inner: Mutex::default() }
    }

    /// Stops the clock; all that was seen.
    #[must_use]
    pub fn end(self) -> Timeline {
        let begun = self.wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let begun = u64::try_from(begun.as_millis()).unwrap_or_default();
        let length = self.now();
        let inner = self.inner.into_inner().unwrap_or_else(PoisonError::into_inner);
        Timeline { begun, length, spans: inner.spans }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn kind(&self, step: StepId) -> Lane {
        Lane::of(&self.plan.steps[step].derivation)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a step on the first free place of its kind.
    fn start(&self, step: StepId) {
        let (mut inner, kind) = (self.lock(), self.kind(step));
        inner.running.remove(&step);
        let taken = |place: &usize| inner.running.iter().any(|(id, (_, at))| at == place && self.kind(*id) == kind);
        let place = (1..).find(|place| !taken(place)).expect("BUG: numbers end");
        inner.running.insert(step, (self.now(), place));
    }

    fn finish(&self, step: StepId, finish: &Finish) {
        let (mut inner, end) = (self.lock(), self.now());
        let started = inner.running.remove(&step);
        let word = match self.kind(step) {
            Lane::Fetch => "fetch",
            Lane::Work => "work",
        };
        inner.spans.push(Span {
            start: started.map_or(end, |(start, _)| start),
            end,
            lane: started.map(|(_, place)| format!("{word} {place}")),
            status: finish.status,
            key: finish.key,
            label: self.plan.steps[step].label.clone(),
        });
    }
}

impl Progress for Recorder<'_> {
    fn tell(&self, event: Event<'_>) {
        match event {
            Event::Started(step) => self.start(step),
            Event::Finished(step, finish) => self.finish(step, finish),
            _ => {}
        }
        self.progress.tell(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(lane: Option<&str>, label: &str) -> Span {
        let (lane, label) = (lane.map(str::to_owned), label.to_owned());
        Span { start: 3, end: 40, lane, status: Status::Built, key: Some(Digest::of(b"key")), label }
    }

    #[test]
    fn golden_text() {
        let cached = Span { start: 1, end: 1, key: None, status: Status::Cached, ..span(None, "b") };
        let timeline =
            Timeline { begun: 1_700_000_000_000, length: 41, spans: vec![cached, span(Some("work 1"), "a")] };
        let key = Digest::of(b"key");
        let text =
            format!("forge timeline 1\t1700000000000\t41\n1\t1\t-\tcached\t-\tb\n3\t40\twork 1\tbuilt\t{key}\ta\n");
        assert_eq!(timeline.text(), text);
        assert_eq!(Timeline::parse(&text), Some(timeline));
    }

    #[test]
    fn a_label_can_not_break_a_line() {
        let timeline = Timeline { spans: vec![span(Some("work 1"), "a\n\tb")], ..Timeline::default() };
        assert_eq!(Timeline::parse(&timeline.text()).expect("reads").spans[0].label, "a  b");
    }

    #[test]
    fn damage_is_passed_over() {
        for text in ["", "forge timeline 2\t1\t1\n", "forge timeline 1\tx\t1\n"] {
            assert_eq!(Timeline::parse(text), None, "{text}");
        }
        let lines = ["1\t2", "2\t1\t-\tbuilt\t-\tbackwards", "1\t2\t-\tbaked\t-\tx", "1\t2\t-\tbuilt\tno key\tfine"];
        let text = format!("forge timeline 1\t1\t1\n{}", lines.join("\n"));
        let labels: Vec<_> = Timeline::parse(&text).expect("reads").spans.into_iter().map(|span| span.label).collect();
        assert_eq!(labels, ["fine"]);
    }

    #[test]
    fn a_build_that_started_nothing_leaves_the_record_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let built = Timeline { spans: vec![span(Some("work 1"), "a")], ..Timeline::default() };
        built.save(folder.path(), Purpose::Build).expect("written");
        let idle = Timeline { spans: vec![span(None, "b")], begun: 1, ..Timeline::default() };
        idle.save(folder.path(), Purpose::Build).expect("no need");
        assert_eq!(Timeline::read(folder.path(), Purpose::Build), Some(built));
    }

    #[test]
    fn the_newest_is_a_build_or_a_test() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |begun: u64| Timeline { begun, spans: vec![span(Some("work 1"), "a")], ..Timeline::default() };
        for (purpose, begun, want) in [(Purpose::Test, 2, 2), (Purpose::Build, 1, 2), (Purpose::Build, 3, 3)] {
            at(begun).save(folder.path(), purpose).expect("written");
            assert_eq!(Timeline::newest(folder.path()), Some(at(want)), "{purpose:?} {begun}");
        }
    }
}
