//! Tests of the lockfile: golden text, round trips, what damaged files give, and how it fits a project.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::digest::Digest;
use crate::path::RelPath;
use crate::recipe::{self, Project, Target, Unpack};
use crate::store::Blob;

const GOLDEN: &str = include_str!("golden.toml");

pub(super) fn name(text: &str) -> Name {
    Name::new(text).expect("name")
}

pub(super) fn deb(package: &str, version: &str) -> Deb {
    let path = RelPath::new(format!("pool/main/{package}_{version}_amd64.deb")).expect("clean");
    let place = Place::Archive { archive: name("debian"), path, date: "20260912T075541Z".to_owned() };
    let pin = Pin { place, size: 1344, digest: Digest::of(version.as_bytes()) };
    Deb { package: package.to_owned(), version: version.to_owned(), architecture: "amd64".to_owned(), pin }
}

fn krate(name: &str, version: &str) -> Crate {
    let digest = Digest::of(format!("{name} {version}").as_bytes());
    Crate { name: name.to_owned(), version: version.to_owned(), size: 77_710, digest }
}

fn crates(published: Vec<Crate>, git: Vec<GitCrate>) -> Locked {
    Locked::Crates { published, git, features: Vec::new() }
}

/// A package of a repository with one state.
fn git_crate(name: &str, asked: Asked) -> GitCrate {
    let tree = Blob { digest: Digest::of(b"tree"), size: 4 };
    let repository = Repository { url: "https://example.org/a.git".to_owned(), commit: "0a".repeat(20), tree };
    GitCrate { name: name.to_owned(), version: "1.0.0".to_owned(), repository, asked }
}

fn suite(date: &str) -> Suite {
    let path = RelPath::new("main/binary-amd64/Packages.xz").expect("clean");
    let indexes = vec![Index { path, size: 9_671_234, digest: Digest::of(b"packages") }];
    let (suite, date) = ("trixie".to_owned(), date.to_owned());
    Suite { archive: name("debian"), suite, date, inrelease: Digest::of(b"inrelease"), indexes }
}

fn entry(locked: Locked) -> Entry {
    Entry { spec: Digest::of(b"spec"), locked }
}

/// One entry of each kind.
fn example() -> Lockfile {
    let mut lockfile = Lockfile::default();
    lockfile.set_suite(suite("20260912T075541Z"));
    let text = str::to_owned;
    let unpack = Some(Unpack { strip: 1 });
    let member = RelPath::new("usr/src/linux.tar.xz").ok();
    let pin = Pin { place: Place::Url(text("https://example.org/\"data\"")), size: 12, digest: Digest::of(b"data") };
    let tree = Blob { digest: Digest::of(b"tree"), size: 4 };
    let git = Locked::Git { url: text("https://example.org/a.git"), commit: "0a".repeat(20), tree };
    let published = vec![krate("serde", "1.0.200"), krate("ahash", "0.8.11")];
    let features = ["serde 1.0.200 default,std", "ahash 0.8.11"].map(|line| line.parse().expect("a line")).to_vec();
    let entries = [
        ("gcc", "debs", Locked::Debs(vec![deb("libc6", "2.41-12"), deb("gcc", "4:14.2.0-1")])),
        ("clang", "debs", Locked::Debs(vec![deb("libc6", "2.41-12")])),
        ("linux", "src", Locked::DebMember { deb: deb("linux-source-6.12", "6.12.63-1"), member, unpack }),
        ("hello", "data", Locked::File { pin, unpack: None }),
        ("hello", "lib", git),
        ("serve", "src", Locked::Crate(krate("serve", "1.2.3"))),
        ("serve", "crates", Locked::Crates { published, git: Vec::new(), features }),
        ("client", "crates", crates(vec![krate("serde", "1.0.200")], Vec::new())),
    ];
    for (unit, source, locked) in entries {
        lockfile.insert(name(unit), name(source), entry(locked)).expect("fits");
    }
    lockfile
}

#[test]
fn golden_text() {
    assert_eq!(example().emit(), GOLDEN);
    assert_eq!(Lockfile::parse(GOLDEN).expect("parses"), example());
    assert_eq!(Lockfile::parse("").expect("parses"), Lockfile::default());
}

#[test]
fn what_a_change_means() {
    let old = example();
    assert_eq!(old.download(), 3 * 1344 + 12 + 3 * 77_710, "libc6 and serde count once, the tree not");
    assert_eq!(old.moved_since(&old), BTreeSet::new());
    let mut new = example();
    let pin = Pin { place: Place::Url("https://other.example/x".to_owned()), size: 12, digest: Digest::of(b"data") };
    new.insert(name("hello"), name("data"), entry(Locked::File { pin: pin.clone(), unpack: None })).expect("fits");
    assert_eq!(new.moved_since(&old), BTreeSet::new(), "the same content from elsewhere");
    let unpack = Some(Unpack { strip: 0 });
    new.insert(name("hello"), name("data"), entry(Locked::File { pin: pin.clone(), unpack })).expect("fits");
    assert_eq!(new.moved_since(&old), BTreeSet::from([name("hello")]));
    let mut new = example();
    new.insert(name("gcc"), name("debs"), entry(Locked::Debs(vec![deb("libc6", "2.41-12")]))).expect("fits");
    new.insert(name("new"), name("data"), entry(Locked::File { pin, unpack: None })).expect("fits");
    assert_eq!(new.moved_since(&old), BTreeSet::from([name("gcc"), name("new")]));
}

/// Packages of the registry and of a repository, in two sources.
fn with_git() -> Lockfile {
    let mut lockfile = Lockfile::default();
    let tag = || git_crate("wire", Asked::Tag("v2".to_owned()));
    for (unit, published, git) in [
        ("serve", vec![krate("serde", "1.0.200")], vec![tag(), git_crate("near", Asked::Default)]),
        ("client", Vec::new(), vec![tag()]),
    ] {
        lockfile.insert(name(unit), name("crates"), entry(crates(published, git))).expect("fits");
    }
    lockfile
}

#[test]
fn packages_of_repositories() {
    const GOLDEN: &str = include_str!("golden-git.toml");
    let lockfile = with_git();
    assert_eq!(lockfile.emit(), GOLDEN);
    assert_eq!(Lockfile::parse(GOLDEN).expect("parses"), lockfile);
    let line = GOLDEN.lines().find(|line| line.contains("a.git 0a0a") && line.contains(" 4 ")).expect("there");
    for (from, to, at, words) in [
        (line, &*line.replace(" 4 ", " "), 9, "a repository is `url commit size sha256`"),
        (line, &line.replace(" 4 ", " many "), 9, "many"),
        (line, &line.replace("0a0a", "0a"), 9, "a commit has 40 hex digits"),
        (line, &format!("{line}\n{line}"), 10, "the repository `https://example.org/a.git 0a0a"),
        (line, "", 17, "is not in the list `repositories`"),
        ("tag=v2", "tip=v2", 17, "not `branch=…`, `tag=…` or `rev=…`"),
        ("wire 1.0.0 https", "wire https", 17, "is not in the list `repositories`"),
        (line, &format!("{line}\n{}", line.replace("a.git", "b.git")), 10, "no source uses the repository"),
    ] {
        let errors = Lockfile::parse(&GOLDEN.replacen(from, to, 1)).expect_err(words);
        let found: Vec<_> = errors.iter().map(|error| (error.line(), error.title())).collect();
        assert!(found.iter().any(|(line, title)| *line == Some(at) && title.contains(words)), "{words}: {found:#?}");
    }
}

#[test]
fn a_change_of_a_repository() {
    let (old, mut new) = (with_git(), with_git());
    let mut moved = git_crate("wire", Asked::Tag("v2".to_owned()));
    moved.repository.commit = "0b".repeat(20);
    new.insert(name("client"), name("crates"), entry(crates(Vec::new(), vec![moved.clone()]))).expect("fits");
    let tree = Digest::of(b"tree");
    let expected = format!("+ https://example.org/a.git {} tree {tree}\n", moved.repository.commit);
    assert_eq!(Diff::new(&old, &new).to_string(), expected);
    assert_eq!(new.moved_since(&old), BTreeSet::from([name("client")]));
    moved.repository.commit = "0a".repeat(20);
    moved.repository.tree.digest = Digest::of(b"other");
    let mixed = new.insert(name("new"), name("crates"), entry(crates(Vec::new(), vec![moved.clone()])));
    assert!(mixed.expect_err("two trees").to_string().contains("a.git 0a0a"));
    moved.name = "a b".to_owned();
    let odd = new.insert(name("client"), name("crates"), entry(crates(Vec::new(), vec![moved])));
    assert!(matches!(odd, Err(Error::Unwritable { .. })));
}

/// The golden text with `from` replaced is refused in `line`, with these words.
#[track_caller]
fn damaged(from: &str, to: &str, line: usize, words: &str) {
    assert!(GOLDEN.contains(from), "{from}");
    let errors = Lockfile::parse(&GOLDEN.replacen(from, to, 1)).expect_err("damaged");
    let found: Vec<_> = errors.iter().map(|error| (error.line(), error.title())).collect();
    assert!(found.iter().any(|(at, title)| *at == Some(line) && title.contains(words)), "{found:#?}");
    assert!(errors[0].to_string().contains("--> lockfile.toml:"), "{}", errors[0]);
}

#[test]
fn damaged_files_say_where() {
    let gcc = GOLDEN.lines().find(|line| line.contains("\"gcc:amd64")).expect("there");
    damaged("format = 1", "format = 2", 4, "format 2");
    damaged("format = 1", "format = 2\nnew = 1", 4, "format 2");
    damaged("format = 1\n", "", 1, "does not say its format");
    damaged("format = 1", "format = 1\nother = 1", 5, "unknown field `other`");
    damaged("format = 1", "format = ", 4, "");
    damaged("inrelease = \"sha256:", "inrelease = \"sha256:z", 15, "is not a sha256 digest");
    damaged(gcc, &gcc.replace("1344", "many"), 20, "many");
    damaged(gcc, &gcc.replace("4:14.2.0-1 1344", "1344"), 20, "a package is");
    damaged(gcc, &gcc.replace(" pool/", " ../pool/"), 20, "could lead outside");
    damaged(gcc, &format!("{gcc}\n{gcc}"), 21, "stands here twice");
    damaged(&format!("{gcc}\n"), "", 45, "no suite lists the package `debian/gcc:amd64`");
    damaged("  \"debian/gcc:amd64\",\n", "", 20, "no source uses `debian/gcc:amd64`");
    damaged("name = \"lib\"", "name = \"data\"", 58, "stands here twice");
    damaged("git = ", "url = ", 58, "a source has");
    damaged(&"0a".repeat(20), "0a", 63, "a commit has 40");
    damaged("unit = \"hello\"", "unit = \"Hello\"", 51, "is not a name");
    let serde = GOLDEN.lines().find(|line| line.contains("\"serde 1.0.200 ")).expect("there");
    damaged(serde, &serde.replace(" 77710", ""), 7, "a crate is");
    damaged(serde, &serde.replace("77710", "many"), 7, "many");
    damaged(serde, &format!("{serde}\n{serde}"), 8, "stands here twice");
    damaged(&format!("{serde}\n"), "", 37, "the crate `serde 1.0.200` is not in the list `crates`");
    damaged("crate = \"serve 1.2.3\"\n", "", 88, "a source has");
    damaged(" default,std", " default std", 85, "the features of a crate are");
    damaged("crate = \"serve 1.2.3\"\n", "features = [\"serde 1.0.200\"]\n", 92, "`features` are of `crates`");
    damaged("  \"ahash 0.8.11\",\n", "", 6, "no source uses the crate `ahash 0.8.11`");
}

#[test]
fn versions_never_mix() {
    let mut lockfile = example();
    let other = entry(Locked::Debs(vec![deb("libc6", "2.42-1")]));
    assert!(matches!(lockfile.insert(name("new"), name("debs"), other.clone()), Err(Error::Mixed { .. })));
    assert_eq!(lockfile, example());
    lockfile.set_suite(suite("20261001T000000Z"));
    let left: Vec<_> = lockfile.sources().keys().map(|(unit, _)| unit.as_str()).collect();
    assert_eq!(left, ["client", "hello", "hello", "serve", "serve"]);
    assert!(matches!(lockfile.insert(name("new"), name("debs"), other), Err(Error::NoSuite { .. })));
}

#[test]
fn what_has_no_words_is_refused() {
    let pin = Pin { place: Place::Url("https://example.org".to_owned()), ..deb("gcc", "1").pin };
    let path = RelPath::new("recipes").expect("clean");
    let cases = [
        Locked::Debs(vec![deb("a b", "1")]),
        Locked::Debs(vec![Deb { pin, ..deb("gcc", "1") }]),
        Locked::Debs(vec![deb("gcc", "1"), deb("gcc", "2")]),
        Locked::File { pin: deb("gcc", "1").pin, unpack: None },
        Locked::Path { directory: path, include: vec![], exclude: vec![] },
    ];
    for locked in cases {
        let inserted = example().insert(name("new"), name("src"), entry(locked.clone()));
        assert!(matches!(inserted, Err(Error::Unwritable { .. })), "{locked:?}");
    }
}

fn project(url: &str) -> Project {
    recipe::parse(files_of(url).into(), Target::default()).expect("sound")
}

fn files_of(url: &str) -> [(RelPath, String); 3] {
    let archive = format!(
        "kind = 'archive'\nsuite = 's'\ncomponents = ['m']\narchitecture = 'a'\nfingerprints = ['{}']",
        "0".repeat(40)
    );
    let hello = format!("toolroot = 'gcc'\nsteps = ['true']\n[sources]\nsrc.path = ['*']\ndata.url = '{url}'");
    let files = [
        ("recipes/debian.toml", archive),
        ("recipes/gcc.toml", "kind = 'toolroot'\narchive = 'debian'\npackages = ['gcc']".to_owned()),
        ("recipes/hello.toml", hello),
    ];
    files.map(|(file, text)| (RelPath::new(file).expect("clean"), text))
}

/// A lockfile that fits `project`.
fn lock(project: &Project) -> Lockfile {
    let mut lockfile = Lockfile::default();
    lockfile.set_suite(suite("20260912T075541Z"));
    for (unit, source, locked) in [
        ("gcc", "debs", Locked::Debs(vec![deb("gcc", "1")])),
        (
            "hello",
            "data",
            Locked::File {
                pin: Pin { place: Place::Url("u".to_owned()), size: 1, digest: Digest::of(b"") },
                unpack: None,
            },
        ),
    ] {
        let spec = project.units[unit].sources[source].specification();
        lockfile.insert(name(unit), name(source), Entry { spec, locked }).expect("fits");
    }
    lockfile
}

#[test]
fn every_source_is_pinned() {
    let project = project("https://example.org/a");
    let locked = lock(&project).apply(project).expect("fits");
    assert!(matches!(locked.units["hello"].sources["src"], Locked::Path { .. }));
    assert!(matches!(locked.units["hello"].sources["data"], Locked::File { .. }));
}

#[test]
fn each_misfit_is_listed() {
    let mut lockfile = lock(&project("https://example.org/a"));
    let debs = lockfile.sources.remove(&(name("gcc"), name("debs"))).expect("there");
    lockfile.sources.insert((name("gone"), name("debs")), debs);
    let expected = "lockfile.toml does not fit the recipes:
  gcc/debs is not locked
  gone/debs is locked, but no recipe has it
  hello/data has changed since it was locked: u → https://example.org/b
run `forge lock`";
    let stale = lockfile.apply(project("https://example.org/b")).expect_err("stale");
    assert_eq!(stale.to_string(), expected);
}

#[test]
fn locking_starts_from_what_stays() {
    let same = project("https://example.org/a");
    let other = project("https://example.org/b");
    let lockfile = lock(&same);
    let only = |unit| Update::Named(BTreeSet::from([(name(unit), None)]));
    let one = |unit, source| Update::Named(BTreeSet::from([(name(unit), Some(name(source)))]));
    let cases = [
        (&same, Update::Needed, vec![]),
        (&other, Update::Needed, vec!["hello"]),
        (&same, only("gcc"), vec!["gcc"]),
        (&same, one("hello", "data"), vec!["hello"]),
        (&same, one("hello", "src"), vec![]),
        (&same, Update::All, vec!["gcc", "hello"]),
    ];
    for (project, update, expected) in cases {
        let (kept, open) = lockfile.prepare(project, &update, Unfree::Left);
        assert_eq!(open.keys().map(|(unit, _)| unit.as_str()).collect::<Vec<_>>(), expected, "{update:?}");
        assert_eq!(kept.sources.len() + open.len(), 2);
    }
    let (kept, _) = lockfile.prepare(&Project::default(), &Update::Needed, Unfree::Left);
    assert_eq!(kept, Lockfile::default());
}

#[test]
fn a_file_of_the_user() {
    let golden = include_str!("golden-supplied.toml");
    let pin = Pin { place: Place::Supplied("program".to_owned()), size: 12, digest: Digest::of(b"data") };
    let mut lockfile = Lockfile::default();
    let locked = Locked::File { pin, unpack: Some(Unpack { strip: 1 }) };
    lockfile.insert(name("closed"), name("tool"), entry(locked)).expect("fits");
    assert_eq!(lockfile.emit(), golden);
    assert_eq!(Lockfile::parse(golden).expect("parses"), lockfile);
    let both = golden.replace("strip = 1", "url = \"https://example.org/x\"");
    let errors = Lockfile::parse(&both).expect_err("both");
    assert!(errors[0].title().contains("`url` or `supplied`, not both"), "{errors:?}");
}

/// A project with a unit that is not free, and one that needs it.
fn unfree(called: &str) -> Project {
    let closed = format!(
        "unfree = true\ntoolroot = 'gcc'\nsteps = ['true']\nsources.tool.supplied = '{called}'\n\
                          sources.deb = {{ archive = 'debian', package = 'make' }}"
    );
    let user = "toolroot = 'gcc'\nsteps = ['true']\ndeps.closed = 'closed'";
    let files = [("recipes/closed.toml", closed), ("recipes/user.toml", user.to_owned())];
    let files = files.map(|(file, text)| (RelPath::new(file).expect("clean"), text));
    recipe::parse(files.into_iter().chain(files_of("https://example.org/a")).collect(), Target::default())
        .expect("sound")
}

#[test]
fn what_is_not_free_is_left_alone() {
    let project = unfree("program");
    let mut lockfile = lock(&project);
    let missing = |lockfile: &Lockfile, unfree| {
        let problems = lockfile.problems(&project, unfree);
        problems.into_keys().map(|(unit, source)| format!("{unit}/{source}")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(missing(&lockfile, Unfree::Left), "closed/deb", "what an archive has is locked all the same");
    assert_eq!(missing(&lockfile, Unfree::Locked), "closed/deb closed/tool");
    let member = Locked::DebMember { deb: deb("make", "1"), member: None, unpack: None };
    let spec = project.units["closed"].sources["deb"].specification();
    lockfile.insert(name("closed"), name("deb"), Entry { spec, locked: member }).expect("fits");
    let locked = lockfile.apply(project.clone()).expect("sound without");
    assert_eq!(locked.units.keys().map(Name::as_str).collect::<Vec<_>>(), ["gcc", "hello"]);
    let why = recipe::Unlocked { unit: name("closed"), on_demand: false, supplied: vec!["program".to_owned()] };
    assert_eq!(locked.unlocked, BTreeMap::from([(name("closed"), why.clone()), (name("user"), why)]));

    let pin = Pin { place: Place::Supplied("program".to_owned()), size: 1, digest: Digest::of(b"x") };
    let spec = project.units["closed"].sources["tool"].specification();
    let tool = Entry { spec, locked: Locked::File { pin, unpack: None } };
    lockfile.insert(name("closed"), name("tool"), tool.clone()).expect("fits");
    assert_eq!(lockfile.apply(project.clone()).expect("fits").units.len(), 4);
    let (other, stays) = (unfree("other"), (name("closed"), name("tool")));
    assert_eq!(lockfile.left(&other), BTreeSet::from([stays.clone()]), "it has changed since");
    for (update, unfree, open) in [
        (Update::Needed, Unfree::Left, false),
        (Update::All, Unfree::Left, false),
        (Update::Needed, Unfree::Locked, true),
    ] {
        let (kept, found) = lockfile.prepare(&other, &update, unfree);
        assert_eq!(found.contains_key(&stays), open, "{update:?} {unfree:?}");
        assert_eq!(kept.sources.get(&stays), (!open).then_some(&tool), "{update:?} {unfree:?}");
    }
}

#[test]
fn difference_in_words() {
    let old = example();
    assert!(Diff::new(&old, &old).is_empty());
    let mut new = old.clone();
    new.set_suite(suite("20261001T000000Z"));
    new.set_suite(suite("20260912T075541Z"));
    new.insert(name("gcc"), name("debs"), entry(Locked::Debs(vec![deb("gcc", "4:14.3.0-1"), deb("cpp", "1")])))
        .expect("fits");
    let data = new.sources.get_mut(&(name("hello"), name("data"))).expect("there");
    data.spec = Digest::of(b"other");
    let serve = new.sources.get_mut(&(name("serve"), name("crates"))).expect("there");
    if let Locked::Crates { features, .. } = &mut serve.locked {
        features[1].features.remove("default");
    }
    let expected = "\
+ debian/cpp:amd64 1 (1.3 kB)
~ debian/gcc:amd64 4:14.2.0-1 (1.3 kB) → 4:14.3.0-1 (1.3 kB)
- debian/libc6:amd64 2.41-12 (1.3 kB)
- debian/linux-source-6.12:amd64 6.12.63-1 (1.3 kB)
~ serve/crates serde 1.0.200 default,std → std
- clang/debs 1 packages (1.3 kB)
~ hello/data sha256:3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7 (12 B), the same for a changed recipe
- linux/src debian/linux-source-6.12:amd64, usr/src/linux.tar.xz, unpacked, strip 1
";
    let found = Diff::new(&old, &new).to_string();
    let found: String =
        found.lines().filter(|line| !line.contains("gcc/debs")).map(|line| format!("{line}\n")).collect();
    assert_eq!(found, expected);
}

#[test]
fn saving_twice_changes_nothing() {
    let folder = tempfile::tempdir().expect("temporary folder");
    assert!(matches!(Lockfile::load(folder.path()), Err(Error::Io { verb: "read", .. })));
    assert!(example().save(folder.path()).expect("written"));
    assert!(!example().save(folder.path()).expect("unchanged"));
    assert_eq!(Lockfile::load(folder.path()).expect("read"), example());
}

fn any_path() -> impl Strategy<Value = RelPath> {
    any::<String>().prop_filter_map("unclean", |text| RelPath::new(text).ok())
}

fn any_locked() -> impl Strategy<Value = Locked> {
    let unpack = || proptest::option::of(any::<u32>().prop_map(|strip| Unpack { strip }));
    let digest = || any::<[u8; 32]>().prop_map(Digest::from);
    let version = 0..3u8;
    let debs = proptest::collection::btree_map("[a-z0-9+.-]{1,3}", version, 0..4);
    let debs = debs.prop_map(|set| set.iter().map(|(package, version)| deb(package, &version.to_string())).collect());
    let member = ("[a-z]{1,3}", proptest::option::of(any_path()), unpack())
        .prop_map(|(package, member, unpack)| Locked::DebMember { deb: deb(&package, "1"), member, unpack });
    let url = (any::<String>(), any::<u32>(), digest(), unpack()).prop_map(|(url, size, digest, unpack)| {
        Locked::File { pin: Pin { place: Place::Url(url), size: size.into(), digest }, unpack }
    });
    let tree = (digest(), any::<u32>()).prop_map(|(digest, size)| Blob { digest, size: size.into() });
    let git = (any::<String>(), "[0-9a-f]{40}", tree).prop_map(|(url, commit, tree)| Locked::Git { url, commit, tree });
    let asked = prop_oneof![Just(Asked::Default), "[a-z/=]{1,3}".prop_map(Asked::Rev)];
    let packages = proptest::collection::btree_map("[a-z]{1,3}", asked, 0..4);
    let packages = packages.prop_map(|all| {
        let published = all.keys().map(|name| krate(name, "1.0.0")).collect();
        let features = all.keys().map(|name| format!("{name} 1.0.0#{} x", "0a".repeat(20)).parse().expect("a line"));
        let features = features.collect();
        Locked::Crates {
            published,
            git: all.into_iter().map(|(name, asked)| git_crate(&name, asked)).collect(),
            features,
        }
    });
    let supplied = (any::<String>(), digest()).prop_map(|(called, digest)| Locked::File {
        pin: Pin { place: Place::Supplied(called), size: 1, digest },
        unpack: None,
    });
    prop_oneof![debs.prop_map(Locked::Debs), member, url, supplied, git, packages]
}

proptest! {
    #[test]
    fn any_lockfile_is_read_as_it_was_written(
        entries in proptest::collection::vec(("[a-z0-9][a-z0-9.-]{0,3}", "[a-z]{1,2}", any_locked()), 0..6)
    ) {
        let mut lockfile = Lockfile::default();
        lockfile.set_suite(suite("20260912T075541Z"));
        for (unit, source, locked) in entries {
            // Entries that would mix versions are refused, and that is fine here.
            drop(lockfile.insert(name(&unit), name(&source), entry(locked)));
        }
        let text = lockfile.emit();
        let parsed = Lockfile::parse(&text);
        prop_assert_eq!(parsed.as_ref().ok(), Some(&lockfile), "{}\n{:?}", text, parsed);
        prop_assert_eq!(parsed.expect("parsed").emit(), text);
    }

    #[test]
    fn no_text_panics_the_parser(lines in proptest::collection::vec(0..GOLDEN.lines().count(), 0..40), junk: String) {
        let lines: Vec<_> = lines.into_iter().filter_map(|index| GOLDEN.lines().nth(index)).collect();
        for text in [lines.join("\n"), junk.clone(), format!("{GOLDEN}{junk}")] {
            if let Err(errors) = Lockfile::parse(&text) {
                errors.iter().for_each(|error| drop(error.render(false)));
            }
        }
    }
}
