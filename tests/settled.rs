//! A build that has nothing to do says so without reading a recipe, and is never wrong about it.

use std::fs;
use std::os::unix::fs::symlink;
use std::thread;
use std::time::Duration;

use crate::support::{Forge, boxed};

/// Longer than a change may be old to be trusted.
const SETTLES: Duration = Duration::from_millis(120);

/// A project of one unit that is built and settled.
fn settled() -> Forge {
    let forge = boxed::forge();
    forge.write("recipes/one/recipe.toml", &recipe("cat /src/src/in.txt > /out/out"));
    forge.write("recipes/one/in.txt", "first");
    forge.run(&["build"]).success().says("1 built, 0 cached");
    let before = records(&forge);
    thread::sleep(SETTLES);
    forge.run(&["build"]).success().says("0 built, 1 cached");
    assert_eq!(records(&forge), before + 1);
    forge
}

fn recipe(step: &str) -> String {
    format!("default = true\ntoolroot = \"box\"\nsteps = [\"{step}\"]\n[sources]\nsrc = {{ path = [\"*.txt\"] }}\n")
}

/// How many records there are of builds that had nothing to do.
fn records(forge: &Forge) -> usize {
    let index = fs::read_dir(forge.store().join("index")).unwrap();
    index.filter(|entry| entry.as_ref().unwrap().file_name().to_str().unwrap().starts_with("settled-")).count()
}

fn result(forge: &Forge) -> String {
    fs::read_to_string(forge.project().join("result/one")).unwrap()
}

#[test]
fn a_settled_build_reads_no_recipe() {
    let forge = settled();
    let trace = forge.folder().join("trace");
    let mut command = std::process::Command::new("strace");
    let run = forge.command(&["build"]);
    command.args(["-f", "-e", "trace=openat", "-o"]).arg(&trace).arg(run.get_program()).args(run.get_args());
    command.env_clear().envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = command.output().expect("strace is needed: apt-get install strace");
    assert!(String::from_utf8_lossy(&output.stderr).contains("0 built, 1 cached"));
    let opened = fs::read_to_string(trace).unwrap();
    assert!(opened.contains("lockfile.toml") && !opened.contains("recipe.toml"), "{opened}");
}

#[test]
fn whatever_changes_is_seen() {
    type Change = fn(&Forge);
    let changes: [(&str, Change, &str, &str); 5] = [
        ("a source", |forge| _ = forge.write("recipes/one/in.txt", "other"), "1 built, 0 cached", "other"),
        ("a new source", |forge| _ = forge.write("recipes/one/new.txt", ""), "1 built, 0 cached", "first"),
        ("a step", |forge| _ = forge.write("recipes/one/recipe.toml", &recipe("echo x > /out/out")), "1 built", "x\n"),
        (
            "the link",
            |forge| fs::remove_file(forge.project().join("result/one")).unwrap(),
            "0 built, 1 cached",
            "first",
        ),
        (
            "a new unit",
            |forge| {
                _ = forge.write(
                    "recipes/two.toml",
                    &recipe("echo > /out/out").replace("[sources]\nsrc = { path = [\"*.txt\"] }\n", ""),
                )
            },
            "1 built, 1 cached",
            "first",
        ),
    ];
    for (what, change, says, result_is) in changes {
        let forge = settled();
        change(&forge);
        forge.run(&["build"]).success().says(says);
        assert_eq!(result(&forge), result_is, "{what}");
    }
}

#[test]
fn a_change_in_the_folder_that_a_source_names_is_seen() {
    let forge = boxed::forge();
    let named = recipe("cat /src/src/in.txt > /out/out").replace("[\"*.txt\"]", "[\"*.txt\"], folder = \"deploy/x\"");
    forge.write("recipes/one.toml", &named).write("deploy/x/in.txt", "first");
    forge.run(&["build"]).success().says("1 built, 0 cached");
    thread::sleep(SETTLES);
    forge.run(&["build"]).success().says("0 built, 1 cached");
    forge.write("deploy/x/in.txt", "other");
    forge.run(&["build"]).success().says("1 built, 0 cached");
    assert_eq!(result(&forge), "other");
}

#[test]
fn damage_is_healed() {
    let forge = settled().own_store();
    let object = fs::canonicalize(forge.project().join("result/one")).unwrap();
    fs::write(object, "damaged").unwrap();
    let _ = forge.run(&["build"]).success();
    assert_eq!(result(&forge), "first");
}

#[test]
fn a_broken_lockfile_is_reported() {
    let forge = settled();
    forge.write("lockfile.toml", "nonsense");
    let _ = forge.run(&["build"]).code(2);
}

#[test]
fn a_linked_recipe_is_read_each_time() {
    let forge = settled();
    let outside = forge.folder().join("outside.toml");
    fs::write(&outside, recipe("echo a > /out/out").replace("[sources]\nsrc = { path = [\"*.txt\"] }\n", "")).unwrap();
    symlink(&outside, forge.project().join("recipes/linked.toml")).unwrap();
    for text in ["a", "b"] {
        let recipe = fs::read_to_string(&outside).unwrap().replace("echo a", &format!("echo {text}"));
        fs::write(&outside, recipe).unwrap();
        thread::sleep(SETTLES);
        let _ = forge.run(&["build"]).success();
        let _ = forge.run(&["build"]).success();
        assert_eq!(fs::read_to_string(forge.project().join("result/linked")).unwrap(), format!("{text}\n"));
    }
}
