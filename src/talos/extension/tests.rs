//! What is refused and what is not, case by case.

use super::Rule::{
    AllowedPaths, BelowLinks, Compatibility, Duplicates, HardLinks, Manifest, Name, Parents, Rootfs, Service,
    SpecialFiles, TopLevel, Version, Whiteouts, WorldWritable,
};
use super::*;
use proptest::prelude::*;

/// A manifest with nothing wrong.
const GOOD: &str = "version: v1alpha1\nmetadata:\n  name: demo\n  version: 1.0.0\n  author: A\n  description: D\n  \
                    compatibility:\n    talos:\n      version: '>= v1.10.0'\n";
/// A service with nothing wrong.
const SERVICE: &str = "name: guard\ncontainer:\n  entrypoint: /usr/bin/guard\n  args: [run]\ndepends:\n  - service: cri\n  \
                       - path: /run/x\n  - network: [addresses, EtcFiles]\n  - time: true\n  - configuration: true\n\
                       restart: always\n";
/// Where it stands.
const SPEC: &str = "rootfs/usr/local/etc/containers/guard.yaml";

const V1_10: Release = Release::new(10, 3);
const V1_12: Release = Release::new(12, 0);
const V1_13: Release = Release::new(13, 9);
const V1_14: Release = Release::new(14, 0);

/// Title, version of Talos, how it differs from what is good, and the rules that it breaks.
type Case = (&'static str, Release, fn(&mut Archive), &'static [Rule]);

const CASES: [Case; 66] = [
    ("nothing is wrong", V1_10, |_| {}, &[]),
    (
        "a tree with nothing in it",
        V1_10,
        |at| at.entries.retain(|entry| [MANIFEST, ROOTFS].contains(&entry.path())),
        &[],
    ),
    // load.go
    ("a file beside the two", V1_10, |at| add(at, "a", Kind::File, 0o644), &[TopLevel]),
    ("a folder beside the two", V1_10, |at| file(at, "bin/tool"), &[TopLevel]),
    ("no manifest", V1_10, |at| remove(at, MANIFEST), &[Manifest]),
    ("an empty manifest", V1_10, |at| manifest(at, GOOD, ""), &[Manifest]),
    ("a manifest that is no YAML", V1_10, |at| manifest(at, "v1alpha1", "'v1"), &[Manifest]),
    ("a manifest that is a list", V1_10, |at| manifest(at, GOOD, "- version: v1alpha1\n"), &[Manifest]),
    ("a key twice", V1_10, |at| manifest(at, "  author", "  name: demo\n  author"), &[Manifest]),
    ("another format", V1_10, |at| manifest(at, "v1alpha1", "v1alpha2"), &[Manifest]),
    ("no format", V1_10, |at| manifest(at, "version: v1alpha1\n", ""), &[Manifest]),
    ("a key that is not known", V1_10, |at| manifest(at, "  author", "  license: MIT\n  author"), &[]),
    ("no tree", V1_10, |at| at.entries.retain(|entry| entry.path() == MANIFEST), &[Rootfs]),
    ("a file for a tree", V1_10, file_for_tree, &[Rootfs, AllowedPaths]),
    // validate.go of the validator
    ("another name", V1_10, |at| manifest(at, "name: demo", "name: other"), &[Name]),
    ("no name", V1_10, |at| manifest(at, "  name: demo\n", ""), &[Name]),
    ("a partial version", V1_10, |at| manifest(at, "version: 1.0.0", "version: 1.10"), &[]),
    ("a date", V1_10, |at| manifest(at, "version: 1.0.0", "version: 20210914.1"), &[]),
    ("a commit", V1_10, |at| manifest(at, "version: 1.0.0", "version: 5815ee3-v1.8.0"), &[]),
    ("a word for a version", V1_10, |at| manifest(at, "version: 1.0.0", "version: latest"), &[Version]),
    ("a number for a version", V1_10, |at| manifest(at, "version: 1.0.0", "version: 1"), &[Version]),
    ("what was built", V1_10, |at| manifest(at, "version: 1.0.0", "version: 1.0.0+7"), &[Version]),
    ("no version", V1_10, |at| manifest(at, "  version: 1.0.0\n", ""), &[Version]),
    // validateConstraints
    ("for all", V1_10, |at| manifest(at, "'>= v1.10.0'", "''"), &[]),
    ("for none that is said", V1_10, |at| manifest(at, "'>= v1.10.0'", "null"), &[]),
    ("for a newer one", V1_10, |at| manifest(at, "v1.10.0", "v1.11.0"), &[Compatibility]),
    ("for the newer one", V1_12, |at| manifest(at, "v1.10.0", "v1.11.0"), &[]),
    ("between two", V1_13, |at| manifest(at, ">= v1.10.0", ">= v1.10.0 < v1.13.0"), &[Compatibility]),
    ("one of two", V1_13, |at| manifest(at, ">= v1.10.0", "1.10.x || 1.13.x"), &[]),
    ("no range", V1_10, |at| manifest(at, ">= v1.10.0", "~> 1.10"), &[Compatibility]),
    ("a range without a patch", V1_10, |at| manifest(at, ">= v1.10.0", ">= v1.10"), &[Compatibility]),
    // validateContents
    ("firmware", V1_10, |at| file(at, "rootfs/usr/lib/firmware/amd-ucode/x.bin"), &[]),
    ("firmware before the usr-merge", V1_10, |at| file(at, "rootfs/lib/firmware/x.bin"), &[AllowedPaths]),
    ("modules", V1_10, |at| file(at, "rootfs/usr/lib/modules/6.12.28-talos/extras/x.ko"), &[]),
    ("modules before the usr-merge", V1_10, |at| file(at, "rootfs/lib/modules/6.12.28-talos/x.ko"), &[AllowedPaths]),
    ("udev rules", V1_10, |at| file(at, "rootfs/usr/lib/udev/rules.d/60-x.rules"), &[]),
    ("a part of cri's configuration", V1_10, |at| file(at, "rootfs/etc/cri/conf.d/x.part"), &[]),
    ("sysctls", V1_10, |at| file(at, "rootfs/etc/sysctl.d/90-x.conf"), &[AllowedPaths]),
    ("a unit of systemd", V1_10, |at| file(at, "rootfs/etc/systemd/system/x.service"), &[AllowedPaths]),
    ("a program in /usr/bin", V1_10, |at| file(at, "rootfs/usr/bin/tool"), &[AllowedPaths]),
    ("a kernel", V1_10, |at| file(at, "rootfs/boot/vmlinuz"), &[AllowedPaths]),
    ("a library in /usr/lib64", V1_10, |at| file(at, "rootfs/usr/lib64/a.so"), &[AllowedPaths]),
    ("a link where no file may be", V1_10, |at| link(at, "rootfs/usr/bin/tool"), &[AllowedPaths]),
    ("a folder where no file may be", V1_10, |at| folder(at, "rootfs/usr/bin"), &[]),
    ("a path that only begins so", V1_10, |at| file(at, "rootfs/usr/locale/x"), &[]),
    ("the loader of aarch64, before it was allowed", V1_10, aarch64, &[AllowedPaths]),
    ("the loader of aarch64", V1_12, aarch64, &[]),
    ("nvme in 1.12", V1_12, |at| file(at, "rootfs/usr/bin/nvme"), &[AllowedPaths]),
    ("nvme in 1.13", V1_13, |at| file(at, "rootfs/usr/bin/nvme"), &[]),
    ("a file that anybody may write", V1_10, |at| add(at, "rootfs/usr/local/w", Kind::File, 0o666), &[WorldWritable]),
    ("a folder that anybody may write", V1_10, |at| add(at, "rootfs/tmp", Kind::Directory, 0o1777), &[WorldWritable]),
    ("the mode of a link", V1_10, |at| add(at, "rootfs/usr/local/l", Kind::Symlink, 0o777), &[]),
    ("a device", V1_10, |at| add(at, "rootfs/usr/local/d", Kind::Special("device"), 0o600), &[SpecialFiles]),
    ("a pipe elsewhere", V1_10, |at| add(at, "rootfs/p", Kind::Special("pipe"), 0o600), &[SpecialFiles, AllowedPaths]),
    // services.go
    ("a service", V1_10, |at| spec(at, SPEC, "", ""), &[]),
    ("a service with a bad name", V1_10, |at| spec(at, SPEC, "name: guard", "name: Guard"), &[Service]),
    ("a service without a program", V1_10, |at| spec(at, SPEC, "entrypoint", "program"), &[Service]),
    ("a service of three mistakes", V1_10, |at| spec(at, SPEC, SERVICE, "{}"), &[Service, Service, Service]),
    ("a restart in other letters", V1_10, |at| spec(at, SPEC, "always", "UNTILSUCCESS"), &[]),
    ("a restart of systemd", V1_10, |at| spec(at, SPEC, "always", "on-failure"), &[Service]),
    (
        "a dependency of two things",
        V1_10,
        |at| spec(at, SPEC, "- service: cri", "- {service: cri, time: true}"),
        &[Service],
    ),
    (
        "a dependency of none, a relative one",
        V1_10,
        |at| spec(at, SPEC, "service: cri\n  - path: /", "time: no\n  - path: "),
        &[Service, Service],
    ),
    ("a status that there is not", V1_10, |at| spec(at, SPEC, "EtcFiles", "dns"), &[Service]),
    ("arguments that are no list", V1_10, |at| spec(at, SPEC, "[run]", "run"), &[Service]),
    ("a spec that is no yaml", V1_10, |at| spec(at, "rootfs/usr/local/etc/containers/guard.yml", SERVICE, ""), &[]),
    ("a folder that is called like a spec", V1_10, |at| folder(at, SPEC), &[Service]),
];

/// What an image's archive can have and a tree can't.
const ARCHIVES: [Case; 10] = [
    ("a hard link", V1_10, |at| add(at, "rootfs/usr/local/h", Kind::HardLink, 0o644), &[HardLinks]),
    ("a file before its folder", V1_10, |at| add(at, "rootfs/usr/local/a/b", Kind::File, 0o644), &[Parents]),
    (
        "a file before its folder, once for all",
        V1_13,
        |at| ["a/b/c", "a/b/d"].iter().for_each(|path| add(at, &format!("rootfs/usr/local/{path}"), Kind::File, 0o644)),
        &[Parents],
    ),
    ("the same in 1.14", V1_14, |at| add(at, "rootfs/usr/local/a/b", Kind::File, 0o644), &[]),
    ("a file twice", V1_10, |at| add(at, "./rootfs/usr/local/x", Kind::File, 0o644), &[Duplicates]),
    ("a folder twice", V1_10, |at| add(at, "rootfs/usr/", Kind::Directory, 0o755), &[]),
    (
        "a file below a link",
        V1_10,
        |at| (link(at, "rootfs/usr/local/l"), add(at, "rootfs/usr/local/l/x", Kind::File, 0o644)).1,
        &[BelowLinks],
    ),
    ("a file below a file", V1_14, |at| add(at, "rootfs/usr/local/x/y", Kind::File, 0o644), &[BelowLinks]),
    ("what removes something", V1_10, |at| file(at, "rootfs/usr/local/.wh.x"), &[Whiteouts]),
    ("a name that leads out", V1_10, |at| add(at, "../../rootfs/usr/local/y", Kind::File, 0o644), &[]),
];

fn good() -> Archive {
    let mut archive = Archive::default();
    archive.texts.insert(MANIFEST.to_owned(), GOOD.into());
    add(&mut archive, MANIFEST, Kind::File, 0o644);
    folder(&mut archive, ROOTFS);
    file(&mut archive, "rootfs/usr/local/x");
    archive
}

fn add(archive: &mut Archive, path: &str, kind: Kind, mode: u32) {
    archive.entries.push(Entry::new(path, kind, mode));
}

/// Adds a folder, and those that it stands in.
fn folder(archive: &mut Archive, path: &str) {
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    for folder in ends.map(|end| &path[..end]) {
        if archive.entries.iter().all(|entry| entry.path() != folder) {
            add(archive, folder, Kind::Directory, 0o755);
        }
    }
}

fn within(archive: &mut Archive, path: &str, kind: Kind, mode: u32) {
    path.rsplit_once('/').into_iter().for_each(|(above, _)| folder(archive, above));
    add(archive, path, kind, mode);
}

fn file(archive: &mut Archive, path: &str) {
    within(archive, path, Kind::File, 0o644);
}

fn link(archive: &mut Archive, path: &str) {
    within(archive, path, Kind::Symlink, 0o777);
}

fn aarch64(archive: &mut Archive) {
    file(archive, "rootfs/usr/lib/ld-linux-aarch64.so.1");
}

fn remove(archive: &mut Archive, path: &str) {
    archive.entries.retain(|entry| entry.path() != path);
    archive.texts.remove(path);
}

fn file_for_tree(archive: &mut Archive) {
    archive.entries.retain(|entry| entry.path() == MANIFEST);
    add(archive, ROOTFS, Kind::File, 0o644);
}

#[track_caller]
fn replaced(text: &str, from: &str, to: &str) -> Vec<u8> {
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1).into()
}

fn manifest(archive: &mut Archive, from: &str, to: &str) {
    archive.texts.insert(MANIFEST.to_owned(), replaced(GOOD, from, to));
}

fn spec(archive: &mut Archive, path: &str, from: &str, to: &str) {
    file(archive, path);
    archive.texts.insert(path.to_owned(), replaced(SERVICE, from, to));
}

fn judged((title, release, change, expected): &Case) {
    let mut archive = good();
    change(&mut archive);
    let refusals = judge(&archive, "demo", *release);
    let told: String = refusals.iter().map(|refusal| format!("{refusal}\n")).collect();
    let rules: Vec<Rule> = refusals.iter().map(|refusal| refusal.rule).collect();
    assert_eq!(rules, *expected, "{title}:\n{told}");
}

#[test]
fn what_is_refused() {
    CASES.iter().chain(&ARCHIVES).for_each(judged);
}

#[test]
fn every_rule_has_a_case() {
    let rules = [TopLevel, Manifest, Rootfs, Name, Version, Compatibility, AllowedPaths, WorldWritable, SpecialFiles];
    let rules = rules.into_iter().chain([Service, HardLinks, Parents, Duplicates, BelowLinks, Whiteouts]);
    for rule in rules {
        let cases = CASES.iter().chain(&ARCHIVES);
        assert!(cases.filter(|(.., expected)| expected.contains(&rule)).count() > 0, "{rule}");
    }
}

#[test]
fn a_refusal_says_rule_file_and_what_to_do() {
    for (path, told) in [
        (
            "rootfs/etc/sysctl.d/90-x.conf",
            "allowed-paths: rootfs/etc/sysctl.d/90-x.conf: Talos 1.10.3 takes no file at /etc/sysctl.d/90-x.conf; sysctls \
             go to `machine.sysctls` of the machine configuration",
        ),
        (
            "rootfs/usr/bin/nvme",
            "allowed-paths: rootfs/usr/bin/nvme: Talos 1.10.3 takes no file at /usr/bin/nvme; /usr/bin/nvme is allowed \
             since Talos 1.13.0, and this is for 1.10.3",
        ),
        ("rootfs/opt/x", "allowed-paths: rootfs/opt/x: Talos 1.10.3 takes no file at /opt/x; put it below /usr/local"),
    ] {
        let mut archive = good();
        file(&mut archive, path);
        let refusals = judge(&archive, "demo", V1_10);
        assert_eq!(refusals.iter().map(ToString::to_string).collect::<Vec<_>>(), [told]);
    }
}

proptest! {
    #[test]
    fn any_text_gets_a_verdict(text in "\\PC{0,40}", range in "[0-9vx.<>=!| -]{0,20}") {
        let mut archive = good();
        spec(&mut archive, SPEC, SERVICE, &text);
        archive.texts.insert(MANIFEST.to_owned(), text.into_bytes());
        prop_assert!(judge(&archive, "demo", V1_10).iter().any(|refusal| refusal.rule == Manifest));
        archive = good();
        archive.texts.insert(MANIFEST.to_owned(), GOOD.replace(">= v1.10.0", &range).into_bytes());
        prop_assert!(judge(&archive, "demo", V1_10).iter().all(|refusal| refusal.rule == Compatibility));
    }
}
