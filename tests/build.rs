//! `forge build` on real toolroots: results, caching, failures.

use std::fs;

use crate::support::{Forge, boxed};

/// A project with the units `a`, and `b` that reads it.
fn two_units() -> Forge {
    let forge = boxed::forge();
    forge.write("recipes/a.toml", "toolroot = \"box\"\nsteps = [\"tail -n 1 /src/src/a.txt > /out/out\"]\n[sources]\nsrc = { path = [\"a.txt\"] }\n");
    forge.write("recipes/b.toml", "default = true\ntoolroot = \"box\"\nsteps = [\"mkdir /out/out /out/extra\", \"cat /deps/a > /out/out/b\"]\noutputs = [\"out\", \"extra\"]\n[deps]\na = \"a\"\n");
    forge.write("recipes/a.txt", "one\n");
    forge
}

#[test]
fn builds_once_and_reports() {
    let forge = two_units();
    let lines = forge.run(&["build", "--json"]).success().json();
    assert_eq!(lines.len(), 1);
    assert_eq!(
        (&lines[0]["name"], &lines[0]["kind"], &lines[0]["status"]),
        (&"b".into(), &"cmd".into(), &"built".into())
    );
    let outputs = lines[0]["outputs"].as_array().unwrap();
    assert_eq!((&outputs[0]["name"], &outputs[1]["name"]), (&"out".into(), &"extra".into()));
    assert!(outputs[0]["digest"].as_str().unwrap().starts_with("sha256:"));
    let path = outputs[0]["path"].as_str().unwrap();
    assert_eq!(fs::read_to_string(format!("{path}/b")).unwrap(), "one\n");
    assert_eq!(fs::canonicalize(forge.project().join("result/b")).unwrap().to_str(), Some(path));
    assert!(forge.project().join("result/b:extra").is_dir());

    let again = forge.run(&["build", "--json"]).success().json();
    assert_eq!(again[0]["status"], "cached");
    assert_eq!((&again[0]["derivation"], &again[0]["outputs"]), (&lines[0]["derivation"], &lines[0]["outputs"]));
}

#[test]
fn a_single_output_is_built_where_it_is_named() {
    let forge = two_units();
    let result = |name: &str| forge.project().join("result").join(name).exists();
    for dry in [&["--dry-run"][..], &[]] {
        let asked = [&["build", "b:exta"], dry].concat();
        forge.run(&asked).code(2).says("`b` has no output `exta`").says("its outputs: out, extra");
    }
    let line = &forge.run(&["build", "b:extra", "--json"]).success().json()[0];
    let outputs: Vec<_> = line["outputs"].as_array().unwrap().iter().map(|output| &output["name"]).collect();
    assert_eq!(outputs, ["extra"]);
    assert!(result("b:extra") && !result("b"));
    // There is nothing to do now but for those that ask for more.
    forge.run(&["build", "b:extra"]).success().says("0 built, 1 cached");
    forge.run(&["build", "b:extra", "b"]).success().says("0 built, 1 cached");
    assert!(result("b"));
}

#[test]
fn arguments_need_no_toolroot() {
    let forge = Forge::new();
    let recipe = "kind = \"arguments\"\nprogram = \"solana-test-validator\"\nversion = \"4.1.2\"\n[arguments]\nreset = true\nledger = \"/l\"\n";
    forge.write("recipes/args.toml", recipe);
    drop(forge.run(&["lock"]).success());
    drop(forge.run(&["build", "args"]).success());
    let text = fs::read_to_string(forge.project().join("result/args")).unwrap();
    assert_eq!(text, "--ledger\n/l\n--reset\n");
}

#[test]
fn a_change_that_changes_nothing_goes_no_further() {
    let forge = two_units();
    let first = forge.run(&["build", "--json", "--all"]).success().json();
    forge.write("recipes/a.txt", "# a comment\none\n");
    let second = forge.run(&["build", "--json", "--all"]).success().json();
    let status = |lines: &[serde_json::Value], unit: &str| {
        lines.iter().find(|line| line["name"] == unit).unwrap()["status"].as_str().unwrap().to_owned()
    };
    assert_eq!((status(&first, "a"), status(&first, "b")), ("built".to_owned(), "built".to_owned()));
    assert_eq!((status(&second, "a"), status(&second, "b")), ("built".to_owned(), "cached".to_owned()));
}

#[test]
fn a_failure_prints_its_log_and_no_other() {
    let forge = two_units();
    forge.write(
        "recipes/bad.toml",
        "toolroot = \"box\"\nsteps = [\"echo fine\", \"echo broken; exit 7\", \"echo never\"]\n",
    );
    forge.write("recipes/user.toml", "toolroot = \"box\"\nsteps = [\"true\"]\n[deps]\nbad = \"bad\"\n");
    let run = forge.run(&["build", "--json", "--keep-going", "b", "user", "bad"]).code(1);
    let run = run.says("broken").says("step 2 of 3 failed with exit code 7").says("hint: `forge log bad`");
    assert!(!run.stderr.contains("never\n"), "{}", run.stderr);
    let status = |unit: &str| {
        let lines = run.json();
        lines.iter().find(|line| line["name"] == unit).unwrap()["status"].as_str().unwrap().to_owned()
    };
    assert_eq!([status("b"), status("bad"), status("user")], ["built", "failed", "skipped"]);
    let bad = run.json().into_iter().find(|line| line["name"] == "bad").unwrap();
    assert!(bad["error"].as_str().unwrap().contains("exit code 7"));
    assert!(fs::read_to_string(bad["log"].as_str().unwrap()).unwrap().contains("broken"));
    assert!(forge.run(&["log", "bad"]).success().stdout.contains("broken"));
}

#[test]
fn what_the_first_failure_left_untried_is_counted() {
    let forge = two_units();
    forge.write("recipes/bad.toml", "toolroot = \"box\"\nsteps = [\"exit 7\"]\n");
    forge.write("recipes/other.toml", "toolroot = \"box\"\nsteps = [\"echo x > /out/out\"]\n");
    let first = forge.run(&["build", "-j", "1", "bad", "a", "other"]).code(1);
    let first = first.says("hint: 2 other units were not tried; `forge build --keep-going` goes on");
    assert!(!first.stderr.contains("interrupted"), "{}", first.stderr);
    let all = forge.run(&["build", "-j", "1", "--keep-going", "bad", "a", "other"]).code(1);
    assert!(!all.stderr.contains("not tried"), "{}", all.stderr);
    let alone = forge.run(&["build", "bad", "a"]).code(1);
    assert!(!alone.stderr.contains("not tried"), "what is in the store is no unit to try\n{}", alone.stderr);
}

#[test]
fn outputs_must_be_what_the_recipe_says() {
    for (step, words) in [
        ("true", "it did not make its output /out/out"),
        ("touch /out/out /out/more", "it left /out/more, which is not an output"),
        ("mkfifo /out/out", "can't be stored"),
    ] {
        let forge = boxed::forge();
        forge.write("recipes/u.toml", &format!("toolroot = \"box\"\nsteps = [\"{step}\"]\n"));
        forge.run(&["build", "u"]).code(1).says(words);
    }
}

#[test]
fn plan_and_dry_run_say_what_build_does() {
    let forge = two_units();
    let before = forge.run(&["plan", "--json"]).success().json();
    let cached: Vec<_> =
        before.iter().map(|line| (line["name"].as_str().unwrap(), line["cached"].as_bool().unwrap())).collect();
    assert_eq!(cached, [("a", false), ("b", false), ("box", true)]);
    assert!(before[0]["derivation"].is_string() && before[1]["derivation"].is_null());
    assert_eq!(forge.run(&["build", "--dry-run", "--json"]).success().json(), before);
    assert!(!forge.project().join("result").exists(), "a dry run changes nothing");
    let built = forge.run(&["build", "--json"]).success().json();
    let after = forge.run(&["plan", "--json"]).success().json();
    assert!(after.iter().all(|line| line["cached"] == true));
    assert_eq!(after[1]["derivation"], built[0]["derivation"]);
}

#[test]
fn rebuild_runs_again_with_the_same_result() {
    let forge = two_units();
    let first = forge.run(&["build", "--json"]).success().json();
    let again = forge.run(&["build", "--json", "--rebuild"]).success().json();
    assert_eq!(again[0]["status"], "built");
    assert_eq!(again[0]["outputs"], first[0]["outputs"]);
}

#[test]
fn a_rebuild_that_differs_is_refused_and_the_first_result_kept() {
    let forge = boxed::forge();
    forge.write("recipes/t.toml", "toolroot = \"box\"\nsteps = [\"date +%N > /out/out\"]\n");
    let first = forge.run(&["build", "t", "--json"]).success().json();
    forge.run(&["build", "t", "--rebuild"]).code(1).says("not reproducible").says("want: sha256:");
    let kept = forge.run(&["build", "t", "--json"]).success().json();
    assert_eq!((&kept[0]["status"], &kept[0]["outputs"]), (&"cached".into(), &first[0]["outputs"]));
}

#[test]
fn the_last_build_that_did_something_is_remembered() {
    let forge = two_units();
    let record = forge.store().join("last-build");
    fs::remove_file(&record).unwrap_or_default();
    forge.run(&["build", "box"]).success();
    assert!(!record.exists(), "nothing ran");
    forge.run(&["build"]).success();
    let text = fs::read_to_string(&record).unwrap();
    let mut lines = text.lines();
    assert!(lines.next().unwrap().starts_with("forge timeline 1\t"), "{text}");
    let ran: Vec<_> = lines.filter(|line| line.contains("\twork ") && line.contains("\tbuilt\tsha256:")).collect();
    assert!(ran.len() == 2 && ran[0].ends_with("\ta") && ran[1].ends_with("\tb"), "{text}");
    forge.run(&["build"]).success();
    assert_eq!(fs::read_to_string(&record).unwrap(), text, "a build that did nothing leaves it");
}

#[test]
fn offline_uses_the_store_alone() {
    let forge = two_units();
    forge.run(&["build", "--offline"]).success();
    let bare = forge.project().join("bare");
    forge.env("FORGE_STORE", bare).run(&["build", "--offline"]).code(3).says("not asked (offline)");
}
