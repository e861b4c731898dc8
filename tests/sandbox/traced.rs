//! Worlds with another clock and other directories: what programs see in them, and that all else is as ever.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use forge::sandbox::{Entries, Exit, Features, Limits, Spec, World};

use super::house::{House, lives, marker};

const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// Clock, directories and processor other than the machine's.
fn world() -> World {
    World { clock: YEAR, entries: Entries::Reversed, features: Features::Baseline, ..World::default() }
}

/// What a program says of the plain processor.
const PLAIN: &str = "\
GenuineIntel up to d
Intel Core Processor (Haswell, no TSX)
1: 306c1 3cd83201 78bfbff, 78bfbff 0
7: 128 0 0
avx2 1
bmi2 1
fma 1
aes 0
vaes 0
pclmul 0
gfni 0
avx512f 0
avx512vl 0
";

/// A folder for `/deps/c` with `traced.c`, static as `static` and dynamic as `dynamic`, and the C library.
fn programs(house: &House) -> PathBuf {
    let folder = house.dir.path().join("c");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("traced.c"), include_str!("traced.c")).unwrap();
    let dynamic = ["-Wl,--dynamic-linker=/deps/c/ld-linux-x86-64.so.2", "-Wl,-rpath,/deps/c"];
    let mixed = "-Wl,-z,noseparate-code"; // constants beside code
    for (name, options) in [
        ("static", &["-static"][..]),
        ("dynamic", &dynamic),
        ("library.so", &["-shared", "-fPIC"]),
        ("static-mixed", &["-static", mixed]),
        ("static-pie", &["-static-pie", "-fPIE"]),
        ("dynamic-mixed", &[&dynamic[..], &[mixed]].concat()),
        ("library-mixed.so", &["-shared", "-fPIC", mixed]),
    ] {
        let made = Command::new("cc")
            .current_dir(&folder)
            .args(["-O1", "-pthread", "-w", "-o", name, "traced.c"])
            .args(options)
            .status();
        assert!(made.expect("the tests need the C compiler that Rust links with").success());
    }
    for library in ["libc.so.6", "ld-linux-x86-64.so.2"] {
        let found = Command::new("cc").arg(format!("-print-file-name={library}")).output().unwrap().stdout;
        fs::copy(String::from_utf8(found).unwrap().trim(), folder.join(library)).unwrap();
    }
    folder
}

/// Takes the section headers from an ELF file, which runs without them.
fn strip_sections(file: &Path) {
    const OFFSET: std::ops::Range<usize> = 0x28..0x30;
    const COUNT_AND_NAMES: std::ops::Range<usize> = 0x3c..0x40;
    let mut bytes = fs::read(file).unwrap();
    [OFFSET, COUNT_AND_NAMES].into_iter().for_each(|place| bytes[place].fill(0));
    fs::write(file, bytes).unwrap();
}

/// Runs a script with `/deps/c` in another world.
fn run(house: &House, world: World, script: &str) -> (Exit, String) {
    let folder = house.dir.path().join("c");
    let folder = if folder.exists() { folder } else { programs(house) };
    let spec = Spec { world, deps: vec![("c".to_owned(), folder)], ..house.sh(script) };
    house.run(&spec).unwrap()
}

#[track_caller]
fn says(house: &House, world: World, script: &str) -> String {
    let (exit, log) = run(house, world, script);
    assert_eq!(exit, Exit::Code(0), "{script}\n{log}");
    log
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Whether all of some seconds are what a clock shows that is `ahead`.
#[track_caller]
fn assert_now(seconds: &str, ahead: Duration) {
    let (got, now) = (seconds.split_whitespace().map(|word| word.parse::<u64>().unwrap()), now() + ahead.as_secs());
    let got: Vec<u64> = got.collect();
    assert!(!got.is_empty() && got.iter().all(|&got| got.abs_diff(now) < 30), "want about {now}, got {got:?}");
}

#[test]
fn the_clock_is_ahead_for_every_program() {
    let house = House::new();
    let ways = "date +%s; for p in static dynamic; do for w in time time-in-thread time-after-fork date-from-thread; \
        do /deps/c/$p $w || exit 1; done; done";
    let later = says(&house, world(), ways);
    assert_eq!(later.lines().count(), 9, "{later}");
    assert_now(&later, YEAR);
    assert_now(&says(&house, World::default(), ways), Duration::ZERO);
}

#[test]
fn only_the_time_of_day_is_ahead() {
    let house = House::new();
    let spans = |world| says(&house, world, "/deps/c/dynamic spans").trim().parse::<u64>().unwrap();
    assert!(spans(world()).abs_diff(spans(World::default())) < 30);
    let log = says(&house, world(), "/deps/c/dynamic bad-address; cat /proc/uptime >/dev/null; sleep 0.01");
    assert_eq!(log, "-1 EFAULT\n");
}

#[test]
fn waits_for_a_moment_take_as_long_as_ever() {
    let house = House::new();
    let log = says(&house, world(), "/deps/c/dynamic moments; /deps/c/static moments");
    let (words, waits): (Vec<&str>, Vec<u64>) = log
        .lines()
        .map(|line| line.split_once(' ').unwrap())
        .map(|(word, wait)| (word, wait.parse::<u64>().unwrap()))
        .unzip();
    assert_eq!(words, ["OK", "ETIMEDOUT", "OK", "ETIMEDOUT"]);
    assert!(waits.iter().all(|wait| (99..5000).contains(wait)), "{log}");
}

#[test]
fn directories_are_read_the_other_way_round() {
    let house = House::new();
    let folder = house.dir.path().join("build/folder");
    fs::create_dir(&folder).unwrap();
    for name in ["one", "two", "three", "a-name-that-is-longer", "z"] {
        fs::write(folder.join(name), "").unwrap();
    }
    let list = "/deps/c/static list folder; /deps/c/dynamic list folder; ls folder | sort | tr '\\n' ' '";
    let (stored, turned) = (says(&house, World::default(), list), says(&house, world(), list));
    let (stored, turned): (Vec<&str>, Vec<&str>) = (stored.lines().collect(), turned.lines().collect());
    assert_eq!(stored.len(), 5);
    for (stored, turned) in stored[..4].iter().zip(&turned[..4]) {
        let mut names: Vec<&str> = turned.split_whitespace().collect();
        assert_eq!(names.len(), 7, "{turned}");
        names.reverse();
        assert_eq!(stored.split_whitespace().collect::<Vec<_>>(), names);
    }
    assert_eq!(stored[4], turned[4]);
    // A folder of many results is read whole.
    let many = "mkdir many; cd many; for n in $(seq 3000); do : >file-with-a-long-name-$n; done; ls -a | wc -l";
    assert_eq!(says(&house, world(), many), "3002\n");
}

#[test]
fn every_program_sees_a_plain_processor() {
    let house = House::new();
    for way in ["processor", "processor-in-thread", "processor-after-fork"] {
        for program in ["static", "dynamic"] {
            assert_eq!(says(&house, world(), &format!("/deps/c/{program} {way}")), PLAIN, "{program} {way}");
        }
    }
    assert_eq!(says(&house, world(), "/deps/c/dynamic library /deps/c/library.so"), "7: 128 0 0\n");
}

#[test]
fn only_code_is_changed() {
    let house = House::new();
    let folder = programs(&house);
    let tell = |programs: &[&str]| {
        for program in programs {
            let script = format!("/deps/c/{program} data; /deps/c/{program} processor");
            assert_eq!(says(&house, world(), &script), format!("0 changed\n{PLAIN}"), "{program}");
        }
        for library in ["library.so", "library-mixed.so"] {
            let log = says(&house, world(), &format!("/deps/c/dynamic-mixed library /deps/c/{library}"));
            assert_eq!(log, "7: 128 0 0\n", "{library}");
        }
    };
    tell(&["static", "static-mixed", "static-pie", "dynamic", "dynamic-mixed"]);
    // Nothing but sections leads to the functions of a static program at a fixed place.
    let others = ["static-pie", "dynamic", "dynamic-mixed"];
    for file in others.iter().chain(&["library.so", "library-mixed.so", "libc.so.6", "ld-linux-x86-64.so.2"]) {
        strip_sections(&folder.join(file));
    }
    tell(&others);
}

#[test]
fn the_machines_processor_is_seen_if_nothing_else_is_asked_for() {
    let house = House::new();
    let here = Command::new(programs(&house).join("static")).arg("processor").output().unwrap();
    let here = String::from_utf8(here.stdout).unwrap();
    let other = World { clock: YEAR, ..World::default() };
    for world in [World::default(), other] {
        assert_eq!(says(&house, world, "/deps/c/dynamic processor"), here);
    }
    assert_ne!(here, PLAIN);
}

#[test]
fn cpuinfo_shows_the_plain_processor() {
    let house = House::new();
    let world = World { cpus: Some(1), ..world() };
    let log = says(
        &house,
        world,
        "cat /proc/cpuinfo; stat -c '%a %Y' /proc/cpuinfo; ls /tmp; echo x 2>/dev/null >/proc/cpuinfo || echo refused",
    );
    assert!(log.starts_with("processor\t: 0\nvendor_id\t: GenuineIntel\n"), "{log}");
    assert!(log.contains(" movbe popcnt xsave avx f16c lahf_lm abm bmi1 avx2 bmi2\n"), "{log}");
    assert_eq!(log.matches("processor\t:").count(), 1);
    assert!(log.ends_with("\n\n444 315619200\nrefused\n"), "{log}");
}

/// Rust's own macro, in a program that its compiler makes here.
#[test]
fn rust_programs_see_a_plain_processor() {
    let house = House::new();
    let folder = programs(&house);
    let source = "fn main() {
        println!(\"{} {} {} {} {}\", is_x86_feature_detected!(\"avx2\"), is_x86_feature_detected!(\"aes\"),
            is_x86_feature_detected!(\"sha\"), is_x86_feature_detected!(\"vaes\"), is_x86_feature_detected!(\"avx512f\"));
    }";
    fs::write(folder.join("features.rs"), source).unwrap();
    let made =
        Command::new("rustc").current_dir(&folder).args(["-C", "target-feature=+crt-static", "features.rs"]).status();
    assert!(made.unwrap().success());
    assert_eq!(says(&house, world(), "/deps/c/features"), "true false false false false\n");
}

#[test]
fn a_traced_command_ends_as_ever() {
    let house = House::new();
    for (script, want, said) in [
        ("exit 7", Exit::Code(7), ""),
        ("kill -9 $$", Exit::Signal(9), ""),
        ("kill -9 1; kill -TERM 1; exit 3", Exit::Code(3), ""),
        ("exec /deps/c/dynamic segv", Exit::Signal(11), ""),
        ("/deps/c/static segv; echo $?", Exit::Code(0), "Segmentation fault\n139\n"),
        ("/deps/c/static halt; echo $?", Exit::Code(0), "Segmentation fault\n139\n"),
        ("/deps/c/dynamic catch", Exit::Code(0), "11\n5\n"),
        ("/deps/c/dynamic stop", Exit::Code(0), "stopped 1 by 19\nexited 7\n"),
        ("trap 'echo caught' TERM; kill -TERM $$", Exit::Code(0), "caught\n"),
        ("echo $$ $PPID; cd /proc; echo [0-9]*", Exit::Code(0), "2 1\n1 2\n"),
        ("sleep 0.1 & kill -STOP $!; kill -CONT $!; wait $!; echo $?", Exit::Code(0), "0\n"),
        (
            "(setsid sh -c '(sleep 0.05 &)' &); n=9; while [ $n != 2 ]; do sleep 0.02; set -- /proc/[0-9]*; n=$#; done; \
             echo reaped",
            Exit::Code(0),
            "reaped\n",
        ),
    ] {
        let (exit, log) = run(&house, world(), script);
        assert_eq!((exit, log.as_str()), (want, said), "{script}");
    }
}

#[test]
fn storms_end_well() {
    let house = House::new();
    let log = says(
        &house,
        world(),
        "for n in 1 2 3 4; do (for m in $(seq 20); do /bin/true & done; wait; date +%s >/dev/null) & done; wait; \
         /deps/c/static storm && /deps/c/dynamic storm && echo well",
    );
    assert_eq!(log, "well\n");
}

#[test]
fn a_traced_sandbox_dies_whole() {
    let (house, marker) = (House::new(), marker());
    let limits = Limits { timeout: Duration::from_millis(300), tmp_bytes: 4096 };
    let script = format!("echo begun; setsid sleep {marker} & sleep {marker} & while :; do date >/dev/null; done");
    let start = Instant::now();
    let spec = Spec { limits, world: world(), ..house.sh(&script) };
    assert_eq!(house.run(&spec).unwrap(), (Exit::TimedOut, "begun\n".to_owned()));
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(!lives(&marker));
}

#[test]
fn what_is_refused_is_refused_to_the_traced_too() {
    let house = House::new();
    let calls = ["ptrace", "mount", "unshare", "setxattr", "clone3", "look-at-init"];
    let plain = house.run(&house.spec(&[&["probe"], &calls[..]].concat())).unwrap();
    let traced = Spec { world: world(), ..house.spec(&[&["probe"], &calls[..]].concat()) };
    assert_eq!(house.run(&traced).unwrap(), plain);
    let error = house.run(&Spec { world: world(), ..house.spec(&["no-such-program"]) }).unwrap_err().to_string();
    assert!(error.contains("running `no-such-program`: No such file"), "{error}");
}

/// The machine's own compiler, in a root of links to it.
#[test]
fn a_compiler_works_in_it() {
    let house = House::new();
    let root = tempfile::tempdir().unwrap();
    for name in ["build", "out", "src", "deps", "tmp", "proc", "dev"] {
        fs::create_dir(root.path().join(name)).unwrap();
    }
    for (name, target) in
        [("usr", "deps/usr"), ("bin", "deps/usr/bin"), ("lib", "deps/usr/lib"), ("lib64", "deps/usr/lib64")]
    {
        std::os::unix::fs::symlink(target, root.path().join(name)).unwrap();
    }
    fs::write(house.dir.path().join("build/traced.c"), include_str!("traced.c")).unwrap();
    let build = |world: World| {
        let script = "gcc -pipe -O1 -g -pthread -o traced traced.c && sha256sum traced && ./traced time-in-thread && \
            gcc -march=native -dM -E - </dev/null | grep -oE '__(AES|SHA|VAES|PCLMUL|GFNI|AVX2|AVX512F)__ 1' >native";
        let spec = Spec {
            root: root.path().to_owned(),
            deps: vec![("usr".to_owned(), Path::new("/usr").to_owned())],
            world: world.clone(),
            ..house.sh(script)
        };
        let (exit, log) = house.run(&spec).unwrap();
        assert_eq!(exit, Exit::Code(0), "{log}");
        let native = fs::read_to_string(house.dir.path().join("build/native")).unwrap();
        assert!(world.features == Features::Host || native == "__AVX2__ 1\n", "{native}");
        let (sum, time) = log.split_once('\n').unwrap();
        (sum.to_owned(), time.to_owned())
    };
    let ((plain, today), (traced, later)) = (build(World::default()), build(world()));
    assert_eq!(plain, traced);
    assert_now(&today, Duration::ZERO);
    assert_now(&later, YEAR);
}
