//! `forge shell`: the sandbox of a unit with a user in it, and the way there from a failed build.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::process::Signal;

use crate::sandbox::house::{lives, marker};
use crate::support::running::{Running, within};
use crate::support::terminal::Terminal;
use crate::support::{Forge, Run, boxed};

/// A project with the unit `a`, which reads a file and prints its world, and `b`, which reads `a`.
fn project() -> Forge {
    let forge = boxed::forge();
    forge.write("recipes/a.txt", "text\n").write(
        "recipes/a.toml",
        "toolroot = \"box\"\nsteps = [\"cat /src/src/a.txt > note\", \"env | sort > /out/out\"]\n[sources]\nsrc = { path = [\"a.txt\"] }\n[env]\nOWN = \"a b\"\n",
    );
    forge.write("recipes/b.toml", "toolroot = \"box\"\nsteps = [\"cat /deps/a > /out/out\"]\n[deps]\na = \"a\"\n");
    forge
}

/// A project with the unit `bad`, whose second step fails while there is no /build/mended.
fn failing() -> Forge {
    let forge = project();
    forge.write(
        "recipes/bad.toml",
        "toolroot = \"box\"\nsteps = [\"echo made > left; touch /out/half\", \"echo trying; test -e mended || exit 7\", \"cp left /out/out\"]\n",
    );
    forge
}

/// A run that reads `input`.
fn piped(forge: &Forge, args: &[&str], input: &str) -> Run {
    let mut command = forge.command(args);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    Run::of(child.wait_with_output().unwrap(), args)
}

#[test]
fn commands_are_read_from_stdin_and_the_code_is_passed_on() {
    let forge = project();
    let run = piped(&forge, &["shell", "a"], "pwd; ls /out\ncat /src/src/a.txt\necho wrong >&2\nexit 5\n").code(5);
    assert_eq!(run.stdout, "/build\ntext\n");
    let run = run.says("the sandbox of a").says("wrong");
    assert!(!forge.project().join("result").exists(), "{}", run.stderr);
    let run = piped(&forge, &["shell", "a"], "r && cat note\n").success().says("== step 2 of 2 succeeded");
    assert_eq!(run.stdout, "text\n");
}

#[test]
fn one_command_in_the_very_world_of_the_build() {
    let forge = project();
    forge.run(&["build", "a"]).success();
    let built = fs::read_to_string(forge.project().join("result/a")).unwrap();
    let inside = forge.run(&["shell", "a", "--", "sh", "-c", "env | sort"]).success();
    assert_eq!(inside.stdout, built);
    assert_eq!(inside.stderr, "", "a command is not greeted");
    let looks = "id -u; umask; cat /proc/sys/kernel/hostname; ls -A /build /out; touch /usr/x";
    let inside = forge.run(&["shell", "a", "--", "sh", "-c", looks]).code(1).says("Read-only file system");
    assert_eq!(inside.stdout, "1000\n0022\nlocalhost\n/build:\n\n/out:\n");
    for (command, code) in [(&["sh", "-c", "kill -TERM $$"][..], 143), (&["no-such-program"], 127), (&["true"], 0)] {
        drop(forge.run(&[&["shell", "a", "--"], command].concat()).code(code));
    }
}

#[test]
fn what_a_unit_needs_is_built_first() {
    let forge = project();
    let run = forge.run(&["shell", "b", "--offline", "--", "cat", "/deps/a"]).success().says("a: built");
    assert!(run.stdout.contains("OWN=a b\n"));
    forge.write("recipes/a.toml", "toolroot = \"box\"\nsteps = [\"exit 3\"]\n");
    forge.run(&["shell", "b", "--", "true"]).code(1).says("error: a: exit code 3").says("`forge shell --failed`");
}

#[test]
fn a_toolroot_can_be_entered() {
    let forge = project();
    let run = piped(&forge, &["shell", "box"], "ls -A /build /deps /src; pwd\n").success();
    assert_eq!(run.stdout, "/build:\n\n/deps:\n\n/src:\n/build\n");
    drop(run.says("the root file system of box"));
    let recipe = fs::read_to_string(forge.project().join("recipes/box.toml")).unwrap();
    forge.write("recipes/box.toml", &recipe.replace("trim = [", "trim = [\"usr/bin\", "));
    forge.run(&["shell", "box", "--offline"]).code(2).says("`box` has no shell").says("hint: add `dash` or `bash`");
}

#[test]
fn there_is_no_network() {
    let forge = boxed::forge();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hermetic/probe.c");
    let program = forge.project().join("recipes/probe");
    assert!(Command::new("cc").args(["-static", source, "-o"]).arg(program).status().unwrap().success());
    forge.write("recipes/u.toml", "toolroot = \"box\"\nsteps = [\"true\"]\nsources.probe = { path = [\"probe\"] }\n");
    let tcp = ["shell", "u", "--", "/src/probe/probe", "tcp", "192.0.2.1", "80"];
    assert!(forge.run(&tcp).code(1).stdout.contains("Network is unreachable"));
}

#[test]
fn a_user_at_a_terminal() {
    let forge = project();
    let mut terminal = Terminal::start(forge.command(&["shell", "a"]), 30, 90);
    terminal.until("r        runs its steps").until("a:/build$ ");
    assert!(terminal.is_raw());
    terminal.types("tty; stty size\r").until("/dev/pts/0").until("30 90").until("$ ");
    terminal.resize(20, 60).types("sleep 0.2; stty size\r").until("20 60").until("$ ");
    // Ctrl-C ends what runs inside, and neither the shell nor forge.
    terminal.types("echo be''gun; sleep 1000\r").until("begun").types("\x03").until("$ ");
    terminal.types("echo code $?\r").until("code 130").until("$ ");
    terminal.types("r\r").until("step 2 of 2 succeeded").until("$ ");
    terminal.types("exit 9\r");
    assert_eq!(terminal.end(), Some(9));
    assert!(!terminal.is_raw(), "the terminal is as it was");
}

#[test]
fn a_terminal_is_itself_again_when_forge_is_stopped() {
    let (forge, marker) = (project(), marker());
    let mut terminal = Terminal::start(forge.command(&["shell", "a", "--", "sleep", &marker]), 24, 80);
    assert!(within(Duration::from_secs(20), || terminal.is_raw() && lives(&format!("sleep\0{marker}"))));
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.end(), Some(130));
    assert!(!terminal.is_raw() && !lives(&marker));
}

#[test]
fn what_runs_inside_dies_with_forge() {
    let (forge, marker) = (project(), marker());
    let shell = Running::start(forge.command(&["shell", "a", "--", "sh", "-c", &format!("sleep {marker} & wait")]));
    assert!(within(Duration::from_secs(20), || lives(&format!("sleep\0{marker}"))));
    shell.kill();
    assert!(within(Duration::from_secs(2), || !lives(&marker)));
}

#[test]
fn a_failed_step_is_entered_as_it_was_left() {
    let forge = failing();
    let run = forge.run(&["build", "bad"]).code(1).says("error: bad: exit code 7 in step 2 of 3:\n    echo trying");
    drop(run.says("hint: `forge shell --failed` enters its sandbox"));
    let left = forge.run(&["shell", "--failed", "--", "sh", "-c", "cat left; ls /out; ls /tmp"]).success();
    assert_eq!(left.stdout, "made\nhalf\nforge.sh\nstep-1\nstep-2\nstep-3\n");
    let again = piped(&forge, &["shell", "--failed"], "r\n").code(7).says("in step 2 of 3: exit code 7");
    assert_eq!(again.says("== step 2 of 3 failed with exit code 7").stdout, "trying\n");
    let mended = piped(&forge, &["shell", "bad", "--failed"], "touch mended; r && step 3\n").success();
    drop(mended.says("== step 2 of 3 succeeded").says("== step 3 of 3 succeeded"));
    let kept = forge.run(&["shell", "--failed", "--", "ls"]).success();
    assert_eq!(kept.stdout, "left\nmended\n", "changes stay");
    assert_eq!(forge.run(&["shell", "bad", "--", "ls"]).success().stdout, "", "a fresh one has none of it");
}

#[test]
fn a_failed_step_can_be_typed_in() {
    let forge = failing();
    forge.run(&["build", "bad"]).code(1);
    let mut terminal = Terminal::start(forge.command(&["shell", "--failed"]), 24, 80);
    terminal.until("step 2 of 3: exit code 7").until("echo trying; test -e mended").until("$ ");
    terminal.types("r\r").until("trying").until("failed with exit code 7").until("$ ");
    terminal.types("touch mended; r\r").until("step 2 of 3 succeeded").until("$ ").types("\x04");
    assert_eq!(terminal.end(), Some(0));
}

#[test]
fn the_recipe_may_change_and_another_unit_fail_meanwhile() {
    let forge = failing();
    forge.run(&["build", "bad"]).code(1);
    forge.write("recipes/worse.toml", "toolroot = \"box\"\nsteps = [\"echo worse > left; exit 1\"]\n");
    forge.run(&["build", "bad", "worse", "--keep-going"]).code(1).says("hint: `forge shell --failed worse`");
    forge.run(&["build", "worse"]).code(1);
    assert_eq!(forge.run(&["shell", "--failed", "--", "cat", "left"]).success().stdout, "worse\n");
    forge.write("recipes/bad.toml", "toolroot = \"box\"\nsteps = [\"exit 8\"]\n");
    assert_eq!(forge.run(&["shell", "--failed", "bad", "--", "cat", "left"]).success().stdout, "made\n");
}

#[test]
fn what_failed_goes_when_it_succeeds() {
    let forge = boxed::forge();
    let soon = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 3;
    let step = format!("date +%s > left; test $(cat left) -gt {soon} && touch /out/out");
    forge.write("recipes/late.toml", &format!("toolroot = \"box\"\nsteps = [\"{step}\"]\n"));
    let failed = || fs::read_dir(forge.store().join("failed")).unwrap().count();
    forge.run(&["build", "late"]).code(1);
    assert_eq!(failed(), 1);
    std::thread::sleep(Duration::from_secs(4));
    forge.run(&["build", "late"]).success();
    assert_eq!(failed(), 0);
    forge.run(&["shell", "--failed"]).code(2).says("no step has failed").says("`forge shell NAME` enters");
}

#[test]
fn kept_at_ones_wish_and_erased_without() {
    let forge = project();
    forge.run(&["shell", "a", "--", "touch", "/build/x"]).success();
    assert!(fs::read_dir(forge.store().join("tmp")).unwrap().next().is_none(), "all is erased");
    let run = forge.run(&["shell", "a", "--keep", "--", "sh", "-c", "echo kept > x; exit 4"]).code(4);
    let run = run.says("kept /out as ").says("`forge store gc`");
    let build = run.stderr.lines().find_map(|line| line.strip_prefix("kept /build as ")).unwrap();
    assert_eq!(fs::read_to_string(format!("{build}/x")).unwrap(), "kept\n");
    let gc = forge.run(&["store", "gc"]).success();
    assert!(
        gc.stdout.contains("workspaces of shells: 1 file, kept only until the next gc") && !fs::exists(build).unwrap(),
        "{}",
        gc.stdout
    );
}

#[test]
fn mistakes_are_told() {
    let forge = project();
    forge.run(&["shell", "--failed"]).code(2).says("no step has failed and left its files");
    forge.run(&["shell", "--failed", "a"]).code(2).says("no step of `a` has failed").says("hint: `forge shell a`");
    forge.run(&["shell", "bx"]).code(2).says("there is no unit `bx`").says("did you mean `b");
    forge.run(&["shell", "--failed", "boxx"]).code(2).says("did you mean `box`?");
    forge.run(&["shell"]).code(2).says("hint: usage: forge shell NAME").says(" or forge shell --failed [NAME]");
}

#[test]
fn a_long_log_is_cut_to_what_matters() {
    let forge = boxed::forge();
    forge.write("recipes/long.toml", "toolroot = \"box\"\nsteps = [\"seq 1000; exit 2\"]\n");
    let run =
        forge.run(&["build", "long"]).code(1).says("── log of long ──\n… 942 more lines; `forge log long` prints");
    assert!(run.stderr.contains("\n942\n") && !run.stderr.contains("\n941\n"), "{}", run.stderr);
    assert!(forge.run(&["log", "long"]).success().stdout.contains("\n1\n2\n3\n"));
}
