//! `forge mirror`: what it copies, that a build needs nothing else, and mirrors that are bad.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use forge::digest::Digest;

use crate::fetch::git::Origin;
use crate::fetch::server::{Reply, Server};
use crate::support::running::{Running, within};
use crate::support::{Forge, Run, boxed};

/// The files behind URLs that the projects here have.
const DATA: [&str; 5] = ["zero", "one", "two", "three", "four"];

/// Where the sources of a project come from.
struct World {
    server: Server,
    origin: Origin,
    mirror: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let (server, origin) = (Server::start(), Origin::new());
        for name in DATA {
            server.on(&format!("/{name}"), [Reply::File(content(name))]);
        }
        origin.write("a", b"alpha\n").write("sub/b", b"beta\n").write("sub/run", b"#!/bin/sh\n").commit();
        fs::set_permissions(origin.path().join("sub/run"), Permissions::from_mode(0o755)).unwrap();
        origin.commit();
        origin.git(&["tag", "v1"]);
        Self { server, origin, mirror: tempfile::tempdir().unwrap() }
    }

    /// A project with a deb set, files and a git tree, all locked.
    fn project(&self) -> Forge {
        let forge = boxed::forge();
        let files: String = DATA
            .iter()
            .map(|name| format!("{name} = {{ url = \"{}\" }}\n", self.server.url(&format!("/{name}"))))
            .collect();
        let git = format!("lib = {{ git = \"{}\", tag = \"v1\" }}\n", self.origin.url());
        let steps = "test -x /src/lib/sub/run; cat /src/zero /src/one /src/lib/a /src/lib/sub/b > /out/out";
        forge.write(
            "recipes/u.toml",
            &format!("default = true\ntoolroot = \"box\"\nsteps = [\"{steps}\"]\n[sources]\n{files}{git}"),
        );
        forge.run(&["lock"]).success();
        forge
    }

    /// The same project with a store that has the toolroot and no source.
    fn again(&self, first: &Forge) -> Forge {
        let forge = boxed::forge();
        for file in ["recipes/u.toml", "lockfile.toml"] {
            fs::copy(first.project().join(file), forge.project().join(file)).unwrap();
        }
        forge
    }

    fn folder(&self) -> &str {
        self.mirror.path().to_str().unwrap()
    }

    /// Where the mirror has a file.
    fn file(&self, name: &str) -> PathBuf {
        self.mirror.path().join("sha256").join(Digest::of(&content(name)).hex())
    }

    /// The sources are no longer where they came from.
    fn vanish(&self) {
        for name in DATA {
            self.server.on(&format!("/{name}"), [Reply::Status(404, Vec::new())]);
        }
        fs::rename(self.origin.path().join(".git"), self.origin.path().join("gone")).unwrap();
    }

    fn configured(&self, forge: Forge, base: &str) -> Forge {
        let file = forge.folder().join("mirrors.toml");
        fs::write(&file, format!("digests = [{base:?}]\n")).unwrap();
        forge.env("FORGE_MIRRORS", file)
    }
}

fn content(name: &str) -> Vec<u8> {
    format!("{name}\n").repeat(1000).into_bytes()
}

/// Runs `script` with forge as `$1`, the project as `$2`, where there is no network, and none on loopback.
pub fn without_network(forge: &Forge, script: &str) -> Run {
    let run = forge.command(&[]);
    let mut command = Command::new("unshare");
    command.args(["-Urn", "--", "sh", "-euc", script, "sh"]).arg(run.get_program()).arg(forge.project()).env_clear();
    command.envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Run::of(command.output().unwrap(), &[script])
}

fn statuses(run: &Run) -> Vec<String> {
    run.json().iter().map(|line| line["status"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_mirror_is_all_that_a_build_needs() {
    let world = World::new();
    let forge = world.project();
    let plan = forge.run(&["mirror", world.folder(), "--dry-run", "--json"]).success();
    assert_eq!(fs::read_dir(world.folder()).unwrap().count(), 0, "a dry run changes nothing");
    let first = forge.run(&["mirror", world.folder(), "--json"]).success().says(" there, ").says("digests = [");
    assert_eq!((statuses(&plan), plan.json().len()), (statuses(&first), first.json().len()));
    assert!(statuses(&first).iter().all(|status| status == "copied"), "{}", first.stdout);
    let kinds = |kind: &str| first.json().iter().filter(|line| line["kind"] == kind).count();
    assert!(kinds("file") > 10 && kinds("tree") == 1 && kinds("index") == 1, "{}", first.stdout);
    let again = forge.run(&["mirror", world.folder(), "--json"]).success().says(": 0 copied, ");
    assert!(statuses(&again).iter().all(|status| status == "there"), "{}", again.stdout);
    world.vanish();

    let empty = world.again(&forge);
    let store = empty.folder().join("empty");
    let forge = world.configured(empty, world.folder()).env("FORGE_STORE", store);
    let build =
        without_network(&forge, "\"$1\" -C \"$2\" lock --check && exec \"$1\" -C \"$2\" build --json").success();
    let path = build.json()[0]["outputs"][0]["path"].as_str().unwrap().to_owned();
    let want = [content("zero"), content("one"), b"alpha\nbeta\n".to_vec()].concat();
    assert_eq!(fs::read(path).unwrap(), want);
    let build = build.says("fetched ");
    assert!(!build.stderr.contains("fetching: "), "there is nothing to say of a phase that begins\n{}", build.stderr);

    let recipe = forge.project().join("recipes/box.toml");
    fs::write(&recipe, fs::read_to_string(&recipe).unwrap().replace(", \"gzip\"", "")).unwrap();
    let lock = without_network(&forge, "exec \"$1\" -C \"$2\" lock").success();
    assert!(lock.stdout.contains("- debian/gzip:amd64"), "{}", lock.stdout);
}

#[test]
fn any_web_server_can_serve_it() {
    let world = World::new();
    let forge = world.project();
    forge.run(&["mirror", world.folder(), "u"]).success();
    world.vanish();
    let web = Server::start();
    for entry in fs::read_dir(world.mirror.path().join("sha256")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        web.on(&format!("/m/sha256/{name}"), [Reply::File(fs::read(&path).unwrap())]);
    }
    let fresh = world.configured(world.again(&forge), &web.url("/m"));
    fresh.run(&["build"]).success();
    let offline = world.configured(world.again(&forge), &web.url("/m"));
    offline.run(&["build", "--offline"]).code(3).says("not asked (offline)");
}

/// What can stand in a mirror in place of a file.
const HARMS: [fn(&Path); 5] = [
    |file| fs::write(file, content("lies")).unwrap(),
    |file| File::options().write(true).open(file).unwrap().set_len(3).unwrap(),
    |file| {
        fs::remove_file(file).unwrap();
        symlink("/dev/zero", file).unwrap();
    },
    |file| {
        fs::remove_file(file).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, file, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
    },
    |file| fs::set_permissions(file, Permissions::from_mode(0o000)).unwrap(),
];

#[test]
fn a_hostile_mirror_does_no_harm_and_is_mended() {
    let world = World::new();
    let forge = world.project();
    forge.run(&["mirror", world.folder()]).success();
    for (name, harm) in DATA.iter().zip(HARMS) {
        harm(&world.file(name));
    }
    let beta = world.mirror.path().join("sha256").join(Digest::of(b"beta\n").hex());
    fs::write(&beta, "BETA\n").unwrap();
    let build = world.configured(world.again(&forge), world.folder());
    build.run(&["build"]).success();

    let mend = forge.run(&["mirror", world.folder(), "--json"]).success().says("6 copied, 6 of them damaged before");
    let damage = |line: &serde_json::Value| line["damage"].as_str().map(str::to_owned);
    let damages: Vec<_> = mend.json().iter().filter_map(damage).collect();
    for words in ["other bytes", "a symlink", "not a file", "denied"] {
        assert!(damages.iter().any(|damage| damage.contains(words)), "{words}: {damages:?}");
    }
    assert_eq!(fs::read(world.file("two")).unwrap(), content("two"));
    assert!(fs::symlink_metadata(world.file("two")).unwrap().is_file());
    forge.run(&["mirror", world.folder()]).success().says(": 0 copied");

    fs::remove_file(world.file("one")).unwrap();
    fs::create_dir(world.file("one")).unwrap();
    forge
        .run(&["mirror", world.folder()])
        .code(3)
        .says(world.file("one").to_str().unwrap())
        .says("what was copied stays");
}

#[test]
fn a_mirror_that_lies_is_named_where_nothing_else_serves() {
    let world = World::new();
    let forge = world.project();
    forge.run(&["mirror", world.folder()]).success();
    world.vanish();
    fs::write(world.file("one"), content("lie")).unwrap();
    let build = world.configured(world.again(&forge), world.folder());
    build.run(&["build"]).code(3).says("wrong content").says(world.file("one").to_str().unwrap());
}

#[test]
fn what_no_place_has_is_named_and_the_rest_copied() {
    let world = World::new();
    let forge = world.project();
    world.server.on("/two", [Reply::Status(404, Vec::new())]);
    let forge = world.again(&forge);
    let run = forge
        .run(&["mirror", world.folder(), "--json"])
        .code(3)
        .says("1 not to be had")
        .says("error: u/two: no place gave it");
    let failed: Vec<_> = run.json().into_iter().filter(|line| line["status"] == "failed").collect();
    assert!(failed.len() == 1 && failed[0]["error"].as_str().unwrap().contains("404"), "{}", run.stdout);
    assert!(world.file("three").is_file() && !world.file("two").exists());
}

#[test]
fn an_interrupted_run_leaves_nothing_half_done() {
    let world = World::new();
    let forge = world.again(&world.project());
    world.server.on("/two", [Reply::Stall(content("two"))]);
    let run = Running::start(forge.command(&["mirror", world.folder()]));
    let asked = || world.server.log().iter().filter(|(path, _)| path == "/two").count() > 1;
    assert!(within(Duration::from_secs(30), asked), "the source is asked for while locking and while mirroring");
    run.interrupt();
    run.end().code(130).says("interrupted");
    let left: Vec<_> =
        fs::read_dir(world.mirror.path().join(".forge")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!((left, world.file("two").exists()), (vec!["lock".into()], false));
    world.server.on("/two", [Reply::File(content("two"))]);
    forge.run(&["mirror", world.folder()]).success();
}

/// Runs the command on a mirror with room for little, then with more. Arguments: the mirror, forge….
const SQUEEZE: &str = r#"
set -u
mirror=$1
shift
mount -t tmpfs -o size=16k none "$mirror"
"$@" 2> "$mirror.err"
echo "small $?"
ls -A "$mirror/.forge"
mount -o remount,size=64m "$mirror"
"$@" 2>> "$mirror.err"
echo "large $?"
"#;

#[test]
fn a_full_disk_is_named_and_costs_nothing() {
    let world = World::new();
    let forge = world.project();
    let run = forge.command(&["mirror", world.folder(), "u"]);
    let mut command = Command::new("unshare");
    command.args(["-Urm", "--", "sh", "-c", SQUEEZE, "sh", world.folder()]).arg(run.get_program()).args(run.get_args());
    command.env_clear().envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let out = Run::of(command.output().unwrap(), &["squeeze"]).success();
    let said = fs::read_to_string(format!("{}.err", world.folder())).unwrap();
    let lines: Vec<&str> = out.stdout.lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(lines, ["small 3", "lock", "large 0"], "{said}");
    assert!(said.contains("No space left") && said.contains("what was copied stays"), "{said}");
    fs::remove_file(format!("{}.err", world.folder())).unwrap();
}

#[test]
fn wrong_input_is_refused() {
    let world = World::new();
    let forge = world.project();
    forge.run(&["mirror", "oci://host.example/x:1"]).code(2).says("a mirror is a whole repository");
    forge.run(&["mirror", "oci://x"]).code(2).says("names no registry");
    forge.run(&["mirror", "https://host/x"]).code(2).says("a mirror is written to a folder");
    forge.run(&["mirror", world.folder(), "boy"]).code(2).says("did you mean `box`?");
    forge.write(
        "recipes/v.toml",
        "toolroot = \"box\"\nsteps = [\"true\"]\n[sources]\nx = { url = \"https://host/x\" }\n",
    );
    forge.run(&["mirror", world.folder()]).code(2).says("v/x is not locked");
    assert_eq!(fs::read_dir(world.folder()).unwrap().count(), 0, "nothing was written");
    fs::remove_file(forge.project().join("recipes/v.toml")).unwrap();
    fs::write(world.mirror.path().join("file"), "").unwrap();
    forge.run(&["mirror", &format!("{}/file", world.folder())]).code(3).says("/file");
}

#[test]
fn one_writes_at_a_time_and_clears_up_after_the_dead() {
    let world = World::new();
    let forge = world.project();
    let aside = world.mirror.path().join(".forge");
    fs::create_dir(&aside).unwrap();
    fs::write(aside.join("dead.0"), "half").unwrap();
    let lock = File::create(aside.join("lock")).unwrap();
    lock.lock().unwrap();
    forge.run(&["mirror", world.folder(), "u"]).code(3).says("another forge writes to this mirror");
    lock.unlock().unwrap();
    forge.run(&["mirror", world.folder(), "u"]).success();
    assert!(!aside.join("dead.0").exists());
}
