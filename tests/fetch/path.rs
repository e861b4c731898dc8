//! Path sources: which files they have, and that unchanged ones are not read again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use forge::digest::Digest;
use forge::fetch::{Error, Finder, Observer};
use forge::path::RelPath;
use forge::store::{Node, Store};

use super::Home;

fn write(project: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = project.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
}

fn patterns(patterns: &[&str]) -> Vec<String> {
    patterns.iter().map(|&pattern| pattern.to_owned()).collect()
}

fn rel(path: &str) -> RelPath {
    RelPath::new(path).expect("clean")
}

fn observe(home: &Home, project: &Path, directory: &str, include: &[&str], exclude: &[&str]) -> Result<Digest, Error> {
    let observer = Observer::open(&home.store, project, SystemTime::now)?;
    let output = observer.observe(&rel(directory), &patterns(include), &patterns(exclude))?;
    observer.save()?;
    Ok(output.digest())
}

/// Every file and link below a tree.
fn files(store: &Store, tree: &Digest, above: &str) -> BTreeMap<String, Node> {
    let mut found = BTreeMap::new();
    for (name, node) in store.directory(tree).expect("a tree").entries {
        let path = format!("{above}{name}");
        match node {
            Node::Directory(directory) => found.extend(files(store, &directory.digest, &format!("{path}/"))),
            node => drop(found.insert(path, node)),
        }
    }
    found
}

/// Longer than the time in which a change could go unseen.
fn settle() {
    thread::sleep(Duration::from_millis(70));
}

#[test]
fn globs_choose() {
    let (home, project) = (Home::new(), tempfile::tempdir().expect("a folder"));
    let names = ["a.c", "a.h", "sub/b.c", "sub/deep/c.c", "sub/x.txt", ".hidden", "target/t.c", "sub/target/t.c"];
    let more = [".git/config", "result/r.c", "tests/d.c"];
    write(project.path(), &names.iter().chain(&more).map(|name| (*name, "x")).collect::<Vec<_>>());
    let base = project.path().file_name().expect("a name").to_str().expect("text").to_owned();
    let parent = project.path().parent().expect("a parent");
    for (include, exclude, expected) in [
        (&[][..], &[][..], &[".hidden", "a.c", "a.h", "sub/b.c", "sub/deep/c.c", "sub/x.txt", "tests/d.c"][..]),
        (&["**"], &["sub", "tests/**"], &[".hidden", "a.c", "a.h"]),
        (&["*.c"], &[], &["a.c"]),
        (&["**/*.c"], &["**/deep"], &["a.c", "sub/b.c", "tests/d.c"]),
        (&["sub"], &["*/*.txt"], &["sub/b.c", "sub/deep/c.c"]),
        (&["sub/*.{c,txt}"], &[], &["sub/b.c", "sub/x.txt"]),
        (&["a.h", "**/d.c"], &[], &["a.h", "tests/d.c"]),
    ] {
        let tree = observe(&home, parent, &base, include, exclude).expect("files");
        let found: Vec<_> = files(&home.store, &tree, "").into_keys().collect();
        assert_eq!(found, expected, "{include:?} {exclude:?}");
        let mut finder = Finder::open(parent).expect("opens");
        let mut holds = |name: &str| {
            let file = rel(&format!("{base}/{name}"));
            finder.holds(&rel(&base), &patterns(include), &patterns(exclude), &file).expect("looks")
        };
        let others = ["sub", "sub/deep", "none.c", "a.c/b.c"];
        let held: Vec<_> = names.iter().chain(&more).chain(&others).copied().filter(|name| holds(name)).collect();
        assert_eq!(held.iter().copied().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>(), expected);
    }
    for (glob, exclude) in [("**/t.c", &[][..]), ("**/config", &[]), ("**/r.c", &[]), ("empty", &[]), ("a.c", &["*.c"])]
    {
        let error = observe(&home, parent, &base, &["a.h", glob], exclude).expect_err(glob).to_string();
        assert!(error.contains(&format!("no file matches {glob}; ")), "{error}");
    }
}

#[test]
fn links_and_modes_are_kept() {
    let (home, project) = (Home::new(), tempfile::tempdir().expect("a folder"));
    write(project.path(), &[("src/run", "x"), ("src/plain", "y")]);
    fs::set_permissions(project.path().join("src/run"), fs::Permissions::from_mode(0o700)).expect("a mode");
    fs::set_permissions(project.path().join("src/plain"), fs::Permissions::from_mode(0o664)).expect("a mode");
    symlink("/etc", project.path().join("src/out")).expect("a link");
    fs::create_dir(project.path().join("src/empty")).expect("a folder");
    let tree = observe(&home, project.path(), "src", &[], &[]).expect("files");
    let found = files(&home.store, &tree, "");
    assert_eq!(found.keys().collect::<Vec<_>>(), ["out", "plain", "run"]);
    assert_eq!(found["out"], Node::Symlink("/etc".to_owned()));
    assert!(matches!(found["run"], Node::File { executable: true, .. }));
    assert!(matches!(found["plain"], Node::File { executable: false, .. }));
    let mut finder = Finder::open(project.path()).expect("opens");
    let mut holds = |file: &str| finder.holds(&rel("src"), &[], &[], &rel(file)).expect("looks");
    assert!(holds("src/run") && holds("src/out") && !holds("src/out/hosts") && !holds("src/empty") && !holds("run"));
}

#[test]
fn what_can_not_be_a_source_is_refused() {
    let (home, project) = (Home::new(), tempfile::tempdir().expect("a folder"));
    write(project.path(), &[("src/a", "x"), ("special/a", "x"), ("named/a", "x")]);
    symlink("/etc", project.path().join("out")).expect("a link");
    symlink("src", project.path().join("inside")).expect("a link");
    let pipe = project.path().join("special/pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).expect("a pipe");
    let odd = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"a\xff");
    fs::write(project.path().join("named").join(odd), "x").expect("a file");
    for (directory, include, words) in [
        ("out", &[][..], "leads out of the project"),
        ("out/ssl", &[], "leads out of the project"),
        ("none", &[], "No such file"),
        ("src/a", &[], "Not a directory"),
        ("src", &["*.rs", "b"], "no file matches *.rs, b"),
        ("src", &["[a"], "[a"),
        ("special", &[], "special/pipe: not a file"),
        ("named", &[], r"a\xff"),
    ] {
        let error = observe(&home, project.path(), directory, include, &[]).expect_err(words).to_string();
        assert!(error.contains(words), "{error}");
    }
    observe(&home, project.path(), "inside", &[], &[]).expect("a link inside the project");
    observe(&home, project.path(), "special", &["a"], &[]).expect("the pipe is left out");
}

#[test]
fn changes_are_seen() {
    let (home, project) = (Home::new(), tempfile::tempdir().expect("a folder"));
    let see = || observe(&home, project.path(), "src", &[], &[]).expect("files");
    write(project.path(), &[("src/a", "one"), ("src/sub/b", "two")]);
    settle();
    let first = see();
    assert_eq!(see(), first);
    write(project.path(), &[("src/a", "uno")]);
    let second = see();
    assert_ne!(second, first);
    fs::set_permissions(project.path().join("src/a"), fs::Permissions::from_mode(0o755)).expect("a mode");
    let third = see();
    assert_ne!(third, second);
    fs::remove_file(project.path().join("src/sub/b")).expect("gone");
    assert_ne!(see(), third);
    write(project.path(), &[("src/a", "one"), ("src/sub/b", "two")]);
    fs::set_permissions(project.path().join("src/a"), fs::Permissions::from_mode(0o644)).expect("a mode");
    assert_eq!(see(), first);
}

/// Changes of the same size, in place, with the time set back, one right after the other.
#[test]
fn racy_changes_are_seen() {
    let (home, project) = (Home::new(), tempfile::tempdir().expect("a folder"));
    write(project.path(), &[("src/a", "0000")]);
    let path = project.path().join("src/a");
    let time = fs::metadata(&path).expect("a file").modified().expect("a time");
    for round in 0..200 {
        let text = format!("{round:04}");
        fs::write(&path, &text).expect("a file");
        fs::File::options().write(true).open(&path).expect("a file").set_modified(time).expect("a time");
        let tree = observe(&home, project.path(), "src", &[], &[]).expect("files");
        let Node::File { blob, .. } = files(&home.store, &tree, "")["a"] else { panic!("a file") };
        assert_eq!(blob.digest, Digest::of(text.as_bytes()));
    }
}

/// Nothing of the index is needed, and a lost object is made again.
#[test]
fn the_index_can_be_lost() {
    let (home, project) = (Home::new(), tempfile::tempdir().expect("a folder"));
    let see = || observe(&home, project.path(), "src", &[], &[]).expect("files");
    write(project.path(), &[("src/a", "one")]);
    settle();
    let tree = see();
    let index = fs::read_dir(home.store.root().join("index")).expect("a folder").flatten().next().expect("an index");
    for bytes in [&b""[..], b"forge paths 1\n", b"forge paths 2\nxxxx"] {
        fs::write(index.path(), bytes).expect("a file");
        assert_eq!(see(), tree);
    }
    fs::remove_file(index.path()).expect("gone");
    assert_eq!(see(), tree);
    for kind in ["file", "dir"] {
        let folder = home.store.root().join(kind);
        fs::remove_dir_all(&folder).expect("gone");
        fs::create_dir(&folder).expect("a folder");
        assert_eq!(see(), tree, "without {kind}");
    }
    assert_eq!(files(&home.store, &tree, "").len(), 1);
}

/// The bar is 5 ms for a release build on a quiet machine. Here it is told in what the system takes at the least for
/// looking at every file, so that it holds on a busy machine and unoptimised as well.
#[test]
fn two_thousand_unchanged_files_are_quick() {
    const SOURCES: usize = 100;
    let (home, project) = (Home::new(), tempfile::tempdir().expect("a folder"));
    let files = |source| (0..20).map(move |file| format!("recipes/unit-{source}/src/file-{file}.c"));
    let all: Vec<String> = (0..SOURCES).flat_map(files).collect();
    write(project.path(), &all.iter().map(|name| (name.as_str(), name.as_str())).collect::<Vec<_>>());
    settle();
    let look = || assert!(all.iter().all(|name| fs::symlink_metadata(project.path().join(name)).is_ok()));
    let run = || {
        let observer = Observer::open(&home.store, project.path(), SystemTime::now).expect("an observer");
        let include = patterns(&["src/**/*.c", "src"]);
        let see = |source| observer.observe(&rel(&format!("recipes/unit-{source}")), &include, &[]).expect("files");
        let trees: Vec<_> = (0..SOURCES).map(see).collect();
        observer.save().expect("an index");
        trees
    };
    let first = run();
    let time = |work: &dyn Fn()| {
        let begun = Instant::now();
        work();
        begun.elapsed()
    };
    let rounds = (0..10).map(|_| (time(&look), time(&|| assert_eq!(run(), first))));
    let (floor, best) = rounds.reduce(|a, b| (a.0.min(b.0), a.1.min(b.1))).expect("ten rounds");
    assert!(best < floor * 8, "{best:?}, and merely looking at the files {floor:?}");
}
