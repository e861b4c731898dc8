//! Whatever happens to forge, to its disk or beside it: the store stays sound, nobody unlocks
//! anything, and the next build ends with the same digests.

mod damage;
mod death;
mod disk;
mod together;

use std::collections::BTreeMap;
use std::fs;
use std::sync::OnceLock;
use std::time::Duration;

use crate::support::running::{Running, processes, within};
use crate::support::{Forge, Run, boxed};

/// After this a child that still lives has outlived its build.
const GRACE: Duration = Duration::from_secs(2);

/// What a store's folder may hold.
const LAYOUT: &[&str] = &[
    "boot",
    "check",
    "dir",
    "exec",
    "failed",
    "file",
    "format",
    "index",
    "last",
    "last-build",
    "last-test",
    "lock",
    "log",
    "partial",
    "quarantine",
    "result",
    "roots",
    "shell",
    "times",
    "tmp",
    "tree",
];

/// Unit → output → digest.
type Digests = BTreeMap<String, BTreeMap<String, String>>;

/// A project of four units: `a` copies a source, `spin` keeps a processor busy, `many` makes 200
/// files, and `all` reads them. Every process of a step is known by the project's folder.
fn project(forge: Forge) -> Forge {
    let mark = format!("[env]\nMARK = \"{}\"\n", forge.folder().display());
    let unit = |name: &str, step: &str, rest: &str| {
        forge.write(
            &format!("recipes/{name}.toml"),
            &format!("toolroot = \"box\"\nsteps = [\'{step}\']\n{rest}\n{mark}"),
        );
    };
    forge.write("recipes/a.txt", "one\n").write("recipes/unread.txt", "unread\n");
    unit("a", "cat /src/src/a.txt > /out/out", "[sources]\nsrc = { path = [\"a.txt\", \"unread.txt\"] }");
    unit("spin", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo $i > /out/out", "");
    unit("many", "mkdir -p /out/out/d; for i in $(seq 200); do echo $i > /out/out/d/$i; done", "");
    unit(
        "all",
        "mkdir /out/out /out/extra; cat /deps/a /deps/spin /deps/many/d/* > /out/out/all; cp -r /deps/many /out/extra/",
        "default = true\noutputs = [\"out\", \"extra\"]\n[deps]\na = \"a\"\nspin = \"spin\"\nmany = \"many\"",
    );
    forge
}

/// The digests that a run printed.
fn digests(run: &Run) -> Digests {
    let outputs = |unit: &serde_json::Value| {
        let outputs = unit["outputs"].as_array().unwrap().iter();
        outputs.map(|output| (text(&output["name"]), text(&output["digest"]))).collect()
    };
    run.json().iter().map(|unit| (text(&unit["name"]), outputs(unit))).collect()
}

fn text(value: &serde_json::Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// What a build of [`project`] makes that nobody disturbs.
fn undisturbed() -> &'static Digests {
    static DIGESTS: OnceLock<Digests> = OnceLock::new();
    DIGESTS.get_or_init(|| digests(&project(boxed::forge()).run(BUILD).success()))
}

/// Builds [`project`]; the network is of no help.
const BUILD: &[&str] = &["build", "--offline", "--json", "--all"];

/// Expects a sound store, and a build as if nothing had happened.
fn recovers(forge: &Forge, what: &str) {
    let fsck = forge.run(&["store", "fsck"]);
    assert_eq!((fsck.exit(), &*fsck.stdout), (Some(0), ""), "{what}: {}", fsck.stderr);
    // Nothing more happens to this store, so it need not wait for the disk.
    let mut build = forge.command(BUILD);
    build.env("FORGE_NO_SYNC", "1");
    let build = Running::start(build).end();
    assert_eq!(build.exit(), Some(0), "{what}: {}", build.stderr);
    assert_eq!(digests(&build), *undisturbed(), "{what}");
    let left: Vec<_> = names(forge, "").into_iter().filter(|name| !LAYOUT.contains(&name.as_str())).collect();
    assert_eq!((left, names(forge, "tmp")), (vec![], vec![]), "{what}: left behind");
}

/// The names in a folder of the store.
fn names(forge: &Forge, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(forge.store().join(folder)).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Expects that no process of this forge lives on.
fn nothing_survives(forge: &Forge, what: &str) {
    let word = forge.folder().to_str().unwrap();
    assert!(within(GRACE, || processes(word).is_empty()), "{what}: {:?}", processes(word));
}
