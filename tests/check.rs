//! `forge check`: planted leaks, each blamed on the right factor and file; what it costs, what is
//! kept, how it ends.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::Value;

use crate::support::running::Running;
use crate::support::{Forge, Run, boxed};

/// A unit's step; the factors that are to blame; the file that shows it.
const PLANTED: [(&str, &str, &[&str], &str); 17] = [
    ("cpus", "mkdir -p /out/out/bin; echo same > /out/out/a; nproc > /out/out/bin/x", &["cpus"], "out/bin/x"),
    ("clock", "date -u +%Y > /out/out", &["clock"], "out"),
    ("order", "ls -U /src/probe > /out/out", &["order"], "out"),
    ("features", "/src/probe/probe features > /out/out", &["features"], "out"),
    ("tmpfs", "stat -f -c %T /build > /out/out", &["tmpfs"], "out"),
    ("kernel", "uname -r > /out/out", &["kernel"], "out"),
    ("hostname", "uname -n > /out/out", &["hostname"], "out"),
    ("uid", "mkdir /out/out; id -u > /out/out/owner", &["uid"], "out/owner"),
    ("umask", "touch f; ls -l f | cut -c 1-10 > /out/out", &["umask"], "out"),
    ("aslr", "/src/probe/probe address > /out/out", &["aslr"], "out"),
    ("timezone", "date -d @0 +%R > /out/out", &["timezone"], "out"),
    ("locale", "echo $LC_ALL > /out/out", &["locale"], "out"),
    ("executable", "echo x > /out/out; [ $(id -u) != 1000 ] || chmod +x /out/out", &["uid"], "out"),
    ("member", "id -u > f; gzip -n f; mv f.gz /out/out", &["uid"], "out"),
    ("together", "[ $(id -u) = 1000 ] || [ $(umask) = 0022 ] || echo x > f; ls > /out/out", &["uid", "umask"], "out"),
    ("random", "head -c 16 /dev/urandom > /out/out", &[], "out"),
    ("now", "date +%N > /out/out", &[], "out"),
];

/// A project with these units; each finds the probe, and five files, in /src/probe.
fn project<'a>(units: impl IntoIterator<Item = (&'a str, &'a str)>) -> Forge {
    let forge = boxed::forge();
    let program = forge.project().join("recipes/probe");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/check/probe.c");
    let made = Command::new("cc").args(["-static", source, "-o"]).arg(program).status();
    assert!(made.expect("the tests need the C compiler that Rust links with").success());
    for name in ["a", "b", "c", "d", "e"] {
        forge.write(&format!("recipes/{name}.txt"), name);
    }
    for (name, step) in units {
        let step = toml::Value::from(step);
        let text =
            format!("toolroot = \"box\"\nsteps = [{step}]\nsources.probe = {{ path = [\"probe\", \"*.txt\"] }}\n");
        forge.write(&format!("recipes/{name}.toml"), &text);
    }
    forge
}

fn strings(values: &Value) -> Vec<&str> {
    values.as_array().unwrap().iter().map(|value| value.as_str().unwrap()).collect()
}

/// How many results the store has.
fn results(forge: &Forge) -> usize {
    let shards = fs::read_dir(forge.store().join("result")).unwrap();
    shards.map(|shard| fs::read_dir(shard.unwrap().path()).unwrap().count()).sum()
}

#[test]
fn every_planted_leak_is_blamed_on_its_factor() {
    let forge = project(PLANTED.iter().map(|(name, step, ..)| (*name, *step)));
    let names = PLANTED.map(|(name, ..)| name);
    let args = [&["check", "--offline", "--json"], &names[..]].concat();
    let lines = forge.run(&args).code(1).json();
    assert_eq!(lines.len(), PLANTED.len());
    for (name, _, factors, path) in PLANTED {
        let line = lines.iter().find(|line| line["name"] == name).unwrap();
        assert_eq!((&line["status"], strings(&line["factors"])), (&"differs".into(), factors.to_vec()), "{line}");
        assert_eq!(line["differences"][0]["path"], path, "{line}");
        let most = if factors.len() == 2 { 15 } else { 8 };
        assert!(line["rebuilds"].as_u64().unwrap() <= most, "{line}");
        let [first, second] = ["first", "second"].map(|side| line["differences"][0][side].as_str().unwrap());
        assert!(fs::exists(first).unwrap() && fs::exists(second).unwrap());
    }
}

#[test]
fn a_reproducible_unit_costs_one_rebuild_and_leaves_nothing() {
    let forge = project([("clean", "echo x > f; gzip f; ls > /out/out")]);
    forge.run(&["build", "--offline", "clean"]).success();
    let before = results(&forge);
    let run = forge
        .run(&["check", "--offline", "clean"])
        .success()
        .says("clean: rebuild 1 of 1: in a world where everything differs");
    assert!(run.stdout.starts_with("ok clean: reproducible ("), "{}", run.stdout);
    for _ in 0..2 {
        let line = &forge.run(&["check", "--offline", "--json", "clean"]).success().json()[0];
        assert_eq!((&line["status"], &line["rebuilds"]), (&"reproducible".into(), &1.into()), "every check asks anew");
    }
    assert_eq!(results(&forge), before);
    assert_eq!(fs::read_dir(forge.store().join("check")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(forge.store().join("tmp")).unwrap().count(), 0);
}

#[test]
fn a_toolroot_is_assembled_again() {
    let forge = boxed::forge();
    let line = &forge.run(&["check", "--json", "box"]).success().json()[0];
    assert_eq!((&line["status"], &line["rebuilds"]), (&"reproducible".into(), &1.into()), "{line}");
}

#[test]
fn a_rebuild_that_fails_is_a_finding() {
    let forge = project([("fails", "echo only for 1000; [ $(id -u) = 1000 ]; echo x > /out/out")]);
    let line = &forge.run(&["check", "--offline", "--json", "fails"]).code(1).json()[0];
    assert_eq!((&line["status"], strings(&line["factors"])), (&"differs".into(), vec!["uid"]));
    assert!(line["failures"][0]["error"].as_str().unwrap().contains("exit code 1"), "{line}");
    let run = forge.run(&["check", "--offline", "fails"]).code(1);
    assert!(
        run.stdout.contains("FAIL fails: fails by uid") && run.stdout.contains("| only for 1000"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_finding_says_where_and_what_to_do() {
    let forge = project([("owner", "mkdir /out/out; echo same > /out/out/a; id -u > /out/out/owner")]);
    let run = forge.run(&["check", "--offline", "owner"]).code(1);
    let run = run.says("hint: uid: write fixed owners").says("hint: forge gives this to every build alike");
    for words in [
        "FAIL owner: differs by uid: another user and group",
        "out/owner: line 1 differs",
        "want 1000",
        "got  4321",
        "(until `forge store gc`)",
    ] {
        assert!(run.stdout.contains(words), "no `{words}` in\n{}", run.stdout);
    }
    assert_eq!(fs::read_to_string(forge.project().join("result/owner/owner")).ok(), None, "a check links nothing");
    let built = forge.run(&["build", "--json", "owner"]).success().json();
    let path = built[0]["outputs"][0]["path"].as_str().unwrap();
    assert_eq!(
        (&built[0]["status"], fs::read_to_string(format!("{path}/owner")).unwrap()),
        (&"cached".into(), "1000\n".to_owned())
    );
}

#[test]
fn what_differs_by_itself_is_told_apart() {
    for (step, advice) in [
        ("head -c 32 /dev/urandom > /out/out", "hint: it looks random"),
        ("date +%s%N > /out/out", "hint: the time of the build is in it: take SOURCE_DATE_EPOCH"),
        // As of jobs that run side by side, whose bytes look like a time by chance: i is the high byte of 2026.
        (
            "[ $(nproc) = 1 ] || { head -c 3 /dev/urandom; echo -n i; } > /out/out; touch /out/out",
            "hint: two rebuilds on one processor came out alike",
        ),
    ] {
        let run = project([("moves", step)]).run(&["check", "--offline", "moves"]).code(1).says(advice);
        assert!(run.stdout.starts_with("FAIL moves: differs by itself, with nothing changed\n"), "{}", run.stdout);
    }
}

#[test]
fn only_the_factors_asked_for() {
    let forge = project([("owner", "id -u > /out/out")]);
    let check = |factors: &[&str]| forge.run(&[&["check", "--offline", "--json", "owner"], factors].concat());
    let line = &check(&["--factor", "umask,aslr", "hostname"]).success().json()[0];
    assert_eq!(strings(&line["varied"]), ["hostname", "umask", "aslr"]);
    let line = &check(&["--factor", "uid"]).code(1).json()[0];
    assert_eq!((strings(&line["factors"]), &line["rebuilds"]), (vec!["uid"], &2.into()));
    check(&["--factor", "umaks"]).code(2).says("there is no factor `umaks`").says("did you mean `umask`?");
    check(&["--factor", "uid", "owner"]).code(2).says("there is no factor `owner`").says("units stand before --factor");
    let help = forge.run(&["check", "--help"]).success().stdout;
    assert!(help.contains("  uid       another user and group\n"), "{help}");
}

#[test]
fn what_a_recipe_says_is_no_leak() {
    let forge = project([]);
    forge.write(
        "recipes/zone.toml",
        "toolroot = \"box\"\nsteps = [\"date -d @0 +%R > /out/out\"]\n[env]\nTZ = \"HERE-3\"\n",
    );
    let line = &forge.run(&["check", "--offline", "--json", "zone"]).success().json()[0];
    assert!(!strings(&line["varied"]).contains(&"timezone"), "{line}");
}

#[test]
fn an_interrupted_check_goes_on_where_it_was() {
    let steps = "case $(id -u) in 1000) ;; *) id -u > f;; esac; ls > /out/out";
    let forge = project([("slow", &*format!("sleep 0.3; {steps}"))]);
    let mut check = Running::start(forge.command(&["check", "--offline", "slow"]));
    check.until("slow: rebuild 4 of");
    check.interrupt();
    check.end().code(130).says("goes on with what was found out");
    assert_eq!(fs::read_dir(forge.store().join("tmp")).unwrap().count(), 0);
    let whole = {
        let other = project([("slow", steps)]);
        other.run(&["check", "--offline", "--json", "slow"]).code(1).json()[0]["rebuilds"].as_u64().unwrap()
    };
    let line = &forge.run(&["check", "--offline", "--json", "slow"]).code(1).json()[0];
    assert_eq!((strings(&line["factors"]), line["rebuilds"].as_u64().unwrap()), (vec!["uid"], whole - 3), "{line}");
    let again = &forge.run(&["check", "--offline", "--json", "slow"]).code(1).json()[0];
    assert_eq!((&again["rebuilds"], &again["differences"]), (&0.into(), &line["differences"]));
    let fresh = &forge.run(&["check", "--offline", "--json", "--fresh", "slow"]).code(1).json()[0];
    assert_eq!(fresh["rebuilds"], whole);

    forge.run(&["store", "gc"]).success();
    assert!(!fs::exists(again["differences"][0]["second"].as_str().unwrap()).unwrap());
    let swept = &forge.run(&["check", "--offline", "--json", "slow"]).code(1).json()[0];
    assert!((1..whole).contains(&swept["rebuilds"].as_u64().unwrap()), "what is lost is rebuilt: {swept}");
    assert_eq!(swept["differences"], line["differences"]);
}

#[test]
fn a_kill_costs_the_rebuild_that_went_on() {
    let forge = project([("slow", "sleep 0.3; id -u > /out/out")]);
    let mut check = Running::start(forge.command(&["check", "--offline", "slow"]));
    check.until("slow: rebuild 3 of");
    check.kill();
    let run = forge.run(&["check", "--offline", "slow"]).code(1);
    let numbers: BTreeSet<_> = run.stderr.matches("rebuild 1 of").collect();
    assert_eq!(numbers.len(), 1);
    assert!(!run.stderr.contains("everything differs") && !run.stderr.contains("the same world"), "{}", run.stderr);
}

#[test]
fn a_unit_that_can_not_be_built_is_no_good_either() {
    let forge = project([("bad", "echo broken; exit 3"), ("good", "echo x > /out/out")]);
    let run = forge.run(&["check", "--offline", "--json", "bad", "good"]).code(1).says("broken").says("exit code 3");
    let status: Vec<_> = run.json().iter().map(|line| (line["name"].clone(), line["status"].clone())).collect();
    assert_eq!(status, [("bad".into(), "failed".into()), ("good".into(), "reproducible".into())]);
    forge.run(&["check", "none"]).code(2).says("there is no unit `none`");
}

#[test]
fn diffoscope_is_asked_where_it_is_installed() {
    let forge = project([("owner", "id -u > /out/out")]);
    let run = |path: &str| {
        let args = ["check", "--offline", "owner", "--diffoscope", "--factor", "uid"];
        Run::of(forge.command(&args).env("PATH", path).output().unwrap(), &args)
    };
    run("/nowhere").code(3).says("diffoscope: No such file").says("or leave --diffoscope out");
    let tools = forge.folder().join("tools");
    fs::create_dir(&tools).unwrap();
    let script = tools.join("diffoscope");
    fs::write(&script, "#!/bin/sh\n[ $# = 1 ] || /bin/cat \"$2\" \"$3\"\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let stdout = run(tools.to_str().unwrap()).code(1).stdout;
    assert!(stdout.ends_with("\n1000\n4321\n"), "{stdout}");
}

#[test]
fn a_dry_run_says_what_would_be_done() {
    let forge = project([("clean", "echo x > /out/out")]);
    let run = forge.run(&["check", "--dry-run", "clean"]).success().says("would vary ");
    assert_eq!(run.stdout, "rebuild  clean\n");
    assert!(!forge.store().join("check").exists());
}
