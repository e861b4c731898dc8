//! The README does what it says: its recipes are recipes, its commands run.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{Forge, Run, copy_tree};

const README: &str = include_str!("../README.md");

/// The fenced blocks of a language, each with the line it starts in.
fn blocks(language: &str) -> Vec<(usize, &'static str)> {
    let opening = format!("```{language}\n");
    let starts = README.match_indices(&opening).map(|(at, fence)| at + fence.len());
    starts.map(|at| (README[..at].lines().count(), README[at..].split_once("\n```").expect("closed").0)).collect()
}

/// The commands of the blocks without a language: what stands after `$ `, up to a comment.
fn commands() -> Vec<&'static str> {
    let lines = README.lines().filter_map(|line| line.strip_prefix("$ "));
    lines.map(|line| line.split('#').next().unwrap().trim()).collect()
}

/// A copy of this repository's recipes.
fn ours() -> Forge {
    let (forge, here) = (Forge::new(), Path::new(env!("CARGO_MANIFEST_DIR")));
    for folder in ["recipes", "kernel", "bpf", "extensions", "images", "deploy"] {
        copy_tree(&here.join(folder), &forge.project().join(folder));
    }
    fs::copy(here.join("lockfile.toml"), forge.project().join("lockfile.toml")).unwrap();
    forge
}

/// Runs a line of the session in the project's folder.
fn session(forge: &Forge, line: &str) -> Run {
    let mut words = line.split(' ');
    let (program, args): (_, Vec<&str>) = (words.next().unwrap(), words.collect());
    if program == "forge" {
        return forge.run(&args);
    }
    Run::of(Command::new(program).args(&args).current_dir(forge.project()).output().unwrap(), &args)
}

#[test]
fn recipes_are_recipes() {
    let recipes = blocks("toml");
    assert!(!recipes.is_empty());
    for (line, text) in recipes {
        let forge = ours();
        // References go one way, and an installer refers to most.
        let folder = if text.starts_with("kind = \"installer\"") { "images" } else { "recipes" };
        forge.write(&format!("{folder}/shown.toml"), text);
        let run = forge.run(&["list"]).success();
        assert!(run.stdout.contains("shown"), "README.md:{line}\n{}", run.stdout);
    }
}

/// The session is run on a store that is kept between runs of the tests, as it has to fetch compilers.
#[test]
fn the_session_runs() {
    let forge = ours();
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme");
    let forge = forge.env("FORGE_STORE", kept);
    // A commit for those that look back.
    for args in [&["init", "--quiet"][..], &["add", "--all"], &["commit", "--quiet", "--message", "x"]] {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=t", "-c", "user.email=t@example", "-c", "commit.gpgSign=false"]).args(args);
        assert!(git.current_dir(forge.project()).status().unwrap().success(), "git {args:?}");
    }
    let lines = commands();
    assert!(lines.iter().filter(|line| line.starts_with("forge ")).count() > 3, "{lines:?}");
    for line in lines {
        drop(session(&forge, line).success());
    }
}
