//! Recipes of kind `extension`.

use super::*;

/// A sound recipe.
const SOUND: &str = "//- extensions/x.toml
talos = '1.10'
version = '1.0.0'
author = 'A'
deps = { root = 'tool' }
sources.etc = { path = ['*.conf'] }
[files]
'/usr/local/etc/x.conf' = 'src/etc/x.conf'
[services.guard]
root = 'deps/root'
entrypoint = '/bin/guard'
depends = [{ time = true }]
mounts = [{ source = '/run/x', destination = '/run/x', options = ['rbind', 'rw'] }]
//- recipes/tool.toml
toolroot = 'gcc'
steps = ['true']
";

fn extension(project: &Project, name: &str) -> Extension {
    match &project.units[name].build {
        Build::Extension(extension) => (**extension).clone(),
        other => panic!("{other:?}"),
    }
}

/// The sound recipe with another text in place of one.
fn changed(from: &str, to: &str) -> String {
    assert!(SOUND.contains(from), "{from}");
    SOUND.replacen(from, to, 1)
}

#[test]
fn what_it_says() {
    let project = sound(SOUND);
    let extension = extension(&project, "x");
    let places: Vec<_> = extension.files.keys().map(RelPath::as_str).collect();
    assert_eq!(places, ["usr/local/etc/x.conf", "usr/local/lib/containers/guard"]);
    let manifest = "version: v1alpha1\nmetadata:\n  name: x\n  version: \"1.0.0\"\n  author: A\n  description: \"\"\n  \
                    compatibility:\n    talos:\n      version: \">= v1.10.0\"\n";
    assert_eq!(extension.manifest.text(), manifest);
    let service = "name: guard\ncontainer:\n  entrypoint: /bin/guard\n  mounts:\n  - source: /run/x\n    \
                   destination: /run/x\n    type: bind\n    options:\n    - rbind\n    - rw\ndepends:\n- time: true\n\
                   restart: always\n";
    assert_eq!(extension.services[0].text(), service);
    let outputs: Vec<_> = project.units["x"].outputs().iter().map(ToString::to_string).collect();
    assert_eq!((outputs.join(" "), extension.architecture.as_str()), ("out rootfs".to_owned(), "amd64"));
}

#[test]
fn all_of_a_service() {
    let more = "entrypoint = '${program}'\nargs = ['-v', '${program}']\nenv = { B = '2', A = '1' }\n\
                env-file = '/var/x.env'\nrestart = 'untilSuccess'\nlog-to-console = true\nwriteable-sysfs = true\n\
                writeable-rootfs = true\nmasked-paths = []\nreadonly-paths = ['/proc/x']";
    let text = changed("entrypoint = '/bin/guard'", more).replace("[files]", "vars = { program = '/bin/p' }\n[files]");
    let project = sound(&text);
    let service = "name: guard\ncontainer:\n  entrypoint: /bin/p\n  environment:\n  - A=1\n  - B=2\n  \
                   environmentFile: /var/x.env\n  args:\n  - -v\n  - /bin/p\n  mounts:\n  - source: /run/x\n    \
                   destination: /run/x\n    type: bind\n    options:\n    - rbind\n    - rw\n  security:\n    \
                   writeableSysfs: true\n    maskedPaths: []\n    readonlyPaths:\n    - /proc/x\n    \
                   writeableRootfs: true\ndepends:\n- time: true\nrestart: untilSuccess\nlogToConsole: true\n";
    assert_eq!(extension(&project, "x").services[0].text(), service);
}

#[test]
fn what_is_refused_where_it_stands() {
    for (from, to, title, help) in [
        (
            "'1.10'",
            "'1.9'",
            "1 what Talos `1.9` takes is not known",
            "write one from `1.10` to `1.14`, or with the patch as `1.10.3`",
        ),
        ("talos = '1.10'\n", "", "1 `x`, a recipe of kind `extension`, has no `talos`", "add `talos = …`"),
        ("version = '1.0.0'\n", "", "1 `x`, a recipe of kind `extension`, has no `version`", "add `version = …`"),
        ("author = 'A'\n", "", "1 `x`, a recipe of kind `extension`, has no `author`", "add `author = …`"),
        (
            "'1.0.0'",
            "'1.0.0+1'",
            "2 `1.0.0+1` is no version of an extension",
            "write `1.2.3`, `v1.2.3-rc.1`, `1.2`, `20210914`, `20210914.1`, or `<commit>-v1.2.3`",
        ),
        ("author", "architecture = 'amd65'\nauthor", "3 Talos has no architecture `amd65`", "did you mean `amd64`?"),
        (
            "author",
            "compatibility = '>= v1.11.0'\nauthor",
            "3 `>= v1.11.0` leaves out the Talos that it is for",
            "widen it, or name another version by `talos`",
        ),
        (
            "author",
            "compatibility = '^1.10'\nauthor",
            "3 `^1.10` is no range of versions: `^1.10`: `1.10` is no version: unexpected end of input while parsing minor version number",
            "write one such as `>= v1.10.0` or `>= v1.10.0 < v1.14.0`",
        ),
        (
            "'/usr/local/etc/x.conf' =",
            "'usr/local/etc/x.conf' =",
            "7 `usr/local/etc/x.conf` is no place in Talos",
            "write it absolute, as `/usr/local/lib/demo`",
        ),
        (
            "'/usr/local/etc/x.conf' =",
            "'/etc/sysctl.d/x.conf' =",
            "7 Talos 1.10.0 takes no file of an extension at /etc/sysctl.d/x.conf",
            "sysctls go to `machine.sysctls` of the machine configuration",
        ),
        (
            "'/usr/local/etc/x.conf' =",
            "'/lib/firmware/x' =",
            "7 Talos 1.10.0 takes no file of an extension at /lib/firmware/x",
            "since Talos 1.10 it is /usr/lib/firmware",
        ),
        (
            "'/usr/local/etc/x.conf' =",
            "'/usr/bin/nvme' =",
            "7 Talos 1.10.0 takes no file of an extension at /usr/bin/nvme",
            "/usr/bin/nvme is allowed since Talos 1.13.0, and this is for 1.10.0",
        ),
        ("'src/etc/x.conf'", "'src/rtc/x.conf'", "7 the extension has no source `rtc`", "did you mean `etc`?"),
        (
            "services.guard",
            "services.Guard",
            "8 `Guard` is not the name of a service",
            "use small letters, digits, `-` and `_`",
        ),
        ("entrypoint = '/bin/guard'\n", "", "8 it has no program", "say `entrypoint`"),
        (
            "depends",
            "restart = 'on-failure'\ndepends",
            "11 `on-failure` is no way to restart",
            "write `always` or `never` or `untilSuccess`",
        ),
        (
            "{ time = true }",
            "{ time = true, service = 'cri' }",
            "11 it waits for several things at once",
            "each waits for one of `service`, `path`, `network`, `time` and `configuration`",
        ),
        (
            "{ time = true }",
            "{}",
            "11 it waits for nothing",
            "each waits for one of `service`, `path`, `network`, `time` and `configuration`",
        ),
        ("{ time = true }", "{ path = 'run' }", "11 `run` is not absolute", "write it from `/` on"),
        (
            "{ time = true }",
            "{ network = ['dns'] }",
            "11 `dns` is nothing of the network",
            "write `addresses` or `connectivity` or `hostname` or `etcfiles`",
        ),
        (
            "source = '/run/x'",
            "source = 'run/x'",
            "12 the `source` of a mount is an absolute place, and not `run/x`",
            "write it from `/` on",
        ),
        (
            "['rbind', 'rw']",
            "['rw']",
            "12 a mount of the kind `bind` has to say so among its `options`",
            "write `options = [\"rbind\", \"ro\"]`, or `rw` in place of `ro`",
        ),
        (
            "root = 'deps/root'",
            "root = 'root'",
            "9 `root` says not where it is taken from",
            "write `deps/<name>/<path>` for another unit's, `src/<name>/<path>` for a source's",
        ),
        (
            "'/usr/local/etc/x.conf' =",
            "'/usr/local/lib/containers/guard' =",
            "8 [files] has the file system of `guard` too",
            "drop `root`, or that line",
        ),
        (
            "author",
            "packages = ['libc6']\nauthor",
            "3 `packages` has no meaning in a recipe of kind `extension`",
            "it belongs to `toolroot`, `image`",
        ),
    ] {
        let errors = read(&changed(from, to), Target::default()).expect_err(title);
        let error = &errors[0];
        let found = format!("{} {}", error.line().unwrap_or_default(), error.title());
        assert!(errors.len() == 1 && found == title, "{title}\n{}", drawn(&errors));
        assert!(error.render(false).contains(help), "{help}\n{}", error.render(false));
    }
}
