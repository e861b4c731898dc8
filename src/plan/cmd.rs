//! `cmd`: steps in a sandbox; and what every command's world holds.

use std::collections::BTreeMap;

use super::{Error, Planner, Step, Unit};
use crate::derivation::{Derivation, Run};
use crate::lockfile::Locked;
use crate::recipe::{Cmd, Recipe};
use crate::sandbox::Profile;

/// The variables that every command gets; a recipe's own are added and win.
pub const WORLD: [(&str, &str); 7] = [
    ("HOME", "/nonexistent"),
    ("LC_ALL", "C.UTF-8"),
    ("PATH", "/usr/bin:/usr/sbin"),
    ("SOURCE_DATE_EPOCH", "315619200"),
    ("TERM", "dumb"),
    ("TMPDIR", "/tmp"),
    ("TZ", "UTC"),
];

/// Runs each argument as a shell script of its own, in `/build`, and says which one failed. The
/// marker lines tell people where in the recipe they are.
const RUNNER: &str = r#"cd /build
unset OLDPWD
count=$#
number=0
for step do
  number=$((number + 1))
  printf '== step %d of %d: %s\n' "$number" "$count" "$step"
  /bin/sh -eu -c "$step" || { code=$?; printf '== step %d of %d failed with exit code %d\n' "$number" "$count" "$code"; exit "$code"; }
done"#;

/// The place of a recipe's first step in a command.
pub const FIRST_STEP: usize = 5;

/// The command that runs `steps` one after the other.
#[must_use]
pub fn argv(steps: impl IntoIterator<Item = String>) -> Vec<String> {
    ["/bin/sh", "-eu", "-c", RUNNER, "forge"].map(str::to_owned).into_iter().chain(steps).collect()
}

/// The steps that a command runs: what [`argv`] was made of. None of another command.
#[must_use]
pub fn steps(argv: &[String]) -> &[String] {
    let before = self::argv([]);
    argv.strip_prefix(before.as_slice()).unwrap_or_default()
}

/// The number, from 1, of the step that the log of a command with `count` steps ends in.
#[must_use]
pub fn last_step(log: &str, count: usize) -> Option<usize> {
    let started = |line: &str| {
        let (number, rest) = line.strip_prefix("== step ")?.split_once(" of ")?;
        let number = number.parse().ok().filter(|number| (1..=count).contains(number))?;
        rest.strip_prefix(&count.to_string())?.starts_with([':', ' ']).then_some(number)
    };
    log.lines().rev().find_map(started)
}

/// A command that nobody has written yet, in the bare world of `root`.
#[must_use]
pub fn bare<I>(root: I) -> Run<I> {
    Run {
        root,
        sources: BTreeMap::new(),
        deps: BTreeMap::new(),
        argv: Vec::new(),
        env: environment(&BTreeMap::new()),
        outputs: Vec::new(),
        profile: Profile::Build,
        service: None,
    }
}

/// The environment of a command: the fixed world and the recipe's own variables.
pub(super) fn environment(own: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let world = WORLD.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    world.chain(own.clone()).collect()
}

impl Planner<'_> {
    pub(super) fn cmd(&mut self, recipe: &Recipe<Locked>, cmd: &Cmd) -> Result<Unit, Error> {
        let run = Run {
            root: self.main_output(&cmd.toolroot)?,
            deps: self.references(&cmd.deps)?,
            sources: self.sources(recipe)?,
            argv: argv(cmd.steps.iter().cloned()),
            env: environment(&cmd.env),
            outputs: cmd.outputs.clone(),
            profile: Profile::Build,
            service: None,
        };
        let step = Step {
            unit: recipe.name.clone(),
            label: recipe.name.to_string(),
            derivation: Derivation::Run(run),
            timeout: cmd.timeout,
        };
        let last = self.plan.add(step);
        Ok(Unit::of(recipe, last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_start_where_it_is_said() {
        let argv = argv(["one".to_owned(), "two".to_owned()]);
        assert_eq!(argv[FIRST_STEP..], ["one", "two"]);
    }

    #[test]
    fn steps_are_found_again() {
        let steps = ["true".to_owned(), "forge".to_owned()];
        assert_eq!(super::steps(&argv(steps.clone())), steps);
        assert!(super::steps(&["/bin/true".to_owned()]).is_empty());
    }

    #[test]
    fn the_step_that_a_log_ends_in() {
        for (log, step) in [
            ("== step 1 of 2: true\n== step 2 of 2: false\n== step 2 of 2 failed with exit code 1\n", Some(2)),
            ("== step 1 of 2: sleep 9\nzzz\n", Some(1)),
            ("== step 1 of 2: x\n== step 3 of 2: x\n== step 2 of 20: x\n== step 2 of 2x\n", Some(1)),
            ("nothing ran\n", None),
        ] {
            assert_eq!(last_step(log, 2), step, "{log}");
        }
    }
}
