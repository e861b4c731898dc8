//! Mistakes planted in the guard, one at a time: whoever looks at it has to notice each of them.

mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::corpus;
use crate::fuzz::{self, Difference, Plan};
use crate::hook::Kind;

pub use table::{MUTANTS, Mutant};

const SOURCES: [&str; 4] = ["abi.h", "guard.h", "solana-xdp.bpf.c", "solana-tcx.bpf.c"];

/// The source that includes all that a program is made of.
fn program(kind: Kind) -> &'static str {
    match kind {
        Kind::Xdp => SOURCES[2],
        Kind::Tcx => SOURCES[3],
    }
}

/// Where the guard's sources are, and how an object is made of them.
pub struct Workshop {
    pub sources: PathBuf,
    pub clang: PathBuf,
    pub includes: Vec<PathBuf>,
}

/// Who noticed a mistake.
#[derive(Clone, Debug, Default)]
pub struct Catch {
    /// The first frame by hand that was judged otherwise.
    pub corpus: Option<String>,
    /// How many random frames were judged until one was judged otherwise.
    pub fuzz: Option<u64>,
}

impl Catch {
    /// Whether nobody noticed it.
    pub fn is_empty(&self) -> bool {
        self.corpus.is_none() && self.fuzz.is_none()
    }
}

impl Workshop {
    /// Makes an object of the sources, with a mistake or as they are.
    pub fn compile(&self, kind: Kind, mutant: Option<&Mutant>) -> Result<Vec<u8>> {
        let directory = tempfile::tempdir().context("there is no room for a mutant")?;
        for source in SOURCES {
            let path = self.sources.join(source);
            let mut text = fs::read_to_string(&path).with_context(|| format!("{} can't be read", path.display()))?;
            if let Some(mutant) = mutant.filter(|mutant| mutant.file == source) {
                text = mutant.plant(&text)?;
            }
            fs::write(directory.path().join(source), text)?;
        }
        let object = directory.path().join("mutant.o");
        self.run_clang(directory.path(), program(kind), &object)?;
        fs::read(&object).context("clang left no object")
    }

    fn run_clang(&self, directory: &Path, program: &str, object: &Path) -> Result<()> {
        let mut command = Command::new(&self.clang);
        command.args(["-target", "bpf", "-mcpu=v3", "-O2", "-g", "-c", program]).current_dir(directory);
        for include in &self.includes {
            command.arg("-I").arg(include);
        }
        let output = command.arg("-o").arg(object).output();
        let output = output.with_context(|| format!("{} can't be run: name one by --clang", self.clang.display()))?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "clang refuses the mutant: {said}");
        Ok(())
    }
}

impl Mutant {
    /// The source with the mistake; its text must be there once.
    fn plant(&self, source: &str) -> Result<String> {
        let count = source.matches(self.text).count();
        let Mutant { name, file, text, .. } = self;
        ensure!(
            count == 1,
            "mutant `{name}`: {file} has {count} times `{text}`; change the table to what is there now"
        );
        Ok(source.replacen(text, self.replacement, 1))
    }
}

/// Judges an object by frames by hand and by random ones; who notices something is told.
pub fn judge(object: &[u8], kind: Kind, cpu: usize, plan: Plan) -> Result<Catch> {
    let corpus = corpus::run(object, kind, cpu).and_then(|_| corpus::run_untested(object, kind, cpu));
    let corpus = corpus.err().map(|error| error.to_string());
    let fuzz = match fuzz::run(object, kind, cpu, plan) {
        Ok(_) => None,
        Err(error) => Some(error.downcast::<Difference>()?.packet + 1),
    };
    Ok(Catch { corpus, fuzz })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutant_whose_text_is_gone_or_not_alone_is_an_error() {
        let mutant = Mutant { name: "m", kind: Kind::Xdp, file: "guard.h", text: "a < b", replacement: "a <= b" };
        assert_eq!(mutant.plant("if (a < b)").unwrap(), "if (a <= b)");
        assert!(mutant.plant("if (a > b)").is_err());
        assert!(mutant.plant("a < b, a < b").is_err());
    }

    #[test]
    fn names_are_different() {
        let names: std::collections::BTreeSet<_> = MUTANTS.iter().map(|mutant| mutant.name).collect();
        assert_eq!(names.len(), MUTANTS.len());
    }
}
