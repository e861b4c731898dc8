//! Does one step: fetches, runs or assembles, and records the result.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::artifact;
use crate::build::schedule::{Outputs, single};
use crate::derivation::{Derivation, Run};
use crate::digest::Digest;
use crate::fetch::{self, Fetcher};
use crate::path::Name;
use crate::plan::Step;
use crate::sandbox::{self, Exit, Jobserver, Launcher, Limits, Profile, Spec, World};
use crate::store::{self, ActionResult, Lock, Output, Scratch, Store};

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
    /// The inputs make no good result.
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

    /// Does `step`, unless its result is there by now; `again` does it in any case.
    pub fn realise(
        &self,
        step: &Step,
        derivation: &Derivation,
        again: bool,
        news: &(dyn Fn(News<'_>) + Sync),
    ) -> Attempt {
        let key = derivation.key();
        match self.locked(step, derivation, &key, again, news) {
            Ok(attempt) => attempt,
            Err(trouble) => Attempt::Failed(trouble),
        }
    }

    fn locked(
        &self,
        step: &Step,
        derivation: &Derivation,
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
            self.store.record(key, &ActionResult { outputs: outputs.clone(), seconds, log })?;
        }
        Ok(Attempt::Done { outputs, seconds, ran: true, lock: Some(lock) })
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
                Ok((single(artifact::assemble(assemble, self.store, self.jobs, &say)?), None))
            }
            Derivation::Fetch(pin) => {
                let blob = self.fetcher.file(pin, &step.label, step.unit.as_str(), &self.watch(pin.size, news))?;
                Ok((single(Output::File { blob, executable: false }), None))
            }
            Derivation::FetchGit { url, commit, tree } => {
                Ok((single(self.fetcher.git(url, commit, &tree.digest)?), None))
            }
        }
    }

    /// Passes a download's progress on; stops it when the user wants to stop.
    fn watch<'w>(
        &'w self,
        total: u64,
        news: &'w (dyn Fn(News<'_>) + Sync),
    ) -> impl Fn(fetch::Progress<'_>) -> ControlFlow<()> + 'w {
        move |progress| {
            news(News::Transferred { got: progress.got, total });
            self.go_on()
        }
    }

    fn go_on(&self) -> ControlFlow<()> {
        if self.cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn run(&self, step: &Step, run: &Run<Output>, key: &Digest) -> Result<(Outputs, Option<store::Blob>), Trouble> {
        let scratch = self.store.scratch()?;
        let spec = self.spec(step, run, &scratch)?;
        let log = scratch.path().join("log");
        let exit = self.sandbox(&spec, &log)?;
        let made = verdict(exit, step).and_then(|()| self.take_outputs(run, &spec.out));
        match made {
            Ok(outputs) => {
                // Of an earlier run that failed, as on a full disk.
                let _ = fs::remove_file(failed_log(self.store.root(), key));
                Ok((outputs, Some(self.store.copy_file(&log)?)))
            }
            Err(Trouble::Refused(what)) => Err(self.on_full_disk(step, self.keep_log(what, &log, key))),
            Err(trouble) => Err(trouble),
        }
    }

    fn spec(&self, step: &Step, run: &Run<Output>, scratch: &Scratch) -> Result<Spec, Trouble> {
        let folder = |name: &str| -> Result<PathBuf, Trouble> {
            let path = scratch.path().join(name);
            fs::create_dir(&path)
                // The command sees the mode, which must not tell the umask of who runs forge.
                .and_then(|()| fs::set_permissions(&path, Permissions::from_mode(0o755)))
                .map_err(|source| store::Error::Io { path: path.clone(), source })?;
            Ok(path)
        };
        let real = |inputs: &BTreeMap<Name, Output>| -> Result<Vec<(String, PathBuf)>, store::Error> {
            inputs.iter().map(|(name, input)| Ok((name.to_string(), self.store.realise(input)?))).collect()
        };
        Ok(Spec {
            root: self.store.realise(&run.root)?,
            sources: real(&run.sources)?,
            deps: real(&run.deps)?,
            build: folder("build")?,
            out: folder("out")?,
            argv: run.argv.clone(),
            env: run.env.clone().into_iter().collect(),
            cwd: "/".to_owned(),
            profile: Profile::Build,
            world: World::default(),
            limits: Limits { timeout: step.timeout, ..Limits::default() },
        })
    }

    fn sandbox(&self, spec: &Spec, log: &Path) -> Result<Exit, Trouble> {
        let failed = |source| store::Error::Io { path: log.to_owned(), source };
        let mut file = File::create(log).map_err(failed)?;
        let mut lost = None;
        let (launcher, jobs) = self.launcher()?;
        let exit = launcher.run(spec, Some(jobs), &|| self.cancelled(), &mut |bytes| {
            if let Err(error) = file.write_all(bytes) {
                lost.get_or_insert(error);
            }
        })?;
        match lost {
            None => Ok(exit),
            Some(error) => Err(failed(error).into()),
        }
    }

    fn launcher(&self) -> Result<&(Launcher, Jobserver), Trouble> {
        if let Some(sandbox) = self.sandbox.get() {
            return Ok(sandbox);
        }
        let started = (Launcher::start(self.program)?, Jobserver::new(self.jobs));
        // Where two threads get here at once, the second helper ends with its handle.
        Ok(self.sandbox.get_or_init(|| started))
    }

    /// Imports `/out/<output>`; refuses a folder that holds less, more, or what no store can hold.
    fn take_outputs(&self, run: &Run<Output>, out: &Path) -> Result<Outputs, Trouble> {
        let entries = fs::read_dir(out).and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect());
        let found: Vec<_> =
            entries.map_err(|error: io::Error| Trouble::Environment(format!("reading /out: {error}")))?;
        if let Some(missing) = run.outputs.iter().find(|output| !found.iter().any(|name| *name == *output.as_str())) {
            return Err(Trouble::Refused(format!("it did not make its output /out/{missing}")));
        }
        if let Some(extra) = found.iter().find(|name| !run.outputs.iter().any(|output| **name == *output.as_str())) {
            let extra = extra.to_string_lossy();
            let advice = "name it in `outputs` or write it to /build";
            return Err(Trouble::Refused(format!("it left /out/{extra}, which is not an output; {advice}")));
        }
        let import = |name: &Name| Ok((name.clone(), self.store.import(&out.join(name.as_str()))?));
        run.outputs.iter().map(import).collect::<Result<_, store::Error>>().map_err(refusal)
    }

    /// Keeps the log of a failed command where `forge log` finds it.
    fn keep_log(&self, what: String, log: &Path, key: &Digest) -> Trouble {
        let kept = failed_log(self.store.root(), key);
        let folder = kept.parent().expect("BUG: a log lies in a folder");
        match fs::create_dir_all(folder).and_then(|()| fs::rename(log, &kept)) {
            Ok(()) => Trouble::Command { what, log: kept },
            Err(error) => Trouble::Environment(format!("{what}; keeping its log as {}: {error}", kept.display())),
        }
    }

    /// What became of a command while the disk was full is no fault of the command. Asked before
    /// what it left is erased.
    fn on_full_disk(&self, step: &Step, trouble: Trouble) -> Trouble {
        match self.store.has_room() {
            Ok(()) => trouble,
            Err(full) => Trouble::Environment(format!("{trouble}; `forge log {}` prints its log\n  {full}", step.unit)),
        }
    }
}

/// Where the log of a failed step lies until it succeeds.
#[must_use]
pub fn failed_log(store: &Path, key: &Digest) -> PathBuf {
    store.join("log").join(key.hex())
}

/// What no store can hold is the command's fault, anything else is not.
fn refusal(error: store::Error) -> Trouble {
    use store::Error::{NotUtf8, Permissions, TooDeep, Unsupported};
    match error {
        NotUtf8(_) | Permissions { .. } | TooDeep(_) | Unsupported { .. } => Trouble::Refused(error.to_string()),
        error => error.into(),
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

fn verdict(exit: Exit, step: &Step) -> Result<(), Trouble> {
    let seconds = step.timeout.as_secs();
    match exit {
        Exit::Code(0) => Ok(()),
        Exit::Code(code) => Err(Trouble::Refused(format!("exit code {code}"))),
        Exit::Signal(signal) => Err(Trouble::Refused(format!("killed by signal {signal}"))),
        Exit::TimedOut => {
            Err(Trouble::Refused(format!("killed after {seconds} s; raise `timeout-seconds` in its recipe")))
        }
        Exit::Cancelled => Err(Trouble::Cancelled),
    }
}
