//! The kind `image`: layouts that other tools read and unpack alike, and what is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use forge::artifact::image::validate;

use crate::cargo;
use crate::support::{Forge, boxed};

/// A unit with a dynamic program and a text.
const TOOL: &str = "toolroot = 'box'\nsteps = [\n  'mkdir -p /out/out/bin /out/out/etc',\n  \
                    'cp /usr/bin/true /out/out/bin/tool',\n  'echo first > /out/out/etc/tool.conf',\n]\n";

/// An image with all that a recipe can say.
const IMAGE: &str = r#"
archive = "debian"
packages = ["libc6"]
user = "tool"
entrypoint = ["/usr/bin/tool"]
command = ["--help"]
workdir = "/data"
ports = ["8080/tcp"]
stop-signal = "SIGINT"
labels = { b = "2", a = "1" }
annotations = { "org.opencontainers.image.title" = "tool" }
deps = { tool = "tool" }
env = { LANG = "C.UTF-8" }
[users]
tool = 10001
[files]
"/bin/tool" = "deps/tool/bin/tool"
"/etc/tool" = "deps/tool/etc"
"/opt/a-folder-with-a-name-that-is-long/and-another-one-that-is-as-long-as-that/so-that-ustar-has-no-room-for-it/and-a-file-whose-own-name-has-more-than-one-hundred-bytes-which-is-more-than-the-name-field-of-a-header-has-room-for.conf" = "deps/tool/etc/tool.conf"
[directories]
"/data" = { owner = "tool", mode = "0750" }
[attributes]
"/usr/bin/tool" = { capabilities = ["cap_net_raw"] }
"/etc/tool/tool.conf" = { owner = "12:34", mode = "0600" }
"#;

/// A project with the image `images/app.toml`, which says `IMAGE` and then `more`.
fn project(change: impl Fn(&str) -> String) -> Forge {
    let forge = boxed::forge();
    forge.write("recipes/tool.toml", TOOL).write("images/app.toml", &change(IMAGE));
    forge
}

fn built(forge: &Forge) -> PathBuf {
    forge.run(&["lock"]).success();
    forge.run(&["build", "app"]).success();
    forge.project().join("result/app")
}

/// Reads a layout back in whole.
pub fn sound(layout: &Path) -> forge::artifact::image::Content {
    let open = |path: &str| -> io::Result<Box<dyn Read>> { Ok(Box::new(fs::File::open(layout.join(path))?)) };
    let content = validate(&open).unwrap_or_else(|error| panic!("{}: {error}", layout.display()));
    let there = fs::read_dir(layout.join("blobs/sha256")).unwrap().map(|entry| entry.unwrap().file_name());
    let there: BTreeSet<_> = there.map(|name| name.into_string().unwrap().parse().unwrap()).collect();
    assert_eq!(there, content.blobs, "a blob that nothing names");
    content
}

/// A document.
pub fn json(file: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

/// Runs a program that tests of images need, in a folder: some take paths for names, which have no capitals.
pub fn tool(folder: &Path, program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).current_dir(folder).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}: apt-get install {program}"));
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Mode, owner, group, and content or target.
pub type Own = (u32, u32, u32, String);

/// Everything below a folder.
pub fn listing(root: &Path) -> BTreeMap<PathBuf, Own> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            let what = if meta.is_dir() {
                folders.push(path.clone());
                String::new()
            } else if meta.is_symlink() {
                fs::read_link(&path).unwrap().display().to_string()
            } else {
                forge::digest::Digest::of(&fs::read(&path).unwrap()).to_string()
            };
            let own = (meta.permissions().mode(), meta.uid(), meta.gid(), what);
            found.insert(path.strip_prefix(root).unwrap().to_owned(), own);
        }
    }
    found
}

#[test]
fn a_layout_says_what_the_recipe_says() {
    let forge = project(str::to_owned);
    let layout = built(&forge);
    let content = sound(&layout);
    let line = &forge.run(&["build", "app", "--json"]).success().json()[0];
    assert_eq!(line["manifest"], content.manifests[0].to_string());
    let outputs = line["outputs"].as_array().unwrap();
    assert!(outputs.len() == 1 && outputs[0]["name"] == "out", "its file system is not laid out: {line}");
    let index = json(&layout.join("index.json"));
    let descriptor = &index["manifests"][0];
    assert_eq!(descriptor["platform"], serde_json::json!({"architecture": "amd64", "os": "linux"}));
    assert_eq!(descriptor["annotations"]["org.opencontainers.image.ref.name"], "app");
    let blob =
        |digest: &serde_json::Value| json(&layout.join("blobs").join(digest.as_str().unwrap().replace(':', "/")));
    let manifest = blob(&descriptor["digest"]);
    assert_eq!(manifest["annotations"]["org.opencontainers.image.title"], "tool");
    let config = blob(&manifest["config"]["digest"]);
    let want = serde_json::json!({
        "Cmd": ["--help"], "Entrypoint": ["/usr/bin/tool"], "Env": ["LANG=C.UTF-8"], "ExposedPorts": {"8080/tcp": {}},
        "Labels": {"a": "1", "b": "2"}, "StopSignal": "SIGINT", "User": "10001:10001", "WorkingDir": "/data",
    });
    assert_eq!(config["config"], want);
    let history: Vec<_> = config["history"].as_array().unwrap().iter().map(|layer| &layer["created_by"]).collect();
    assert_eq!(
        history,
        ["forge package gcc-14-base", "forge package libc6", "forge package libgcc-s1", "forge system", "forge tool"]
    );
    assert_eq!(tool(layout.parent().unwrap(), "skopeo", &["inspect", "--format", "{{.Digest}}", "oci:app:app"]), {
        content.manifests[0].to_string()
    });
}

/// Path, and content or target: what anyone may look at.
pub fn contents(listing: &BTreeMap<PathBuf, Own>) -> BTreeMap<&Path, &str> {
    listing.iter().map(|(path, (.., what))| (path.as_path(), what.as_str())).collect()
}

/// Unpacks an image as umoci does, which reads gzip alone; only root can have its owners.
fn umoci(forge: &Forge, rootless: bool) -> BTreeMap<PathBuf, Own> {
    forge.write("images/app.toml", &format!("compat = true{IMAGE}"));
    let layout = built(forge);
    sound(&layout);
    let bundle = forge.folder().join("bundle");
    let mut args = vec!["unpack", "--image", "app:app"];
    args.extend(rootless.then_some("--rootless"));
    tool(layout.parent().unwrap(), "umoci", &[&args[..], &[&bundle.display().to_string()]].concat());
    listing(&bundle.join("rootfs"))
}

#[test]
fn other_tools_unpack_it_alike() {
    let forge = project(str::to_owned);
    let layout = built(&forge);
    assert!(!forge.project().join("result/app:root").exists(), "thousands of files that few look at");
    forge.run(&["build", "app:root"]).success();
    let root = listing(&fs::canonicalize(forge.project().join("result/app:root")).unwrap());
    let results = layout.parent().unwrap();
    tool(results, "skopeo", &["copy", "--quiet", "oci:app:app", "dir:copied"]);
    if !rustix::process::geteuid().is_root() {
        assert_eq!(contents(&umoci(&forge, true)), contents(&root));
        return;
    }
    let folder = |name: &str| forge.folder().join(name).display().to_string();
    let (store, run) = (folder("containers"), folder("run"));
    let buildah = |args: &[&str]| {
        tool(results, "buildah", &[&["--root", &store, "--runroot", &run, "--storage-driver", "vfs"], args].concat())
    };
    let container = buildah(&["from", "oci:app:app"]);
    let mounted = PathBuf::from(buildah(&["mount", &container]));
    let unpacked = listing(&mounted);
    assert_eq!(contents(&unpacked), contents(&root));
    as_the_recipe_says(&mounted, &unpacked);
    buildah(&["umount", &container]);
    assert_eq!(umoci(&forge, false), unpacked);
}

fn as_the_recipe_says(root: &Path, unpacked: &BTreeMap<PathBuf, Own>) {
    for (path, mode, uid, gid) in [
        ("data", 0o40_750, 10001, 10001),
        ("etc/tool/tool.conf", 0o100_600, 12, 34),
        ("tmp", 0o41_777, 0, 0),
        ("usr/bin/tool", 0o100_755, 0, 0),
        ("opt/a-folder-with-a-name-that-is-long", 0o40_755, 0, 0),
    ] {
        let own = &unpacked[Path::new(path)];
        assert_eq!((own.0, own.1, own.2), (mode, uid, gid), "{path}");
    }
    assert_eq!(unpacked[Path::new("bin")].3, "usr/bin");
    assert!(unpacked.keys().any(|path| path.ends_with(LONG)));
    assert!(fs::read_to_string(root.join("var/lib/dpkg/status.d/libc6")).unwrap().starts_with("Package: libc6\n"));
    let mut capabilities = [0; 20];
    rustix::fs::lgetxattr(root.join("usr/bin/tool"), "security.capability", &mut capabilities[..]).unwrap();
    assert_eq!(capabilities[4..8], (1_u32 << 13).to_le_bytes(), "cap_net_raw");
}

const LONG: &str = "and-a-file-whose-own-name-has-more-than-one-hundred-bytes-which-is-more-than-the-name-field-of-a-header-has-room-for.conf";

fn layers(layout: &Path) -> Vec<String> {
    let digest = |value: &serde_json::Value| value["digest"].as_str().unwrap().to_owned();
    let manifest = digest(&json(&layout.join("index.json"))["manifests"][0]);
    let manifest = json(&layout.join("blobs").join(manifest.replace(':', "/")));
    manifest["layers"].as_array().unwrap().iter().map(digest).collect()
}

#[test]
fn a_changed_unit_changes_one_layer() {
    let forge = project(str::to_owned);
    let before = layers(&built(&forge));
    forge.write("recipes/tool.toml", &TOOL.replace("first", "second"));
    let run = forge.run(&["build", "app"]).success();
    let made: Vec<_> = run.stderr.lines().filter(|line| line.contains("layer") && line.contains("built")).collect();
    assert!(made.len() == 1 && made[0].starts_with("app: layer tool"), "{}", run.stderr);
    let after = layers(&forge.project().join("result/app"));
    let differ: Vec<_> = before.iter().zip(&after).map(|(before, after)| before != after).collect();
    assert_eq!(differ, [false, false, false, false, true]);
}

#[test]
fn layers_keep_to_their_budget() {
    let forge = project(|image| format!("layers = 4{image}"));
    let layout = built(&forge);
    sound(&layout);
    assert_eq!(layers(&layout).len(), 4);
    forge.write("images/app.toml", &format!("layers = 3{IMAGE}"));
    assert_eq!(layers(&built(&forge)).len(), 3);
}

#[test]
fn a_rebuild_gives_the_same_bytes() {
    let forge = project(str::to_owned);
    built(&forge);
    let run = forge.run(&["check", "app"]).success();
    assert!(run.stdout.starts_with("ok app"), "{}", run.stdout);
}

#[test]
fn what_can_not_run_is_refused() {
    let forge = project(str::to_owned);
    forge.run(&["lock"]).success();
    for (from, to, words) in [
        (
            "\"deps/tool/bin/tool\"",
            "\"deps/tool/sbin/tool\"",
            "`sbin/tool`, which should become /usr/bin/tool, is not there; there is bin, etc",
        ),
        (
            "entrypoint = [\"/usr/bin/tool\"]",
            "entrypoint = [\"/usr/bin/took\"]",
            "its entrypoint /usr/bin/took is not in it",
        ),
        (
            "entrypoint = [\"/usr/bin/tool\"]",
            "entrypoint = [\"/etc/tool/tool.conf\"]",
            "/etc/tool/tool.conf is not a program",
        ),
        ("workdir = \"/data\"", "workdir = \"/date\"", "its `workdir` /date is no folder of it"),
        (
            "\"/etc/tool/tool.conf\" =",
            "\"/etc/tool/more.conf\" =",
            "[attributes] names /etc/tool/more.conf, which is not in it",
        ),
        (
            "\"/bin/tool\" =",
            "\"/usr/bin/sh\" = \"deps/tool/bin/tool\"\n\"/bin/tool\" =",
            "there is a shell in it, /usr/bin/sh: leave out",
        ),
        (
            "[users]",
            "[waivers]\nshell = \"for show\"\n[users]",
            "`waivers.shell` says why there is a shell, and there is none",
        ),
        ("[users]", "[links]\nawk = \"mawk\"\n[users]", "the link /usr/bin/awk leads nowhere"),
        (
            "\"/bin/tool\" =",
            "\"/etc/passwd\" = \"deps/tool/etc/tool.conf\"\n\"/bin/tool\" =",
            "the layer `tool` does not fit on those below it: `etc/passwd` is put into the tree twice",
        ),
        (
            "packages = [\"libc6\"]",
            "packages = []",
            "/usr/bin/tool needs libc.so.6, which is not in it: add the package that has it",
        ),
    ] {
        assert!(IMAGE.contains(from), "{from}");
        forge.write("images/app.toml", &IMAGE.replacen(from, to, 1));
        forge.run(&["lock"]).success();
        forge.run(&["build", "app"]).code(1).says(words);
    }
    forge.write("images/app.toml", IMAGE);
    built(&forge);
}

#[test]
fn what_is_no_image_is_refused_where_it_stands() {
    let forge = project(str::to_owned);
    for (from, to, words) in [
        ("user = \"tool\"", "user = \"root\"", "an image does not run as root"),
        ("user = \"tool\"", "user = \"toll\"", "there is no user `toll`"),
        ("user = \"tool\"\n", "", "has no `user`"),
        ("tool = 10001", "tool = 0", "`tool` can't have the number 0"),
        ("\"deps/tool/bin/tool\"", "\"tool/bin/tool\"", "says not where it is taken from"),
        ("\"deps/tool/bin/tool\"", "\"deps/took/bin/tool\"", "the image has no dep `took`"),
        ("\"/bin/tool\"", "\"bin/tool\"", "`bin/tool` is no place in an image"),
        ("cap_net_raw", "cap_fly", "`cap_fly` is not the name of a capability"),
        ("\"8080/tcp\"", "\"http\"", "`http` is not a port"),
        ("\"0750\"", "\"rwx\"", "`rwx` is not a mode"),
        ("[users]", "[waivers]\nnet = \"x\"\n[users]", "`net` is nothing that is waived"),
        ("archive =", "layers = 2\narchive =", "an image needs 3 layers at least"),
    ] {
        assert!(IMAGE.contains(from), "{from}");
        forge.write("images/app.toml", &IMAGE.replacen(from, to, 1));
        forge.run(&["lock"]).code(2).says(words);
    }
}

/// A web server as an image, and tests that ask it.
fn server(arguments: &str, steps: &str) -> Forge {
    let forge = boxed::forge();
    let tools = "kind = 'toolroot'\narchive = 'debian'\npackages = ['busybox-static', 'coreutils', 'dash', 'grep']\n\
                 essential = false\nignore-alternatives = ['which']\n";
    forge.write("recipes/tools.toml", tools);
    let web = "toolroot = 'tools'\nsteps = ['mkdir -p /out/out/srv', 'cp /usr/bin/busybox /out/out/httpd', \
               'echo hi > /out/out/srv/hello']\n";
    forge.write("recipes/web.toml", web);
    let image = format!(
        "archive = 'debian'\nuser = 'web'\nentrypoint = ['/usr/bin/httpd']\ncommand = ['-f', '-p', '8080', '-h', '/srv']\n\
         deps = {{ web = 'web' }}\nusers = {{ web = 10001 }}\ndirectories = {{ '/srv/own' = {{ owner = 'web' }} }}\n\
         files = {{ '/usr/bin/httpd' = 'deps/web/httpd', '/srv' = 'deps/web/srv' }}\n\
         sources.list = {{ path = ['list'] }}\n\
         [tests.answers]\ntoolroot = 'tools'\n{arguments}\nsteps = [\"\"\"{steps}\"\"\"]\n"
    );
    forge.write("images/site.toml", &image).write("images/list", "/usr/bin/httpd\n/srv/hello\n");
    forge.run(&["lock"]).success();
    forge
}

/// Asks until there is an answer, for ten seconds.
const ASK: &str = "ask() { for try in $(seq 100); do busybox wget -q -O said http://127.0.0.1:$1/hello && return; \
                   sleep 0.1; done; return 1; }\n";

#[test]
fn a_test_talks_to_the_program_of_an_image() {
    let steps = format!("{ASK}test $(id -u) = 10001; test ! -e /srv; ask 8080; grep -qx hi said");
    let forge = server("", &steps);
    assert_eq!(forge.run(&["test", "site"]).success().stdout, "ok site: answers\n");
    forge.run(&["test", "site"]).success().says("1 passed (1 cached)");
    let forge = server("arguments = ['-f', '-p', '9090', '-h', '/srv']", &format!("{ASK}ask 9090; grep -qx hi said"));
    assert_eq!(forge.run(&["test", "site"]).success().stdout, "ok site: answers\n");
}

#[test]
fn a_test_looks_at_an_image_and_starts_nothing() {
    let forge = server("entrypoint = []", "while read -r file; do test -f /deps/root$file; done < /src/list/list");
    assert_eq!(forge.run(&["test", "site"]).success().stdout, "ok site: answers\n");
}

#[test]
fn a_program_that_does_not_come_up_fails_the_test() {
    let forge = server("arguments = ['-Z']", "sleep 1; echo unreached; false");
    forge.run(&["test", "site"]).code(1).says("== the program of the image ended with exit code 1");
    let text = fs::read_to_string(forge.project().join("images/site.toml")).unwrap();
    forge.write("images/site.toml", &text.replace("toolroot = 'tools'\narguments", "arguments"));
    forge.run(&["test", "site"]).code(2).says("the test `answers` has no `toolroot`");
}

/// Why each layer of `jupiter-stub` is there, and what stands in it; of packages, what is theirs.
const REASONS: [(&str, &str, &[&str]); 5] = [
    ("package gcc-14-base", "libgcc-s1 depends on it", &[]),
    ("package libc6", "the program is linked with it", &[]),
    ("package libgcc-s1", "Rust unwinds with it", &[]),
    (
        "system",
        "users, and where a runtime mounts",
        &["dev/", "etc/", "etc/group", "etc/passwd", "proc/", "run/", "sys/", "tmp/"],
    ),
    ("stub", "the program", &["bin", "usr/", "usr/bin/", "usr/bin/jupiter-swap-api"]),
];

/// The name and the entries of each layer.
fn entries(layout: &Path) -> Vec<(String, Vec<String>)> {
    let blob = |digest: &serde_json::Value| layout.join("blobs").join(digest.as_str().unwrap().replace(':', "/"));
    let manifest = json(&blob(&json(&layout.join("index.json"))["manifests"][0]["digest"]));
    let config = json(&blob(&manifest["config"]["digest"]));
    let names = config["history"].as_array().unwrap().iter().map(|layer| layer["created_by"].as_str().unwrap());
    let content = |layer: &serde_json::Value| {
        let archive = zstd::Decoder::new(fs::File::open(blob(&layer["digest"])).unwrap()).unwrap();
        let mut archive = tar::Archive::new(archive);
        let entries = archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string());
        entries.collect::<Vec<_>>()
    };
    names.map(str::to_owned).zip(manifest["layers"].as_array().unwrap().iter().map(content)).collect()
}

#[test]
fn every_file_of_an_image_of_ours_has_a_reason() {
    let forge = cargo::ours();
    forge.run(&["build", "jupiter-stub"]).success();
    let layout = forge.project().join("result/jupiter-stub");
    sound(&layout);
    let layers = entries(&layout);
    assert_eq!(layers.len(), REASONS.len(), "{layers:?}");
    for ((name, entries), (layer, reason, own)) in layers.iter().zip(REASONS) {
        assert_eq!(name, &format!("forge {layer}"));
        let Some(package) = layer.strip_prefix("package ") else {
            assert_eq!(entries, own, "{layer}: {reason}");
            continue;
        };
        let strange = |entry: &&String| {
            let known = ["etc/", "lib", "lib64", "usr/", "var/", "var/lib/", "var/lib/dpkg/", "var/lib/dpkg/status.d/"];
            let theirs =
                ["usr/lib/", "usr/lib64/", "usr/share/", "etc/ld.so.conf.d/", "var/cache/ldconfig/", "var/cache/"];
            let status = format!("var/lib/dpkg/status.d/{package}");
            !known.contains(&entry.as_str())
                && !theirs.iter().any(|folder| entry.starts_with(folder))
                && **entry != status
        };
        let strange: Vec<_> = entries.iter().filter(strange).collect();
        assert!(strange.is_empty(), "{layer} ({reason}) has {strange:?}");
    }
}
