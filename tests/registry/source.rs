//! Sources of kind `oci`: locked to what a name means, fetched by digest, laid out.

use std::fs;
use std::path::Path;

use forge::digest::Digest;
use serde_json::{Value, json};

use super::double::{Double, Fault};
use super::push::{project, tool};
use super::real::Real;
use crate::support::{Forge, boxed};

/// A unit that looks at the image `app` of a registry.
fn user(host: &str) -> String {
    format!(
        "toolroot = 'box'\nsteps = ['cp /src/base/index.json /out/out', 'test -f /src/base/oci-layout']\n\
         [sources]\nbase = {{ oci = '{host}/app:1' }}\n"
    )
}

/// A project that uses the image, with a store that has nothing of it.
pub fn consumer(host: &str) -> Forge {
    let forge = boxed::forge();
    forge.write("recipes/user.toml", &user(host));
    forge
}

fn lockfile(forge: &Forge) -> String {
    fs::read_to_string(forge.project().join("lockfile.toml")).unwrap()
}

/// A file of mirrors.
fn mirrors(forge: &Forge, text: &str) -> std::path::PathBuf {
    let file = forge.folder().join("mirrors.toml");
    fs::write(&file, text).unwrap();
    file
}

/// Puts an index of two platforms into the registry, of which ours is the layout at `layout`.
fn push_index(folder: &Path, layout: &Path, to: &str) -> Digest {
    tool(folder, "cp", &["-rL", &layout.display().to_string(), "many"]);
    tool(folder, "chmod", &["-R", "u+w", "many"]);
    let many = folder.join("many");
    let read: Value = serde_json::from_slice(&fs::read(many.join("index.json")).unwrap()).unwrap();
    let ours = read["manifests"][0].clone();
    let mut other = ours.clone();
    other["platform"] = json!({"architecture": "arm64", "os": "linux"});
    let kind = "application/vnd.oci.image.index.v1+json";
    let index = json!({"schemaVersion": 2, "mediaType": kind, "manifests": [other, ours]}).to_string();
    let digest = Digest::of(index.as_bytes());
    fs::write(many.join("blobs/sha256").join(digest.hex()), &index).unwrap();
    let names = json!({"org.opencontainers.image.ref.name": "many"});
    let top = json!({"mediaType": kind, "digest": digest.to_string(), "size": index.len(), "annotations": names});
    fs::remove_file(many.join("index.json")).unwrap();
    fs::write(many.join("index.json"), json!({"schemaVersion": 2, "manifests": [top]}).to_string()).unwrap();
    let to = format!("docker://{to}");
    tool(folder, "skopeo", &["copy", "--all", "--dest-tls-verify=false", "oci:many:many", &to]);
    digest
}

#[test]
fn an_image_is_locked_fetched_and_laid_out() {
    let (maker, real) = (project(), Real::start());
    let reference = format!("{}/app:1", real.host);
    let pushed = maker.run(&["push", "app", &reference, "--json"]).success().json();
    let digest = pushed[0]["digest"].as_str().unwrap().to_owned();
    let forge = consumer(&real.host);
    forge.run(&["build", "user"]).code(2).says("forge lock");
    forge.run(&["lock"]).success();
    let locked = lockfile(&forge);
    assert!(locked.contains(&format!("oci = \"{}/app\"\nindex = \"{digest}\"", real.host)), "{locked}");
    forge.run(&["lock", "--check"]).success();
    forge.run(&["build", "user"]).success();
    let index: Value = serde_json::from_slice(&fs::read(forge.project().join("result/user")).unwrap()).unwrap();
    assert_eq!(index["manifests"][0]["digest"], digest);
    assert_eq!(index["manifests"][0]["platform"], json!({"architecture": "amd64", "os": "linux"}));
    forge.run(&["outdated"]).success();

    // The tag moves: to an image for several platforms, with another program.
    maker.write(
        "images/app.toml",
        &fs::read_to_string(maker.project().join("images/app.toml")).unwrap().replace("10001", "10002"),
    );
    maker.run(&["build", "app"]).success();
    let index = push_index(maker.folder(), &maker.project().join("result/app"), &reference);
    forge.run(&["build", "user", "--rebuild"]).success();
    assert_eq!(lockfile(&forge), locked, "a lock holds what it held");
    let outdated = forge.run(&["outdated", "--json"]).code(1).json();
    let line = outdated.iter().find(|line| line["kind"] == "oci").unwrap();
    assert_eq!((&line["source"], &line["candidate"]), (&"user/base".into(), &index.hex()[..12].into()));
    forge.run(&["lock", "--update", "user"]).success();
    assert!(lockfile(&forge).contains(&format!("index = \"{index}\"")));
    forge.run(&["build", "user"]).success();
}

#[test]
fn other_registries_may_have_it() {
    let (maker, real) = (project(), Real::start());
    maker.run(&["push", "app", &format!("{}/copies/app:1", real.host)]).success();
    let forge = consumer("registry.invalid");
    let file = mirrors(&forge, &format!("[oci]\n'registry.invalid' = ['oci://{}/copies']\n", real.host));
    let forge = forge.env("FORGE_MIRRORS", file);
    forge.run(&["lock"]).success();
    forge.run(&["build", "user"]).success();
    assert!(lockfile(&forge).contains("oci = \"registry.invalid/app\""), "hosts are configuration");
}

#[test]
fn what_can_not_be_had_is_told() {
    let real = Real::start();
    let forge = consumer(&real.host);
    let run = forge.run(&["lock"]).code(3);
    run.says(&format!("{}/app:1: no registry says what it is", real.host)).says("`base` of the unit `user`");
    for (name, words) in [
        ("app", "names no registry"),
        ("example.org/App:1", "not the name of a repository"),
        ("example.org/app", "no tag"),
    ] {
        forge.write("recipes/user.toml", &user("x").replace("x/app:1", name));
        forge.run(&["lock"]).code(2).says(words).says("recipes/user.toml:4");
    }
}

#[test]
fn damage_is_found_and_other_places_are_asked() {
    let (maker, real) = (project(), Real::start());
    let reference = format!("{}/app:1", real.host);
    let pushed = maker.run(&["push", "app", &reference, "--json"]).success().json();
    let forge = consumer(&real.host);
    forge.run(&["lock"]).success();
    let layer = pushed[0]["uploaded"]["blobs"][1].as_str().unwrap();
    let mut bytes = fs::read(real.blob(layer)).unwrap();
    bytes[20] ^= 1;
    fs::write(real.blob(layer), bytes).unwrap();
    forge.run(&["build", "user"]).code(3).says("wrong content").says(layer);
}

/// A registry that wants tokens and has the image `app`, with a unit that uses it.
fn guarded() -> (Double, Forge) {
    let (maker, double) = (project(), Double::start());
    double.guard();
    maker.run(&["push", "app", &format!("{}/app:1", double.host)]).success();
    let forge = consumer(&double.host);
    (double, forge)
}

#[test]
fn what_passes_is_sat_out() {
    let (double, forge) = guarded();
    double.fail("GET /v2/app/manifests", 1, Fault::Status(500, ""));
    double.fail("GET /v2/app/manifests", 1, Fault::Short(10));
    double.fail("GET /token", 1, Fault::Status(429, "Retry-After: 0\r\n"));
    forge.run(&["lock"]).success();
    double.fail("GET /v2/app/blobs", 2, Fault::Short(100));
    double.fail("GET /v2/app/blobs", 1, Fault::Status(503, ""));
    double.fail("GET /v2/app/blobs", 1, Fault::Deaf);
    forge.run(&["build", "user"]).success();
}

#[test]
fn a_registry_that_lies_is_not_believed() {
    let (double, forge) = guarded();
    double.fail("GET /v2/app/manifests", 1, Fault::Lie);
    forge.run(&["lock"]).code(3).says("no registry says what it is").says("`base` of the unit `user`");
    forge.run(&["lock"]).success();
    let locked = lockfile(&forge);
    double.fail("GET /v2/app/blobs", 99, Fault::Lie);
    forge.run(&["build", "user"]).code(3).says("wrong content").says(&format!("oci://{}/app@sha256:", double.host));
    assert_eq!(lockfile(&forge), locked);
}
