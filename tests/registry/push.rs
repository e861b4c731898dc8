//! `forge push` to a real registry, and what skopeo pulls from it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::double::{Double, Fault};
use super::real::Real;
use crate::image::sound;
use crate::support::running::{Running, within};
use crate::support::{Forge, boxed};

/// A unit whose program is the image's.
const TOOL: &str = "toolroot = 'box'\nsteps = [\n  'mkdir -p /out/out/bin',\n  'cp /usr/bin/true /out/out/bin/tool',\n  'echo first > /out/out/text',\n]\n";

/// A small image.
pub const IMAGE: &str = r#"
archive = "debian"
packages = ["libc6"]
user = "tool"
entrypoint = ["/usr/bin/tool"]
deps = { tool = "tool" }
users = { tool = 10001 }
[files]
"/usr/bin/tool" = "deps/tool/bin/tool"
"/etc/text" = "deps/tool/text"
"#;

pub fn project() -> Forge {
    let forge = boxed::forge();
    forge.write("recipes/tool.toml", TOOL).write("images/app.toml", IMAGE);
    forge.run(&["lock"]).success();
    forge
}

/// Runs a program that these tests need.
pub fn tool(folder: &Path, program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).current_dir(folder).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}: apt-get install {program}"));
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn blobs(part: &serde_json::Value) -> usize {
    part["blobs"].as_array().unwrap().len()
}

#[test]
fn what_is_pushed_is_pulled() {
    let (forge, real) = (project(), Real::start());
    let reference = format!("{}/team/app:1", real.host);
    let dry = forge.run(&["push", "app", &reference, "--dry-run"]).success().says("would be built first");
    assert_eq!(dry.stdout, "");
    let pushed = forge.run(&["push", "app", &reference, "--json"]).success().says("uploaded").json();
    let line = &pushed[0];
    let manifest = forge.run(&["build", "app", "--json"]).success().json()[0]["manifest"].clone();
    assert_eq!((&line["name"], &line["digest"], &line["tag"]), (&"app".into(), &manifest, &"new".into()));
    assert_eq!(line["reference"], reference);
    let count = blobs(&line["uploaded"]);
    assert!(count > 3 && blobs(&line["skipped"]) == 0 && blobs(&line["mounted"]) == 0, "{line}");

    let pulled = forge.folder().join("pulled");
    let from = format!("docker://{reference}");
    tool(forge.folder(), "skopeo", &["copy", "--src-tls-verify=false", &from, "oci:pulled:app"]);
    assert_eq!(sound(&pulled).manifests[0].to_string(), manifest);

    let before = real.requests().len();
    let line = &forge.run(&["push", "app", &reference, "--json"]).success().json()[0];
    assert_eq!((blobs(&line["uploaded"]), blobs(&line["skipped"])), (0, count));
    assert_eq!(line["tag"], "same");
    let again = real.requests().split_off(before);
    assert_eq!(again.len(), count + 2, "{again:#?}");

    // Another repository, and a registry that knows blobs of the first.
    let other = format!("{}/other:1", real.host);
    let would = &forge.run(&["push", "app", &other, "--json", "--dry-run"]).success().json()[0];
    assert_eq!((blobs(&would["mounted"]), blobs(&would["uploaded"])), (count, 0));
    let line = &forge.run(&["push", "app", &other, "--json"]).success().json()[0];
    assert_eq!((blobs(&line["mounted"]), blobs(&line["uploaded"])), (count, 0));

    // A changed program: its layer, and the configuration that names it.
    forge.write("recipes/tool.toml", &TOOL.replace("first", "second"));
    let would = forge.run(&["push", "app", &reference, "--dry-run"]).success();
    assert!(would.stderr.contains("would be built first"));
    let run = forge.run(&["push", "app", &reference, "--json"]).success().says("the tag moved; it named sha256:");
    let line = &run.json()[0];
    assert_eq!((blobs(&line["uploaded"]), blobs(&line["skipped"])), (2, count - 2));
    assert_eq!(line["tag"], "moved");
    assert!(real.blob(line["digest"].as_str().unwrap()).is_file());
}

#[test]
fn mounts_can_be_asked_for() {
    let (forge, real) = (project(), Real::start());
    forge.run(&["push", "app", &format!("{}/one:1", real.host)]).success();
    fs::remove_dir_all(forge.store().join("pushed")).unwrap();
    let other = format!("{}/two:1", real.host);
    let line = &forge.run(&["push", "app", &other, "--json", "--mount-from", "one"]).success().json()[0];
    assert!(blobs(&line["mounted"]) > 3 && blobs(&line["uploaded"]) == 0, "{line}");
}

#[test]
fn wrong_names_are_refused() {
    let forge = project();
    for (reference, words) in [
        ("app:1", "names no registry"),
        ("127.0.0.1:5000/app", "has no tag"),
        ("127.0.0.1:5000/App:1", "not the name of a repository"),
        ("http://registry.example.org/app:1", "without TLS"),
        ("", "names no registry"),
    ] {
        forge.run(&["push", "app", reference]).code(2).says(words).says("hint: ");
    }
    forge.run(&["push", "tool", "127.0.0.1:5000/app:1"]).code(2).says("of kind cmd, not an image").says("`app`");
    forge.run(&["push", "nothing", "127.0.0.1:5000/app:1"]).code(2).says("there is no unit");
}

#[test]
fn a_registry_that_fails_is_told_where_what_and_what_next() {
    let (forge, double) = (project(), Double::start());
    let reference = format!("{}/app:1", double.host);
    double.fail("PATCH", 999, Fault::Status(507, ""));
    let run = forge.run(&["push", "app", &reference]).code(3);
    run.says(&format!("PATCH http://{}/v2/app/blobs/uploads/", double.host))
        .says("507")
        .says("hint: the registry is full");
    assert_eq!(double.tag("app", "1"), None);
    let gone = Double::start();
    gone.fail("", 9999, Fault::Status(401, ""));
    forge.run(&["push", "app", &format!("{}/app:1", gone.host)]).code(3).says("401").says("docker login");
    forge.run(&["push", "app", "127.0.0.1:1/app:1"]).code(3).says("attempts").says("run this again");
}

#[test]
fn a_push_can_be_interrupted() {
    let forge = project();
    forge.run(&["build", "app"]).success();
    for (on, fault) in [
        ("PATCH", Fault::Status(429, "Retry-After: 50\r\n")),
        ("GET /v2/", Fault::Stall),
        ("HEAD", Fault::Stall),
        ("PATCH", Fault::Stall),
        ("GET /v2/app/manifests", Fault::Stall),
    ] {
        let double = Double::start();
        double.fail(on, 99, fault.clone());
        let running = Running::start(forge.command(&["push", "app", &format!("{}/app:1", double.host)]));
        assert!(within(Duration::from_secs(20), || double.count(on) > 0), "{on}");
        running.interrupt();
        let begin = Instant::now();
        running.end().code(130).says("interrupted; what was uploaded stays");
        assert!(begin.elapsed() < Duration::from_secs(5), "{on} {fault:?}: {:?}", begin.elapsed());
        assert_eq!(double.tag("app", "1"), None);
    }
}

#[test]
fn what_is_not_free_is_not_published() {
    let forge = project();
    forge.write("recipes/tool.toml", &format!("unfree = true\n{TOOL}"));
    for public in ["docker.io/me/app:1", "ghcr.io/me/app:1", "europe-docker.pkg.dev/me/app:1"] {
        let run = forge.run(&["push", "app", public, "--allow-unfree"]).code(2);
        run.says("`tool` must not be published, and anybody can read from");
    }
    let run = forge.run(&["push", "app", "registry.invalid/app:1"]).code(2);
    run.says("`tool` must not be published: not free").says("--allow-unfree");
    let real = Real::start();
    let place = format!("{}/app:1", real.host);
    forge.run(&["push", "app", &place]).code(2).says("`app` needs `tool`, which is not free");
    forge.run(&["push", "app", &place, "--allow-unfree"]).success();
}
