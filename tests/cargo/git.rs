//! A Cargo.lock that names packages of git repositories.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use forge::artifact::repository;
use forge::fetch::Git;
use forge::recipe::Rev;
use forge::store::{Output, Store};
use serde_json::Value;

use super::{UNIT, audited, ours, path};
use crate::fetch::git::Origin;
use crate::support::{Forge, Run};

/// A workspace whose packages have nearly everything from it; one has the name and version of a published crate.
const REPOSITORY: [(&str, &str); 10] = [
    (
        "Cargo.toml",
        "[workspace]\nmembers = ['crates/*']\nresolver = '2'\n[workspace.package]\nversion = '0.3.1'\n\
         edition = '2021'\nlicense = 'MIT'\nreadme = 'README.md'\nauthors = ['one', 'two']\nrust-version = '1.70'\n\
         [workspace.dependencies]\nlibc = { version = '0.2', default-features = false }\n\
         macros = { path = 'crates/macros', package = 'demo-macros' }\nitoa = '1'\n[workspace.lints.rust]\n\
         unused = 'allow'\n",
    ),
    (
        "crates/core/Cargo.toml",
        "[package]\nname = 'demo-core'\nversion.workspace = true\nedition = { workspace = true }\n\
         license.workspace = true\nreadme.workspace = true\nauthors.workspace = true\nrust-version.workspace = true\n\
         [lints]\nworkspace = true\n[features]\ndefault = ['fast']\nfast = ['dep:libc']\n[dependencies]\n\
         libc = { workspace = true, optional = true, features = ['extra_traits'] }\nmacros.workspace = true\n\
         helper = { path = '../helper', version = '0.3.1' }\n[target.'cfg(unix)'.dev-dependencies]\n\
         itoa = { workspace = true }\n",
    ),
    ("crates/core/build.rs", "fn main() { println!(\"cargo:rustc-env=BUILT=built\"); }\n"),
    (
        "crates/core/src/lib.rs",
        "pub fn words() -> String {\n    format!(\"{} {} {} {}\", macros::shout!(core), helper::HELP, env!(\"BUILT\"), \
         include_str!(\"../NOTES\").trim())\n}\n",
    ),
    ("crates/core/tests/all.rs", "#[test]\nfn all() {}\n"),
    (
        "crates/macros/Cargo.toml",
        "[package]\nname = 'demo-macros'\nversion.workspace = true\n[lib]\nproc-macro = true\n",
    ),
    (
        "crates/macros/src/lib.rs",
        "extern crate proc_macro;\n#[proc_macro]\npub fn shout(word: proc_macro::TokenStream) -> \
         proc_macro::TokenStream {\n    format!(\"{:?}\", word.to_string().to_uppercase()).parse().unwrap()\n}\n",
    ),
    ("crates/helper/Cargo.toml", "[package]\nname = 'helper'\nversion.workspace = true\n"),
    ("crates/helper/src/lib.rs", "pub const HELP: &str = \"help\";\n"),
    ("NOTES", "notes\n"),
];

/// What a fork of a published crate says.
const FORK: [(&str, &str); 2] = [
    ("crates/itoa/Cargo.toml", "[package]\nname = 'itoa'\nversion = '1.0.15'\n"),
    ("crates/itoa/src/lib.rs", "pub const FORK: &str = \"fork\";\n"),
];

const MAIN: &str = "fn main() {\n    println!(\"{} {} {}\", demo::words(), fork::FORK, \
                    itoa::Buffer::new().format(7));\n}\n";

/// The repository, with a tag.
fn origin() -> Origin {
    let origin = Origin::new();
    for (path, text) in REPOSITORY.iter().chain(&FORK) {
        origin.write(path, text.as_bytes());
    }
    symlink("../../NOTES", origin.path().join("crates/core/NOTES")).unwrap();
    origin.commit();
    origin.git(&["tag", "v1"]);
    origin
}

/// The host's cargo as the user has it, but for what it remembers of repositories.
fn cargo(folder: &Path, args: &[&str]) -> String {
    let home = tempfile::tempdir().unwrap();
    let users = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let users = users.unwrap_or_else(|| Path::new(&std::env::var_os("HOME").unwrap()).join(".cargo"));
    for name in ["registry", "config.toml", "credentials.toml"] {
        if users.join(name).exists() {
            symlink(users.join(name), home.path().join(name)).unwrap();
        }
    }
    let output = Command::new("cargo").args(args).current_dir(folder).env("CARGO_HOME", home.path()).output().unwrap();
    assert!(output.status.success(), "cargo {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A package that depends on those of the repository, with its Cargo.lock, in `folder`.
fn package(folder: &Path, origin: &Origin) {
    let manifest = format!(
        "[package]\nname = 'app'\nversion = '0.1.0'\nedition = '2021'\n[dependencies]\nitoa = '=1.0.15'\n\
         demo = {{ package = 'demo-core', git = '{url}', tag = 'v1' }}\n\
         fork = {{ package = 'itoa', git = '{url}', branch = 'main' }}\n",
        url = origin.url()
    );
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::write(folder.join("src/main.rs"), MAIN).unwrap();
    cargo(folder, &["generate-lockfile"]);
}

/// The unit `app`.
fn unit(forge: &Forge, origin: &Origin) -> PathBuf {
    unit_called("app", "", forge, origin)
}

/// A unit that builds the package, with these fields.
fn unit_called(name: &str, fields: &str, forge: &Forge, origin: &Origin) -> PathBuf {
    let folder = forge.project().join("recipes").join(name);
    package(&folder, origin);
    let source = "sources.src.path = ['Cargo.*', 'src/**']";
    forge.write(&format!("recipes/{name}/recipe.toml"), &format!("{UNIT}{source}\nbins = ['app']\n{fields}"));
    folder
}

#[test]
fn packages_of_a_workspace_in_a_repository() {
    let (forge, origin) = (ours(), origin());
    unit(&forge, &origin);
    let (url, commit) = (origin.url(), origin.git(&["rev-parse", "HEAD"]));
    let lock = forge.run(&["lock"]).success().stdout;
    assert!(lock.contains(&format!("+ {url} {commit} tree sha256:")) && lock.contains(", 4 from git"), "{lock}");
    let text = fs::read_to_string(forge.project().join("lockfile.toml")).unwrap();
    assert!(text.contains(&format!("\n  \"demo-core 0.3.1 {url} tag=v1 {commit}\",\n")), "{text}");
    assert!(text.contains(&format!("\n  \"itoa 1.0.15 {url} branch=main {commit}\",\n")), "{text}");
    forge.run(&["lock", "--check"]).success();
    assert_eq!(forge.run(&["lock"]).success().stdout, "");
    // The repository moves on: what is locked is built.
    origin.write("NOTES", b"other\n").commit();
    forge.run(&["build", "app"]).success();
    let output = Command::new(path(&forge, "app/bin/app")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "CORE help built notes fork 7\n");
    let program = fs::read(path(&forge, "app/bin/app")).unwrap();
    let list = audited(&object::File::parse(&*program).unwrap());
    assert!(list.contains("\"demo-core\"") && list.contains("\"source\":\"git\""), "{list}");
    let why = forge.run(&["why", "app", &url]).success().stdout;
    assert!(why.contains("app/crates"), "{why}");
    let why = forge.run(&["why", "app", "helper@0.3.1"]).success().stdout;
    assert!(why.contains(&format!("app/crates → helper 0.3.1 {url} tag=v1 {commit}")), "{why}");
    let mirror = forge.folder().join("mirror").display().to_string();
    let copied = forge.run(&["mirror", &mirror, "app", "--dry-run"]).success().stdout;
    assert!(copied.contains(&format!("{url} {commit}")), "{copied}");
}

#[test]
fn a_repository_that_only_a_mirror_has() {
    let (forge, origin) = (ours(), origin());
    let folder = unit(&forge, &origin);
    let url = "https://nowhere.invalid/demo";
    for file in ["Cargo.toml", "Cargo.lock"] {
        let text = fs::read_to_string(folder.join(file)).unwrap();
        fs::write(folder.join(file), text.replace(&origin.url(), url)).unwrap();
    }
    let mirrors = forge.folder().join("mirrors.toml");
    fs::write(&mirrors, format!("[git]\n\"{url}\" = [\"{}\"]\n", origin.path().display())).unwrap();
    drop(forge.run(&["lock"]).code(3).says("https://nowhere.invalid/demo: cannot fetch commit"));
    forge.env("FORGE_MIRRORS", mirrors).run(&["lock"]).success();
}

/// The run of `forge lock` once `change` was made to Cargo.lock.
fn locked(forge: &Forge, folder: &Path, change: impl Fn(&str) -> String) -> Run {
    let lock = folder.join("Cargo.lock");
    let text = fs::read_to_string(&lock).unwrap();
    fs::write(&lock, change(&text)).unwrap();
    let run = forge.run(&["lock"]).says("hint: this is the source `crates` of the unit `app`");
    fs::write(&lock, text).unwrap();
    run
}

#[test]
fn packages_of_repositories_that_can_not_be_pinned() {
    let (forge, origin) = (ours(), origin());
    let folder = unit(&forge, &origin);
    let commit = origin.git(&["rev-parse", "HEAD"]);
    let none = |text: &str| text.replace(&format!("#{commit}"), "");
    let run = locked(&forge, &folder, none).code(2).says("is from the git repository file://");
    drop(run.says(", at no commit: run `cargo update --workspace` there"));
    let absent = "0a".repeat(20);
    let run = locked(&forge, &folder, |text| text.replace(&commit, &absent)).code(3);
    drop(run.says(&format!("cannot fetch commit {absent}")).says("no branch or tag leads to this commit any more"));
    let gone =
        |text: &str| text.replace("name = \"helper\"\nversion = \"0.3.1\"", "name = \"helper\"\nversion = \"0.3.2\"");
    drop(locked(&forge, &folder, gone).code(2).says("helper 0.3.2: the repository has no such package at this commit"));
    origin.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},vendor/inner")]);
    origin.git(&["commit", "--quiet", "--message=x"]);
    let inner = origin.git(&["rev-parse", "HEAD"]);
    let run = locked(&forge, &folder, |text| text.replace(&commit, &inner)).code(2);
    drop(run.says("has submodules, which forge does not follow: vendor/inner"));
}

#[test]
fn packages_that_cross_between_a_program_and_a_plugin() {
    let (forge, origin) = (ours(), origin());
    unit(&forge, &origin);
    let abi = "abi = { host = 'app', crates = ['demo-core', 'helper', 'itoa'] }\n";
    let folder = unit_called("plug", abi, &forge, &origin);
    let old = origin.git(&["rev-parse", "HEAD"]);
    let lock = forge.run(&["lock"]).success().stdout;
    for line in ["demo-core 0.3.1#{} default,fast", "helper 0.3.1#{} no features", "itoa 1.0.15#{} no features"] {
        assert!(lock.contains(&format!("+ plug/crates {}\n", line.replace("{}", &old))), "{line}: {lock}");
    }
    assert!(lock.contains("+ plug/crates itoa 1.0.15 no features\n"), "{lock}");
    assert_eq!(forge.run(&["lock"]).success().stdout, "");
    forge.run(&["plan", "plug"]).success();
    let manifest = folder.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("tag = 'v1'", "tag = 'v1', default-features = false")).unwrap();
    cargo(&folder, &["generate-lockfile"]);
    forge.run(&["lock"]).success();
    let run = forge.run(&["plan", "plug"]).code(2).says("error: plug does not fit app, which loads it:");
    drop(run.says(&format!("  demo-core 0.3.1 of {old}: features default, fast in app, not here\n")));
    origin.write("NOTES", b"other\n").commit();
    origin.git(&["tag", "--force", "v1"]);
    let new = origin.git(&["rev-parse", "HEAD"]);
    cargo(&folder, &["update", "demo-core"]);
    forge.run(&["lock"]).success();
    let run = forge.run(&["plan", "plug"]).code(2);
    drop(run.says(&format!("  demo-core: 0.3.1 of {new} here, 0.3.1 of {old} in app\n")));
}

/// What cargo makes of the manifest in `folder`.
fn described(folder: &Path) -> Value {
    let text = cargo(folder, &["metadata", "--no-deps", "--format-version=1"]);
    let at = |folder: &Path| folder.display().to_string();
    let text = text.replace(&at(folder), "HERE").replace(&at(folder.parent().unwrap()), "ABOVE");
    let value: Value = serde_json::from_str(&text).unwrap();
    value["packages"][0].clone()
}

#[test]
fn manifests_mean_what_those_of_cargo_vendor_mean() {
    let (origin, folder) = (origin(), tempfile::tempdir().unwrap());
    // Cargo can't put both `itoa` into one folder.
    fs::remove_dir_all(origin.path().join("crates/itoa")).unwrap();
    origin.commit();
    origin.git(&["tag", "--force", "v1"]);
    let app = folder.path().join("app");
    fs::create_dir_all(app.join("src")).unwrap();
    fs::write(app.join("src/main.rs"), "fn main() {}\n").unwrap();
    let dependency = format!("demo-core = {{ git = '{}', tag = 'v1' }}", origin.url());
    fs::write(app.join("Cargo.toml"), format!("[package]\nname = 'app'\n[dependencies]\n{dependency}\n")).unwrap();
    cargo(&app, &["vendor", "--versioned-dirs"]);
    let store = Store::open(&folder.path().join("store")).unwrap();
    let git = Git::new([("PATH".to_owned(), std::env::var("PATH").unwrap())]);
    let (_, tree) = git.pin(&store, &origin.url(), &[origin.url()], &Rev::Tag("v1".to_owned())).unwrap();
    let packages = ["demo-core", "demo-macros", "helper"].map(|name| format!("{name} 0.3.1"));
    let taken = repository::assemble(&store, &Output::Tree(tree), &packages).unwrap();
    let taken = store.realise(&taken).unwrap();
    for package in packages.map(|package| package.replace(' ', "-")) {
        let (ours, theirs) = (taken.join(&package), app.join("vendor").join(&package));
        // A package of its own, as the folder of `app` is above it.
        let alone = folder.path().join(&package);
        fs::rename(&theirs, &alone).unwrap();
        assert_eq!(described(&ours), described(&alone), "{package}");
    }
    assert_eq!(fs::read_to_string(taken.join("demo-core-0.3.1/NOTES")).unwrap(), "notes\n");
}
