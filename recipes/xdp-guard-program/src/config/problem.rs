//! What is wrong with a config: where, what, and what to write instead.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Where, in bytes of the file.
    pub at: Range<usize>,
    /// What is wrong.
    pub wrong: String,
    /// What to write instead.
    pub write: String,
}

/// A config that says nothing that can be done.
#[derive(Debug)]
pub struct Problems {
    file: PathBuf,
    lines: Vec<(usize, Problem)>,
}

impl Problems {
    /// `problems` of `text`, in the order of their lines.
    pub fn new(file: &Path, text: &str, problems: Vec<Problem>) -> Self {
        let line = |problem: &Problem| {
            let before = text.as_bytes().iter().take(problem.at.start);
            1 + before.filter(|byte| **byte == b'\n').count()
        };
        let mut lines: Vec<_> = problems.into_iter().map(|problem| (line(&problem), problem)).collect();
        lines.sort_by_key(|(line, problem)| (*line, problem.at.start));
        Self { file: file.into(), lines }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (line, problem)) in self.lines.iter().enumerate() {
            let Problem { wrong, write, .. } = problem;
            let end = if at + 1 < self.lines.len() { "\n" } else { "" };
            write!(to, "{}:{line}: {wrong}\n  write: {write}{end}", self.file.display())?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// The name nearest to one that is not there; none where all are far.
pub fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = names.into_iter().map(|other| (distance(name, other), other)).min()?;
    (near.0 <= name.len().max(3) / 3 + 1).then_some(near.1)
}

/// Changes of single characters that make `b` of `a` (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.chars().enumerate() {
            let change = diagonal + usize::from(left != right);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.chars().count()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_nearest_name() {
        for (name, expect) in [("gosip", Some("gossip")), ("tpu", Some("tvu")), ("repair", None), ("", None)] {
            assert_eq!(nearest(name, ["gossip", "tvu"]), expect, "{name}");
        }
    }

    #[test]
    fn counts_lines_from_one() {
        let problem = |at: usize| Problem { at: at..at, wrong: format!("w{at}"), write: "x".into() };
        let problems = Problems::new(Path::new("a.toml"), "a\nb\nc", vec![problem(4), problem(0)]);
        assert_eq!(problems.to_string(), "a.toml:1: w0\n  write: x\na.toml:3: w4\n  write: x");
    }
}
