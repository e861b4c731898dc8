//! `forge test`: a recipe's own tests, run in a sandbox and remembered.

use std::fs;

use crate::support::{Forge, boxed};

/// The default unit `a` with tests, `lib` with an output that a test wants, and `bare` without tests.
fn project() -> Forge {
    let forge = boxed::forge();
    forge.write("recipes/a.txt", "one\n").write(
        "recipes/a.toml",
        r#"default = true
toolroot = "box"
steps = ["cat /src/src/a.txt > /out/out", "echo more > /out/more"]
outputs = ["out", "more"]
sources = { src = { path = ["a.txt"] } }

[tests.same]
steps = ["cat /src/src/a.txt > want", "cat /deps/out > got", "test $(cat want) = $(cat got)", "cat /deps/a"]

[tests.more]
steps = ["test $(cat /deps/more) = more", "grep -q lib /deps/lib", "test $WORD = word"]
deps = { lib = "lib" }
env = { WORD = "word" }
"#,
    );
    forge.write(
        "recipes/lib.toml",
        "toolroot = \"box\"\nsteps = [\"cat /deps/a > a; echo lib > /out/out\"]\ndeps = { a = \"a\" }\n",
    );
    forge.write("recipes/bare.toml", "default = true\ntoolroot = \"box\"\nsteps = [\"touch /out/out\"]\n");
    forge
}

/// The lines of stdout in the order of names.
fn lines(stdout: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = stdout.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn each_test_has_a_line_and_runs_once() {
    let forge = project();
    let first =
        forge.run(&["test"]).success().says("a: test same: passed in").says("2 passed (0 cached), 0 failed, 0 skipped");
    assert_eq!(lines(&first.stdout), ["ok a: more", "ok a: same"]);
    assert!(!forge.project().join("result").exists());
    let second = forge.run(&["test", "a"]).success().says("2 passed (2 cached), 0 failed, 0 skipped");
    assert_eq!(lines(&second.stdout), lines(&first.stdout));
    drop(forge.run(&["test", "--rebuild"]).success().says("2 passed (0 cached)"));
    // Nothing that a test reads has changed: an output that came out the same, and another test.
    let recipe = fs::read_to_string(forge.project().join("recipes/a.toml")).unwrap();
    forge.write("recipes/a.toml", &recipe.replace("test $WORD = word", "test $WORD != other"));
    let json = forge.run(&["test", "--json"]).success().json();
    let cached = |test: &str| json.iter().find(|line| line["test"] == test).unwrap()["cached"].as_bool().unwrap();
    assert_eq!((cached("same"), cached("more")), (true, false));
}

#[test]
fn a_failure_is_told_and_stops_no_other() {
    let forge = project();
    forge.write("recipes/b.toml", "toolroot = \"box\"\nsteps = [\"echo b > /out/out\"]\n[tests.fails]\nsteps = [\"echo trying > left\", \"echo wrong; exit 9\"]\n[tests.leaves]\nsteps = [\"touch /out/x\"]\n[tests.works]\nsteps = [\"true\"]\n");
    let run = forge.run(&["test", "a", "b"]).code(1).says("error: b: test fails: exit code 9 in step 2 of 2:");
    let run = run
        .says("wrong\n")
        .says("it left /out/x")
        .says("hint: `forge log b --test fails` prints all of it; the file is ")
        .says("3 passed (0 cached), 2 failed, 0 skipped");
    assert_eq!(lines(&run.stdout), ["FAIL b: fails", "FAIL b: leaves", "ok a: more", "ok a: same", "ok b: works"]);
    let json = forge.run(&["test", "b", "--json"]).code(1).json();
    let fails = json.iter().find(|line| line["test"] == "fails").unwrap();
    assert_eq!((&fails["name"], &fails["status"]), (&"b".into(), &"failed".into()));
    assert!(fs::read_to_string(fails["log"].as_str().unwrap()).unwrap().contains("wrong"));
    // Its sandbox can be entered, as it was left and anew.
    forge.write("recipes/b.toml", "toolroot = \"box\"\nsteps = [\"echo b > /out/out\"]\n[tests.fails]\nsteps = [\"echo trying > left\", \"echo wrong; exit 9\"]\n");
    drop(forge.run(&["test", "b", "--rebuild"]).code(1));
    assert_eq!(forge.run(&["shell", "--failed", "--", "cat", "left"]).success().stdout, "trying\n");
    let fresh = forge.run(&["shell", "b", "--test", "fails", "--", "sh", "-c", "ls; cat /deps/out"]).success();
    assert_eq!(fresh.stdout, "b\n");
    forge.run(&["shell", "b", "--test", "other"]).code(2).says("`b` has no test `other`").says("it has `fails`");
}

#[test]
fn the_tests_of_a_unit_that_does_not_build_are_skipped() {
    let forge = project();
    forge.write("recipes/bad.toml", "toolroot = \"box\"\nsteps = [\"exit 3\"]\n[tests.any]\nsteps = [\"true\"]\n");
    let run = forge.run(&["test", "bad", "a"]).code(1).says("error: bad: exit code 3");
    let run = run.says("bad: test any: skipped, as it needs `bad`, which failed").says("0 failed, 1 skipped");
    assert_eq!(lines(&run.stdout), ["ok a: more", "ok a: same", "skip bad: any: it needs `bad`, which failed"]);
    let json = forge.run(&["test", "bad", "--json"]).code(1).json();
    assert_eq!((&json[0]["status"], &json[0]["error"]), (&"skipped".into(), &"it needs `bad`, which failed".into()));
}

#[test]
fn the_sandbox_of_tests_is_closed_too() {
    let forge = boxed::forge();
    forge.write("recipes/u.toml", "toolroot = \"box\"\nsteps = [\"touch /out/out\"]\n[tests.writes]\nsteps = [\"touch /usr/x\"]\n[tests.uid]\nsteps = [\"test $(id -u) = 1000\", \"test $(cat /proc/net/dev | grep -c :) = 1\"]\n");
    let run =
        forge.run(&["test", "u"]).code(1).says("Read-only file system").says("hint: steps can write below /build");
    assert_eq!(lines(&run.stdout), ["FAIL u: writes", "ok u: uid"]);
}

#[test]
fn a_toolroot_is_tested_in_itself() {
    let forge = boxed::forge();
    let recipe = fs::read_to_string(forge.project().join("recipes/box.toml")).unwrap();
    forge.write(
        "recipes/box.toml",
        &format!("{recipe}\n[tests.has-a-shell]\nsteps = [\"test -e /deps/box/usr/bin/sh\"]\n"),
    );
    assert_eq!(forge.run(&["test", "box", "--offline"]).success().stdout, "ok box: has-a-shell\n");
}

#[test]
fn a_dry_run_says_what_would_run() {
    let forge = project();
    assert_eq!(forge.run(&["test", "--dry-run"]).success().stdout, "run     a: more\nrun     a: same\n");
    drop(forge.run(&["test"]).success());
    assert_eq!(forge.run(&["test", "--dry-run"]).success().stdout, "cached  a: more\ncached  a: same\n");
    let json = forge.run(&["test", "--dry-run", "--json"]).success().json();
    assert!(json.iter().all(|line| line["cached"] == true && line["derivation"].is_string()), "{json:?}");
}

#[test]
fn mistakes_are_told() {
    let forge = project();
    forge.run(&["test", "bare"]).code(2).says("`bare` has no tests").says("[tests.NAME]").says("recipes/bare.toml");
    forge.run(&["test", "bore"]).code(2).says("did you mean `bare`?");
    forge.write("recipes/a.toml", "toolroot = \"box\"\nsteps = [\"true\"]\n");
    forge.run(&["test"]).code(2).says("no unit with `default = true` has tests");
}
