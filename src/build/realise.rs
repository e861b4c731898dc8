//! Does one step: fetches, runs or assembles, and records the result.

use std::fmt;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::artifact::{self, Parts};
use crate::build::schedule::{Outputs, single};
use crate::derivation::Derivation;
use crate::digest::Digest;
use crate::fetch::{self, Fetcher};
use crate::path::Name;
use crate::plan::Step;
use crate::sandbox::{self, Jobserver, Launcher};
use crate::store::{self, ActionResult, Directory, Lock, Output, Store};

/// How often a step that another process makes is looked at.
const LOCK_TICK: Duration = Duration::from_millis(20);

/// What a step needs from outside, shared by all threads.
pub struct Worker<'a> {
    /// Where inputs are and results go.
    pub store: &'a Store,
    /// Brings pinned sources.
    pub fetcher: &'a Fetcher<'a>,
    /// The program that is the sandbox's helper: forge itself.
    pub program: &'a Path,
    /// How many jobs all sandboxes share.
    pub jobs: usize,
    /// Set when the user wants to stop.
    pub cancel: &'a AtomicBool,
    /// Puts the project's own files into the store again, for when it has lost one.
    pub refill: &'a (dyn Fn() -> Result<(), String> + Sync),
    /// The helper, started with the first command.
    pub sandbox: OnceLock<(Launcher, Jobserver)>,
}

/// What a step says while it goes on.
#[derive(Clone, Copy, Debug)]
pub enum News<'a> {
    /// Words on how far it is.
    Part(&'a str),
    /// Another process does the same step; this one waits for it.
    Waiting,
    /// Bytes of a download.
    Transferred {
        /// So many are here.
        got: u64,
        /// So many are pinned.
        total: u64,
    },
}

/// A step's run.
#[derive(Debug)]
pub enum Attempt {
    /// It goes on.
    Running,
    /// It succeeded.
    Done {
        /// What it made.
        outputs: Outputs,
        /// How long it took.
        seconds: f64,
        /// False where another process made the result meanwhile.
        ran: bool,
        /// Keeps others waiting until the result is on the disk, where they find it.
        lock: Option<Lock>,
    },
    /// It did not.
    Failed(Trouble),
}

impl Attempt {
    /// Whether it still goes on.
    #[must_use]
    pub fn is_running(&self) -> bool {
        matches!(self, Self::Running)
    }

    /// What it made, if it succeeded.
    #[must_use]
    pub fn outputs(&self) -> Option<&Outputs> {
        match self {
            Self::Done { outputs, .. } => Some(outputs),
            Self::Running | Self::Failed(_) => None,
        }
    }
}

/// Why a step failed, by who has to act.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// The command ended badly, or left something else than its outputs; `log` holds what it said.
    Command {
        /// What happened.
        what: String,
        /// The whole log.
        log: PathBuf,
    },
    /// The inputs make no good result, or the user did not give one.
    Refused(String),
    /// No place serves a source, or the machine, its disk or its settings failed.
    Environment(String),
    /// An object in the store was damaged; it was put aside and will be made again.
    Corrupt(String),
    /// The user stopped the build.
    Cancelled,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command { what, .. } | Self::Refused(what) | Self::Environment(what) | Self::Corrupt(what) => {
                f.write_str(what)
            }
            Self::Cancelled => f.write_str("stopped"),
        }
    }
}

impl From<artifact::Error> for Trouble {
    fn from(error: artifact::Error) -> Self {
        match error {
            artifact::Error::Store(error) => error.into(),
            artifact::Error::Stopped => Self::Cancelled,
            refused => Self::Refused(refused.to_string()),
        }
    }
}

impl From<store::Error> for Trouble {
    fn from(error: store::Error) -> Self {
        if error.is_damage() { Self::Corrupt(error.to_string()) } else { Self::Environment(error.to_string()) }
    }
}

impl From<sandbox::Error> for Trouble {
    fn from(error: sandbox::Error) -> Self {
        Self::Environment(error.to_string())
    }
}

impl From<fetch::Error> for Trouble {
    fn from(error: fetch::Error) -> Self {
        match error {
            fetch::Error::Store(error) => error.into(),
            fetch::Error::Cancelled(_) => Self::Cancelled,
            fetch::Error::Unsupplied(file) => Self::Refused(file.to_string()),
            error => Self::Environment(error.to_string()),
        }
    }
}

impl Worker<'_> {
    /// Whether the user wants to stop.
    #[must_use]
    pub fn cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    /// Does `step`, unless its result is there by now; `again` does it in any case. `downloads`
    /// are those of its inputs that were downloaded.
    pub fn realise(
        &self,
        step: &Step,
        derivation: &Derivation,
        downloads: &Directory,
        again: bool,
        news: &(dyn Fn(News<'_>) + Sync),
    ) -> Attempt {
        let key = derivation.key();
        match self.locked(step, derivation, downloads, &key, again, news) {
            Ok(attempt) => attempt,
            Err(trouble) => Attempt::Failed(trouble),
        }
    }

    fn locked(
        &self,
        step: &Step,
        derivation: &Derivation,
        downloads: &Directory,
        key: &Digest,
        again: bool,
        news: &(dyn Fn(News<'_>) + Sync),
    ) -> Result<Attempt, Trouble> {
        let lock = self.lock(key, news)?;
        let known = self.made_meanwhile(derivation, key)?;
        if let (Some(outputs), false) = (&known, again) {
            return Ok(Attempt::Done { outputs: outputs.clone(), seconds: 0.0, ran: false, lock: None });
        }
        let start = Instant::now();
        let (outputs, log) = self.make(step, derivation, key, news)?;
        known.map_or(Ok(()), |known| compare(&known, &outputs))?;
        let seconds = start.elapsed().as_secs_f64();
        if derivation.fixed().is_none() {
            let downloads = self.keep(downloads)?;
            let (label, outputs) = (step.label.clone(), outputs.clone());
            self.store.record(key, &ActionResult { label, outputs, seconds, log, downloads })?;
        }
        Ok(Attempt::Done { outputs, seconds, ran: true, lock: Some(lock) })
    }

    /// Writes down what was downloaded for a result, so that gc can keep it with the result.
    fn keep(&self, downloads: &Directory) -> Result<Option<store::Blob>, store::Error> {
        if downloads.entries.is_empty() { Ok(None) } else { self.store.put_directory(downloads).map(Some) }
    }

    /// Waits until no other thread or process makes this, or the user wants to stop.
    fn lock(&self, key: &Digest, news: &(dyn Fn(News<'_>) + Sync)) -> Result<Lock, Trouble> {
        let mut told = false;
        loop {
            match self.store.try_lock(key)? {
                Some(lock) => return Ok(lock),
                None if self.cancelled() => return Err(Trouble::Cancelled),
                None if !told => news(News::Waiting),
                None => {}
            }
            told = true;
            thread::sleep(LOCK_TICK);
        }
    }

    fn made_meanwhile(&self, derivation: &Derivation, key: &Digest) -> Result<Option<Outputs>, Trouble> {
        match derivation.fixed() {
            Some(output) => Ok(self.store.contains(&output.digest()).then(|| single(output))),
            None => Ok(self.store.result(key)?.map(|result| result.outputs)),
        }
    }

    fn make(
        &self,
        step: &Step,
        derivation: &Derivation,
        key: &Digest,
        news: &(dyn Fn(News<'_>) + Sync),
    ) -> Result<(Outputs, Option<store::Blob>), Trouble> {
        match derivation {
            Derivation::Run(run) => self.run(step, run, key),
            Derivation::Assemble(assemble) => {
                let say = |words: &str| {
                    news(News::Part(words));
                    self.go_on()
                };
                Ok((artifact::assemble(assemble, self.store, Parts::Known, self.jobs, &say)?, None))
            }
            Derivation::Fetch(pin) => {
                let blob = self.fetcher.file(pin, &step.label, step.unit.as_str(), &self.watch(pin.size, news))?;
                Ok((single(Output::File { blob, executable: false }), None))
            }
            Derivation::FetchGit { url, commit, tree } => {
                Ok((single(self.fetcher.git(url, commit, tree, &self.watch(tree.size, news))?), None))
            }
        }
    }

    /// Passes a download's progress on, of `total` bytes as far as is known before; stops it when
    /// the user wants to stop.
    fn watch<'w>(
        &'w self,
        total: u64,
        news: &'w (dyn Fn(News<'_>) + Sync),
    ) -> impl Fn(fetch::Progress<'_>) -> ControlFlow<()> + Sync + 'w {
        move |progress| {
            news(News::Transferred { got: progress.got, total: progress.total.unwrap_or(total) });
            self.go_on()
        }
    }

    fn go_on(&self) -> ControlFlow<()> {
        if self.cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Refuses a result that is another than the one that the same step gave before.
fn compare(known: &Outputs, outputs: &Outputs) -> Result<(), Trouble> {
    let differ = |(name, output): &(&Name, &Output)| known.get(*name).is_some_and(|before| before != *output);
    outputs.iter().find(differ).map_or(Ok(()), |(name, output)| {
        let (want, got) = (known[name].digest(), output.digest());
        let what = "not reproducible: the same step gave another result than before, which is kept";
        Err(Trouble::Refused(format!("{what}\n  output: {name}\n  want: {want}\n   got: {got}")))
    })
}
