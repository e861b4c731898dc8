//! `forge build --override`: local content in place of a locked source, marked for good.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::fetch::git::Origin;
use crate::fetch::server::{Reply, Server};
use crate::support::{Forge, Run, boxed};

/// A project of `low` (a git and a url source), `top` that reads it, and `aside` that has nothing to do with them.
struct World {
    forge: Forge,
    _origin: Origin,
}

impl World {
    fn new() -> Self {
        let (forge, origin, server) = (boxed::forge(), Origin::new(), Server::start());
        server.on("/data", [Reply::File(b"locked\n".to_vec())]);
        origin.write("a", b"locked\n").commit();
        let sources = format!(
            "lib = {{ git = \"{}\", branch = \"main\" }}\ndata = {{ url = \"{}\" }}\n",
            origin.url(),
            server.url("/data")
        );
        let unit = |name: &str, steps: &str, rest: &str| {
            let recipe = format!(
                "toolroot = \"box\"\noutputs = [\"out\", \"more\"]\nsteps = [\"{steps}\", \"touch /out/more\"]\n{rest}"
            );
            forge.write(&format!("recipes/{name}.toml"), &recipe);
        };
        unit("low", "cat /src/lib/* /src/data > /out/out", &format!("[sources]\n{sources}"));
        unit("top", "cat /deps/low > /out/out", "[deps]\nlow = \"low\"\n");
        unit(
            "aside",
            "cat /src/data > /out/out",
            &format!("[sources]\ndata = {{ url = \"{}\" }}\n", server.url("/data")),
        );
        forge.run(&["lock"]).success();
        Self { forge, _origin: origin }
    }

    /// A checkout with what must never be looked at.
    fn checkout(&self) -> PathBuf {
        let folder = self.forge.folder().join("checkout");
        for (file, text) in [("a", "local\n"), (".git/HEAD", "history\n"), ("target/x", "built\n")] {
            fs::create_dir_all(folder.join(file).parent().unwrap()).unwrap();
            fs::write(folder.join(file), text).unwrap();
        }
        folder
    }

    fn build(&self, overrides: &[&str], names: &[&str]) -> Run {
        let flags = overrides.iter().flat_map(|one| ["--override", *one]);
        let args: Vec<&str> = ["build", "--json"].into_iter().chain(flags).chain(names.iter().copied()).collect();
        self.forge.run(&args)
    }

    fn result(&self, name: &str) -> PathBuf {
        self.forge.project().join("result").join(name)
    }
}

fn line(run: &Run, name: &str) -> serde_json::Value {
    run.json().into_iter().find(|line| line["name"] == name).unwrap()
}

#[test]
fn an_override_reaches_what_depends_on_it_and_is_marked() {
    let world = World::new();
    let lock = fs::read_to_string(world.forge.project().join("lockfile.toml")).unwrap();
    let locked = world.build(&[], &["top", "aside"]).success();
    let checkout = world.checkout();
    let one = format!("lib={}", checkout.display());
    let run = world.build(&[&one], &["top", "aside"]).success();
    let run = run.says("override: low/lib is ").says("can't be released");
    assert_eq!(line(&run, "top")["overridden"], serde_json::json!(["low/lib"]));
    assert!(line(&run, "aside").get("overridden").is_none() && line(&locked, "top").get("overridden").is_none());
    assert_eq!(fs::read_to_string(world.result("top+override")).unwrap(), "local\nlocked\n");
    assert!(world.result("top:more+override").exists() && !world.result("aside+override").exists());
    assert_eq!(fs::read_to_string(world.result("top")).unwrap(), "locked\nlocked\n", "the result of the lock stays");
    assert_ne!(line(&run, "top")["derivation"], line(&locked, "top")["derivation"]);
    assert_eq!(fs::read_to_string(world.forge.project().join("lockfile.toml")).unwrap(), lock);

    fs::write(checkout.join("a"), "newer\n").unwrap();
    fs::write(checkout.join("target/x"), "built again\n").unwrap();
    drop(world.build(&[&one], &["top"]).success());
    assert_eq!(fs::read_to_string(world.result("top+override")).unwrap(), "newer\nlocked\n");
    for _ in 0..2 {
        world.forge.run(&["build", "top"]).success().says("0 built, 1 cached");
    }
    fs::write(checkout.join("a"), "newest\n").unwrap();
    world.forge.run(&["build", "top", "--override", &one]).success().says("1 built, 0 cached");
    assert_eq!(fs::read_to_string(world.result("top+override")).unwrap(), "newest\nlocked\n");
    let again = world.build(&[], &["top"]).success();
    assert_eq!(
        (&line(&again, "top")["status"], &line(&again, "top")["outputs"]),
        (&"cached".into(), &line(&locked, "top")["outputs"])
    );
}

#[test]
fn a_file_and_several_at_once() {
    let world = World::new();
    let file = world.forge.folder().join("file");
    fs::write(&file, "mine\n").unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o755)).unwrap();
    let overrides = [format!("low/data={}", file.display()), format!("low/lib={}", world.checkout().display())];
    let overrides: Vec<&str> = overrides.iter().map(String::as_str).collect();
    let dry = ["build", "--dry-run", "--json", "--override", overrides[0], "--override", overrides[1], "low"];
    let planned = world.forge.run(&dry).success();
    assert!(!world.result("").exists(), "a dry run changes nothing");
    let run = world.build(&overrides, &["low"]).success();
    assert_eq!(line(&run, "low")["overridden"], serde_json::json!(["low/data", "low/lib"]));
    assert_eq!(line(&planned, "low")["derivation"], line(&run, "low")["derivation"]);
    assert_eq!(fs::read_to_string(world.result("low+override")).unwrap(), "local\nmine\n");
}

#[test]
fn what_can_not_be_overridden_is_said() {
    let world = World::new();
    let here = world.forge.folder().display().to_string();
    for (one, words) in [
        ("lob=.", "no unit of this build has a source `lob`"),
        ("lob=.", "did you mean `lib`?"),
        ("low/lob=.", "did you mean `low/lib`?"),
        ("aside/dat=.", "did you mean `aside/data`?"),
        ("data=.", "name one of aside/data, low/data"),
        ("box/debs=.", "box/debs is a set of packages, which can't be overridden"),
        ("lib=/nowhere/at/all", "/nowhere/at/all: No such file"),
        ("lib", "write SOURCE=PATH"),
    ] {
        drop(world.build(&[one], &["top", "aside"]).code(2).says(words));
    }
    let one = format!("lib={here}/checkout");
    world.checkout();
    drop(world.build(&[&one, &one], &["top"]).code(2).says("low/lib is overridden twice"));
    drop(world.build(&[&one], &["aside"]).code(2).says("no unit of this build has a source `lib`"));
    let empty = world.forge.folder().join("empty");
    fs::create_dir(&empty).unwrap();
    drop(world.build(&[&format!("lib={}", empty.display())], &["top"]).code(2).says("in place of low/lib"));
    assert!(!world.result("").exists());
}
