//! How long steps took, by label, so that the longest chain is started first.
//!
//! One line a step, `seconds<TAB>label`, in `times` at the top of the store. Advice only: a lost or
//! damaged file makes a build's order worse and nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What a step without a record is taken to need.
pub const UNKNOWN_SECONDS: f64 = 1.0;

/// The record, read once and written back at the end of a build.
#[derive(Debug)]
pub struct Times {
    file: PathBuf,
    seconds: BTreeMap<String, f64>,
    changed: bool,
}

impl Times {
    /// Reads the record of the store at `root`.
    #[must_use]
    pub fn read(root: &Path) -> Self {
        let file = root.join("times");
        let text = fs::read_to_string(&file).unwrap_or_default();
        Self { file, seconds: text.lines().filter_map(parse).collect(), changed: false }
    }

    /// The seconds that the step called `label` took last time.
    #[must_use]
    pub fn get(&self, label: &str) -> Option<f64> {
        self.seconds.get(label).copied()
    }

    /// Takes a new measurement.
    pub fn set(&mut self, label: &str, seconds: f64) {
        self.seconds.insert(label.to_owned(), seconds);
        self.changed = true;
    }

    /// Writes the record back if it changed.
    ///
    /// # Errors
    /// Where the store can't be written.
    pub fn save(&self) -> io::Result<()> {
        if !self.changed {
            return Ok(());
        }
        let lines: String = self.seconds.iter().map(|(label, seconds)| format!("{seconds:.3}\t{label}\n")).collect();
        let aside = self.file.with_extension(std::process::id().to_string());
        fs::write(&aside, lines)?;
        fs::rename(aside, &self.file)
    }
}

fn parse(line: &str) -> Option<(String, f64)> {
    let (seconds, label) = line.split_once('\t')?;
    let seconds: f64 = seconds.parse().ok()?;
    seconds.is_finite().then(|| (label.to_owned(), seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_it_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut times = Times::read(folder.path());
        assert_eq!(times.get("gcc"), None);
        times.set("gcc", 2.5);
        times.save().expect("written");
        assert_eq!(Times::read(folder.path()).get("gcc"), Some(2.5));
    }

    #[test]
    fn damaged_lines_are_passed_over() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("times"), "x\tgcc\nNaN\tclang\n1.5\tlinux: build\nno tab").expect("written");
        let times = Times::read(folder.path());
        assert_eq!((times.get("gcc"), times.get("clang"), times.get("linux: build")), (None, None, Some(1.5)));
    }
}
