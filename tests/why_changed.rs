//! `forge why-changed`: what differs between a commit and the working tree.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{Forge, boxed, copy_tree};

/// A repository with the units `lib`, `app` that reads it, and `alone`, committed.
fn project() -> Forge {
    let forge = boxed::forge();
    forge.write("recipes/lib/recipe.toml", "toolroot = \"box\"\nsteps = [\"grep -v ^# /src/src/a.txt > /out/out\"]\n[sources]\nsrc = { path = [\"*.txt\"] }\n");
    forge.write("recipes/lib/a.txt", "one\n").write("README", "nothing of forge's\n");
    forge.write(
        "recipes/app.toml",
        "default = true\ntoolroot = \"box\"\nsteps = [\"cp /deps/lib /out/out\"]\n[deps]\nlib = \"lib\"\n",
    );
    forge.write("recipes/alone.toml", "default = true\ntoolroot = \"box\"\nsteps = [\"echo 1 > /out/out\"]\n");
    git(&forge.project(), &["init", "--quiet"]);
    commit(&forge);
    forge
}

pub fn git(folder: &Path, args: &[&str]) {
    let identity = ["-c", "user.name=t", "-c", "user.email=t@example", "-c", "commit.gpgSign=false"];
    let mut command = Command::new("git");
    command.args(identity).args(args).current_dir(folder).env("GIT_CONFIG_GLOBAL", "/dev/null");
    let output = command.env("GIT_CONFIG_NOSYSTEM", "1").output().unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

pub fn commit(forge: &Forge) {
    git(&forge.project(), &["add", "--all"]);
    git(&forge.project(), &["commit", "--quiet", "--message", "x"]);
}

/// Each unit that is not the same, as `name change: reasons <from`.
fn fates(forge: &Forge, names: &[&str]) -> Vec<String> {
    let args = [&["why-changed", "HEAD", "--json"], names].concat();
    let lines = forge.run(&args).success().json();
    let words = |list: &serde_json::Value| {
        list.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect::<Vec<_>>().join(", ")
    };
    let fate = |line: &serde_json::Value| {
        let [name, change] = ["name", "change"].map(|key| line[key].as_str().unwrap().to_owned());
        (change != "same").then(|| format!("{name} {change}: {} <{}", words(&line["why"]), words(&line["from"])))
    };
    lines.iter().filter_map(fate).collect()
}

#[test]
fn causes_come_first_and_what_inherits_them_after() {
    let forge = project();
    assert_eq!(fates(&forge, &[]), [""; 0]);
    assert_eq!(forge.run(&["why-changed", "HEAD"]).success().says("nothing changed").stdout, "");
    for (path, text, want) in [
        ("recipes/lib/a.txt", Some("two\n"), &["lib changed: src: a.txt changed <", "app inherits:  <lib"][..]),
        ("recipes/lib/b.txt", Some("new\n"), &["lib changed: src: b.txt added <", "app inherits:  <lib"]),
        ("README", Some("still nothing of forge's\n"), &[]),
        (
            "recipes/alone.toml",
            Some("default = true\ntoolroot = \"box\"\nsteps = [\"echo 2 > /out/out\"]\n[env]\nA = \"1\"\n"),
            &["alone changed: step 1 changed: echo 1 > /out/out → echo 2 > /out/out, env A added <"],
        ),
        ("recipes/alone.toml", None, &["alone removed:  <"]),
        ("recipes/new.toml", Some("default = true\ntoolroot = \"box\"\nsteps = [\"true\"]\n"), &["new added:  <"]),
    ] {
        let file = forge.project().join(path);
        let before = fs::read_to_string(&file).ok();
        text.map_or_else(|| fs::remove_file(&file).unwrap(), |text| fs::write(&file, text).unwrap());
        assert_eq!(fates(&forge, &[]), want, "{path}");
        before.map_or_else(|| fs::remove_file(&file).unwrap(), |before| fs::write(&file, before).unwrap());
    }
}

#[test]
fn a_result_that_came_out_the_same_ends_the_chain() {
    let forge = project();
    forge.run(&["build", "app"]).success();
    forge.write("recipes/lib/a.txt", "# a comment\none\n");
    assert_eq!(fates(&forge, &["app"]), ["lib changed: src: a.txt changed <", "app inherits:  <lib"]);
    let words = forge.run(&["why-changed", "HEAD", "app"]).success().says("2 of 3 units changed: 2 units to build");
    let lines: Vec<&str> = words.stdout.lines().collect();
    assert_eq!(lines, ["changed   lib  src: a.txt changed", "inherits  app  from lib"]);
    forge.run(&["build", "app"]).success();
    assert_eq!(fates(&forge, &["app"]), ["lib changed: src: a.txt changed <"]);
    forge.run(&["why-changed", "HEAD", "app"]).success().says("1 of 3 units changed: all in the store");
}

#[test]
fn toolroots_and_locks_are_compared() {
    let forge = project();
    let lock = fs::read_to_string(forge.project().join("lockfile.toml")).unwrap();
    let line = lock.lines().find(|line| line.contains("\"dash:amd64 ")).unwrap();
    let words: Vec<&str> = line.split(' ').collect();
    let at = words.iter().position(|word| word.contains("dash:amd64")).unwrap();
    let moved = line.replace(words[at + 1], "9.9").replace(words[at + 3], &"0".repeat(64));
    forge.write("lockfile.toml", &lock.replace(line, &moved));
    let said = format!("packages: dash {} → 9.9", words[at + 1]);
    assert_eq!(
        fates(&forge, &[]),
        [
            format!("box changed: {said} <"),
            "alone inherits:  <box".to_owned(),
            "app inherits:  <box, lib".to_owned(),
            "lib inherits:  <box".to_owned()
        ]
    );
    let run = forge.run(&["why-changed", "HEAD"]).success();
    assert!(run.stdout.contains(&format!("lockfile.toml: ~ debian/dash:amd64 {}", words[at + 1])), "{}", run.stdout);
}

#[test]
fn the_project_may_be_a_folder_of_the_repository() {
    let forge = project();
    let outer = forge.project().join("outer");
    fs::create_dir(&outer).unwrap();
    copy_tree(&forge.project().join("recipes"), &outer.join("recipes"));
    fs::copy(forge.project().join("lockfile.toml"), outer.join("lockfile.toml")).unwrap();
    commit(&forge);
    fs::remove_file(outer.join("recipes/alone.toml")).unwrap();
    let args = ["-C", outer.to_str().unwrap(), "why-changed", "HEAD"];
    let mut command = Command::new(crate::support::FORGE);
    let output = command.env("FORGE_STORE", forge.store()).args(args).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "removed  alone\n", "{output:?}");
    assert_eq!(fates(&forge, &[]), [""; 0]);
}

#[test]
fn nothing_is_touched_and_mistakes_are_told() {
    let forge = project();
    forge.write("recipes/lib/a.txt", "two\n");
    let status = || {
        let mut command = Command::new("git");
        command.args(["status", "--porcelain"]).current_dir(forge.project()).output().unwrap().stdout
    };
    let before = status();
    forge.run(&["why-changed", "HEAD"]).success();
    assert_eq!(status(), before);
    for (args, code, words) in [
        (&["why-changed", "nowhere"][..], 2, "`nowhere` names no commit"),
        (&["why-changed", "--", "--upload-pack=x"], 2, "names no commit"),
        (&["why-changed", "HEAD", "lub"], 2, "did you mean `lib`?"),
    ] {
        forge.run(args).code(code).says(words);
    }
    let mut command = forge.command(&["why-changed", "HEAD"]);
    let output = command.env("PATH", forge.folder()).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot run git"), "{output:?}");
    let bare = boxed::forge();
    bare.run(&["why-changed", "HEAD"]).code(2).says("is in no git repository");
}

#[test]
fn a_past_that_makes_no_sense_is_named() {
    let forge = project();
    forge.write("recipes/alone.toml", "stpes = 1\n");
    commit(&forge);
    forge.write("recipes/alone.toml", "toolroot = \"box\"\nsteps = [\"true\"]\n");
    forge.run(&["why-changed", "HEAD"]).code(2).says("unknown field `stpes`").says("the project as of HEAD");
}
