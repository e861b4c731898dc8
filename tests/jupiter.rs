//! What its user has to supply and is not free: the image of Jupiter's swap API, with its stub as the program.

use std::fs;
use std::path::PathBuf;

use crate::cargo;
use crate::image::sound;
use crate::support::{Forge, boxed};

/// A unit of a file that its user supplies, and one that needs it.
const UNITS: [(&str, &str); 2] = [
    (
        "recipes/closed.toml",
        "unfree = true\ntoolroot = 'box'\nsteps = ['cp /src/tool /out/out']\nsources.tool.supplied = 'vendor-tool'\n\
         [tests.reads]\nsteps = ['grep -q first /deps/closed']\n",
    ),
    (
        "recipes/user.toml",
        "toolroot = 'box'\nsteps = ['cp /deps/closed /out/out']\ndeps.closed = 'closed'\n[tests.same]\nsteps = ['true']\n",
    ),
];

/// A project with a file of mirrors of its own, which says where the file `vendor-tool` is.
fn project() -> Forge {
    let forge = boxed::forge();
    let mirrors = forge.folder().join("mirrors.toml");
    fs::write(&mirrors, "").unwrap();
    let forge = forge.env("FORGE_MIRRORS", mirrors);
    for (file, text) in UNITS {
        forge.write(file, text);
    }
    forge
}

/// Supplies a file of these bytes.
fn supply(forge: &Forge, name: &str, bytes: &[u8]) -> PathBuf {
    let file = forge.folder().join(name);
    fs::write(&file, bytes).unwrap();
    let mirrors = format!("[supplied]\n{name} = {:?}\n", file.display().to_string());
    fs::write(forge.folder().join("mirrors.toml"), mirrors).unwrap();
    file
}

#[test]
fn a_project_is_sound_without_what_is_not_free() {
    let forge = project();
    forge.write("recipes/free.toml", "default = true\ntoolroot = 'box'\nsteps = ['echo hi > /out/out']\n");
    let before = fs::read_to_string(forge.project().join("lockfile.toml")).unwrap();
    forge.run(&["lock"]).success().says("not locked, as it is not free: closed/tool; `forge lock --allow-unfree`");
    assert_eq!(fs::read_to_string(forge.project().join("lockfile.toml")).unwrap(), before);
    forge.run(&["lock", "--check"]).success().says("closed/tool").says("fits the recipes");
    forge.run(&["lock", "--check", "--allow-unfree"]).code(2).says("closed/tool is not locked");
    forge.run(&["lock", "--update", "closed"]).code(2).says("`closed` is not free").says("--allow-unfree");
    for args in [&["build"][..], &["list"], &["plan"], &["why", "user", "vendor-tool"], &["graph"], &["store", "fsck"]]
    {
        drop(forge.run(args).success());
    }
    assert!(forge.run(&["list"]).success().stdout.contains("not free"));
    let run = forge.run(&["outdated", "closed", "--json"]);
    assert!(run.stdout.contains("whoever gave it to you says what is newer"), "{}", run.stdout);
    for verb in ["build", "plan", "test", "check", "shell", "log", "mirror"] {
        let place = (verb == "mirror").then_some("copy");
        let args: Vec<_> = [verb].into_iter().chain(place).chain(["closed"]).collect();
        let run = forge.run(&args).code(2).says("`closed` is not locked: it is not free");
        run.says("supply `vendor-tool`: write where it is under [supplied]").says("`forge lock --allow-unfree`");
    }
    forge.run(&["build", "user"]).code(2).says("`user` needs `closed`, which is not free and not locked");
    forge.run(&["lock", "--allow-unfree"]).code(2).says("you have to supply the file `vendor-tool`").says("[supplied]");
}

#[test]
fn what_is_not_free_is_made_for_who_says_so() {
    let forge = project();
    let file = supply(&forge, "vendor-tool", b"first");
    forge.run(&["lock", "--allow-unfree"]).success();
    assert!(fs::read_to_string(forge.project().join("lockfile.toml")).unwrap().contains("supplied = \"vendor-tool\""));
    for args in
        [&["build", "closed"][..], &["test", "closed"], &["check", "closed"], &["shell", "closed", "--", "true"]]
    {
        let args = |more: &[&'static str]| [&args[..1], more, &args[1..]].concat();
        forge.run(&args(&[])).code(2).says("`closed` is not free").says("say so with --allow-unfree");
        drop(forge.run(&args(&["--allow-unfree"])).success());
    }
    forge.run(&["build", "user"]).code(2).says("`user` needs `closed`, which is not free");
    forge.run(&["build", "user", "--dry-run"]).code(2).says("`user` needs `closed`, which is not free");
    forge.run(&["test", "user"]).code(2).says("`user` needs `closed`, which is not free");
    assert_eq!(fs::read(forge.project().join("result/closed")).unwrap(), b"first");
    forge.run(&["build", "closed"]).code(2).says("not free");
    assert!(forge.run(&["doctor"]).stdout.contains("ok    `vendor-tool` is supplied"));
    // What the store has needs no file.
    fs::remove_file(&file).unwrap();
    assert!(forge.run(&["doctor"]).stdout.contains("note  `vendor-tool` is supplied\n      "));
    forge.run(&["build", "user", "--allow-unfree"]).success();
    forge.run(&["lock", "--check", "--allow-unfree"]).success();
}

#[test]
fn a_file_is_what_was_locked() {
    let forge = project();
    let file = supply(&forge, "vendor-tool", b"first");
    forge.run(&["lock", "--allow-unfree"]).success();
    let digest = |bytes: &[u8]| forge::digest::Digest::of(bytes).to_string();
    let other = boxed::forge().env("FORGE_MIRRORS", forge.folder().join("mirrors.toml"));
    for (path, text) in UNITS {
        other.write(path, text);
    }
    fs::copy(forge.project().join("lockfile.toml"), other.project().join("lockfile.toml")).unwrap();
    let build = || other.run(&["build", "closed", "--allow-unfree"]);
    for bytes in [&b"other"[..], b"longer than the first"] {
        fs::write(&file, bytes).unwrap();
        let run = build().code(1).says(&format!("want {}", digest(b"first"))).says(&format!("got  {}", digest(bytes)));
        run.says("`forge lock --update closed/SOURCE`");
    }
    forge.run(&["lock", "--update", "closed/tool"]).code(2).says("`closed` is not free");
    forge.run(&["lock", "--update", "closed/took", "--allow-unfree"]).code(2).says("`closed` has no source `took`");
    let run = forge.run(&["lock", "--update", "closed/tool", "--allow-unfree", "--dry-run"]).success();
    assert!(run.stdout.contains(&format!("→ {}", digest(b"longer than the first"))), "{}", run.stdout);
    fs::remove_file(&file).unwrap();
    build().code(1).says("you have to supply the file `vendor-tool`").says(&digest(b"first")).says("no such file");
    fs::write(forge.folder().join("mirrors.toml"), "").unwrap();
    build().code(1).says(&digest(b"first")).says("vendor-tool = \"/path/to/it\"");
    // A mirror may have it.
    let mirror = forge.folder().join("mirror").display().to_string();
    forge.run(&["mirror", &mirror, "closed", "--allow-unfree"]).success().says("do not publish");
    fs::write(forge.folder().join("mirrors.toml"), format!("digests = [{mirror:?}]")).unwrap();
    build().success();
}

/// This repository's recipes, with the stub's program in place of Jupiter's.
fn ours() -> (Forge, Vec<u8>) {
    let forge = cargo::ours();
    let mirrors = forge.folder().join("mirrors.toml");
    forge.run(&["build", "jupiter-stub-program"]).success();
    let program = fs::read(forge.project().join("result/jupiter-stub-program/bin/jupiter-swap-api")).unwrap();
    let forge = forge.env("FORGE_MIRRORS", mirrors);
    supply(&forge, "jupiter-swap-api", &program);
    (forge, program)
}

/// The test of the stub, which asks for a quote.
fn quotes() -> String {
    let stub = include_str!("../images/jupiter-stub.toml");
    stub[stub.find("[tests.quotes]").unwrap()..].to_owned()
}

#[test]
fn jupiter_is_an_image_of_the_program_that_is_supplied() {
    let (forge, program) = ours();
    forge.run(&["lock", "--check"]).success().says("not free: jupiter/program");
    forge.run(&["build", "jupiter"]).code(2).says("`jupiter` is not locked").says("supply `jupiter-swap-api`");
    forge.run(&["lock"]).success();
    forge.run(&["lock", "--allow-unfree"]).success();
    forge.run(&["build", "jupiter"]).code(2).says("`jupiter` is not free");
    forge.run(&["build", "jupiter", "jupiter:root", "--allow-unfree"]).success();
    sound(&forge.project().join("result/jupiter"));
    let root = forge.project().join("result/jupiter:root");
    assert_eq!(fs::read(root.join("usr/bin/jupiter-swap-api")).unwrap(), program);
    assert!(root.join("usr/lib/x86_64-linux-gnu/libssl.so.3").exists());
    // What stands in the project may be a link to this repository's own file.
    let file = forge.project().join("images/jupiter.toml");
    let recipe = fs::read_to_string(&file).unwrap();
    fs::remove_file(file).unwrap();
    forge.write("images/jupiter.toml", &format!("{recipe}\n{}", quotes()));
    let run = forge.run(&["test", "jupiter", "--allow-unfree"]).success();
    let mut lines: Vec<_> = run.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["ok jupiter: quotes", "ok jupiter: starts"]);
    for public in ["docker.io/me/jupiter:7", "ghcr.io/me/jupiter:7"] {
        for flag in [&[][..], &["--allow-unfree"]] {
            let run = forge.run(&[&["push", "jupiter", public], flag].concat()).code(2);
            run.says("`jupiter` must not be published, and anybody can read from");
        }
    }
    // Nor does another image carry it there.
    let edge = "archive = 'debian'\npackages = ['libgcc-s1', 'libssl3t64']\nuser = 'nobody'\n\
                entrypoint = ['/usr/bin/api']\ndeps.jupiter = 'jupiter:root'\n\
                [files]\n'/usr/bin/api' = 'deps/jupiter/usr/bin/jupiter-swap-api'\n";
    forge.write("images/edge.toml", edge);
    forge.run(&["lock"]).success();
    let run = forge.run(&["push", "edge", "docker.io/me/edge:1", "--allow-unfree"]).code(2);
    run.says("`jupiter` must not be published");
    forge.run(&["build", "edge"]).code(2).says("`edge` needs `jupiter`, which is not free");
    forge.run(&["build", "edge", "--allow-unfree"]).success();
}

/// `bytes` with `new` in place of the first `old`, which is as long.
fn patched(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let at = bytes.windows(old.len()).position(|window| window == old).expect("there");
    [&bytes[..at], new, &bytes[at + old.len()..]].concat()
}

/// Where an ELF file says for which machine it is.
const MACHINE: usize = 18;
/// AArch64.
const ARM: u8 = 183;

#[test]
fn a_program_that_can_not_be_loaded_is_refused() {
    let (forge, program) = ours();
    let lockfile = forge.project().join("lockfile.toml");
    let before = fs::read(&lockfile).unwrap();
    let mut arm = program.clone();
    arm[MACHINE] = ARM;
    for (bytes, words) in [
        (arm, "/usr/bin/jupiter-swap-api is made for arm64, and the image for amd64"),
        (
            patched(&program, b"GLIBC_2.34\0", b"GLIBC_9.34\0"),
            "/usr/bin/jupiter-swap-api needs GLIBC_9.34 of libc.so.6, which the image's has not: it has up to GLIBC_2.41",
        ),
        (
            patched(&program, b"/lib64/ld-linux-x86-64", b"/lib64/ld-linux-x86-65"),
            "is started by /lib64/ld-linux-x86-65.so.2, which is not in it",
        ),
        (
            patched(&program, b"libgcc_s.so.1", b"libgcc_t.so.1"),
            "needs libgcc_t.so.1, which is not in it: add the package that has it",
        ),
    ] {
        supply(&forge, "jupiter-swap-api", &bytes);
        fs::write(&lockfile, &before).unwrap();
        forge.run(&["lock", "--allow-unfree"]).success();
        forge.run(&["build", "jupiter", "--allow-unfree"]).code(1).says(words);
    }
}
