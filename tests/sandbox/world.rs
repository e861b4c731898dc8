//! What a command gets.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use forge::sandbox::{Error, Exit, Scratch, Spec, World, probe};

use super::house::{FORGE, House};

const FACTS: &str = "id -u; id -g; hostname; cat /proc/sys/kernel/domainname; umask; nproc; cat /proc/self/personality";

#[test]
fn the_fixed_world() {
    let house = House::new();
    let one = Spec { world: World { cpus: Some(1), ..World::default() }, ..house.sh(FACTS) };
    let (_, log) = house.run(&one).unwrap();
    assert_eq!(log, "1000\n1000\nlocalhost\n(none)\n0022\n1\n00040000\n");
}

#[test]
fn another_world() {
    let house = House::new();
    let world = World {
        uid: 1234,
        gid: 99,
        host_name: "elsewhere".to_owned(),
        umask: 0o002,
        aslr: true,
        cpus: Some(1),
        uname26: true,
        ..World::default()
    };
    let (_, log) = house.run(&Spec { world, ..house.sh(&format!("{FACTS}; uname -r | head -c 4")) }).unwrap();
    assert_eq!(log, "1234\n99\nelsewhere\n(none)\n0002\n1\n00020000\n2.6.");
}

#[test]
fn build_may_lie_in_memory() {
    let house = House::new();
    let script = "stat -f -c %T /build /out; stat -c '%a %u' /build; echo x >/build/x; echo y >/out/y";
    let world = World { scratch: Scratch::Memory, ..World::default() };
    let (exit, log) = house.run(&Spec { world, ..house.sh(script) }).unwrap();
    assert_eq!(exit, Exit::Code(0), "{log}");
    let (build, rest) = log.split_once('\n').unwrap();
    assert_eq!(build, "tmpfs");
    assert_eq!(rest.split_once('\n').unwrap().1, "755 1000\n");
    let exists = |name: &str| house.dir.path().join(name).exists();
    assert_eq!((exists("build/x"), exists("out/y")), (false, true));
}

#[test]
fn sources_and_dependencies() {
    let house = House::new();
    let at = |name: &str| house.dir.path().join(name);
    fs::create_dir(at("tree")).unwrap();
    fs::write(at("tree/a"), "in a tree\n").unwrap();
    fs::write(at("b"), "a file\n").unwrap();
    let mut spec = house.sh(
        "cat /src/tree/a /src/config /deps/lib/a; ls /src /deps; stat -c %a /src /deps /tmp; stat -c %Y /src /deps",
    );
    spec.sources = vec![("tree".to_owned(), at("tree")), ("config".to_owned(), at("b"))];
    spec.deps = vec![("lib".to_owned(), at("tree"))];
    let want =
        "in a tree\na file\nin a tree\n/deps:\nlib\n\n/src:\nconfig\ntree\n755\n755\n1777\n315619200\n315619200\n";
    assert_eq!(house.run(&spec).unwrap(), (Exit::Code(0), want.to_owned()));
}

#[test]
fn what_is_made_belongs_to_the_user_who_runs_forge() {
    use std::os::unix::fs::MetadataExt;
    let house = House::new();
    house.says("mkdir /out/d; echo x >/out/d/f; chmod 755 /out/d/f");
    let made = fs::metadata(house.dir.path().join("out/d/f")).unwrap();
    assert_eq!((made.uid(), made.gid()), (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw()));
    assert_eq!(made.mode() & 0o7777, 0o755);
}

#[test]
fn limits_are_the_same_everywhere() {
    let house = House::new();
    assert_eq!(house.says("ulimit -c; ulimit -n; ulimit -s"), "0\n4096\n8192\n");
    let (exit, log) = house.run(&house.sh("dd if=/dev/zero of=/tmp/big bs=1000 count=2000")).unwrap();
    assert!(exit != Exit::Code(0) && log.contains("No space left"), "/tmp is 1 MiB: {exit:?} {log}");
}

#[test]
fn terminals_and_devices_work() {
    let house = House::new();
    let log =
        house.says("head -c 3 /dev/zero | wc -c; echo x >/dev/null; echo y >/dev/stdout; : >/dev/ptmx; ls /dev/pts");
    assert_eq!(log, "3\ny\nptmx\n");
}

#[test]
fn both_streams_are_one() {
    let house = House::new();
    assert_eq!(house.says("echo a; echo b >&2; echo c"), "a\nb\nc\n");
}

#[test]
fn a_failed_step_is_named() {
    let house = House::new();
    let missing = Path::new("/nowhere/tree");
    let spec = Spec { sources: vec![("x".to_owned(), missing.to_owned())], ..house.sh("true") };
    let error = house.run(&spec).unwrap_err().to_string();
    assert!(error.contains("mounting /nowhere/tree (read-only) at new /src/x: No such file"), "{error}");
    let error = house.run(&Spec { cwd: "/build/none".to_owned(), ..house.sh("true") }).unwrap_err().to_string();
    assert!(error.contains("entering /build/none: No such file"), "{error}");
    let error = house.run(&house.spec(&["no-such-program"])).unwrap_err();
    assert!(matches!(error, Error::Command { .. }), "{error}");
    assert!(error.to_string().contains("no-such-program"), "{error}");
    let error = house.run(&Spec { argv: vec![], ..house.sh("") }).unwrap_err();
    assert!(matches!(error, Error::Command { .. }), "{error}");
}

#[test]
fn this_host_passes_the_probe() {
    let scratch = tempfile::tempdir().unwrap();
    let checks = probe(Path::new(FORGE), scratch.path());
    assert!(checks.iter().all(|check| check.ok && check.fix.is_empty()), "{checks:#?}");
    assert_eq!(checks.len(), 5);
}

#[test]
fn a_program_that_is_no_helper_is_an_error() {
    let scratch = tempfile::tempdir().unwrap();
    for program in ["/nowhere/forge", "/bin/true"] {
        let checks = probe(Path::new(program), scratch.path());
        assert!(!checks[0].ok && checks.len() == 1, "{checks:#?}");
    }
}

/// A helper on a host that forbids something: forge, started in a namespace where `forbid` was run before.
fn forbidding(scratch: &Path, forbid: &str) -> PathBuf {
    let program = scratch.join("helper");
    let script = format!("#!/bin/sh\nexec unshare --user --map-root-user --mount sh -c '{forbid}; exec {FORGE} '$1\n");
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    program
}

#[test]
fn what_a_host_forbids_is_named_with_the_setting() {
    for (forbid, name, fix) in [
        ("echo 0 >/proc/sys/user/max_user_namespaces", "user namespaces", "forbids user namespaces"),
        ("echo 0 >/proc/sys/user/max_net_namespaces", "user namespaces", "forbids user namespaces"),
        ("mount -t tmpfs none /proc/sys", "fresh /proc", "systempaths=unconfined"),
    ] {
        let scratch = tempfile::tempdir().unwrap();
        let checks = probe(&forbidding(scratch.path(), forbid), scratch.path());
        let (last, before) = checks.split_last().unwrap();
        assert!(before.iter().all(|check| check.ok), "{checks:#?}");
        assert_eq!((last.name, last.ok), (name, false), "{forbid}: {checks:#?}");
        assert!(last.fix.contains(fix), "{checks:#?}");
    }
}
