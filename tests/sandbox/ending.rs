//! How commands end, and that nothing outlives them.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use forge::sandbox::{Error, Exit, Jobserver, Limits, Spec};

use super::house::{House, lives, marker, within};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn exit_codes_and_signals() {
    let house = House::new();
    for (script, want) in [
        ("exit 0", Exit::Code(0)),
        ("exit 7", Exit::Code(7)),
        ("exit 255", Exit::Code(255)),
        ("kill -9 $$", Exit::Signal(9)),
        ("kill -TERM $$", Exit::Signal(15)),
        ("kill -9 1; kill -TERM 1; exit 3", Exit::Code(3)),
        ("kill -9 0", Exit::Signal(9)),
    ] {
        assert_eq!(house.run(&house.sh(script)).unwrap().0, want, "{script}");
    }
}

#[test]
fn a_daemon_ends_with_its_build() {
    let (house, marker) = (House::new(), marker());
    let log = house.says(&format!("(setsid sh -c '(sleep {marker} >/dev/null 2>&1 &)' &); sleep 0.2; echo done"));
    assert_eq!(log, "done\n");
    assert!(!lives(&marker));
}

#[test]
fn a_timeout_kills_all() {
    let (house, marker) = (House::new(), marker());
    let limits = Limits { timeout: Duration::from_millis(300), tmp_bytes: 4096 };
    let spec = Spec { limits, ..house.sh(&format!("echo begun; setsid sleep {marker} & sleep {marker}")) };
    let start = Instant::now();
    assert_eq!(house.run(&spec).unwrap(), (Exit::TimedOut, "begun\n".to_owned()));
    assert!(start.elapsed() < 2 * SECOND);
    assert!(!lives(&marker));
}

#[test]
fn cancel_kills_all() {
    let (house, marker) = (House::new(), marker());
    let spec = house.sh(&format!("trap '' TERM INT; setsid sleep {marker} & sleep {marker}"));
    let (exit, _) = house.run_with(&spec, None, &|| lives(&marker)).unwrap();
    assert_eq!(exit, Exit::Cancelled);
    assert!(!lives(&marker));
}

#[test]
fn four_at_once() {
    let house = House::new();
    let start = Instant::now();
    std::thread::scope(|scope| {
        for number in 0..4 {
            let house = &house;
            scope.spawn(move || {
                for _ in 0..10 {
                    assert_eq!(house.says(&format!("sleep 0.1; echo {number}")), format!("{number}\n"));
                }
            });
        }
    });
    assert!(start.elapsed() < 4 * SECOND, "one after another they sleep for 4 s");
}

/// Plays both parts: the forge that is killed is this test, started again with `PART` set.
#[test]
fn a_killed_forge_leaves_nothing() {
    const PART: &str = "FORGE_TEST_KILLED";
    if let Ok(marker) = std::env::var(PART) {
        let house = House::new();
        panic!("{:?}", house.run(&house.sh(&format!("setsid sleep {marker} & sleep {marker}"))));
    }
    let marker = marker();
    let mut forge = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sandbox::ending::a_killed_forge_leaves_nothing"])
        .env(PART, &marker)
        .spawn()
        .unwrap();
    let begun = within(20 * SECOND, || lives(&format!("sleep\0{marker}")));
    forge.kill().unwrap();
    forge.wait().unwrap();
    assert!(begun);
    assert!(within(SECOND, || !lives(&marker)));
}

#[test]
fn a_killed_helper_takes_its_sandboxes_along() {
    let (house, marker) = (House::new(), marker());
    let killed = AtomicBool::new(false);
    let kill = || {
        if lives(&format!("sleep\0{marker}")) && !killed.swap(true, Ordering::Relaxed) {
            let helper = rustix::process::Pid::from_raw(house.launcher.helper_id().cast_signed()).unwrap();
            rustix::process::kill_process(helper, rustix::process::Signal::KILL).unwrap();
        }
        false
    };
    let error = house.run_with(&house.sh(&format!("sleep {marker}")), None, &kill).unwrap_err();
    assert!(matches!(error, Error::HelperDied), "{error}");
    assert!(!lives(&marker));
    assert!(matches!(house.run(&house.sh("true")), Err(Error::HelperDied)));
}

#[test]
fn tokens_come_back_after_a_kill() {
    let (house, jobs) = (House::new(), Jobserver::new(4));
    let take = |count: usize| format!("dd if=/dev/jobserver bs=1 count={count} 2>/dev/null; echo; echo $MAKEFLAGS");
    let want = (Exit::Code(0), "+++\n-j --jobserver-auth=fifo:/dev/jobserver\n".to_owned());
    // It takes all three that are lent and gives none back.
    assert_eq!(house.run_with(&house.sh(&take(3)), Some(&jobs), &|| false).unwrap(), want);
    // It wants a fourth, which is the sandbox itself, and is killed holding three.
    let limits = Limits { timeout: SECOND, tmp_bytes: 4096 };
    let greedy = Spec { limits, ..house.sh(&take(4)) };
    assert_eq!(house.run_with(&greedy, Some(&jobs), &|| false).unwrap().0, Exit::TimedOut);
    assert_eq!(house.run_with(&house.sh(&take(3)), Some(&jobs), &|| false).unwrap(), want);
}
