//! A toolroot for tests: a shell and coreutils from the real archive, locked and built once.
//!
//! The first test that wants it locks and builds it in `CARGO_TARGET_TMPDIR/box`; later ones, and
//! later runs, get copies: hard links to its store, and its lockfile.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{FORGE, Forge, copy_real, copy_tree, mirrors};

/// The recipe of the toolroot, which every test project has.
const RECIPE: &str = r#"
kind = "toolroot"
archive = "debian"
packages = ["coreutils", "dash", "findutils", "grep", "gzip"]
essential = false
ignore-alternatives = ["which"]
trim = ["usr/lib/x86_64-linux-gnu/gconv", "usr/share/doc", "usr/share/locale", "usr/share/man"]
"#;

/// Where the toolroot's project and store are kept between runs.
fn home() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("box")
}

/// A project with the toolroot `box` locked, and a store in which it is built.
pub fn forge() -> Forge {
    let forge = Forge::new();
    recipes(&forge.project());
    let home = home();
    prepare(&home);
    fs::copy(home.join("project/lockfile.toml"), forge.project().join("lockfile.toml")).unwrap();
    copy_tree(&home.join("store"), &forge.store());
    // Links to the same locks would have the stores of all tests wait for each other.
    fs::remove_dir_all(forge.store().join("lock")).unwrap();
    forge
}

/// The recipes that every test project has.
fn recipes(project: &Path) {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes");
    fs::create_dir_all(project.join("recipes")).unwrap();
    fs::copy(ours.join("debian.toml"), project.join("recipes/debian.toml")).unwrap();
    // A link more would be a change of the files of every other test.
    copy_real(&ours.join("keys"), &project.join("recipes/keys"));
    fs::write(project.join("recipes/box.toml"), RECIPE).unwrap();
}

/// Locks and builds the toolroot unless that was done; one process at a time.
fn prepare(home: &Path) {
    fs::create_dir_all(home.join("project")).unwrap();
    let lock = File::create(home.join("lock")).unwrap();
    lock.lock().unwrap();
    recipes(&home.join("project"));
    for args in [&["lock"][..], &["build", "box"]] {
        let mut command = Command::new(FORGE);
        command.env("FORGE_STORE", home.join("store")).arg("-C").arg(home.join("project")).args(args);
        let output = mirrors(&mut command).output().unwrap();
        assert!(
            output.status.success(),
            "the tests' toolroot can't be made (is there a network and a Debian mirror?): forge {}\n{}",
            args.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
