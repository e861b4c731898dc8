//! Steps that failed: what their commands left is kept, to be looked into with `forge shell`.
//!
//! Beside `build` and `out` in `failed/<key>/` of the store lies `step`, one line of JSON with all
//! that is needed to make the same sandbox again, whatever became of the recipe meanwhile:
//!
//! ```text
//! {"unit":"a","label":"a","what":"exit code 1","run":{"root":{"tree":{…}},"sources":{…},…}}
//! ```
//!
//! The log lies in `log/<key>`. A line that does not have its folder's key counts as absent.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::command::failed_log;
use crate::derivation::{Derivation, Run, Service};
use crate::digest::Digest;
use crate::path::{Name, RelPath};
use crate::plan::{self, Step};
use crate::sandbox::Profile;
use crate::store::{self, Kept, Output, OutputLine, Scratch, Shelf, Store};

/// A step that failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Failed {
    /// The unit that it belongs to.
    pub unit: Name,
    /// What progress lines call it.
    pub label: String,
    /// What happened.
    pub what: String,
    /// The command with its inputs.
    pub run: Run<Output>,
    /// Its key.
    pub key: Digest,
    /// When it failed.
    pub at: SystemTime,
    /// The folder with `build` and `out`.
    pub folder: PathBuf,
}

/// Keeps what the command of a step left in `scratch` when it failed.
pub(super) fn keep(
    store: &Store,
    step: &Step,
    run: &Run<Output>,
    what: &str,
    scratch: &Scratch,
) -> Result<(), store::Error> {
    let key = Derivation::Run(run.clone()).key();
    let line = Line { unit: step.unit.to_string(), label: step.label.clone(), what: what.to_owned(), run: run.into() };
    let line = serde_json::to_vec(&line).expect("BUG: strings always become JSON");
    store.keep(Shelf::Failed, &key, scratch, &line).map(drop)
}

/// Forgets the failures of a step that has succeeded: this one's, and those of what it was before its
/// recipe or inputs were mended.
pub(super) fn forget(store: &Store, step: &Step, key: &Digest) {
    // What can't be read or removed now is bounded by the store, and nothing is made from it.
    let earlier = list(store).unwrap_or_default().into_iter().filter(|failed| failed.label == step.label);
    for key in earlier.map(|failed| failed.key).chain([*key]) {
        let _ = fs::remove_file(failed_log(store.root(), &key));
        let _ = store.discard(Shelf::Failed, &key);
    }
}

/// The steps whose leavings are kept, that failed last first.
///
/// # Errors
/// If the store can't be read.
pub fn list(store: &Store) -> Result<Vec<Failed>, store::Error> {
    Ok(store.kept(Shelf::Failed)?.into_iter().filter_map(Failed::read).collect())
}

impl Failed {
    fn read(Kept { key, at, path, record }: Kept) -> Option<Self> {
        let Line { unit, label, what, run } = serde_json::from_slice(&record).ok()?;
        let run = run.run()?;
        let sound = Derivation::Run(run.clone()).key() == key;
        sound.then_some(Self { unit: Name::new(unit).ok()?, label, what, run, key, at, folder: path })
    }

    /// The number, from 1, of the step of the recipe in which it failed, where its log tells.
    #[must_use]
    pub fn step(&self, store: &Store) -> Option<usize> {
        let said = fs::read(failed_log(store.root(), &self.key)).ok()?;
        plan::last_step(&String::from_utf8_lossy(&said), plan::steps(&self.run.argv).len())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    unit: String,
    label: String,
    what: String,
    run: RunLine,
}

/// The JSON of a command.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunLine {
    root: OutputLine,
    sources: BTreeMap<String, OutputLine>,
    deps: BTreeMap<String, OutputLine>,
    argv: Vec<String>,
    env: BTreeMap<String, String>,
    outputs: Vec<String>,
    profile: Profile,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    service: Option<ServiceLine>,
}

/// The JSON of what runs beside a command.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceLine {
    root: OutputLine,
    argv: Vec<String>,
    env: BTreeMap<String, String>,
    cwd: String,
    writable: Vec<String>,
    uid: u32,
    gid: u32,
}

impl From<&Run<Output>> for RunLine {
    fn from(Run { root, sources, deps, argv, env, outputs, profile, service }: &Run<Output>) -> Self {
        let lines = |inputs: &BTreeMap<Name, Output>| {
            inputs.iter().map(|(name, output)| (name.to_string(), output.into())).collect()
        };
        Self {
            root: root.into(),
            sources: lines(sources),
            deps: lines(deps),
            argv: argv.clone(),
            env: env.clone(),
            outputs: outputs.iter().map(Name::to_string).collect(),
            profile: *profile,
            service: service.as_deref().map(ServiceLine::from),
        }
    }
}

impl From<&Service<Output>> for ServiceLine {
    fn from(Service { root, argv, env, cwd, writable, uid, gid }: &Service<Output>) -> Self {
        Self {
            root: root.into(),
            argv: argv.clone(),
            env: env.clone(),
            cwd: cwd.clone(),
            writable: writable.iter().map(RelPath::to_string).collect(),
            uid: *uid,
            gid: *gid,
        }
    }
}

impl ServiceLine {
    fn service(self) -> Option<Box<Service<Output>>> {
        let Self { root, argv, env, cwd, writable, uid, gid } = self;
        let writable = writable.into_iter().map(|path| RelPath::new(path).ok()).collect::<Option<_>>()?;
        Some(Box::new(Service { root: root.output()?, argv, env, cwd, writable, uid, gid }))
    }
}

impl RunLine {
    /// What was written; `None` where a name or digest is none.
    fn run(self) -> Option<Run<Output>> {
        let inputs = |lines: BTreeMap<String, OutputLine>| {
            lines.into_iter().map(|(name, line)| Some((Name::new(name).ok()?, line.output()?))).collect::<Option<_>>()
        };
        Some(Run {
            root: self.root.output()?,
            sources: inputs(self.sources)?,
            deps: inputs(self.deps)?,
            argv: self.argv,
            env: self.env,
            outputs: self.outputs.into_iter().map(|name| Name::new(name).ok()).collect::<Option<_>>()?,
            profile: self.profile,
            service: match self.service {
                Some(line) => Some(line.service()?),
                None => None,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Blob, Setup};

    fn name(text: &str) -> Name {
        Name::new(text).expect("a name")
    }

    fn step(run: &Run<Output>) -> Step {
        let known = |output: &Output| Ok::<_, ()>(plan::Input::Known(*output));
        Step {
            unit: name("u"),
            label: "u: compile".to_owned(),
            derivation: Derivation::Run(run.clone()).resolve(known).expect("known"),
            timeout: plan::STEP_TIMEOUT,
        }
    }

    fn run(steps: &[&str]) -> Run<Output> {
        let tree = Output::Tree(Blob { digest: Digest::of(b"root"), size: 4 });
        let file = Output::File { blob: Blob { digest: Digest::of(b"src"), size: 3 }, executable: true };
        Run {
            sources: BTreeMap::from([(name("src"), file)]),
            deps: BTreeMap::from([(name("lib"), tree)]),
            argv: plan::argv(steps.iter().map(|step| (*step).to_owned())),
            outputs: vec![name("out")],
            ..plan::bare(tree)
        }
    }

    fn fail(store: &Store, run: &Run<Output>) {
        let scratch = store.scratch().expect("scratch");
        for folder in ["build", "out"] {
            fs::create_dir(scratch.path().join(folder)).expect("makes");
        }
        keep(store, &step(run), run, "exit code 7", &scratch).expect("keeps");
    }

    #[test]
    fn what_failed_is_read_back_whole() {
        let folder = tempfile::tempdir().expect("a directory");
        let store = Store::open_with(folder.path(), &Setup::of_machine().expect("a machine")).expect("opens");
        let run = run(&["true", "false"]);
        fail(&store, &run);
        let failed = list(&store).expect("lists").pop().expect("one");
        assert_eq!((&failed.unit, &failed.what, &failed.run), (&name("u"), &"exit code 7".to_owned(), &run));
        assert_eq!(failed.step(&store), None, "there is no log");
        let log = failed_log(store.root(), &failed.key);
        fs::create_dir_all(log.parent().expect("a folder")).expect("makes");
        fs::write(&log, "== step 1 of 2: true\n== step 2 of 2: false\n").expect("writes");
        assert_eq!(failed.step(&store), Some(2));
        forget(&store, &step(&run), &failed.key);
        assert!(list(&store).expect("lists").is_empty() && !log.exists());
    }

    #[test]
    fn a_mended_step_forgets_what_it_was() {
        let folder = tempfile::tempdir().expect("a directory");
        let store = Store::open_with(folder.path(), &Setup::of_machine().expect("a machine")).expect("opens");
        let (broken, mended) = (run(&["false"]), run(&["true"]));
        fail(&store, &broken);
        forget(&store, &step(&mended), &Derivation::Run(mended.clone()).key());
        assert_eq!(list(&store).expect("lists"), []);
    }

    #[test]
    fn a_record_that_is_not_its_keys_is_none() {
        let folder = tempfile::tempdir().expect("a directory");
        let store = Store::open_with(folder.path(), &Setup::of_machine().expect("a machine")).expect("opens");
        fail(&store, &run(&["true"]));
        let path = list(&store).expect("lists").pop().expect("one").folder.join("step");
        let text = fs::read_to_string(&path).expect("reads");
        for changed in [text.replace("true\"", "false\""), String::new(), "{}".to_owned()] {
            fs::write(&path, changed).expect("writes");
            assert_eq!(list(&store).expect("lists"), []);
        }
    }
}
