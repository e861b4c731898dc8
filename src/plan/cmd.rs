//! `cmd`: steps in a sandbox; and what every command's world holds.

use std::collections::BTreeMap;

use super::{Error, Input, Planner, Step, Unit};
use crate::derivation::{Derivation, Run};
use crate::lockfile::Locked;
use crate::recipe::{Cmd, Recipe};

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

/// The command that runs `steps` one after the other.
pub(super) fn argv(steps: impl IntoIterator<Item = String>) -> Vec<String> {
    ["/bin/sh", "-eu", "-c", RUNNER, "forge"].map(str::to_owned).into_iter().chain(steps).collect()
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
        };
        let step = Step {
            unit: recipe.name.clone(),
            label: recipe.name.to_string(),
            derivation: Derivation::Run(run),
            timeout: cmd.timeout,
        };
        let last = self.plan.add(step);
        let outputs = cmd.outputs.iter().map(|name| (name.clone(), Input::Step(last, name.clone()))).collect();
        Ok(Unit { kind: recipe.build.kind(), outputs, last })
    }
}
