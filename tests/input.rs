//! Wrong input and wrong surroundings: what is said, with which exit code, and that nothing is lost by it.

use std::fs;
use std::path::Path;
use std::process::Command;

use forge::digest::Digest;

use crate::support::{FORGE, Forge, Run, boxed};

/// Stands for the two lines of a sound unit that makes nothing.
const UNIT: (&str, &str) = ("UNIT\n", "toolroot = \"box\"\nsteps = [\"true\"]\n");

/// Files, a command, its exit code, and what it says.
type Case = (&'static [(&'static str, &'static str)], &'static [&'static str], i32, &'static [&'static str]);

const RECIPES: &[Case] = &[
    (&[("recipes/x.toml", "steps = [")], &["build", "good"], 2, &["recipes/x.toml:1:", "unclosed array", "toml.io"]),
    (
        &[("recipes/x.toml", "UNIT\nstpes = 1")],
        &["list"],
        2,
        &["recipes/x.toml:3:", "unknown field `stpes`", "did you mean `steps`?"],
    ),
    (
        &[("recipes/x.toml", "kind = 'cmdd'")],
        &["plan", "good"],
        2,
        &["recipes/x.toml:1:", "there is no kind `cmdd`", "did you mean `cmd`?"],
    ),
    (
        &[("recipes/x.toml", "UNIT\ndeps.y = 'y'"), ("recipes/y.toml", "UNIT\ndeps.x = 'x'")],
        &["build", "good"],
        2,
        &["units need each other: x → y → x", "recipes/x.toml:3:", "recipes/y.toml:3:", "drop one of these"],
    ),
    (
        &[("recipes/x.toml", "UNIT\ndeps.y = 'goood'")],
        &["build"],
        2,
        &["recipes/x.toml:3:", "there is no unit `goood`", "did you mean `good`?"],
    ),
    (
        &[("recipes/x.toml", "UNIT\ndeps.y = 'good:lib'")],
        &["build", "x"],
        2,
        &["recipes/x.toml:3:", "`good` has no output `lib`", "its outputs: out"],
    ),
    (
        &[("recipes/x.toml", "UNIT\ndeps.k = 'k'"), ("kernel/k.toml", "kind = 'cmd'\nUNIT\n")],
        &["lock"],
        2,
        &["recipes/x.toml:3:", "can't use `k`, which stands in kernel/", "recipes ← kernel ← bpf"],
    ),
    (
        &[("recipes/x.toml", "toolroot = 'good'\nsteps = ['true']")],
        &["build", "x"],
        2,
        &["recipes/x.toml:1:", "`good` is of kind `cmd`, not `toolroot`", "name one of: box"],
    ),
    (
        &[("recipes/x.toml", "UNIT\nsources.s.path = ['../a']")],
        &["build", "x"],
        2,
        &["recipes/x.toml:3:", "`..`, which could lead outside", "write a glob"],
    ),
    (
        &[("recipes/x.toml", "UNIT\nsources.s.path = ['/etc/*']")],
        &["build", "x"],
        2,
        &["recipes/x.toml:3:", "`/etc/*` is absolute", "write a glob"],
    ),
    (
        &[("recipes/x.toml", "UNIT\nsources.s.path = ['*.nope']")],
        &["build", "x"],
        2,
        &["recipes: no file matches *.nope", "check the spelling", "the source `s` of the unit `x`"],
    ),
    (
        &[("recipes/x.toml", "UNIT\nsources.s.path = ['*.toml', 'good.tml']")],
        &["build", "x"],
        2,
        &["recipes/x.toml:3:", "no file matches good.tml; did you mean `good.toml`?", "the source `s` of the unit `x`"],
    ),
    (
        &[("recipes/x.toml", "UNIT\nsources.s.path = ['*.toml', '*.nope']")],
        &["plan", "x"],
        2,
        &["recipes/x.toml:3:", "recipes: no file matches *.nope; check the spelling"],
    ),
    (
        &[("recipes/x.toml", "UNIT\nsources.s.path = ['*.toml', 'a[']")],
        &["list"],
        2,
        &["recipes/x.toml:3:", "unclosed character class", "write a glob"],
    ),
    (
        &[("recipes/x.toml", "UNIT\nsources.s.path = ['*.toml']\nsources.s.exclude = ['{a']")],
        &["list"],
        2,
        &["recipes/x.toml:4:", "unclosed alternate", "write a glob"],
    ),
    (
        &[("recipes/x.toml", "UNIT\noutputs = []")],
        &["list"],
        2,
        &["recipes/x.toml:3:", "a unit without an output makes nothing", "the default is `out`"],
    ),
    (
        &[(
            "recipes/x.toml",
            "kind = 'arguments'\nprogram = 'agave-validator'\nversion = '4.1.2'\n[arguments]\nrpc-max-requests-per-second = 9\ndynamic-port-range = '8000-8020'\nlegder = '/l'",
        )],
        &["build", "x"],
        2,
        &[
            "recipes/x.toml:1:8",
            "agave-validator 4.1 needs `identity`",
            "recipes/x.toml:5:1",
            "has no argument `rpc-max-requests-per-second`",
            "leave it out: what stands before the node must limit rates",
            "recipes/x.toml:6:22",
            "at least 26 ports in 4.1, not `8000-8020`",
            "recipes/x.toml:7:1",
            "did you mean `ledger`?",
        ],
    ),
    (
        &[("recipes/x.toml", "UNIT\ndescription = ['x']\nenv = ['x']")],
        &["list"],
        2,
        &["recipes/x.toml:3:", "invalid type: list", "recipes/x.toml:4:", "write a table"],
    ),
    (
        &[("kernel/good.toml", "kind = 'cmd'\nUNIT\n")],
        &["build", "good"],
        2,
        &["a second recipe has the name `good`", "recipes/good.toml:1:", "kernel/good.toml:1:", "rename one"],
    ),
    (
        &[("recipes/x.toml", "UNIT\noutputs = ['a', 'a']")],
        &["build", "x"],
        2,
        &["recipes/x.toml:3:", "the output `a` is named twice", "drop one"],
    ),
    (
        &[("recipes/x.toml", "UNIT\noutputs = ['../a']")],
        &["build", "x"],
        2,
        &["recipes/x.toml:3:", "`../a` is not a name", "write a name such as"],
    ),
    (
        &[("recipes/x.toml", "toolroot = 'box'\nsteps = ['while :; do :; done']\ntimeout-seconds = 1")],
        &["build", "x"],
        1,
        &["error: x: killed after 1 s", "raise `timeout-seconds`", "hint: `forge log x`"],
    ),
];

const LOCKS: &[Case] = &[
    (
        &[("recipes/x.toml", "UNIT\nsources.u.url = 'https://u.invalid/u'")],
        &["build", "good"],
        2,
        &["x/u is not locked", "run `forge lock`"],
    ),
    (
        &[("recipes/x.toml", "UNIT\nsources.u.url = 'https://u.invalid/u'")],
        &["lock", "--check"],
        2,
        &["x/u is not locked", "run `forge lock`"],
    ),
    (
        &[("recipes/box.toml", "kind = 'toolroot'\narchive = 'debian'\npackages = ['dash']")],
        &["lock", "--check"],
        2,
        &["box/debs has changed since it was locked", "run `forge lock`"],
    ),
    (
        &[(
            "recipes/box.toml",
            "kind = 'toolroot'\narchive = 'debian'\nessential = false\n\
            packages = ['coreutils', 'dash', 'findutils', 'make', 'gzip']",
        )],
        &["build", "good"],
        2,
        &["box/debs has changed since it was locked: make added, grep removed\n", "run `forge lock`"],
    ),
    (
        &[("recipes/x.toml", "kind = 'toolroot'\narchive = 'debian'\npackages = ['no-such']\nessential = false")],
        &["lock"],
        2,
        &["the suite has no package `no-such`", "check the name", "the source `debs` of the unit `x`"],
    ),
    (&[("lockfile.toml", "format")], &["build", "good"], 2, &["lockfile.toml:1:", "delete it and run `forge lock`"]),
    (&[("lockfile.toml", "format = 7")], &["build", "good"], 2, &["lockfile.toml:1:", "format 7", "a newer forge"]),
    (
        &[("lockfile.toml", "format = 1\n\n[[sauce]]")],
        &["lock", "--check"],
        2,
        &["lockfile.toml:3:", "unknown field `sauce`", "take it back from version control"],
    ),
    (
        &[("lockfile.toml", "format = 1\n[[source]]\nunit = 'box'\nname = 'debs'\nspec = 'sha256:12'")],
        &["build", "good"],
        2,
        &["lockfile.toml:5:", "not a sha256 digest", "take it back from version control"],
    ),
    (&[("lockfile.toml", "")], &["build", "good"], 2, &["box/debs is not locked", "run `forge lock`"]),
];

const COMMANDS: &[Case] = &[
    (&[], &["build", "goood"], 2, &["there is no unit `goood`", "did you mean `good`?"]),
    (&[], &["log", "qqq"], 2, &["there is no unit `qqq`", "`forge list` prints all units"]),
    (&[], &["lock", "--update", "goood"], 2, &["there is no unit `goood`", "did you mean `good`?"]),
    (&[], &["build"], 2, &["no unit has `default = true`", "name the units"]),
    (&[], &["build", "GOOD"], 2, &["`GOOD` is not a name", "lower-case"]),
    (
        &[],
        &["bulid"],
        2,
        &[
            "error: unrecognized subcommand `bulid`\nhint: did you mean `build`?\nhint: ",
            "`forge --help` explains it\n",
        ],
    ),
    (
        &[],
        &["store", "gc", "--dryrun"],
        2,
        &["error: unexpected argument `--dryrun` found\nhint: did you mean `--dry-run`?\n", "`forge store gc --help`"],
    ),
];

/// A project with the unit `good`, which is built.
fn good() -> Forge {
    let forge = boxed::forge();
    forge.write("recipes/good.toml", "toolroot = \"box\"\nsteps = [\"echo good > /out/out\"]\n");
    still_good(&forge, "the start");
    forge
}

/// What was built is there, and can be made again.
fn still_good(forge: &Forge, after: &str) {
    let run = forge.run(&["build", "good", "--rebuild"]).success();
    let good = fs::read_to_string(forge.project().join("result/good")).unwrap();
    assert_eq!(good, "good\n", "after {after}: {}", run.stderr);
}

/// Each case: the words, the code, a lockfile that stays as it is, and a project that goes on working.
fn check(cases: &[Case]) {
    let forge = good();
    let read = |path: &str| fs::read_to_string(forge.project().join(path)).ok();
    for (files, args, code, words) in cases {
        let before: Vec<_> = files.iter().map(|(path, _)| (path, read(path))).collect();
        for (path, text) in *files {
            forge.write(path, &text.replace(UNIT.0, UNIT.1));
        }
        let lockfile = read("lockfile.toml");
        let run = forge.run(args).code(*code);
        words.iter().fold(run, |run, words| run.says(words));
        assert_eq!(read("lockfile.toml"), lockfile, "{args:?}");
        for (path, text) in before {
            match text {
                Some(text) => fs::write(forge.project().join(path), text).unwrap(),
                None => fs::remove_file(forge.project().join(path)).unwrap(),
            }
        }
        still_good(&forge, &args.join(" "));
    }
}

#[test]
fn wrong_recipes() {
    check(RECIPES);
}

#[test]
fn wrong_lockfiles() {
    check(LOCKS);
}

#[test]
fn wrong_commands() {
    check(COMMANDS);
}

#[test]
fn lock_check_knows_fresh_and_left_over() {
    let forge = good();
    forge.run(&["lock", "--check"]).success().says("lockfile.toml fits the recipes");
    fs::remove_file(forge.project().join("recipes/box.toml")).unwrap();
    fs::remove_file(forge.project().join("recipes/good.toml")).unwrap();
    forge.run(&["lock", "--check"]).code(2).says("box/debs is locked, but no recipe has it").says("run `forge lock`");
    forge.run(&["lock"]).success().says("");
    forge.run(&["lock", "--check"]).success();
}

#[test]
fn no_project() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        let run = Command::new(FORGE).current_dir(&folder).args(args).output().unwrap();
        Run::of(run, args).code(2)
    };
    run(&["build"]).says("no lockfile.toml in ").says("name it with -C DIR");
    run(&["-C", "/nowhere", "list"]).says("/nowhere: No such file").says("hint: -C takes the folder of a project");
    run(&["-C", FORGE, "list"]).says("forge: not a directory").says("hint: -C takes the folder of a project");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    let (here, store) = (folder.path().to_str().unwrap(), tempfile::tempdir().unwrap());
    for verb in [&["build"][..], &["build", "good"], &["plan"], &["test"], &["graph", "-f", "svg"]] {
        let args = [&["-C", here], verb].concat();
        let output = Command::new(FORGE).env("FORGE_STORE", store.path()).args(&args).output().unwrap();
        Run::of(output, &args)
            .code(2)
            .says("error: there are no recipes here")
            .says("hint: a project is a folder with recipes: NAME.toml or NAME/recipe.toml in recipes, kernel,");
    }
}

/// Runs `build good` with one more variable.
fn build_with(forge: &Forge, name: &str, value: &Path) -> Run {
    let args = ["build", "good", "--offline"];
    Run::of(forge.command(&args).env(name, value).output().unwrap(), &args)
}

#[test]
fn wrong_surroundings() {
    let forge = good();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).unwrap();
        folder.path().join(name)
    };
    let file = at("file", "mine");
    build_with(&forge, "FORGE_STORE", &file).code(3).says("file: ").says("hint: FORGE_STORE names");
    build_with(&forge, "FORGE_STORE", folder.path())
        .code(3)
        .says("this is not a store")
        .says("hint: FORGE_STORE names");
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    let mirrors = |path: &Path| build_with(&forge, "FORGE_MIRRORS", path).code(2).says("hint: FORGE_MIRRORS names");
    mirrors(Path::new("/nowhere/m.toml")).says("/nowhere/m.toml: No such file");
    mirrors(&at("m.toml", "[mirror]\n")).says("m.toml: ").says("line 1").says("unknown field `mirror`");
    mirrors(&at("m.toml", "digests = ['ftp://x']\n")).says("line 1").says("`ftp://x` is no mirror: write http://");
    let empty = build_with(&forge, "FORGE_STORE", &folder.path().join("empty")).code(3);
    empty.says("not asked (offline)").says("/pool/main/").says("build once without --offline");
    forge.write(
        "recipes/x.toml",
        "toolroot = 'box'\nsteps = ['true']\nsources.g = { git = 'https://g.invalid/g', tag = 'v1' }\n",
    );
    let no_git = Run::of(forge.command(&["lock"]).env("PATH", "/nowhere").output().unwrap(), &["lock"]);
    no_git.code(3).says("cannot run git").says("install it").says("the source `g` of the unit `x`");
    fs::remove_file(forge.project().join("recipes/x.toml")).unwrap();
    still_good(&forge, "all of this");
}

#[test]
fn a_mirror_that_serves_something_else() {
    let forge = good();
    let lockfile = fs::read_to_string(forge.project().join("lockfile.toml")).unwrap();
    let dash = lockfile.lines().find_map(|line| line.trim().strip_prefix("\"dash:")).unwrap();
    let [_, _, size, want, path] = dash.trim_end_matches("\",").split(' ').collect::<Vec<_>>()[..] else {
        panic!("{dash}")
    };
    let folder = tempfile::tempdir().unwrap();
    let deb = folder.path().join("debian").join(path);
    let wrong = vec![0; size.parse().unwrap()];
    fs::create_dir_all(deb.parent().unwrap()).unwrap();
    fs::write(&deb, &wrong).unwrap();
    let mirrors = folder.path().join("mirrors.toml");
    fs::write(&mirrors, format!("[archive]\ndebian = [\"{}\"]\n", folder.path().join("debian").display())).unwrap();
    let args = ["build", "good", "--offline", "--keep-going"];
    let store = folder.path().join("store");
    let build = || {
        let mut command = forge.command(&args);
        Run::of(command.env("FORGE_MIRRORS", &mirrors).env("FORGE_STORE", &store).output().unwrap(), &args).code(3)
    };
    let got = Digest::of(&wrong);
    build().says("dash").says("wrong content").says(&format!("want sha256:{want}\n      got  {got}"));
    fs::write(&deb, &wrong[1..]).unwrap();
    build().says("wrong size").says(&format!("want {size} bytes"));
    still_good(&forge, "a bad mirror");
}

/// Runs forge in namespaces of its own, made by `unshare` with `flags`, after `setup`.
fn unshared(forge: &Forge, flags: &str, setup: &str, args: &[&str]) -> Run {
    let inner = forge.command(args);
    let script = format!("{setup}exec \"$@\"");
    let mut command = Command::new("unshare");
    command.args([flags, "sh", "-euc", &script, "sh"]).arg(inner.get_program()).args(inner.get_args());
    command.env_clear().envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Run::of(command.output().unwrap(), args)
}

#[test]
fn a_host_without_user_namespaces() {
    let forge = good();
    let forbid = "echo 0 > /proc/sys/user/max_user_namespaces; ";
    let run = unshared(&forge, "-Ur", forbid, &["build", "good", "--rebuild"]).code(3);
    run.says("good: making namespaces: ").says("sudo sysctl -w user.max_user_namespaces=");
    let doctor = unshared(&forge, "-Ur", forbid, &["doctor"]).code(1);
    assert!(doctor.stdout.contains("FAIL  user namespaces"), "{}", doctor.stdout);
    let doctor = doctor.says("1 thing to mend");
    assert!(doctor.stdout.contains("sudo sysctl -w user.max_user_namespaces="), "{}", doctor.stdout);
    still_good(&forge, "a host without user namespaces");
}

#[test]
fn a_host_without_a_network() {
    let forge = good();
    unshared(&forge, "-Urn", "", &["build", "good", "--rebuild"]).success();
    let elsewhere = format!("export FORGE_STORE='{}'; ", forge.project().join("empty").display());
    let run = unshared(&forge, "-Urn", &elsewhere, &["build", "good"]).code(3);
    run.says(": no place gave it\n  want sha256:").says("/pool/main/").says("check the address and the network");
    forge.write("recipes/x.toml", "toolroot = 'box'\nsteps = ['true']\nsources.u.url = 'https://u.invalid/u'\n");
    let run = unshared(&forge, "-Urn", "", &["lock"]).code(3);
    run.says("https://u.invalid/u: no place gave it").says("check the address and the network");
    fs::remove_file(forge.project().join("recipes/x.toml")).unwrap();
    still_good(&forge, "a host without a network");
}
