//! The kind `extension`: what others read of it, and what is refused.

use std::fs;
use std::path::{Path, PathBuf};

use forge::digest::Digest;

use crate::image::{contents, json, listing, sound, tool};
use crate::support::{Forge, boxed};

/// A program, a text, and what no extension may have.
const TOOL: &str = "toolroot = 'box'\nsteps = [\n  'mkdir -p /out/out/bin /out/out/lib/sysctl.d',\n  \
                    'cp /usr/bin/true /out/out/bin/guard',\n  'echo text > /out/out/bin/text',\n  \
                    'echo x > /out/out/lib/sysctl.d/x.conf',\n]\n";

/// An extension with files and a service.
const EXTENSION: &str = r#"
description = "For tests"
talos = "1.10"
version = "1.0.0"
author = "A"
compatibility = ">= v1.10.0 < v1.15.0"
deps = { tool = "tool" }
sources.etc = { path = ["etc/*"] }
[files]
"/usr/local/etc/demo" = "src/etc/etc/demo.conf"
"/usr/local/lib/a-folder-with-a-name-that-is-long/and-another-one-that-is-as-long-as-that/so-that-ustar-has-no-room/and-a-file-whose-own-name-has-more-than-one-hundred-bytes-which-is-more-than-the-name-field-of-a-header-has-room-for.conf" = "src/etc/etc/demo.conf"
[services.guard]
root = "deps/tool/bin"
entrypoint = "/guard"
args = ["--all"]
depends = [{ network = ["addresses"] }]
"#;

/// What stands in it, with the folders left out.
const FILES: [&str; 5] = [
    "manifest.yaml",
    "rootfs/usr/local/etc/containers/guard.yaml",
    "rootfs/usr/local/etc/demo",
    "rootfs/usr/local/lib/containers/guard/guard",
    "rootfs/usr/local/lib/containers/guard/text",
];

/// A project with the extension `extensions/demo.toml`.
fn project() -> Forge {
    let forge = boxed::forge();
    forge.write("recipes/tool.toml", TOOL).write("extensions/demo.toml", EXTENSION);
    forge.write("extensions/etc/demo.conf", "a = 1\n");
    forge.run(&["lock"]).success();
    forge
}

fn built(forge: &Forge) -> PathBuf {
    forge.run(&["build", "demo", "demo:rootfs"]).success();
    forge.project().join("result/demo")
}

/// The names in the archive of its only layer, in their order.
fn names(layout: &Path) -> Vec<String> {
    let blob = |digest: &serde_json::Value| layout.join("blobs").join(digest.as_str().unwrap().replace(':', "/"));
    let manifest = json(&blob(&json(&layout.join("index.json"))["manifests"][0]["digest"]));
    let layers = manifest["layers"].as_array().unwrap();
    assert_eq!(
        (layers.len(), layers[0]["mediaType"].as_str()),
        (1, Some("application/vnd.oci.image.layer.v1.tar+gzip"))
    );
    let archive = flate2::read::GzDecoder::new(fs::File::open(blob(&layers[0]["digest"])).unwrap());
    let mut archive = tar::Archive::new(archive);
    archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect()
}

#[test]
fn other_tools_read_it() {
    let forge = project();
    forge.run(&["push", "demo", "localhost:1/demo:1", "--dry-run"]).success().says("demo would be built first");
    let layout = built(&forge);
    let content = sound(&layout);
    let line = &forge.run(&["build", "demo", "--json"]).success().json()[0];
    assert_eq!((&line["kind"], line["outputs"].as_array().unwrap().len()), (&"extension".into(), 1), "{line}");
    assert_eq!(line["manifest"], content.manifests[0].to_string());
    // The imager passes over what has no platform in the first document.
    let platform = &json(&layout.join("index.json"))["manifests"][0]["platform"];
    assert_eq!(platform, &serde_json::json!({"architecture": "amd64", "os": "linux"}));
    let names = names(&layout);
    let files: Vec<_> = names.iter().filter(|name| !name.ends_with('/') && !name.contains("long")).collect();
    assert_eq!(files, FILES.each_ref());
    let results = layout.parent().unwrap();
    let digest = tool(results, "skopeo", &["inspect", "--format", "{{.Digest}}", "oci:demo:demo"]);
    assert_eq!(digest, content.manifests[0].to_string());
    let bundle = forge.folder().join("bundle");
    let rootless = if rustix::process::geteuid().is_root() { &[][..] } else { &["--rootless"] };
    tool(results, "umoci", &[&["unpack", "--image", "demo:demo"], rootless, &[&bundle.display().to_string()]].concat());
    let unpacked = listing(&bundle.join("rootfs/rootfs"));
    let tree = listing(&fs::canonicalize(results.join("demo:rootfs")).unwrap());
    assert_eq!(contents(&unpacked), contents(&tree));
    assert_eq!(unpacked[Path::new("usr/local/lib/containers/guard/guard")].0, 0o100_755);
    said(&bundle.join("rootfs"));
}

/// The texts that Talos reads.
fn said(root: &Path) {
    let text = |path: &str| fs::read_to_string(root.join(path)).unwrap();
    assert_eq!(
        text("manifest.yaml"),
        "version: v1alpha1\nmetadata:\n  name: demo\n  version: \"1.0.0\"\n  author: A\n  description: For tests\n  \
         compatibility:\n    talos:\n      version: \">= v1.10.0 < v1.15.0\"\n"
    );
    assert_eq!(
        text(FILES[1]),
        "name: guard\ncontainer:\n  entrypoint: /guard\n  args:\n  - --all\ndepends:\n- network:\n  - addresses\n\
         restart: always\n"
    );
}

/// An extension of texts alone has the same bytes wherever and whenever it is made.
#[test]
fn golden_digest() {
    let forge = Forge::new();
    let text = EXTENSION.split("[services.guard]").next().unwrap().replace("deps = { tool = \"tool\" }\n", "");
    forge.write("extensions/demo.toml", &text).write("extensions/etc/demo.conf", "a = 1\n");
    let content = sound(&built(&forge));
    assert_eq!(
        content.manifests,
        ["5a98525fe33fe3594aee93dcda854b553a596f7667131706d40bbadb02eee190".parse::<Digest>().unwrap()],
        "another digest for every extension: was it meant?"
    );
}

#[test]
fn a_rebuild_gives_the_same_bytes() {
    let forge = project();
    built(&forge);
    let run = forge.run(&["check", "demo"]).success();
    assert!(run.stdout.starts_with("ok demo"), "{}", run.stdout);
}

#[test]
fn what_talos_would_not_take_is_refused() {
    let forge = project();
    let spec = "name: guard\ncontainer:\n  entrypoint: /guard\nrestart: always\n";
    forge.write("extensions/etc/good.yaml", spec).write("extensions/etc/bad.yaml", &spec.replace("always", "often"));
    for (from, to, words) in [
        (
            "[files]",
            "[files]\n\"/usr/lib\" = \"deps/tool/lib\"",
            "allowed-paths: rootfs/usr/lib/sysctl.d/x.conf: Talos 1.10.0 takes no file at /usr/lib/sysctl.d/x.conf; sysctls go to",
        ),
        (
            "[files]",
            "[files]\n\"/usr/local/etc/containers/own.yaml\" = \"src/etc/etc/bad.yaml\"",
            "service: rootfs/usr/local/etc/containers/own.yaml: `often` is no way to restart; write `always`",
        ),
        (
            "[files]",
            "[files]\n\"/usr/local/etc/containers/own.yaml\" = \"src/etc/etc/good.yaml\"",
            "own.yaml: a second service is called `guard`; Talos starts the first alone",
        ),
        ("root = \"deps/tool/bin\"\n", "", "guard.yaml: its file system is not there: say `root`, or bring"),
        (
            "\"/guard\"",
            "\"/text\"",
            "guard.yaml: its entrypoint /text is no program in /usr/local/lib/containers/guard",
        ),
        ("\"/guard\"", "\"/gard\"", "guard.yaml: its entrypoint /gard is no program in"),
        (
            "\"deps/tool/bin\"",
            "\"deps/tool/sbin\"",
            "`sbin`, which should become /rootfs/usr/local/lib/containers/guard, is not",
        ),
    ] {
        assert!(EXTENSION.contains(from), "{from}");
        forge.write("extensions/demo.toml", &EXTENSION.replacen(from, to, 1));
        forge.run(&["build", "demo"]).code(1).says(words);
    }
    forge.write("extensions/demo.toml", EXTENSION);
    built(&forge);
}

#[test]
fn what_is_no_extension_is_refused_where_it_stands() {
    let forge = project();
    forge.write(
        "extensions/demo.toml",
        &EXTENSION.replace("\"/usr/local/etc/demo\"", "\"/etc/systemd/system/x.service\""),
    );
    let drawn = [
        "error: Talos 1.10.0 takes no file of an extension at /etc/systemd/system/x.service",
        "  --> extensions/demo.toml:10:1",
        "   |",
        "10 | \"/etc/systemd/system/x.service\" = \"src/etc/etc/demo.conf\"",
        "   | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^",
        "   |",
        "   = help: Talos has no systemd: make it a service of the extension, in [services]",
    ];
    forge.run(&["build", "demo"]).code(2).says(&drawn.join("\n"));
}
