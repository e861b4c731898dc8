//! Runs one command in its sandbox and takes what it made into the store.
//!
//! What the command meets beside its inputs stands in [`Conditions`]: the same everywhere in a
//! build, varied by `forge check`.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::build::failed;
use crate::build::realise::{Trouble, Worker};
use crate::build::schedule::Outputs;
use crate::derivation::{Run, Service};
use crate::digest::Digest;
use crate::path::{Name, RelPath};
use crate::plan::Step;
use crate::sandbox::{self, Console, Exit, Jobserver, Launcher, Limits, Spec, World};
use crate::store::{self, Output, Scratch};

/// What a command meets beside its inputs. A build leaves all of it as it is by default.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    /// What it could read off its world.
    pub world: World,
    /// Variables that get another value than the step says.
    pub env: BTreeMap<String, String>,
    /// How many jobs it may run; `None` shares those of the build.
    pub jobs: Option<usize>,
}

impl Worker<'_> {
    /// Runs the command of a step as a build does; the log of a failure is kept.
    pub(super) fn run(
        &self,
        step: &Step,
        run: &Run<Output>,
        key: &Digest,
    ) -> Result<(Outputs, Option<store::Blob>), Trouble> {
        let scratch = self.store.scratch()?;
        match self.command(run, step.timeout, &scratch, &Conditions::default()) {
            Ok(outputs) => {
                failed::forget(self.store, step, key);
                Ok((outputs, Some(self.store.copy_file(&log(&scratch))?)))
            }
            Err(Trouble::Refused(what)) => Err(self.keep_failure(step, run, what, key, &scratch)),
            Err(trouble) => Err(trouble),
        }
    }

    /// Runs a command in `scratch`, which is empty before, and takes its outputs into the store; no
    /// result is recorded. What it said lies in [`log`].
    ///
    /// # Errors
    /// [`Trouble::Refused`] where the command failed or made no good outputs.
    pub fn command(
        &self,
        run: &Run<Output>,
        timeout: Duration,
        scratch: &Scratch,
        conditions: &Conditions,
    ) -> Result<Outputs, Trouble> {
        workspace(scratch.path())?;
        let spec = self.spec(run, timeout, scratch.path(), conditions)?;
        let exit = self.sandbox(&spec, conditions.jobs, &log(scratch))?;
        verdict(exit, timeout)?;
        self.take_outputs(run, &spec.out)
    }

    /// Runs a command for a user who watches it at `console`, under the conditions of a build. Its
    /// `/build` and `/out` are the folders of those names in `workspace`; it starts in `/build` and
    /// is never too late.
    ///
    /// # Errors
    /// Where an input can't be had from the store, or the command can't be run.
    pub fn attend(&self, run: &Run<Output>, workspace: &Path, console: &Console<'_>) -> Result<Exit, Trouble> {
        let spec = self.spec(run, Duration::MAX, workspace, &Conditions::default())?;
        let spec = Spec { cwd: "/build".to_owned(), ..spec };
        let (launcher, jobs) = self.launcher()?;
        Ok(launcher.attach(&spec, Some(jobs), &|| self.cancelled(), console)?)
    }

    /// What the sandbox is given.
    fn spec(
        &self,
        run: &Run<Output>,
        timeout: Duration,
        workspace: &Path,
        conditions: &Conditions,
    ) -> Result<Spec, Trouble> {
        let real = |inputs: &BTreeMap<Name, Output>| -> Result<Vec<(String, PathBuf)>, store::Error> {
            inputs.iter().map(|(name, input)| Ok((name.to_string(), self.store.realise(input)?))).collect()
        };
        Ok(Spec {
            root: self.store.realise(&run.root)?,
            sources: real(&run.sources)?,
            deps: real(&run.deps)?,
            build: workspace.join("build"),
            out: workspace.join("out"),
            argv: run.argv.clone(),
            env: environment(run, conditions),
            cwd: "/".to_owned(),
            profile: run.profile,
            world: world(run, conditions),
            limits: Limits { timeout, ..Limits::default() },
            service: run.service.as_deref().map(|service| self.service(service, workspace)).transpose()?,
        })
    }

    /// What the program beside a command is given. Its writable folders lie beside the command's `/build`.
    fn service(&self, service: &Service<Output>, workspace: &Path) -> Result<sandbox::Service, Trouble> {
        let folders = workspace.join("service");
        let writable = |(number, path): (usize, &RelPath)| {
            let folder = folders.join(number.to_string());
            fs::create_dir_all(&folder).map_err(|source| store::Error::Io { path: folder.clone(), source })?;
            Ok((format!("/{path}"), folder))
        };
        Ok(sandbox::Service {
            root: self.store.realise(&service.root)?,
            writable: service.writable.iter().enumerate().map(writable).collect::<Result<_, store::Error>>()?,
            argv: service.argv.clone(),
            env: service.env.clone().into_iter().collect(),
            cwd: service.cwd.clone(),
        })
    }

    fn sandbox(&self, spec: &Spec, jobs: Option<usize>, log: &Path) -> Result<Exit, Trouble> {
        let failed = |source| store::Error::Io { path: log.to_owned(), source };
        let mut file = File::create(log).map_err(failed)?;
        let mut lost = None;
        let (launcher, shared) = self.launcher()?;
        let own = jobs.map(Jobserver::new);
        let exit = launcher.run(spec, Some(own.as_ref().unwrap_or(shared)), &|| self.cancelled(), &mut |bytes| {
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

    /// Keeps the log of a failed command where `forge log` finds it, and what it left for `forge shell`.
    fn keep_failure(&self, step: &Step, run: &Run<Output>, what: String, key: &Digest, scratch: &Scratch) -> Trouble {
        let kept = failed_log(self.store.root(), key);
        let folder = kept.parent().expect("BUG: a log lies in a folder");
        if let Err(error) = fs::create_dir_all(folder).and_then(|()| fs::rename(log(scratch), &kept)) {
            return Trouble::Environment(format!("{what}; keeping its log as {}: {error}", kept.display()));
        }
        // What became of a command while the disk was full is no fault of the command. Asked before
        // what it left is erased.
        if let Err(full) = self.store.has_room() {
            return Trouble::Environment(format!("{what}; `forge log {}` prints its log\n  {full}", step.unit));
        }
        // Without it the failure stays what it is.
        let _ = failed::keep(self.store, step, run, &what, scratch);
        Trouble::Command { what, log: kept }
    }
}

/// Makes the folders for `/build` and `/out` in `folder`.
///
/// # Errors
/// If they can't be made.
pub fn workspace(folder: &Path) -> Result<(), Trouble> {
    for name in ["build", "out"] {
        let path = folder.join(name);
        fs::create_dir(&path)
            // The command sees the mode, which must not tell the umask of who runs forge.
            .and_then(|()| fs::set_permissions(&path, Permissions::from_mode(0o755)))
            .map_err(|source| store::Error::Io { path, source })?;
    }
    Ok(())
}

/// The world of the command; its user is that of the program beside it.
fn world(run: &Run<Output>, conditions: &Conditions) -> World {
    let world = conditions.world.clone();
    match &run.service {
        Some(service) => World { uid: service.uid, gid: service.gid, ..world },
        None => world,
    }
}

/// The variables of the step, some with another value.
fn environment(run: &Run<Output>, conditions: &Conditions) -> Vec<(String, String)> {
    let mut all = run.env.clone();
    all.extend(conditions.env.clone());
    all.into_iter().collect()
}

/// Where what a command said lies in its scratch folder.
#[must_use]
pub fn log(scratch: &Scratch) -> PathBuf {
    scratch.path().join("log")
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

fn verdict(exit: Exit, timeout: Duration) -> Result<(), Trouble> {
    let seconds = timeout.as_secs();
    match exit {
        Exit::Code(0) => Ok(()),
        Exit::Code(code) => Err(Trouble::Refused(format!("exit code {code}{}", signal(code)))),
        Exit::Signal(signal) => Err(Trouble::Refused(format!("killed by signal {signal}"))),
        Exit::TimedOut => {
            Err(Trouble::Refused(format!("killed after {seconds} s; raise `timeout-seconds` in its recipe")))
        }
        Exit::Cancelled => Err(Trouble::Cancelled),
    }
}

/// What a shell means by the exit code of a command that a signal ended.
fn signal(code: i32) -> String {
    const SIGNALS: std::ops::RangeInclusive<i32> = 129..=192;
    if SIGNALS.contains(&code) { format!(" (signal {})", code - 128) } else { String::new() }
}
