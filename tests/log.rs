//! `forge log`: of a success, a failure, and a unit that never ran.

use crate::support::{Forge, boxed};

/// A project with a unit that fails, one that waits for it, and one that is fine.
fn project() -> Forge {
    let forge = boxed::forge();
    let unit = |name: &str, step: &str, rest: &str| {
        forge.write(&format!("recipes/{name}.toml"), &format!("toolroot = \"box\"\nsteps = [\"{step}\"]\n{rest}"));
    };
    unit("bad", "echo broken; exit 7", "");
    unit("waits", "true", "[deps]\nbad = \"bad\"\n");
    unit("further", "true", "[deps]\nwaits = \"waits\"\n");
    unit("fine", "echo all is well; echo x > /out/out", "");
    forge
}

#[test]
fn each_kind_of_unit_has_its_answer() {
    let forge = project();
    forge.run(&["log"]).code(2).says("no step of the last build").says("forge log NAME");
    forge
        .run(&["log", "fine"])
        .code(2)
        .says("have not run with the present recipes")
        .says("`forge build fine` runs them");
    forge.run(&["log", "waits"]).code(2).says("it waits for `bad`, which was not built yet");
    forge.run(&["log", "box"]).code(2).says("forge made it itself");
    forge.run(&["build", "--offline", "--keep-going", "fine", "further"]).code(1);

    assert!(forge.run(&["log", "fine"]).success().stdout.contains("all is well"));
    assert!(forge.run(&["log", "bad"]).success().stdout.contains("broken"));
    for name in ["waits", "further"] {
        forge.run(&["log", name]).code(2).says("it waits for `bad`, which failed").says("`forge log bad` prints why");
    }
    let last = forge.run(&["log"]).success().says("── log of bad ──");
    assert!(last.stdout.contains("broken") && !last.stdout.contains("all is well"), "{}", last.stdout);

    forge.write("recipes/bad.toml", "toolroot = \"box\"\nsteps = [\"echo mended; echo x > /out/out\"]\n");
    forge.run(&["build", "--offline", "bad"]).success();
    assert!(forge.run(&["log", "bad"]).success().stdout.contains("mended"));
    forge.run(&["log"]).code(2).says("no step of the last build");
}

#[test]
fn a_test_that_failed_is_what_failed_last() {
    let forge = boxed::forge();
    let recipe = |build: &str, test: &str| {
        let text = format!("toolroot = \"box\"\nsteps = [\"{build}\"]\n[tests.checks]\nsteps = [\"{test}\"]\n");
        forge.write("recipes/u.toml", &format!("{text}[tests.works]\nsteps = [\"echo works\"]\n"));
    };
    recipe("echo not yet; exit 3", "true");
    forge.run(&["log", "u", "--test", "checks"]).code(2).says("waits for `u`, which was not built yet");
    forge.run(&["build", "u"]).code(1);
    forge.run(&["log", "u", "--test", "checks"]).code(2).says("it waits for `u`, which failed").says("`forge log u`");
    recipe("echo compiled > /out/out; cat /out/out", "echo wrong; exit 4");
    forge.run(&["log", "u", "--test", "checks"]).code(2).says("`forge test u` runs them");
    forge.run(&["test", "u"]).code(1);

    let log = |args: &[&str]| forge.run(args).success().stdout;
    for args in [&["log", "u"][..], &["log"], &["log", "u", "--test", "checks"]] {
        let said = log(args);
        assert!(
            said.contains("wrong\n") && !said.contains("compiled") && !said.contains("not yet"),
            "{args:?}: {said}"
        );
    }
    forge.run(&["log", "u"]).success().says("── log of u: test checks ──").says("`forge log u --build` prints");
    assert!(log(&["log", "u", "--build"]).contains("compiled\n"));
    assert!(log(&["log", "u", "--test", "works"]).contains("works\n"));
    forge.run(&["log", "u", "--test", "other"]).code(2).says("`u` has no test `other`").says("`checks`, `works`");
    forge.run(&["log", "--test", "checks"]).code(2).says("<NAME>");

    recipe("echo compiled > /out/out; cat /out/out", "echo right");
    forge.run(&["test", "u"]).success();
    assert!(log(&["log", "u"]).contains("compiled\n") && log(&["log", "u", "--test", "checks"]).contains("right\n"));
    forge.run(&["log"]).code(2).says("no step of the last build or test left the log of a failure");
}
