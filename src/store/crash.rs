//! Kills a process at every fault point, and runs others under a hostile umask or beside each
//! other. The processes are this test binary itself, started for the one test [`child`].

use std::ops::ControlFlow;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::SystemTime;

use rustix::fs::Mode;

use super::fixture::{result, sample, setup};
use super::{Policy, Progress, Store, fault};
use crate::digest::Digest;

const DIR: &str = "STORE_TEST_DIR";
const FAULT: &str = "STORE_TEST_FAULT";

/// What one process does: everything that has a fault point. Idempotent.
fn work(dir: &Path) {
    let store = Store::open_with(&dir.join("store"), &setup("one")).expect("opens");
    let key = Digest::of(b"key");
    let _lock = store.lock(&key).expect("locks");
    if store.result(&key).expect("looks").is_none() {
        let scratch = store.scratch().expect("scratch");
        let path = scratch.path().join("out");
        sample(&path);
        let output = store.import(&path).expect("imports");
        store.record(&key, &result(output)).expect("records");
        store.commit().expect("commits");
    }
    store.put(b"garbage").expect("puts");
    for output in store.result(&key).expect("looks").expect("there").outputs.values() {
        store.realise(output).expect("realises");
    }
}

fn quiet(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// A policy that keeps results and takes garbage.
fn policy() -> Policy {
    let day = std::time::Duration::from_secs(24 * 60 * 60);
    Policy { now: SystemTime::now(), older_than: Some(day), quota: None }
}

/// Not a test of its own: what the processes run that the tests below start.
#[test]
fn child() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    rustix::process::umask(Mode::from_raw_mode(0o077));
    if let Ok(point) = std::env::var(FAULT) {
        fault::arm(&point).expect("a point");
    }
    work(dir.as_ref());
    // Beside another process it is refused, which is right too.
    let mut store = Store::open_with(&Path::new(&dir).join("store"), &setup("one")).expect("opens");
    let _ = store.gc(&policy(), &quiet);
}

fn start(dir: &Path, point: Option<&str>) -> Child {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args(["--exact", "store::crash::child"]).env(DIR, dir).stdout(Stdio::null()).stderr(Stdio::null());
    if let Some(point) = point {
        command.env(FAULT, point);
    }
    command.spawn().expect("starts")
}

/// Opens the store, looks it over, and says the digest of what was made.
fn inspect(dir: &Path, boot: &str) -> Digest {
    let mut store = Store::open_with(&dir.join("store"), &setup(boot)).expect("needs no unlock");
    assert_eq!(store.fsck(&quiet).expect("looks").findings, []);
    let own = format!("{}-", std::process::id());
    let others = |name: &String| !name.starts_with(&own);
    assert_eq!(store.disk.names("tmp").expect("reads").iter().find(|name| others(name)), None, "scratch of the dead");
    let result = store.result(&Digest::of(b"key")).expect("looks").expect("there");
    let output = result.outputs["out"];
    store.realise(&output).expect("whole");
    output.digest()
}

#[test]
fn death_at_every_point_costs_only_work() {
    let dir = tempfile::tempdir().expect("a directory");
    assert!(start(dir.path(), None).wait().expect("ends").success());
    let want = inspect(dir.path(), "one");
    for point in fault::POINTS {
        for spec in [(*point).to_owned(), format!("{point}:2")] {
            let dir = tempfile::tempdir().expect("a directory");
            let status = start(dir.path(), Some(&spec)).wait().expect("ends");
            assert_eq!(status.signal(), (spec == *point || !status.success()).then_some(9), "{spec}");
            for boot in ["one", "two"] {
                let mut store = Store::open_with(&dir.path().join("store"), &setup(boot)).expect("opens");
                assert_eq!(store.fsck(&quiet).expect("looks").findings, [], "{spec}");
            }
            assert!(start(dir.path(), None).wait().expect("ends").success(), "{spec}");
            assert_eq!(inspect(dir.path(), "one"), want, "{spec}");
            assert_eq!(inspect(dir.path(), "two"), want, "{spec}");
        }
    }
}

#[test]
fn the_umask_has_no_influence() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = Store::open_with(&dir.path().join("here"), &setup("one")).expect("opens");
    sample(&dir.path().join("tree"));
    let want = store.import(&dir.path().join("tree")).expect("imports");
    assert!(start(dir.path(), None).wait().expect("ends").success());
    assert_eq!(inspect(dir.path(), "one"), want.digest());
}

#[test]
fn processes_work_side_by_side() {
    let dir = tempfile::tempdir().expect("a directory");
    let children: Vec<_> = (0..4).map(|_| start(dir.path(), None)).collect();
    for mut child in children {
        assert!(child.wait().expect("ends").success());
    }
    inspect(dir.path(), "one");
}
