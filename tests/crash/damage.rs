//! Objects of the store are damaged, or swept after a boot.

use std::fs;
use std::path::{Path, PathBuf};

use forge::digest::Digest;

use super::{BUILD, Digests, digests, project, recovers, undisturbed};
use crate::support::{Forge, boxed};

type Harm = fn(&Path);

/// What can happen to an object.
const HARMS: [(&str, Harm); 3] = [("flipped", flip), ("truncated", truncate), ("deleted", delete)];

fn flip(object: &Path) {
    let mut bytes = fs::read(object).unwrap();
    bytes[0] ^= 1;
    fs::write(object, bytes).unwrap();
}

fn truncate(object: &Path) {
    fs::File::options().write(true).open(object).unwrap().set_len(1).unwrap();
}

fn delete(object: &Path) {
    fs::remove_file(object).unwrap();
}

/// An object, and the build that needs it.
struct Victim {
    what: &'static str,
    object: PathBuf,
    build: Vec<&'static str>,
    /// Whether a build can do without the object, as its realised tree holds the content too.
    spare: bool,
}

/// One object of each part that a build stands on.
fn victims(forge: &Forge) -> Vec<Victim> {
    let store = forge.store();
    let object = |kind: &str, digest: &str| store.join(kind).join(&digest[..2]).join(digest);
    let file = |text: &str| object("file", &Digest::of(text.as_bytes()).hex());
    let output = &undisturbed()["all"]["out"];
    let (_, output) = output.split_once(':').unwrap();
    let shells = fs::read(store.join("tree").join(toolroot(forge)).join("usr/share/debianutils/shells")).unwrap();
    let again = [BUILD, &["--rebuild", "a", "spin", "many", "all"]].concat();
    vec![
        Victim { what: "an output that is a file", object: file("100000\n"), build: BUILD.to_vec(), spare: false },
        Victim { what: "a file of an output", object: file("177\n"), build: BUILD.to_vec(), spare: true },
        Victim {
            what: "the directory of an output",
            object: object("dir", output),
            build: BUILD.to_vec(),
            spare: false,
        },
        Victim { what: "a file of a source", object: file("unread\n"), build: again.clone(), spare: true },
        Victim {
            what: "a file of the toolroot",
            object: object("file", &Digest::of(&shells).hex()),
            build: again,
            spare: true,
        },
    ]
}

/// The digest of the tree that commands see as their root.
fn toolroot(forge: &Forge) -> String {
    let run = forge.run(&["build", "--offline", "--json", "box"]).success();
    digests(&run)["box"]["out"].split_once(':').unwrap().1.to_owned()
}

#[test]
fn a_build_notices_and_makes_it_again() {
    let forge = project(boxed::forge()).own_store();
    forge.run(BUILD).success();
    for victim in victims(&forge) {
        for (harm, hurt) in HARMS {
            let what = format!("{}, {harm}", victim.what);
            hurt(&victim.object);
            let build = forge.run(&victim.build);
            assert_eq!(build.exit(), Some(0), "{what}: {}", build.stderr);
            assert_eq!(digests(&build), *undisturbed(), "{what}");
            assert_eq!(build.stderr.contains("went to"), harm != "deleted", "{what}: {}", build.stderr);
        }
        if victim.spare {
            forge.run(&["store", "fsck"]).code(1);
        }
        recovers(&forge, victim.what);
    }
}

#[test]
fn fsck_names_it_and_the_build_makes_it_again() {
    let forge = project(boxed::forge()).own_store();
    forge.run(BUILD).success();
    for (victim, (harm, hurt)) in victims(&forge).iter().zip(HARMS.iter().cycle()) {
        let what = format!("{}, {harm}", victim.what);
        hurt(&victim.object);
        let fsck = forge.run(&["store", "fsck"]);
        let name = victim.object.file_name().unwrap().to_str().unwrap();
        assert_eq!(fsck.exit(), Some(1), "{what}: {}", fsck.stderr);
        assert!(*harm == "deleted" || fsck.stdout.contains(name), "{what}: {}", fsck.stdout);
        let build = forge.run(&victim.build).success();
        assert_eq!(digests(&build), *undisturbed(), "{what}");
        recovers(&forge, &what);
    }
}

#[test]
fn another_boot_costs_nothing_that_was_committed() {
    let forge = project(boxed::forge());
    forge.run(BUILD).success();
    let boot = forge.store().join("boot");
    // Not written in place, as it is a link to another store's.
    fs::remove_file(&boot).unwrap();
    fs::write(&boot, "another boot\n").unwrap();
    let garbage = forge.store().join("file/00").join("0".repeat(64));
    fs::create_dir_all(garbage.parent().unwrap()).unwrap();
    fs::write(&garbage, "cut sho").unwrap();
    let build = forge.run(BUILD).success();
    assert!(build.json().iter().all(|unit| unit["status"] == "cached"), "{}", build.stdout);
    assert!(!garbage.exists());
    let same: Digests = digests(&build);
    assert_eq!(same, *undisturbed());
    recovers(&forge, "another boot");
}
