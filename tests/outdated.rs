//! `forge outdated`, and what `forge lock` says of what it changes.

use std::fs;

use crate::fetch::archive::Archive;
use crate::fetch::git::Origin;
use crate::support::{Forge, Run};

const DATE: &str = "Date: Sat, 12 Sep 2026 07:55:41 UTC";
const LATER: &str = "Date: Sun, 13 Sep 2026 07:55:41 UTC";
const OLD: [(&str, &str, &str); 3] = [("tool", "1.0-1", "lib"), ("lib", "2.0-1", ""), ("same", "1", "")];
const NEW: [(&str, &str, &str); 4] =
    [("tool", "1.1-1", "lib, extra"), ("lib", "2.0-1", ""), ("same", "1", ""), ("extra", "5", "")];

/// An archive and a repository, and a project that has locked what they had.
struct World {
    archive: Archive,
    origin: Origin,
    forge: Forge,
}

impl World {
    fn new() -> Self {
        let (archive, origin, forge) = (Archive::new(), Origin::new(), Forge::new());
        archive.publish(DATE, &OLD);
        origin.write("a", b"1").commit();
        for tag in ["v1.0", "v1.9", "v1.10", "v2.0", "v2.1-rc1"] {
            origin.git(&["tag", tag]);
        }
        let recipe = archive.recipe();
        let fingerprint = &recipe.fingerprints[0];
        forge.write(&format!("recipes/keys/{fingerprint}.asc"), &archive.armored());
        forge.write(
            "recipes/debian.toml",
            &format!(
                "kind = \"archive\"\nsuite = \"trixie\"\ncomponents = [\"main\"]\narchitecture = \"amd64\"\nfingerprints = [\"{fingerprint}\"]\n"
            ),
        );
        forge.write(
            "recipes/tools.toml",
            "kind = \"toolroot\"\narchive = \"debian\"\npackages = [\"tool\", \"same\"]\n",
        );
        let mirrors = forge.folder().join("mirrors.toml");
        fs::write(&mirrors, format!("[archive]\ndebian = [{:?}]\n", archive.base())).unwrap();
        let world = Self { archive, origin, forge: forge.env("FORGE_MIRRORS", mirrors) };
        world.unit("u", "tag = \"v1.9\", update = \"v1.*\"").unit("w", "branch = \"main\"");
        world.forge.run(&["lock"]).success();
        world
    }

    fn unit(&self, name: &str, revision: &str) -> &Self {
        let source = format!("lib = {{ git = \"{}\", {revision} }}", self.origin.url());
        let recipe = format!("toolroot = \"tools\"\nsteps = [\"true\"]\n[sources]\n{source}\n");
        self.forge.write(&format!("recipes/{name}.toml"), &recipe);
        self
    }
}

fn found(run: &Run, source: &str) -> Vec<serde_json::Value> {
    run.json().into_iter().filter(|line| line["source"] == source).collect()
}

#[test]
fn newer_versions_are_listed_within_bounds() {
    let world = World::new();
    let forge = &world.forge;
    let run = forge.run(&["outdated", "--json"]).code(1);
    let lib = &found(&run, "u/lib")[0];
    assert_eq!(
        (&lib["locked"], &lib["candidate"], &lib["status"]),
        (&"v1.9".into(), &"v1.10".into(), &"outdated".into())
    );
    assert_eq!(found(&run, "w/lib")[0]["status"], "current");
    assert!(found(&run, "debian/tool:amd64").is_empty(), "{}", run.stdout);

    world.unit("u", "tag = \"v1.9\", update = \"v1.9*\"");
    forge.run(&["lock", "--check"]).success();
    forge.run(&["outdated"]).success().says("nothing newer");
    world.unit("u", "tag = \"v1.9\"");
    let table = forge.run(&["outdated"]).code(1).says("1 source outdated").stdout;
    assert_eq!(table, "source  locked  newer  used by\nu/lib   v1.9    v2.0   u\n");

    world.archive.publish(LATER, &NEW);
    world.origin.write("a", b"2").commit();
    let table = forge.run(&["outdated"]).code(1).says("3 sources outdated").stdout;
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(rows.contains(&vec!["debian/tool:amd64", "1.0-1", "1.1-1", "tools"]), "{table}");
    assert_eq!((rows.len(), table.contains("w/lib"), table.contains("debian/same")), (4, true, false), "{table}");
    let tools = forge.run(&["outdated", "tools"]).code(1).stdout;
    assert!(tools.contains("debian/tool") && !tools.contains("u/lib"), "{tools}");
    let lock = forge.run(&["lock", "--update"]).success();
    assert!(lock.stdout.contains("rebuild: at most 3 units\n"), "nothing was built here yet\n{}", lock.stdout);
    let moved = forge.run(&["outdated", "w"]).success();
    assert_eq!(moved.stdout, "");
}

/// A cargo that brings nothing up to date, and whose home has what the registry had.
fn registry(forge: Forge, versions: &[&str]) -> Forge {
    let home = forge.folder().join("cargo");
    let (cache, index) = (home.join("registry/cache/r"), home.join("registry/index/r/.cache/se/rv"));
    fs::create_dir_all(&cache).unwrap();
    fs::create_dir_all(&index).unwrap();
    fs::write(cache.join("serve-1.2.3.crate"), "a crate").unwrap();
    let line = |version: &&str| format!("{version}\0{{\"vers\":\"{version}\",\"yanked\":{}}}\0", *version == "1.3.0");
    fs::write(index.join("serve"), versions.iter().map(line).collect::<String>()).unwrap();
    forge.env("CARGO_HOME", home).env("CARGO", "true")
}

#[test]
fn newer_crates_are_listed_within_bounds() {
    let World { forge, archive: _archive, origin: _origin } = World::new();
    let forge = registry(forge, &["1.2.3", "1.2.9", "1.3.0", "2.0.0", "3.0.0-rc.1"]);
    let unit = |update: &str| {
        let source = format!("src = {{ crate = \"serve\", version = \"1.2.3\"{update} }}");
        forge.write("recipes/c.toml", &format!("toolroot = \"tools\"\nsteps = [\"true\"]\n[sources]\n{source}\n"));
    };
    unit("");
    forge.run(&["lock"]).success();
    let table = forge.run(&["outdated", "c"]).code(1).says("a newer tag or crate has to be written").stdout;
    assert_eq!(table, "source  locked  newer  used by\nc/src   1.2.3   2.0.0  c\n");
    unit(", update = \"1.*\"");
    forge.run(&["lock", "--check"]).success();
    let lines = forge.run(&["outdated", "c", "--json"]).code(1);
    assert_eq!(
        (&found(&lines, "c/src")[0]["kind"], &found(&lines, "c/src")[0]["candidate"]),
        (&"crate".into(), &"1.2.9".into())
    );
    unit(", update = \"1.2.3*\"");
    forge.run(&["outdated", "c"]).success().says("nothing newer");
    let none = registry(forge, &[]);
    none.run(&["outdated", "c"]).success().says("not watched: c/src (cargo does not say which versions there are)");
    let failing = none.env("CARGO", "false");
    let run = failing.run(&["outdated", "c", "--json"]).code(3).says("cargo info failed");
    assert_eq!(found(&run, "c/src")[0]["status"], "failed");
}

#[test]
fn lock_says_what_a_change_means_before_it_writes() {
    let world = World::new();
    let forge = &world.forge;
    fs::create_dir_all(forge.store()).unwrap();
    fs::write(forge.store().join("times"), "90.000\ttools\n7.500\tu\n").unwrap();
    world.archive.publish(LATER, &NEW);
    let file = forge.project().join("lockfile.toml");
    let before = fs::read_to_string(&file).unwrap();
    let dry = forge.run(&["lock", "--update", "--dry-run"]).success().stdout;
    assert_eq!(fs::read_to_string(&file).unwrap(), before, "a dry run writes nothing");
    for line in [
        "~ debian/tool:amd64 1.0-1 (",
        "+ debian/extra:amd64 5 (",
        "download: ",
        "rebuild: at most 3 units, which took 1.6 min last time\n  tools  1.5 min\n  u      7.5 s\n  w      not built here yet\n",
    ] {
        assert!(dry.contains(line), "{line}\n{dry}");
    }
    let object = forge.run(&["lock", "--update", "--dry-run", "--json"]).success().json().remove(0);
    assert_eq!((&object["changed"], &object["rebuilds"][0]["seconds"]), (&true.into(), &90.0.into()));
    let tool = object["packages"].as_array().unwrap().iter().find(|item| item["name"] == "debian/tool:amd64").unwrap();
    assert_eq!((&tool["old"]["version"], &tool["new"]["version"]), (&"1.0-1".into(), &"1.1-1".into()));
    let (before, after) = (object["download"]["before"].as_u64(), object["download"]["after"].as_u64());
    assert!(before.unwrap() < after.unwrap(), "{object}");
    assert_eq!(forge.run(&["lock", "--update"]).success().stdout, dry, "the same code");
    forge.run(&["lock", "--update"]).success().says("nothing changed");
    let fits = forge.run(&["lock", "--check", "--json"]).success().json().remove(0);
    assert_eq!((&fits["fits"], fits["problems"].as_array().unwrap().len()), (&true.into(), 0));
    world.unit("u", "tag = \"v1.10\"");
    let fits = forge.run(&["lock", "--check", "--json"]).code(2).json().remove(0);
    assert_eq!(fits["problems"][0], serde_json::json!({"source": "u/lib", "problem": "stale"}));
    let plain = forge.run(&["lock"]).success().stdout;
    assert!(plain.contains("rebuild: nothing"), "v1.9 and v1.10 are one commit\n{plain}");
}

#[test]
fn what_can_not_be_watched_or_asked_is_said() {
    let world = World::new();
    let forge = &world.forge;
    fs::write(forge.project().join("recipes/data"), "data").unwrap();
    world.unit("c", &format!("commit = \"{}\"", world.origin.git(&["rev-parse", "HEAD"])));
    forge.run(&["lock"]).success();
    forge.run(&["outdated", "c"]).success().says("not watched: c/lib (a commit has no successor");
    fs::rename(world.origin.path().join(".git"), world.origin.path().join("gone")).unwrap();
    world.archive.publish(LATER, &NEW);
    let run = forge.run(&["outdated", "--json"]).code(3).says("cannot fetch the list of its tags");
    assert_eq!(found(&run, "debian/tool:amd64")[0]["candidate"], "1.1-1", "the rest is looked at all the same");
    assert_eq!(found(&run, "u/lib")[0]["status"], "failed");
}

#[test]
fn wrong_input_is_refused() {
    let world = World::new();
    world.forge.run(&["outdated", "toolz"]).code(2).says("did you mean `tools`?");
    world.unit("u", "branch = \"main\", update = \"v1.*\"");
    world.forge.run(&["outdated"]).code(2).says("`update` needs a `tag`");
    world.unit("u", "tag = \"v1.10\"");
    world.forge.run(&["outdated"]).code(2).says("u/lib has changed since it was locked");
}
