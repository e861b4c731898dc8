//! `forge sign-modules`.

use std::collections::BTreeSet;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Serialize;

use super::error::CliError;
use super::progress::Screen;
use super::session::{self, Planned};
use super::unfree::Permission;
use super::{Verdict, failure, output};
use crate::artifact::module::certificate::Certificates;
use crate::artifact::module::signer::Signer;
use crate::artifact::module::tree::{self, place};
use crate::build::realise::Worker;
use crate::build::schedule::State;
use crate::build::timeline::{Purpose, Recorder};
use crate::build::{self, Options, look};
use crate::lockfile::Locked;
use crate::path::{Name, RelPath};
use crate::plan::{Plan, StepId};
use crate::recipe::{Build, Kernel, Recipe, Signing};
use crate::store::{Output, Store};
use crate::words;

/// Sign the modules of a kernel, and keep the signatures as files.
///
/// The modules are built first, unless they are. The key stays where it is: nothing but signatures is written, one file
/// for each module, in a folder named by the digest of the unsigned modules. A recipe with `signing = "detached"` attaches
/// them: commit them, so that others make the same signed modules without the key.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The kernel.
    #[arg(value_name = "NAME", value_parser = super::name)]
    name: Name,
    /// The private key, an RSA key in PEM without a passphrase; it must be that of the recipe's `certificate`.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The folder of signatures, if not the one that the recipe names.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
    /// Use no network; what is not in the store fails.
    #[arg(long)]
    offline: bool,
    /// How many steps run at once [default: the number of processors].
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    #[command(flatten)]
    permission: Permission,
    /// Build nothing and write nothing; only say what would be.
    #[arg(long)]
    dry_run: bool,
}

pub fn run(directory: Option<&Path>, args: &Args) -> Result<Verdict, CliError> {
    let root = session::root(directory)?;
    let store = session::store()?;
    let planned = session::planned(&root, &store, std::slice::from_ref(&args.name))?;
    args.permission.check(&planned)?;
    let recipe = &planned.project.units[&args.name];
    let Build::Kernel(kernel) = &recipe.build else {
        let error = CliError::user(format!("`{}` is of kind `{}`", args.name, recipe.build.kind()));
        return Err(error.hint("only a kernel has modules"));
    };
    let work =
        Work { signer: signer(&root, recipe, kernel, &args.key)?, folder: folder(&root, recipe, kernel, args)?, args };
    if args.dry_run {
        return work.foretell(&planned.plan, &store);
    }
    session::with_worker(&root, &store, &planned, args.offline, args.jobs, |worker| work.perform(&planned, worker))
}

/// The key, which must be the certificate's.
fn signer(root: &Path, recipe: &Recipe<Locked>, kernel: &Kernel, key: &Path) -> Result<Signer, CliError> {
    let Some(certificate) = &kernel.certificate else {
        return Err(CliError::user(format!("the kernel `{}` trusts no certificate", recipe.name))
            .hint(format!("name one in {}: `certificate = …`", recipe.file)));
    };
    let read =
        |path: &Path| fs::read_to_string(path).map_err(|error| CliError::user(format!("{}: {error}", path.display())));
    let path = root.join(beside(recipe, certificate).as_str());
    let wrong = |path: &Path, error: &dyn std::fmt::Display| CliError::user(format!("{}: {error}", path.display()));
    let trusted = Certificates::read(&read(&path)?).map_err(|error| wrong(&path, &error))?;
    Signer::new(&read(key)?, &trusted).map_err(|error| wrong(key, &error))
}

/// A path relative to a recipe's folder, from the project's.
fn beside(recipe: &Recipe<Locked>, path: &RelPath) -> RelPath {
    recipe.file.parent().map_or_else(|| path.clone(), |folder| folder.join(path))
}

/// Where signatures go.
fn folder(root: &Path, recipe: &Recipe<Locked>, kernel: &Kernel, args: &Args) -> Result<PathBuf, CliError> {
    match (&args.out, &kernel.signing) {
        (Some(out), _) => Ok(out.clone()),
        (None, Some(Signing::Detached { folder })) => Ok(root.join(beside(recipe, folder).as_str())),
        (None, Some(Signing::Dev) | None) => {
            Err(CliError::user(format!("`{}` attaches no signatures that are kept", recipe.name))
                .hint(format!("write `signing = \"detached\"` in {}, or name a folder with --out DIR", recipe.file)))
        }
    }
}

/// What is asked for.
struct Work<'a> {
    signer: Signer,
    folder: PathBuf,
    args: &'a Args,
}

/// What was, or would be, done.
#[derive(Serialize)]
struct Report {
    name: String,
    tree: String,
    modules: usize,
    path: String,
    written: bool,
}

impl Work<'_> {
    fn perform(&self, planned: &Planned, worker: &Worker<'_>) -> Result<Verdict, CliError> {
        let plan = &planned.plan;
        let (step, output) = unsigned(plan, &self.args.name);
        let options = Options::of_jobs(worker.jobs);
        let screen = Screen::new(plan, &[step], false);
        let recorder = Recorder::new(plan, &screen, SystemTime::now());
        let finishes = build::build(plan, &[step], &options, worker, &recorder)?;
        screen.close();
        // A record that can't be written is no reason to fail.
        let _ = recorder.end().save(worker.store.root(), Purpose::Build);
        if let Some(verdict) = failure::tell(plan, &finishes, worker.cancelled()) {
            return Ok(verdict);
        }
        let modules = finishes[&step].outputs[&output];
        let go_on = |_: &str| if worker.cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        let signatures = tree::sign(worker.store, &modules, &self.signer, (worker.jobs, &go_on));
        let signatures = signatures.map_err(|error| CliError::user(error.to_string()))?;
        write(&self.folder, &modules, &signatures)?;
        self.tell(&modules, signatures.len(), true);
        Ok(Verdict::Good)
    }

    fn foretell(&self, plan: &Plan, store: &Store) -> Result<Verdict, CliError> {
        let (step, output) = unsigned(plan, &self.args.name);
        match look(plan, store, &BTreeSet::new(), [step]).state(step) {
            State::Done(outputs) => {
                let modules = outputs[&output];
                let count = tree::modules(store, &modules).map_err(|error| CliError::user(error.to_string()))?.len();
                self.tell(&modules, count, false);
            }
            _ => output::words(&format!(
                "the modules of `{}` are not built; they would be built and signed",
                self.args.name
            )),
        }
        Ok(Verdict::Good)
    }

    fn tell(&self, modules: &Output, count: usize, written: bool) {
        let (tree, path) = (modules.digest(), self.folder.join(modules.digest().hex()));
        if self.args.json {
            let (name, path) = (self.args.name.to_string(), path.display().to_string());
            return output::json(&Report { name, tree: tree.to_string(), modules: count, path, written });
        }
        let verb = if written { "signed" } else { "would sign" };
        output::data(&format!("{verb} {}, {tree}: {}", words::count(count, "module"), path.display()));
    }
}

/// The step and output with a kernel's modules as they were built.
fn unsigned(plan: &Plan, name: &Name) -> (StepId, Name) {
    plan.unsigned_modules(name).expect("BUG: a kernel without modules")
}

/// Writes signatures aside and puts them in place in one move.
fn write(folder: &Path, modules: &Output, signatures: &[(RelPath, Vec<u8>)]) -> Result<(), CliError> {
    let tree = modules.digest();
    let (place_of_all, aside) = (folder.join(tree.hex()), folder.join(format!(".{}", tree.hex())));
    let written = || -> std::io::Result<()> {
        if aside.exists() {
            fs::remove_dir_all(&aside)?;
        }
        for (module, signature) in signatures {
            let place = place(&tree, module);
            let (_, inside) = place.as_str().split_once('/').expect("BUG: a place in a folder");
            let file = aside.join(inside);
            fs::create_dir_all(file.parent().expect("BUG: a file in a folder"))?;
            fs::write(file, signature)?;
        }
        if place_of_all.exists() {
            fs::remove_dir_all(&place_of_all)?;
        }
        fs::rename(&aside, &place_of_all)
    };
    written().map_err(|error| CliError::environment(format!("writing {}: {error}", place_of_all.display())))
}
