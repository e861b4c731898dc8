//! The kind `cargo`: published crates, workspaces and plugins, from the real registry with the real toolroot.
//!
//! All tests share a store that is kept between runs, as it has to hold a Rust toolchain; what they build anew has
//! something in it that no run before had.

mod git;

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use object::{Object as _, ObjectSection as _};

use crate::fetch::git::Origin;
use crate::mirror::without_network;
use crate::support::{Forge, Run, copy_tree};

/// A workspace with a program, a macro and a shared library; the program has a build script with C.
const WORKSPACE: [(&str, &str); 9] = [
    ("Cargo.toml", "[workspace]\nmembers = ['hello', 'shout', 'plug']\nresolver = '2'\n"),
    (
        "hello/Cargo.toml",
        "[package]\nname = 'hello'\nversion = '0.1.0'\nedition = '2021'\n[dependencies]\nitoa = '1'\n\
         shout = { path = '../shout' }\n[build-dependencies]\ncc = '1'\n",
    ),
    ("hello/build.rs", "fn main() { cc::Build::new().file(\"two.c\").compile(\"two\"); }\n"),
    ("hello/two.c", "int two(void) { return 2; }\n"),
    (
        "hello/src/main.rs",
        "extern \"C\" { fn two() -> i32; }\nfn main() {\n    let two = unsafe { two() };\n    \
         println!(\"{} {}\", shout::shout!(hello), itoa::Buffer::new().format(two));\n}\n",
    ),
    ("shout/Cargo.toml", "[package]\nname = 'shout'\nversion = '0.1.0'\nedition = '2021'\n[lib]\nproc-macro = true\n"),
    (
        "shout/src/lib.rs",
        "use proc_macro::TokenStream;\n#[proc_macro]\npub fn shout(word: TokenStream) -> TokenStream {\n    \
         format!(\"{:?}\", word.to_string().to_uppercase()).parse().unwrap()\n}\n",
    ),
    (
        "plug/Cargo.toml",
        "[package]\nname = 'plug'\nversion = '0.1.0'\nedition = '2021'\n[lib]\ncrate-type = ['cdylib']\n\
         [dependencies]\nitoa = '1'\n",
    ),
    ("plug/src/lib.rs", "#[no_mangle]\npub extern \"C\" fn plug() -> usize { itoa::Buffer::new().format(7).len() }\n"),
];

/// What all units here have, but for the source.
const UNIT: &str = "kind = 'cargo'\ntoolroot = 'toolroot-rust'\nglibc = '2.41'\n";

/// This repository's recipes, in the store that is kept, with the host's cargo.
pub fn ours() -> Forge {
    let (forge, here) = (Forge::new(), Path::new(env!("CARGO_MANIFEST_DIR")));
    for folder in ["recipes", "kernel", "bpf", "extensions", "images", "deploy"] {
        copy_tree(&here.join(folder), &forge.project().join(folder));
    }
    fs::copy(here.join("lockfile.toml"), forge.project().join("lockfile.toml")).unwrap();
    let home = |variable: &str, folder: &str| {
        let given = std::env::var_os(variable).map(PathBuf::from);
        given.unwrap_or_else(|| Path::new(&std::env::var_os("HOME").unwrap()).join(folder))
    };
    forge
        .env("FORGE_STORE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("rust"))
        .env("CARGO_HOME", home("CARGO_HOME", ".cargo"))
        .env("RUSTUP_HOME", home("RUSTUP_HOME", ".rustup"))
}

/// Runs the host's cargo in the folder of a recipe.
fn cargo(forge: &Forge, folder: &str, args: &[&str]) {
    let mut command = Command::new("cargo");
    let output = command.args(args).current_dir(forge.project().join("recipes").join(folder)).output().unwrap();
    assert!(output.status.success(), "cargo {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The workspace at recipes/<name>, with its Cargo.lock, as the unit `name` with these fields.
fn workspace(forge: &Forge, name: &str, fields: &str) {
    for (path, text) in WORKSPACE {
        forge.write(&format!("recipes/{name}/{path}"), text);
    }
    let source = "sources.src = { path = ['Cargo.*', '*/**'], exclude = ['target/**'] }";
    forge.write(&format!("recipes/{name}/recipe.toml"), &format!("{UNIT}{source}\n{fields}"));
    cargo(forge, name, &["generate-lockfile"]);
}

/// A text that no run before had.
fn fresh() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    format!("{}-{}", std::process::id(), now.as_nanos())
}

fn path(forge: &Forge, file: &str) -> PathBuf {
    forge.project().join("result").join(file)
}

/// The list of crates that cargo-auditable put into a program.
fn audited(program: &object::File<'_>) -> String {
    let audit = program.section_by_name(".dep-v0").expect("cargo-auditable's section").data().unwrap();
    let mut list = String::new();
    flate2::read::ZlibDecoder::new(audit).read_to_string(&mut list).unwrap();
    list
}

#[test]
fn a_published_crate_with_a_build_script_a_macro_and_c() {
    let forge = ours();
    forge.run(&["build", "b3sum", "--json"]).success();
    assert_eq!(forge.run(&["test", "b3sum"]).success().stdout, "ok b3sum: known-answer\n");
    let program = fs::read(path(&forge, "b3sum/bin/b3sum")).unwrap();
    let file = object::File::parse(&*program).unwrap();
    let list = audited(&file);
    assert!(list.contains("\"blake3\"") && list.contains("\"crates.io\""), "{list}");
    assert!(file.build_id().unwrap().is_some());
    let json = forge.run(&["build", "b3sum", "--json"]).success().json();
    let outputs: Vec<_> = json[0]["outputs"].as_array().unwrap().iter().map(|output| output["name"].clone()).collect();
    assert_eq!(outputs, ["out", "debug"]);
    let debug = Path::new(json[0]["outputs"][1]["path"].as_str().unwrap()).join("bin/b3sum.debug");
    let debug = fs::read(debug).unwrap();
    assert!(object::File::parse(&*debug).unwrap().symbols().count() > 100, "the symbols are there");
}

#[test]
fn a_change_in_a_package_compiles_that_package_alone() {
    let forge = ours();
    workspace(&forge, "hello", "package = 'hello'\nbins = ['hello']\ndefault = true\n");
    let main = "recipes/hello/hello/src/main.rs";
    let text = fs::read_to_string(forge.project().join(main)).unwrap();
    forge.run(&["lock"]).success();
    forge.run(&["build", "hello"]).success();
    let output = Command::new(path(&forge, "hello/bin/hello")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "HELLO 2\n");
    forge.write(main, &format!("{text}// {}\nconst _: &str = \"{}\";\n", fresh(), fresh()));
    let run = forge.run(&["build", "hello"]).success().says("hello: build: built");
    assert!(!run.stderr.contains("dependencies"), "{}", run.stderr);
    let log = forge.run(&["log", "hello"]).success().stdout;
    let log = log.split("cargo auditable build").nth(1).expect("the log of the second command");
    let compiled: Vec<_> = log.lines().filter(|line| line.trim().starts_with("Compiling")).collect();
    assert!(compiled.iter().all(|line| line.contains("hello") || line.contains("shout")), "{log}");
    assert!(!compiled.is_empty(), "{log}");
}

#[test]
fn a_library_and_its_rules() {
    let forge = ours();
    workspace(&forge, "plug", "package = 'plug'\nlib = true\n");
    forge.run(&["lock"]).success();
    forge.run(&["build", "plug"]).success();
    assert!(path(&forge, "plug/lib/libplug.so").is_file());
    assert_eq!(forge.run(&["check", "plug"]).success().stdout, "ok plug: reproducible (12 factors)\n");
    let recipe = forge.project().join("recipes/plug/recipe.toml");
    let text = fs::read_to_string(&recipe).unwrap();
    fs::write(&recipe, text.replace("2.41", "2.2") + "needed = ['libgcc_s.so.1', 'libz.so.1']\n").unwrap();
    let run = forge.run(&["build", "plug"]).code(1).says("lib/libplug.so needs glibc 2.");
    drop(run.says(", where `glibc` says 2.2").says("`needed` names libz.so.1, which no file needs"));
}

#[test]
fn patches_of_cargo_lock_and_of_the_source() {
    let forge = ours();
    let fields = "package = 'hello'\nbins = ['hello']\npatches = ['a.patch']\n[lock-patches]\nitoa = '1.0.5'\n";
    workspace(&forge, "hello", fields);
    forge.write(
        "recipes/hello/a.patch",
        "--- a/hello/two.c\n+++ b/hello/two.c\n@@ -1 +1 @@\n-int two(void) { return 2; }\n+int two(void) { return 3; }\n",
    );
    let lock = forge.run(&["lock"]).success().stdout;
    assert!(lock.contains("+ itoa 1.0.5 ("), "{lock}");
    forge.run(&["build", "hello"]).success();
    let output = Command::new(path(&forge, "hello/bin/hello")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "HELLO 3\n");
    forge.write("recipes/hello/a.patch", "--- a/hello/none.c\n+++ b/hello/none.c\n@@ -1 +1 @@\n-a\n+b\n");
    drop(forge.run(&["lock", "--check"]).code(2).says("hello/crates has changed since it was locked"));
    drop(forge.run(&["lock"]).code(2).says("a.patch does not apply").says("hint: this is the source `crates`"));
}

/// A patch of itoa 1.0.6 that has it write other digits.
fn other_digits(old: &str) -> String {
    let line = |digit: &str| format!("{}*buf_ptr.offset(curr) = (n as u8) + b'{digit}';\n", " ".repeat(24));
    format!("--- a/src/lib.rs\n+++ b/src/lib.rs\n@@ -172 +172 @@\n-{}+{}", line(old), line("3"))
}

#[test]
fn patches_of_crates() {
    let forge = ours();
    let fields = "package = 'hello'\nbins = ['hello']\ncrate-patches = { itoa = ['itoa.patch'] }\n";
    workspace(&forge, "hello", fields);
    cargo(&forge, "hello", &["update", "--precise", "1.0.6", "itoa"]);
    let patch = "recipes/hello/itoa.patch";
    forge.write(patch, &other_digits("0"));
    forge.run(&["lock"]).success();
    forge.run(&["build", "hello"]).success();
    let output = || Command::new(path(&forge, "hello/bin/hello")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output().stdout), "HELLO 5\n");
    let main = "recipes/hello/hello/src/main.rs";
    let text = fs::read_to_string(forge.project().join(main)).unwrap();
    forge.write(main, &format!("{text}const _: &str = \"{}\";\n", fresh()));
    let run = forge.run(&["build", "hello"]).success().says("hello: build: built");
    assert!(!run.stderr.contains("dependencies") && !run.stderr.contains("patch"), "{}", run.stderr);
    assert_eq!(String::from_utf8_lossy(&output().stdout), "HELLO 5\n");
    forge.write(patch, &other_digits("1"));
    let run = forge.run(&["build", "hello"]).code(1).says("hello: patch itoa 1.0.6");
    drop(run.says("patching file src/lib.rs").says("FAILED"));
    let recipe = forge.project().join("recipes/hello/recipe.toml");
    let text = fs::read_to_string(&recipe).unwrap();
    fs::write(&recipe, text.replace("{ itoa =", "{ ryu =")).unwrap();
    drop(forge.run(&["build", "hello"]).code(2).says("patches the crate `ryu`, and its Cargo.lock has none"));
    fs::write(&recipe, text.replace("crate-patches", "# crate-patches")).unwrap();
    forge.run(&["build", "hello"]).success();
    assert_eq!(String::from_utf8_lossy(&output().stdout), "HELLO 2\n");
}

#[test]
fn a_cargo_lock_that_can_not_be_built_with() {
    let forge = ours();
    workspace(&forge, "hello", "package = 'hello'\nbins = ['hello']\n");
    let lock = forge.project().join("recipes/hello/Cargo.lock");
    let good = fs::read_to_string(&lock).unwrap();
    forge.run(&["lock"]).success();
    let checksum = good.lines().find(|line| line.starts_with("checksum")).unwrap();
    let wrong = format!("checksum = \"{}\"", "0".repeat(64));
    let itoa = good.split("[[package]]").find(|package| package.contains("name = \"itoa\"")).unwrap();
    let itoa = &format!("[[package]]{itoa}");
    let version = itoa.lines().find(|line| line.starts_with("version")).unwrap();
    for (text, words) in [
        (good.replace(checksum, &wrong), "checksum"),
        (good.replace(itoa, &itoa.replace(version, "version = \"1.99.99\"")), "1.99.99"),
        (good.replace(itoa, ""), "its Cargo.lock can't be read: couldn't resolve dependency: itoa"),
        (good.replace("name = \"hello\"", "name = \"hallo\""), "its Cargo.lock does not fit its manifests"),
        ("[[package]]\n".to_owned(), "Cargo.lock"),
    ] {
        fs::write(&lock, &text).unwrap();
        drop(forge.run(&["lock", "--check"]).code(2).says("hello/crates has changed since it was locked"));
        drop(forge.run(&["lock"]).code(2).says(words).says("hint: this is the source `crates` of the unit `hello`"));
    }
    fs::remove_file(&lock).unwrap();
    drop(forge.run(&["lock"]).code(2).says("there is no Cargo.lock at its top"));
}

#[test]
fn crates_that_are_not_there() {
    let forge = ours();
    let unit = |name: &str, version: &str| {
        format!("{UNIT}bins = ['x']\nsources.src = {{ crate = '{name}', version = '{version}' }}\n")
    };
    for (name, version, words) in [("forge-no-such-crate", "1.0.0", "forge-no-such-crate"), ("itoa", "99.0.0", "itoa")]
    {
        forge.write("recipes/x.toml", &unit(name, version));
        drop(forge.run(&["lock"]).code(2).says("error: cargo info failed").says(words));
    }
    forge.write("recipes/x.toml", &unit("itoa", "1.0.4"));
    let forge = forge.env("CARGO_HOME", "/nonexistent");
    let mut cut = forge.command(&["lock"]);
    let nobody = [("CARGO_HTTP_PROXY", "http://127.0.0.1:9"), ("CARGO_NET_RETRY", "0")];
    cut.env("CARGO_HOME", forge.folder()).envs(nobody);
    drop(Run::of(cut.output().unwrap(), &["lock"]).code(3).says("error: cargo info failed"));
    let empty = forge.folder().join("empty");
    fs::create_dir(&empty).unwrap();
    for program in ["git", "sh"] {
        std::os::unix::fs::symlink(Path::new("/usr/bin").join(program), empty.join(program)).unwrap();
    }
    let forge = forge.env("PATH", empty);
    drop(forge.run(&["lock"]).code(3).says("cannot run cargo").says("install Rust"));
}

#[test]
fn sources_from_git() {
    let (forge, origin) = (ours(), Origin::new());
    workspace(&forge, "hello", "");
    for (path, _) in WORKSPACE.iter().chain([&("Cargo.lock", "")]) {
        origin.write(path, &fs::read(forge.project().join("recipes/hello").join(path)).unwrap());
    }
    origin.commit();
    origin.git(&["tag", "v1"]);
    fs::remove_dir_all(forge.project().join("recipes/hello")).unwrap();
    let source = format!("sources.src = {{ git = '{}', tag = 'v1' }}", origin.url());
    forge.write("recipes/hello.toml", &format!("{UNIT}package = 'hello'\nbins = ['hello']\n{source}\n"));
    forge.run(&["lock"]).success();
    forge.run(&["build", "hello"]).success();
    // The tag is moved: what is locked is built all the same, and an update shows the other commit.
    origin.write("hello/two.c", b"int two(void) { return 5; }\n").commit();
    origin.git(&["tag", "--force", "v1"]);
    forge.run(&["build", "hello", "--rebuild"]).success();
    let update = forge.run(&["lock", "--update", "hello", "--dry-run"]).success().stdout;
    assert!(update.contains("~ hello/src commit "), "{update}");
}

#[test]
fn a_plugin_that_does_not_fit_its_host() {
    let forge = ours();
    workspace(&forge, "host", "package = 'hello'\nbins = ['hello']\n");
    let abi = "[abi]\nhost = 'host'\ncrates = ['itoa']\n";
    workspace(&forge, "plug", &format!("package = 'plug'\nlib = true\n{abi}"));
    cargo(&forge, "host", &["update", "--precise", "1.0.6", "itoa"]);
    cargo(&forge, "plug", &["update", "--precise", "1.0.5", "itoa"]);
    forge.run(&["lock"]).success();
    let run = forge.run(&["build", "plug"]).code(2).says("error: plug does not fit host, which loads it:");
    drop(run.says("  itoa: 1.0.5 here, 1.0.6 in host"));
    let waiver = format!("{abi}waivers = {{ itoa = 'no type of it crosses' }}\n");
    let recipe = forge.project().join("recipes/plug/recipe.toml");
    let text = fs::read_to_string(&recipe).unwrap();
    fs::write(&recipe, text.replace(abi, &waiver)).unwrap();
    forge.run(&["plan", "plug"]).success();
    fs::write(&recipe, format!("target-cpu = 'x86-64-v2'\n{}", text.replace(abi, &waiver))).unwrap();
    forge.run(&["lock"]).success();
    drop(forge.run(&["plan", "plug"]).code(2).says("target-cpu: `x86-64-v2` here, `x86-64-v3` there"));
}

#[test]
fn a_plugin_whose_crates_have_other_features() {
    let forge = ours();
    let abi = "[abi]\nhost = 'host'\ncrates = ['itoa']\n";
    workspace(&forge, "host", "package = 'hello'\nbins = ['hello']\n");
    workspace(&forge, "plug", &format!("package = 'plug'\nlib = true\n{abi}"));
    for (member, file, old, new) in [
        (
            "host",
            "hello/Cargo.toml",
            "[build-dependencies]",
            "[features]\nbare = ['itoa/no-panic']\n[build-dependencies]",
        ),
        ("plug", "plug/Cargo.toml", "itoa = '1'", "itoa = { version = '1', features = ['no-panic'] }"),
    ] {
        let path = forge.project().join("recipes").join(member).join(file);
        fs::write(&path, fs::read_to_string(&path).unwrap().replace(old, new)).unwrap();
        cargo(&forge, member, &["update", "--precise", "1.0.6", "itoa"]);
    }
    let lock = forge.run(&["lock"]).success().stdout;
    assert!(lock.contains("+ host/crates itoa 1.0.6 no features\n"), "{lock}");
    assert!(lock.contains("+ plug/crates itoa 1.0.6 no-panic\n"), "{lock}");
    let run = forge.run(&["build", "plug"]).code(2).says("error: plug does not fit host, which loads it:");
    drop(run.says("  itoa 1.0.6: feature no-panic here, not in host"));
    let recipe = forge.project().join("recipes/plug/recipe.toml");
    let text = fs::read_to_string(&recipe).unwrap();
    fs::write(&recipe, format!("{text}waivers = {{ 'itoa/no-panic' = 'has functions checked' }}\n")).unwrap();
    forge.run(&["plan", "plug"]).success();
    // What is asked of cargo is part of what the lock is for.
    let host = forge.project().join("recipes/host/recipe.toml");
    fs::write(&host, format!("features = ['bare']\n{}", fs::read_to_string(&host).unwrap())).unwrap();
    drop(forge.run(&["lock", "--check"]).code(2).says("host/crates has changed since it was locked"));
    let lock = forge.run(&["lock"]).success().stdout;
    assert!(lock.contains("~ host/crates itoa 1.0.6 no features → no-panic\n"), "{lock}");
    drop(forge.run(&["plan", "plug"]).code(2).says("itoa: feature no-panic is the same in both; drop"));
    fs::write(&recipe, &text).unwrap();
    forge.run(&["plan", "plug"]).success();
    fs::write(&recipe, text.replace(abi, "")).unwrap();
    drop(forge.run(&["lock", "--check"]).code(2).says("host/crates has changed").says("plug/crates has changed"));
    forge.run(&["lock"]).success();
    let lockfile = fs::read_to_string(forge.project().join("lockfile.toml")).unwrap();
    assert!(!lockfile.contains("\"itoa 1.0.6 no-panic\""), "{lockfile}");
}

#[test]
fn a_mirror_is_all_that_a_build_needs() {
    let forge = ours();
    workspace(&forge, "hello", "package = 'hello'\nbins = ['hello']\n");
    forge.run(&["lock"]).success();
    let (mirror, config) = (forge.folder().join("mirror"), forge.folder().join("mirrors.toml"));
    let copied = forge.run(&["mirror", mirror.to_str().unwrap(), "hello", "--json"]).success();
    assert!(
        copied.json().iter().any(|line| line["name"].as_str().unwrap().starts_with("itoa 1.")),
        "{}",
        copied.stdout
    );
    fs::write(&config, format!("digests = [{mirror:?}]\n")).unwrap();
    let (store, home) = (forge.folder().join("empty"), forge.folder().join("home"));
    fs::create_dir(&home).unwrap();
    let forge = forge.env("FORGE_STORE", store).env("FORGE_MIRRORS", config).env("CARGO_HOME", &home);
    without_network(&forge, "exec \"$1\" -C \"$2\" build hello").success();
    let output = Command::new(path(&forge, "hello/bin/hello")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "HELLO 2\n");
    assert_eq!(fs::read_dir(home).unwrap().count(), 0, "cargo was not asked");
}
