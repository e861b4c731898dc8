//! `forge load`: podman takes it as it is; what docker is given is read by others.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::docker::Docker;
use super::push::{IMAGE, project, tool};
use crate::support::{Forge, Run};

/// Where podman keeps images during a test.
fn storage(forge: &Forge) -> PathBuf {
    let file = forge.folder().join("storage.conf");
    let folder = forge.folder().display().to_string();
    let text = format!("[storage]\ndriver = 'vfs'\ngraphroot = '{folder}/graph'\nrunroot = '{folder}/run'\n");
    fs::write(&file, text).unwrap();
    file
}

/// Runs forge with nothing on PATH but `programs`, each a script.
fn with_programs(forge: &Forge, programs: &[(&str, &str)], args: &[&str]) -> Run {
    let folder = forge.folder().join("bin");
    fs::create_dir_all(&folder).unwrap();
    for (name, script) in programs {
        fs::write(folder.join(name), format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    Run::of(forge.command(args).env("PATH", &folder).output().unwrap(), args)
}

fn podman(forge: &Forge, args: &[&str]) -> String {
    let conf = format!("CONTAINERS_STORAGE_CONF={}", storage(forge).display());
    tool(forge.folder(), "env", &[&[&*conf, "podman"], args].concat())
}

#[test]
fn podman_has_what_was_loaded() {
    let forge = project();
    let conf = storage(&forge);
    let forge = forge.env("CONTAINERS_STORAGE_CONF", conf);
    let run = forge.run(&["load", "app", "--into", "podman", "--json"]).success().says("loading app into podman");
    let line = &run.json()[0];
    assert_eq!((&line["into"], &line["image"]), (&"podman".into(), &"localhost/app:latest".into()));
    let id = podman(&forge, &["image", "inspect", "--format", "{{.Id}}", "localhost/app:latest"]);
    assert_eq!(format!("sha256:{id}"), line["id"].as_str().unwrap());
    let again = forge.run(&["load", "app"]).success();
    assert_eq!(again.stdout.trim(), format!("localhost/app:latest sha256:{id}"));
}

#[test]
fn what_docker_is_given_is_a_docker_archive() {
    let forge = project();
    forge.run(&["build", "app"]).success();
    let archive = forge.folder().join("given.tar");
    let fake =
        format!("[ \"$1\" != load ] || {{ /bin/cat > {}; echo 'Loaded image: app:latest'; }}", archive.display());
    let run = with_programs(&forge, &[("docker", &fake)], &["load", "app", "--json"]).success();
    let line = &run.json()[0];
    assert_eq!((&line["into"], &line["image"]), (&"docker".into(), &"app:latest".into()));
    let first = fs::read(&archive).unwrap();
    let inspect = |from: &str| -> serde_json::Value {
        let text = tool(forge.folder(), "skopeo", &["inspect", "--config", from]);
        serde_json::from_str(&text).unwrap()
    };
    let layout = forge.project().join("result/app");
    let as_built = tool(layout.parent().unwrap(), "skopeo", &["inspect", "--config", "oci:app:app"]);
    assert_eq!(inspect("docker-archive:given.tar"), serde_json::from_str::<serde_json::Value>(&as_built).unwrap());
    // Its layers are unpacked as docker does it, and compared with their diff-ids.
    tool(forge.folder(), "skopeo", &["copy", "docker-archive:given.tar:app:latest", "dir:unpacked"]);
    with_programs(&forge, &[], &["load", "app"]).success();
    assert!(fs::read(&archive).unwrap() == first, "not the same bytes twice");
}

#[test]
fn docker_runs_what_was_loaded() {
    if !rustix::process::geteuid().is_root() {
        // Nobody else can start a daemon; what it is given is looked at above.
        return;
    }
    let forge = project();
    let docker = Docker::start();
    let load = |compat: &str| {
        forge.write("images/app.toml", &format!("{compat}{IMAGE}"));
        let args = ["load", "app", "--into", "docker", "--json"];
        Run::of(forge.command(&args).env("DOCKER_HOST", docker.host()).output().unwrap(), &args)
    };
    let version = docker.says(&["version", "--format", "{{.Server.Version}}"]);
    if version.split('.').next().unwrap().parse::<u32>().unwrap() < 23 {
        load("").code(3).says("before version 23").says("`compat = true`");
    } else {
        load("").success();
    }
    let run = load("compat = true\n").success();
    let id = docker.says(&["image", "inspect", "--format", "{{.Id}}", "app:latest"]);
    assert_eq!(id, run.json()[0]["id"].as_str().unwrap());
    docker.says(&["run", "--rm", "--network", "none", "app"]);
}

#[test]
fn what_is_missing_is_said() {
    let forge = project();
    with_programs(&forge, &[], &["load", "app"])
        .code(3)
        .says("neither podman nor docker")
        .says("apt-get install podman");
    with_programs(&forge, &[], &["load", "app", "--into", "docker"]).code(3).says("docker is installed");
    forge.run(&["load", "tool"]).code(2).says("not an image");
    let dry = with_programs(&forge, &[("podman", "exit 0")], &["load", "app", "--dry-run"]).success();
    dry.says("app would be built, and loaded into podman");
    assert!(!Path::new(&forge.project().join("result/app")).exists());
}

#[test]
fn what_a_program_says_of_its_failure_is_told() {
    let forge = project();
    forge.run(&["build", "app"]).success();
    let fake = "[ \"$1\" != load ] || { echo 'cannot connect to the daemon' >&2; exit 1; }";
    let run = with_programs(&forge, &[("docker", fake)], &["load", "app"]).code(3);
    run.says("docker load: cannot connect to the daemon").says("hint: `docker info`");
}
