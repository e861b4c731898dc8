//! Who we are to a registry that knows its users: docker's configuration, and the helpers that it names.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use super::push::{project, tool};
use super::real::Real;
use super::source::consumer;
use crate::support::{Forge, Run};

/// A helper as docker starts it: the registry on its input, what it knows on its output.
const HELPER: &str = "#!/bin/sh\nread -r host\n[ \"$1 $host\" = \"get $KNOWN\" ] || { echo 'credentials not found in \
                      native keychain'; exit 1; }\necho '{\"Username\":\"me\",\"Secret\":\"secret\"}'\n";

/// Writes docker's configuration for this forge.
fn configure(forge: &Forge, config: &Value) {
    fs::create_dir_all(forge.folder().join(".docker")).unwrap();
    fs::write(forge.folder().join(".docker/config.json"), config.to_string()).unwrap();
}

/// Pushes with the program `docker-credential-house` on PATH, which knows `known`.
fn push(forge: &Forge, real: &Real, known: &str, helper: &str) -> Run {
    let program = forge.folder().join("docker-credential-house");
    fs::write(&program, helper).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let reference = format!("{}/app:1", real.host);
    let args = ["push", "app", &reference];
    let path = format!("{}:{}", forge.folder().display(), std::env::var("PATH").unwrap());
    Run::of(forge.command(&args).env("PATH", path).env("KNOWN", known).output().unwrap(), &args)
}

#[test]
fn what_docker_login_writes_lets_us_in() {
    let (forge, real) = (project(), Real::guarded());
    let reference = format!("{}/app:1", real.host);
    forge.run(&["push", "app", &reference]).code(3).says("401").says("hint: log in with `docker login`");
    configure(&forge, &json!({"auths": {&real.host: {"auth": "bWU6d3Jvbmc="}}}));
    forge.run(&["push", "app", &reference]).code(3).says("401").says("hint: log in with `docker login`");

    let login = ["login", "--tls-verify=false", "--authfile", ".docker/config.json", "-u", "me", "-p", "secret"];
    tool(forge.folder(), "skopeo", &[&login[..], &[&real.host]].concat());
    forge.run(&["push", "app", &reference]).success().says("uploaded");
    forge.run(&["push", "app", &reference]).success().says("0 blobs uploaded");

    let reader = consumer(&real.host);
    reader.run(&["lock"]).code(3).says("401").says("docker login");
    let reader = reader.env("DOCKER_CONFIG", forge.folder().join(".docker"));
    reader.run(&["lock"]).success();
    reader.run(&["build", "user"]).success();
}

#[test]
fn helpers_are_asked() {
    let (forge, real) = (project(), Real::guarded());
    for config in [json!({"credHelpers": {&real.host: "house"}}), json!({"auths": {}, "credsStore": "house"})] {
        configure(&forge, &config);
        push(&forge, &real, &real.host, HELPER).success();
        // One that does not know this registry: we are nobody, and told so.
        push(&forge, &real, "registry.example.org", HELPER).code(3).says("401").says("docker login");
    }
}

#[test]
fn helpers_that_fail_are_named() {
    let (forge, real) = (project(), Real::guarded());
    configure(&forge, &json!({"credsStore": "house"}));
    for (helper, words) in [
        (
            "#!/bin/sh\nread -r host\necho 'the keychain is locked' >&2\nexit 1\n",
            "docker-credential-house: the keychain",
        ),
        ("#!/bin/sh\nread -r host\necho soon\n", "malformed"),
    ] {
        let run = push(&forge, &real, "", helper).code(3).says(words);
        run.says(&format!("credentials for {}, from ", real.host)).says("hint: `docker login`");
    }
    configure(&forge, &json!({"credsStore": "none"}));
    push(&forge, &real, "", HELPER).code(3).says("is docker-credential-… on PATH?");
}
