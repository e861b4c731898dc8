//! Locking from archives that are good, old and forged; and what is pinned, fetched again.

use std::collections::BTreeSet;
use std::fs;
use std::ops::ControlFlow;
use std::time::Duration;

use forge::artifact::archive;
use forge::debian::date::Date;
use forge::digest::Digest;
use forge::fetch::{Cargo, Error, Fetcher, Git, Indexes, Mirrors, Places, Policy, Progress, Suite, Trust};
use forge::lockfile::{self, Deb, Locked, Place};
use forge::path::RelPath;
use forge::recipe::{Source, Unpack};
use forge::store::{Blob, Node, Output};

use super::Home;
use super::archive::{Archive, tar};
use super::server::{Reply, Server};

const DATE: &str = "Date: Sat, 12 Sep 2026 07:55:41 UTC";
const LATER: &str = "Date: Sun, 13 Sep 2026 07:55:41 UTC";
const EARLIER: &str = "Date: Fri, 11 Sep 2026 07:55:41 UTC";
const SET: [(&str, &str, &str); 3] = [("tool", "1.0-1", "lib (>= 2)"), ("lib", "2:2.0~rc1-1", ""), ("other", "3", "")];

fn go_on(_: Progress<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// The snapshot archive must not be asked by a test.
fn offline<'a>(home: &'a Home, bases: &[&Archive]) -> Fetcher<'a> {
    let bases = bases.iter().map(|archive| archive.base().parse().expect("a base")).collect();
    let policy = Policy { offline: true, ..Policy::default() };
    Fetcher::new(&home.store, Places::new(Mirrors::default(), bases), policy, Git::default(), Cargo::default())
}

fn trust(archive: &Archive, locked: Option<&lockfile::Suite>) -> Trust {
    let now: Date = "20260920T000000Z".parse().expect("a date");
    let locked = locked.map(|suite| (suite.archive.clone(), suite.clone())).into_iter().collect();
    Trust { keys: archive.keys(), now, locked, update: BTreeSet::new() }
}

fn suite(fetcher: &Fetcher<'_>, archive: &Archive, locked: Option<&lockfile::Suite>) -> Result<Suite, Error> {
    let recipe = archive.recipe();
    let mut suites = fetcher.suites([&recipe, &recipe], &trust(archive, locked), &go_on)?;
    assert_eq!(suites.len(), 1);
    Ok(suites.remove(0))
}

fn set(fetcher: &Fetcher<'_>, archive: &Archive, suite: Suite, package: &str) -> Result<Vec<Deb>, Error> {
    let suites = [suite];
    let indexes = Indexes::new(&suites)?;
    let source = Source::Debs { archive: archive.recipe(), packages: vec![package.to_owned()], essential: true };
    match fetcher.pin(&source, &indexes, &go_on)? {
        Locked::Debs(debs) => Ok(debs),
        other => panic!("want a set, got {other:?}"),
    }
}

fn fetch(fetcher: &Fetcher<'_>, deb: &lockfile::Deb) -> Result<Blob, Error> {
    fetcher.file(&deb.pin, &format!("{} {}", deb.package, deb.version), "tools", &go_on)
}

#[test]
fn a_set_is_pinned_and_fetched() {
    let (home, archive) = (Home::new(), Archive::new());
    archive.publish(DATE, &SET);
    let fetcher = offline(&home, &[&archive]);
    let found = suite(&fetcher, &archive, None).expect("a suite");
    assert_eq!((found.locked.date.as_str(), found.moved), ("20260912T075541Z", false));
    let debs = set(&fetcher, &archive, found, "tool").expect("a set");
    let names: Vec<_> = debs.iter().map(|deb| (deb.package.as_str(), deb.version.as_str())).collect();
    assert_eq!(names, [("lib", "2:2.0~rc1-1"), ("tool", "1.0-1")]);
    for deb in &debs {
        assert_eq!(fetch(&fetcher, deb).expect("a .deb").digest, deb.pin.digest);
    }
    fs::remove_dir_all(archive.path().join("pool")).expect("gone");
    let gone = fetch(&fetcher, &debs[0]).expect("in the store");
    assert_eq!(gone.digest, debs[0].pin.digest);
    let error = fetch(&offline(&Home::new(), &[&archive]), &debs[0]).expect_err("gone").to_string();
    assert!(error.contains("lib 2:2.0~rc1-1: no place gave it"), "{error}");
    assert!(error.contains("build once without --offline"), "{error}");
}

#[test]
fn members_of_packages() {
    let (home, archive) = (Home::new(), Archive::new());
    archive.publish(DATE, &SET);
    let fetcher = offline(&home, &[&archive]);
    let suites = [suite(&fetcher, &archive, None).expect("a suite")];
    let indexes = Indexes::new(&suites).expect("an index");
    let source = |package: &str| Source::DebMember {
        archive: archive.recipe(),
        package: package.to_owned(),
        member: None,
        unpack: None,
    };
    let Locked::DebMember { deb, .. } = fetcher.pin(&source("tool"), &indexes, &go_on).expect("a package") else {
        panic!()
    };
    let get = |member: Option<&str>, unpack: Option<u32>| {
        let member = member.map(|member| RelPath::new(member).expect("clean"));
        let unpack = unpack.map(|strip| Unpack { strip });
        let blob = fetch(&fetcher, &deb).expect("a .deb");
        let file = archive::deb(&home.store, &Output::File { blob, executable: false }, member.as_ref())?;
        unpack.map_or(Ok(file), |Unpack { strip }| archive::unpack(&home.store, &file, strip))
    };
    let Output::File { blob, executable: true } = get(Some("usr/bin/tool"), None).expect("a file") else { panic!() };
    assert_eq!(home.read(&blob), b"tool");
    let Output::Tree(tree) = get(Some("usr/src/source.tar"), Some(1)).expect("a tree") else { panic!() };
    let top = home.store.directory(&tree.digest).expect("a tree");
    assert_eq!(top.entries.keys().collect::<Vec<_>>(), ["README", "configure"]);
    assert!(matches!(top.entries["configure"], Node::File { executable: true, .. }));
    let Output::Tree(tree) = get(None, None).expect("a tree") else { panic!() };
    assert!(home.store.directory(&tree.digest).expect("a tree").entries.contains_key("usr"));
    let error = get(Some("usr/bin/none"), None).expect_err("no such file").to_string();
    assert!(error.contains("the package has no file `usr/bin/none`"), "{error}");
    assert!(get(Some("usr/bin/tool"), Some(0)).is_err(), "no archive");
    let error = fetcher.pin(&source("none"), &indexes, &go_on).expect_err("no such package").to_string();
    assert!(error.contains("none: trixie has no such package"), "{error}");
}

/// The locked index serves as long as it can be had, from the store too; then all sets move together.
#[test]
fn the_locked_index_serves_again() {
    let (home, archive) = (Home::new(), Archive::new());
    archive.publish(DATE, &SET);
    let fetcher = offline(&home, &[&archive]);
    let locked = suite(&fetcher, &archive, None).expect("a suite").locked;
    fs::remove_dir_all(archive.path().join("dists")).expect("gone");
    archive.publish(LATER, &[("tool", "1.1-1", "")]);
    let again = suite(&offline(&home, &[]), &archive, Some(&locked)).expect("from the store");
    assert_eq!((&again.locked, again.moved), (&locked, false));
    assert_eq!(set(&fetcher, &archive, again, "tool").expect("a set")[1].version, "1.0-1");
    let fresh = Home::new();
    let fetcher = offline(&fresh, &[&archive]);
    let moved = suite(&fetcher, &archive, Some(&locked)).expect("a newer one");
    assert!(moved.moved && moved.locked != locked);
    assert_eq!(set(&fetcher, &archive, moved, "tool").expect("a set")[0].version, "1.1-1");
}

#[test]
fn what_is_not_believed_is_passed_over() {
    let (good, forged, old, expired) = (Archive::new(), Archive::new(), Archive::new(), Archive::new());
    good.publish(DATE, &SET);
    forged.publish(LATER, &[("tool", "6.6.6", "")]);
    let suite_of = |home: &Home, bases: &[&Archive], archive: &Archive, locked: Option<&lockfile::Suite>| {
        suite(&offline(home, bases), archive, locked)
    };
    let home = Home::new();
    let found = suite_of(&home, &[&forged, &good], &good, None).expect("the good one");
    assert_eq!(found.locked.date.as_str(), "20260912T075541Z");
    let error = suite_of(&Home::new(), &[&forged], &good, None).expect_err("forged").to_string();
    assert!(error.contains("no valid signature") && error.contains(&forged.base()), "{error}");
    old.publish(EARLIER, &SET);
    let update = Trust { update: BTreeSet::from([found.locked.archive.clone()]), ..trust(&old, Some(&found.locked)) };
    let error = offline(&Home::new(), &[&old]).suites([&old.recipe()], &update, &go_on).expect_err("older").to_string();
    assert!(error.contains("went back in time"), "{error}");
    expired.publish(&format!("{DATE}\nValid-Until: Sat, 19 Sep 2026 07:55:41 UTC"), &SET);
    let error = suite_of(&Home::new(), &[&expired], &expired, None).expect_err("expired").to_string();
    assert!(error.contains("20260919T075541Z"), "{error}");
    let mut recipe = good.recipe();
    recipe.components.push("contrib".to_owned());
    let error = offline(&home, &[&good]).suites([&recipe], &trust(&good, Some(&found.locked)), &go_on);
    assert!(matches!(error, Err(Error::NoPackages(_))), "{error:?}");
    let error =
        offline(&home, &[&good]).suites([&recipe], &trust(&good, None), &go_on).expect_err("absent").to_string();
    assert!(error.contains("contrib/binary-amd64"), "{error}");
}

#[test]
fn urls_are_pinned_unpacked_and_mirrored() {
    let (home, server) = (Home::new(), Server::start());
    let body = tar(&[("top/a", 0o644, b"abc")]);
    server.on("/a.tar", [Reply::File(body.clone())]);
    let url = server.url("/a.tar");
    let policy = Policy { idle: Duration::from_secs(5), ..Policy::default() };
    let fetcher = Fetcher::new(&home.store, Places::default(), policy, Git::default(), Cargo::default());
    let source = Source::Url { url: url.clone(), unpack: Some(Unpack { strip: 1 }) };
    let indexes = Indexes::new(&[]).expect("nothing to parse");
    let Locked::File { pin, unpack } = fetcher.pin(&source, &indexes, &go_on).expect("a pin") else { panic!() };
    assert_eq!((&pin.place, pin.size), (&Place::Url(url), body.len() as u64));
    assert_eq!(unpack, Some(Unpack { strip: 1 }));
    let blob = fetcher.file(&pin, "a.tar", "unit", &go_on).expect("the file");
    let file = Output::File { blob, executable: false };
    let Output::Tree(tree) = archive::unpack(&home.store, &file, 1).expect("a tree") else { panic!() };
    assert_eq!(home.store.directory(&tree.digest).expect("a tree").entries.keys().collect::<Vec<_>>(), ["a"]);

    let (mirror, fresh) = (tempfile::tempdir().expect("a folder"), Home::new());
    fs::create_dir(mirror.path().join("sha256")).expect("a folder");
    fs::write(mirror.path().join("sha256").join(pin.digest.hex()), &body).expect("a file");
    let file = mirror.path().join("mirrors.toml");
    fs::write(&file, format!("digests = [{:?}]\n", mirror.path())).expect("a file");
    let places = Places::new(Mirrors::read(&file).expect("mirrors"), Vec::new());
    let fetcher = Fetcher::new(
        &fresh.store,
        places,
        Policy { offline: true, ..Policy::default() },
        Git::default(),
        Cargo::default(),
    );
    let absent = Blob { digest: Digest::of(b"no such tree"), size: 12 };
    let error = fetcher.git("https://host/x", &"0".repeat(40), &absent, &go_on).expect_err("offline").to_string();
    assert!(error.contains("offline"), "{error}");
    assert!(fetcher.file(&pin, "a.tar", "unit", &go_on).is_ok());
}
