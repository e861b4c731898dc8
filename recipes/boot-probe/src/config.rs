//! Whether the kernel was configured as its build says.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _};

use flate2::read::GzDecoder;

/// What the kernel says.
const RUNNING: &str = "/proc/config.gz";
/// What its build says.
const BUILT: &str = "/forge/config";
/// How many lines are shown.
const SHOWN: usize = 5;

/// Compares the two.
///
/// # Errors
/// With the first lines that differ.
pub fn check() -> Result<(), String> {
    let mut running = String::new();
    let read =
        |running: &mut String| -> io::Result<usize> { GzDecoder::new(File::open(RUNNING)?).read_to_string(running) };
    read(&mut running).map_err(|error| format!("{RUNNING}: {error}"))?;
    let built = fs::read_to_string(BUILT).map_err(|error| format!("{BUILT}: {error}"))?;
    compare(&running, &built)
}

fn compare(running: &str, built: &str) -> Result<(), String> {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let (running, built) = (lines(running), lines(built));
    let lacking = built.difference(&running).map(|line| format!("not {line}"));
    let differences: Vec<String> = lacking.chain(running.difference(&built).cloned()).take(SHOWN).collect();
    if differences.is_empty() { Ok(()) } else { Err(format!("the kernel has {}", differences.join(", "))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_compared() {
        assert_eq!(compare("A=y\nB=m\n", "B=m\nA=y\n"), Ok(()));
        let error = compare("A=m\n", "A=y\n").expect_err("another");
        assert_eq!(error, "the kernel has not A=y, A=m");
    }
}
