//! forge is killed, or stopped by its user.

use std::time::{Duration, Instant};
use std::{fs, thread};

use forge::digest::Digest;
use forge::store::fault;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rustix::process::{Signal, kill_process};

use super::{BUILD, names, nothing_survives, project, recovers};
use crate::support::running::{Running, processes, within};
use crate::support::{Forge, boxed};

/// Points that no build passes, and who passes them.
const ELSEWHERE: &[(&str, &[&str])] = &[("sweep.removed", &["store", "gc"])];

/// Points that are worth a death in the midst of many passages.
const LATER: &[&str] =
    &["write.placed:7", "import.moved:90", "checkout.linked:120", "commit.renamed:2", "sweep.removed:4"];

/// How often a build is killed at a random time.
const KILLS: u32 = 8;

/// The verb that passes a fault point; `forge` is made ready for it.
fn passing(forge: &Forge, point: &str) -> &'static [&'static str] {
    if point == "create.format" {
        // As a death at this very point leaves it; the file is a link to another store's.
        let format = forge.store().join("format");
        fs::remove_file(&format).unwrap();
        fs::write(format, "").unwrap();
    }
    if point.starts_with("sweep") {
        garbage(forge);
    }
    ELSEWHERE.iter().find(|(other, _)| point.starts_with(other)).map_or(BUILD, |(_, verb)| verb)
}

/// Objects that no result names.
fn garbage(forge: &Forge) {
    for text in ["one", "two", "three", "four", "five"] {
        let name = Digest::of(text.as_bytes()).hex();
        let path = forge.store().join("file").join(&name[..2]).join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

#[test]
fn at_every_fault_point() {
    for point in fault::POINTS.iter().chain(LATER) {
        let forge = project(boxed::forge());
        let verb = passing(&forge, point);
        let mut command = forge.command(verb);
        command.env("FORGE_FAULT", point);
        let run = Running::start(command).end();
        assert_eq!(run.exit(), None, "`forge {}` does not pass {point}", verb.join(" "));
        recovers(&forge, point);
    }
}

#[test]
fn at_random_times() {
    let seed = std::env::var("CRASH_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    eprintln!("CRASH_SEED={seed} repeats these times");
    let mut random = StdRng::seed_from_u64(seed);
    let whole = Instant::now();
    project(boxed::forge()).run(BUILD).success();
    let whole = whole.elapsed();
    for _ in 0..KILLS {
        let forge = project(boxed::forge()).own_program();
        let delay = whole.mul_f64(random.r#gen());
        let what = format!("killed after {delay:?} of {whole:?}");
        let build = Running::start(forge.command(BUILD));
        thread::sleep(delay);
        build.kill();
        // At once, while the dead one's children are still dying.
        recovers(&forge, &what);
        nothing_survives(&forge, &what);
    }
}

/// A project whose unit `forever` reads `a` and does not end.
fn endless() -> Forge {
    let forge = project(boxed::forge().own_program());
    let mark = forge.folder().display().to_string();
    let text = format!(
        "toolroot = \"box\"\nsteps = [\"while :; do :; done\"]\n[deps]\na = \"a\"\nmany = \"many\"\n[env]\nMARK = \"{mark}\"\n"
    );
    forge.write("recipes/forever.toml", &text);
    forge
}

#[test]
fn ctrl_c_keeps_what_is_finished() {
    let forge = endless();
    let mut build = Running::start(forge.command(&["build", "--offline", "forever"]));
    build.until("forever: started");
    build.interrupt();
    build.end().code(130).says("interrupted; what was finished is kept");
    nothing_survives(&forge, "Ctrl-C");
    let finished = forge.run(&["build", "--offline", "--json", "a", "many"]).success().json();
    assert!(finished.iter().all(|unit| unit["status"] == "cached"), "{finished:?}");
    assert_eq!(names(&forge, "tmp"), Vec::<String>::new());
    recovers(&forge, "Ctrl-C");
}

/// A helper that hangs keeps forge from ending well.
#[test]
fn a_second_ctrl_c_ends_at_once() {
    let forge = endless();
    let mut build = Running::start(forge.command(&["build", "--offline", "forever"]));
    build.until("forever: started");
    let word = forge.folder().to_str().unwrap();
    let helpers = || processes(word).into_iter().filter(|(_, line)| line.contains("\0sandbox-helper"));
    assert!(within(Duration::from_secs(10), || helpers().next().is_some()));
    let stopped: Vec<_> = helpers().map(|(pid, _)| pid).collect();
    stopped.iter().for_each(|pid| kill_process(*pid, Signal::STOP).unwrap());
    build.interrupt();
    thread::sleep(Duration::from_millis(300));
    assert!(build.lives(), "it waits for its sandboxes");
    build.interrupt();
    let pressed = Instant::now();
    build.end().code(130);
    assert!(pressed.elapsed() < Duration::from_secs(1));
    stopped.iter().for_each(|pid| kill_process(*pid, Signal::CONT).unwrap());
    nothing_survives(&forge, "two Ctrl-C");
    recovers(&forge, "two Ctrl-C");
}
