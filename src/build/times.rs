//! How long steps took, by label, so that the longest chain is started first.
//!
//! One line a step, `seconds<TAB>label`, in `times` at the top of the store. Advice only: a lost or
//! damaged file makes a build's order worse and nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::path::Name;

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

    /// The seconds that the steps of a unit took last time, but for downloads; `None` where none ran here yet.
    #[must_use]
    pub fn unit(&self, unit: &Name) -> Option<f64> {
        let own = |label: &str| {
            let step = label.strip_prefix(unit.as_str())?;
            (step.is_empty() || (step.starts_with(": ") && !step.starts_with(": fetch "))).then_some(())
        };
        let seconds: Vec<f64> =
            self.seconds.iter().filter(|(label, _)| own(label).is_some()).map(|(_, seconds)| *seconds).collect();
        (!seconds.is_empty()).then(|| seconds.iter().sum())
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
    fn a_unit_is_the_sum_of_its_steps() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut times = Times::read(folder.path());
        for (label, seconds) in [("gcc", 1.0), ("gcc: unpack src", 2.0), ("gcc: fetch libc6 2", 4.0), ("gcc-14", 8.0)] {
            times.set(label, seconds);
        }
        let unit = |name: &str| times.unit(&Name::new(name).expect("a name"));
        assert_eq!((unit("gcc"), unit("gcc-14"), unit("clang")), (Some(3.0), Some(8.0), None));
    }

    #[test]
    fn damaged_lines_are_passed_over() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("times"), "x\tgcc\nNaN\tclang\n1.5\tlinux: build\nno tab").expect("written");
        let times = Times::read(folder.path());
        assert_eq!((times.get("gcc"), times.get("clang"), times.get("linux: build")), (None, None, Some(1.5)));
    }
}
