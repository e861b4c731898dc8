//! What a shell in the sandbox of a command finds there, to run the command's steps again.
//!
//! - `/tmp/step-1`, `/tmp/step-2` …: the steps, one a file.
//! - `step N`: a function that runs one of them as the build does, and says how it ended.
//! - `r`: a function that runs those that a [`Kit`] is for; in bash, arrow-up has it.
//!
//! All of it is plain `sh`, and is put there by a shell before the one that the user meets, as
//! nothing else of the sandbox may differ from a build's. The environment is the build's again when
//! a step runs.

use std::ops::RangeInclusive;
use std::path::Path;

/// Where the functions stand.
const FUNCTIONS: &str = "/tmp/forge.sh";

/// Writes each pair of arguments, name and text, to a file, up to `--`; the rest is the command.
const BOOT: &str = r#"while [ "$1" != -- ]; do printf '%s\n' "$2" > "$1"; shift 2; done; shift; exec "$@""#;

/// The shells that a root file system may have, the better one to type in first.
const SHELLS: [&str; 2] = ["bash", "sh"];

/// What a user wants in a sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish<'a> {
    /// A shell at a terminal.
    Shell,
    /// A shell that reads commands from its input.
    Script,
    /// One command with its arguments.
    Command(&'a [String]),
}

/// The steps of a command, for a shell.
#[derive(Clone, Debug)]
pub struct Kit<'a> {
    /// What the prompt shows.
    pub name: &'a str,
    /// The steps.
    pub steps: &'a [String],
    /// The numbers, from 1, of those that `r` runs.
    pub runs: RangeInclusive<usize>,
}

impl Kit<'_> {
    /// The command that gives `wish` what is in the kit, in the toolroot at `root`; `None` where
    /// that has no shell.
    #[must_use]
    pub fn argv(&self, root: &Path, wish: Wish<'_>) -> Option<Vec<String>> {
        let shells: Vec<String> = SHELLS.iter().filter_map(|name| shell(root, name)).collect();
        let (best, plain) = match (shells.first(), shells.last(), wish) {
            (Some(best), Some(plain), _) => (best, plain),
            (_, _, Wish::Command(command)) => return Some(command.to_vec()),
            _ => return None,
        };
        let wanted = match wish {
            Wish::Shell if best.ends_with("bash") => words(&[best, "--rcfile", FUNCTIONS, "-i"]),
            Wish::Shell => words(&[plain, "-c", &format!("ENV={FUNCTIONS}; export ENV; exec {plain} -i")]),
            Wish::Script => words(&[plain, "-c", &format!(". {FUNCTIONS}; . /dev/stdin")]),
            Wish::Command(command) => command.to_vec(),
        };
        let boot = words(&[plain, "-c", BOOT, "forge"]).into_iter();
        let files = self.files().into_iter().flat_map(|(path, text)| [path, text]);
        Some(boot.chain(files).chain(["--".to_owned()]).chain(wanted).collect())
    }

    /// The files, each with its text.
    fn files(&self) -> Vec<(String, String)> {
        let steps =
            self.steps.iter().enumerate().map(|(index, text)| (format!("/tmp/step-{}", index + 1), text.clone()));
        steps.chain([(FUNCTIONS.to_owned(), self.functions())]).collect()
    }

    fn functions(&self) -> String {
        let runs: Vec<String> = self.runs.clone().map(|number| number.to_string()).collect();
        format!(
            r#"unset ENV
PS1='{name}:$PWD$ '
step() {{
  (cd /build && unset OLDPWD SHLVL && exec /bin/sh -eu "/tmp/step-$1" < /dev/null)
  set -- "$1" "$?"
  if [ "$2" = 0 ]; then set -- "$1" "$2" succeeded; else set -- "$1" "$2" "failed with exit code $2"; fi
  printf '== step %s of {count} %s\n' "$1" "$3" >&2
  return "$2"
}}
r() {{
  for step in {runs}; do step "$step" || return; done
}}
if [ "${{BASH_VERSION-}}" ]; then history -s r; fi"#,
            name = self.name,
            count = self.steps.len(),
            runs = runs.join(" "),
        )
    }
}

/// The path inside of the shell called `name`.
fn shell(root: &Path, name: &str) -> Option<String> {
    let there = |folder: &&str| root.join(folder).join(name).symlink_metadata().is_ok();
    ["usr/bin", "bin"].into_iter().find(there).map(|folder| format!("/{folder}/{name}"))
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;

    fn root(shells: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a directory");
        fs::create_dir_all(root.path().join("usr/bin")).expect("makes");
        shells.iter().for_each(|shell| fs::write(root.path().join("usr/bin").join(shell), "").expect("writes"));
        root
    }

    fn kit(steps: &[String]) -> Kit<'_> {
        Kit { name: "u", steps, runs: 2..=2 }
    }

    #[test]
    fn the_best_shell_there_is() {
        let command = words(&["tool", "-x"]);
        let steps = words(&["true", "false"]);
        for (shells, wish, want) in [
            (&["bash", "sh"][..], Wish::Shell, Some("/usr/bin/bash --rcfile /tmp/forge.sh -i")),
            (&["sh"], Wish::Shell, Some("/usr/bin/sh -c ENV=/tmp/forge.sh; export ENV; exec /usr/bin/sh -i")),
            (&["bash", "sh"], Wish::Script, Some("/usr/bin/sh -c . /tmp/forge.sh; . /dev/stdin")),
            (&["sh"], Wish::Command(&command), Some("tool -x")),
            (&[], Wish::Shell, None),
            (&[], Wish::Script, None),
        ] {
            let argv = kit(&steps).argv(root(shells).path(), wish);
            let end = argv.as_deref().map(|argv| argv.rsplit(|word| word == "--").next().expect("one").join(" "));
            assert_eq!(end.as_deref(), want, "{shells:?} {wish:?}");
        }
        assert_eq!(kit(&steps).argv(root(&[]).path(), Wish::Command(&command)), Some(command));
    }

    /// Runs the functions in a shell of this machine, with its own folders in place of the sandbox's.
    #[test]
    fn functions_do_as_the_build_does() {
        let folder = tempfile::tempdir().expect("a directory");
        let here = folder.path().to_str().expect("text");
        let steps = words(&["echo one; cat", "echo two in $(pwd); false; echo never"]);
        for (path, text) in kit(&steps).files() {
            let text = text.replace("/tmp/", &format!("{here}/")).replace("/build", here);
            fs::write(path.replace("/tmp", here), text).expect("writes");
        }
        for (line, code, said) in [
            ("step 1", 0, "one\n== step 1 of 2 succeeded\n".to_owned()),
            ("r", 1, format!("two in {here}\n== step 2 of 2 failed with exit code 1\n")),
        ] {
            let script = format!("exec 2>&1; . {here}/forge.sh; {line}");
            let output = Command::new("sh").args(["-c", &script]).output().expect("a shell");
            let got = String::from_utf8(output.stdout).expect("text");
            assert_eq!((output.status.code(), got), (Some(code), said), "{line}");
        }
    }
}
