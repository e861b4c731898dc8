//! `forge plan`: why each unit would be rebuilt.

use std::fs;

use crate::support::{Forge, boxed};

const LIB: &str = "toolroot = \"box\"\nsteps = [\"mkdir /out/out\", \"cp /src/src/files/a.txt /out/out\"]\n[sources]\nsrc = { path = [\"files\"] }\n[env]\nLEVEL = \"2\"\n";
const APP: &str = "toolroot = \"box\"\nsteps = [\"cp /deps/lib/a.txt /out/out\"]\n[deps]\nlib = \"lib\"\n";

/// A project in which `app` reads `lib`, both built.
fn built() -> Forge {
    let forge = boxed::forge();
    forge.write("recipes/lib/recipe.toml", LIB).write("recipes/app.toml", APP);
    forge.write("recipes/lib/files/a.txt", "one\n").write("recipes/lib/files/b.txt", "x\n");
    assert_eq!(why(&forge, "app"), ["never built"]);
    forge.run(&["build", "app"]).success();
    assert_eq!(why(&forge, "app"), [""; 0]);
    forge
}

/// Why `unit` would be rebuilt, as a plan of `app` says.
fn why(forge: &Forge, unit: &str) -> Vec<String> {
    let lines = forge.run(&["plan", "app", "--json"]).success().json();
    let line = lines.iter().find(|line| line["name"] == unit).unwrap();
    let why = line["why"].as_array().unwrap();
    assert_eq!(line["cached"].as_bool().unwrap(), why.is_empty());
    why.iter().map(|reason| reason.as_str().unwrap().to_owned()).collect()
}

/// Changes a file of the project.
fn edit(forge: &Forge, path: &str, from: &str, to: &str) {
    let text = fs::read_to_string(forge.project().join(path)).unwrap();
    assert!(text.contains(from), "{text}");
    forge.write(path, &text.replace(from, to));
}

#[test]
fn each_cause_is_named() {
    let forge = built();
    let lib = "recipes/lib/recipe.toml";
    let waits = "needs `lib`, which must be built first";
    for (path, from, to, unit, reasons) in [
        ("recipes/lib/files/a.txt", "one", "two", "lib", &["src: files/a.txt changed"][..]),
        ("recipes/lib/files/a.txt", "one", "two", "app", &[waits]),
        (lib, "mkdir /out/out", "mkdir -p /out/out", "lib", &["step 1 changed: mkdir /out/out → mkdir -p /out/out"]),
        (lib, "\"mkdir /out/out\", ", "\"mkdir /out/out\", \"true\", ", "lib", &["step 2 added"]),
        (lib, "\"2\"", "\"3\"", "lib", &["env LEVEL changed: 2 → 3"]),
        (lib, "[env]", "[env]\nMORE = \"1\"", "lib", &["env MORE added"]),
        (lib, "steps", "outputs = [\"out\", \"doc\"]\nsteps", "lib", &["output doc added"]),
        ("recipes/app.toml", "lib = \"lib\"", "", "app", &["deps lib removed"]),
        ("recipes/app.toml", "[deps]", "[deps]\nroot = \"box\"", "app", &["deps root added"]),
        ("recipes/box.toml", "trim = [", "trim = [\"usr/bin/gone\", ", "box", &["trim usr/bin/gone added"]),
        (
            "recipes/box.toml",
            "trim = [",
            "trim = [\"usr/bin/gone\", ",
            "lib",
            &["needs `box`, which must be built first"],
        ),
    ] {
        let before = fs::read_to_string(forge.project().join(path)).unwrap();
        edit(&forge, path, from, to);
        assert_eq!(why(&forge, unit), reasons, "{path}: {from} → {to}");
        forge.write(path, &before);
    }
    assert_eq!(why(&forge, "app"), [""; 0], "nothing was built meanwhile");
}

#[test]
fn a_package_is_told_by_its_versions() {
    let forge = built();
    let lock = fs::read_to_string(forge.project().join("lockfile.toml")).unwrap();
    let line = lock.lines().find(|line| line.contains("\"dash:amd64 ")).unwrap();
    let words: Vec<&str> = line.split(' ').collect();
    let at = words.iter().position(|word| word.contains("dash:amd64")).unwrap();
    let moved = line.replace(words[at + 1], "9.9").replace(words[at + 3], &"0".repeat(64));
    forge.write("lockfile.toml", &lock.replace(line, &moved));
    assert_eq!(why(&forge, "box"), [format!("packages: dash {} → 9.9", words[at + 1])]);
}

#[test]
fn what_was_collected_or_failed_is_said() {
    let forge = built();
    forge.run(&["build", "box"]).success();
    fs::remove_file(forge.project().join("result/app")).unwrap();
    forge.run(&["store", "gc", "--quota", "1"]).success();
    assert_eq!(why(&forge, "lib"), ["its result was collected"]);
    assert_eq!(why(&forge, "app"), ["needs `lib`, which must be built first"]);

    let forge = built();
    forge.write("recipes/new.toml", "toolroot = \"box\"\nsteps = [\"false\"]\n");
    forge.run(&["build", "new"]).code(1);
    let plan = forge.run(&["plan", "new"]).success().says("1 unit to build, 1 in the store\n").stdout;
    assert!(plan.ends_with("\n        never built: it failed when it was last tried\n"), "{plan}");
    edit(&forge, "recipes/lib/recipe.toml", "mkdir /out/out", "false");
    forge.run(&["build", "app"]).code(1);
    let reasons = ["it failed when it was last tried", "step 1 changed: mkdir /out/out → false"];
    assert_eq!(why(&forge, "lib"), reasons);
    edit(&forge, "recipes/lib/recipe.toml", "false", "mkdir /out/out");
    assert_eq!(why(&forge, "lib"), [""; 0]);
}

#[test]
fn people_read_it_in_plans_and_builds() {
    let forge = built();
    forge.write("recipes/lib/files/a.txt", "two\n").write("recipes/lib/files/c.txt", "new\n");
    fs::remove_file(forge.project().join("recipes/lib/files/b.txt")).unwrap();
    let said = "src: files/a.txt changed, files/b.txt removed, files/c.txt added";
    let plan = forge.run(&["plan", "app"]).success().says("2 units to build, 1 in the store\n").stdout;
    assert!(plan.contains(&format!("\n        {said}\n")), "{plan}");
    forge.run(&["build", "app", "--explain"]).success().says(&format!("lib: {said}")).says("app: needs `lib`");
    // What lib came to is another file, and app is told so by its content.
    let after = forge.run(&["build", "app", "--explain"]).success();
    assert!(!after.stderr.contains("lib:"), "{}", after.stderr);
}

#[test]
fn without_a_record_a_plan_still_stands() {
    let forge = built();
    for entry in fs::read_dir(forge.store().join("last")).unwrap() {
        fs::write(entry.unwrap().path(), "damaged").unwrap();
    }
    edit(&forge, "recipes/lib/recipe.toml", "\"2\"", "\"3\"");
    assert_eq!(why(&forge, "lib"), ["never built"]);
    edit(&forge, "recipes/lib/recipe.toml", "\"3\"", "\"2\"");
    forge.run(&["build", "app"]).success();
    edit(&forge, "recipes/lib/recipe.toml", "\"2\"", "\"3\"");
    assert_eq!(why(&forge, "lib"), ["env LEVEL changed: 2 → 3"], "what is found built is noted too");
}
