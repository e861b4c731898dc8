//! `forge mirror oci://…`: a registry keeps every source, and a build needs nothing else.

use std::fs;

use serde_json::Value;

use super::double::{Double, Fault};
use super::push::tool;
use super::real::Real;
use crate::fetch::git::Origin;
use crate::fetch::server::{Reply, Server};
use crate::support::{Forge, boxed};

/// A project with a file and a git tree, locked.
fn project(server: &Server, origin: &Origin) -> Forge {
    server.on("/data", [Reply::File(b"some data".to_vec())]);
    origin.write("a", b"alpha\n").write("sub/b", b"beta\n").commit();
    origin.git(&["tag", "v1"]);
    let forge = boxed::forge();
    let text = format!(
        "default = true\ntoolroot = 'box'\nsteps = ['cat /src/data /src/lib/a /src/lib/sub/b > /out/out']\n[sources]\n\
         data = {{ url = '{}' }}\nlib = {{ git = '{}', tag = 'v1' }}\n",
        server.url("/data"),
        origin.url()
    );
    forge.write("recipes/u.toml", &text);
    forge.run(&["lock"]).success();
    forge
}

#[test]
fn a_registry_keeps_every_source() {
    let (server, origin, real) = (Server::start(), Origin::new(), Real::start());
    let forge = project(&server, &origin);
    let place = format!("oci://{}/team/sources", real.host);
    let dry = forge.run(&["mirror", &place, "--json", "--dry-run"]).success().json();
    assert!(dry.iter().all(|line| line["status"] == "copied"));
    assert!(!real.requests().iter().any(|line| line.starts_with("P")), "a dry run writes nothing");
    let copied = forge.run(&["mirror", &place, "--json"]).success().says(&format!("digests = [\"{place}\"]")).json();
    assert!(copied.len() > 10 && copied.iter().all(|line| line["status"] == "copied"), "{copied:#?}");
    let before = real.requests().len();
    let again = forge.run(&["mirror", &place, "--json"]).success().json();
    assert!(again.iter().all(|line| line["status"] == "there"), "{again:#?}");
    assert!(!real.requests()[before..].iter().any(|line| line.starts_with("P")), "nothing is written twice");

    // It can be listed, and its garbage collector leaves it alone.
    let from = format!("docker://{}/team/sources:sources", real.host);
    let raw = tool(forge.folder(), "skopeo", &["inspect", "--raw", "--tls-verify=false", &from]);
    let index: Value = serde_json::from_str(&raw).unwrap();
    assert_eq!(index["manifests"][0]["artifactType"], "application/vnd.forge.sources.v1");
    real.sweep();

    // The sources are gone from where they came, and the store has none.
    server.on("/data", [Reply::Status(404, Vec::new())]);
    fs::rename(origin.path().join(".git"), origin.path().join("gone")).unwrap();
    let other = boxed::forge();
    for file in ["recipes/u.toml", "lockfile.toml"] {
        fs::copy(forge.project().join(file), other.project().join(file)).unwrap();
    }
    let mirrors = other.folder().join("mirrors.toml");
    fs::write(&mirrors, format!("digests = [\"{place}\"]\n")).unwrap();
    let other = other.env("FORGE_MIRRORS", mirrors);
    other.run(&["build"]).success();
    assert_eq!(fs::read_to_string(other.project().join("result/u")).unwrap(), "some dataalpha\nbeta\n");
}

#[test]
fn another_project_joins_it() {
    let (server, origin, real) = (Server::start(), Origin::new(), Real::start());
    let forge = project(&server, &origin);
    let place = format!("oci://{}/sources", real.host);
    forge.run(&["mirror", &place, "u"]).success();
    server.on("/more", [Reply::File(b"more".to_vec())]);
    forge.write(
        "recipes/u.toml",
        &fs::read_to_string(forge.project().join("recipes/u.toml")).unwrap().replace("/data'", "/more'"),
    );
    forge.run(&["lock"]).success();
    forge.run(&["mirror", &place, "u"]).success();
    real.sweep();
    let digest = forge::digest::Digest::of(b"some data").to_string();
    assert!(real.blob(&digest).is_file(), "what another lock pins stays");
}

#[test]
fn a_registry_that_fails_ends_it() {
    let (server, origin, double) = (Server::start(), Origin::new(), Double::start());
    let forge = project(&server, &origin);
    let place = format!("oci://{}/sources", double.host);
    double.fail("PATCH", 999, Fault::Status(507, ""));
    forge.run(&["mirror", &place, "u"]).code(3).says("507").says("make room").says("what was copied stays");
    assert_eq!(double.tag("sources", "sources"), None);
}

#[test]
fn what_is_not_free_is_not_mirrored_in_public() {
    let (server, origin) = (Server::start(), Origin::new());
    let forge = project(&server, &origin);
    let text = fs::read_to_string(forge.project().join("recipes/u.toml")).unwrap();
    forge.write("recipes/u.toml", &format!("unfree = true\n{}", text.replace("default = true", "")));
    forge.run(&["mirror", "oci://ghcr.io/me/sources", "--allow-unfree"]).code(2).says("must not be published");
    forge.run(&["mirror", "oci://registry.invalid/me/sources"]).code(2).says("--allow-unfree");
    let folder = forge.folder().join("mirror").display().to_string();
    forge.run(&["mirror", &folder, "u"]).code(2).says("`u` is not free").says("--allow-unfree");
    let named = |run: &crate::support::Run| run.json().iter().any(|line| line["name"] == "u/data");
    let run = forge.run(&["mirror", &folder, "--json"]).success().says("left out, as it is not free: u");
    assert!(!named(&run), "{}", run.stdout);
    let run = forge.run(&["mirror", &folder, "--json", "--allow-unfree"]).success().says("do not publish");
    assert!(named(&run), "{}", run.stdout);
}
