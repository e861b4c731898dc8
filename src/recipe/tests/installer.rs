//! Recipes of kind `installer`.

use super::*;

/// A kernel, an extension, and what an installer stands on.
const PARTS: &str = "\
//- kernel/linux.toml
toolroot = 'gcc'
base = 'tinyconfig'
fragments = ['a.config']
command-line = ['slab_nomerge', 'pti=on']
sources.linux = { url = 'https://example.org/linux.tar', unpack = true }
//- extensions/tuning.toml
talos = '1.10'
version = '1.0.0'
author = 'us'
//- images/x.toml
";

const SOUND: &str = "\
kind = 'installer'
on-demand = true
talos = '1.10.3'
toolroot = 'gcc'
kernel = 'linux'
extensions = ['tuning']
command-line = ['console=ttyS0', '-selinux']
[sources]
base = { oci = 'example.org/base:1' }
imager = { oci = 'example.org/imager:1' }
[boot]
toolroot = 'gcc'
expect = ['up']
";

#[test]
fn a_sound_one() {
    let unit = &sound(&[PARTS, SOUND].concat()).units["x"];
    let Build::Installer(installer) = &unit.build else { panic!("an installer") };
    assert_eq!((unit.build.kind(), unit.on_demand), ("installer", true));
    assert_eq!(unit.outputs(), ["out", "boot", "disk"].map(Name::constant));
    let deps: Vec<String> = unit.deps().map(|(name, reference)| format!("{name} {reference}")).collect();
    assert_eq!(deps, ["kernel linux", "modules linux:modules", "tuning tuning:rootfs"]);
    assert_eq!(installer.command_line, ["console=ttyS0", "-selinux"]);
    let start = installer.start.as_ref().expect("a boot");
    assert_eq!((start.expect.as_slice(), start.timeout.as_secs()), (&["up".to_owned()][..], 900));
}

#[test]
fn what_is_not_sound_is_told() {
    for (from, to, expected) in [
        ("'linux'", "'gcc'", &["images/x.toml:5 `gcc` is of kind `toolroot`, not `kernel`", "name one of: linux"][..]),
        (
            "['tuning']",
            "['linux']",
            &["images/x.toml:6 `linux` is of kind `kernel`, not `extension`", "name one of: tuning"],
        ),
        (
            "['tuning']",
            "['tuning', 'tuning']",
            &["images/x.toml:6 `tuning` is there already", "name each extension once, and none `kernel` or `modules`"],
        ),
        (
            "'-selinux'",
            "'vm.swappiness=1'",
            &[
                "images/x.toml:7 `vm.swappiness` is a sysctl and no argument: the kernel passes over it",
                "put `vm.swappiness` among the sysctls of the machine's configuration",
            ],
        ),
        (
            "'-selinux'",
            "'-pti'",
            &["images/x.toml:1 the command line has no `pti=on`", "add it: Talos does not start without"],
        ),
        (
            "base = { oci = 'example.org/base:1' }",
            "base = { url = 'https://example.org/base' }",
            &["images/x.toml:9 `base` has to be an image", "write `{ oci = \"registry/repository:tag\" }`"],
        ),
        (
            "imager = { oci = 'example.org/imager:1' }\n",
            "",
            &["images/x.toml:1 `x`, a recipe of kind `installer`, has no `sources.imager`", "add `sources.imager = …`"],
        ),
        (
            "expect = ['up']\n",
            "",
            &["images/x.toml:11 `[boot]` does not say what the console must show", "add `expect = [\"…\"]`"],
        ),
        (
            "expect = ['up']\n",
            "expect = ['up']\nprobe = 'gcc'\n",
            &[
                "images/x.toml:14 an installer is tried by what its console shows",
                "drop this, and say by `expect` what must stand there",
            ],
        ),
        (
            "expect = ['up']\n",
            "expect = ['up']\nfiles = { '/a' = 'b' }\n",
            &[
                "images/x.toml:14 an installer is tried by what its console shows",
                "drop this, and say by `expect` what must stand there",
            ],
        ),
        (
            "'1.10.3'",
            "'1.9'",
            &[
                "images/x.toml:3 what Talos `1.9` takes is not known",
                "write one from `1.10` to `1.14`, or with the patch as `1.10.3`",
            ],
        ),
    ] {
        assert!(SOUND.contains(from), "{from}");
        check(&[PARTS, &SOUND.replacen(from, to, 1)].concat(), expected);
    }
}
