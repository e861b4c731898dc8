//! Several processes use one store at the same time.

use std::collections::BTreeMap;

use super::{BUILD, digests, project, recovers, text, undisturbed};
use crate::support::boxed;
use crate::support::running::Running;

#[test]
fn two_builds_share_the_work() {
    let forge = project(boxed::forge());
    let builds = [(), ()].map(|()| Running::start(forge.command(BUILD)));
    let runs = builds.map(|build| build.end().success());
    let mut built = BTreeMap::<String, u32>::new();
    for run in &runs {
        assert_eq!(digests(run), *undisturbed());
        for unit in run.json() {
            *built.entry(text(&unit["name"])).or_default() += u32::from(unit["status"] == "built");
        }
    }
    let once = |name: &str| (name.to_owned(), u32::from(name != "box"));
    assert_eq!(built, BTreeMap::from(["a", "all", "box", "many", "spin"].map(once)), "{}", runs[1].stderr);
    recovers(&forge, "two builds");
}

#[test]
fn who_waits_for_another_build_can_be_stopped() {
    let forge = project(boxed::forge());
    forge.write("recipes/forever.toml", "toolroot = \"box\"\nsteps = [\"while :; do :; done\"]\n");
    let start = || Running::start(forge.command(&["build", "--offline", "forever"]));
    let mut first = start();
    first.until("forever: started");
    let mut second = start();
    second.until("forever: another forge builds this; waiting for it");
    second.interrupt();
    second.end().code(130);
    first.interrupt();
    first.end().code(130);
    recovers(&forge, "stopped while waiting");
}

#[test]
fn gc_leaves_a_build_alone() {
    let forge = project(boxed::forge());
    let mut build = Running::start(forge.command(BUILD));
    while build.lives() {
        let gc = forge.run(&["store", "gc"]);
        assert!(gc.exit() == Some(0) || gc.stderr.contains("another forge works in the store"), "{}", gc.stderr);
    }
    assert_eq!(digests(&build.end().success()), *undisturbed());
    recovers(&forge, "gc beside a build");
}
