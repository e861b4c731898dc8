//! Small trees for the rules, real packages for the whole.

use super::*;
use crate::debian::host;
use crate::digest::Digest;
use crate::store::Node;

fn path(text: &str) -> RelPath {
    RelPath::new(text).expect(text)
}

fn store() -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().expect("tempdir");
    let store = Store::open(&directory.path().join("store")).expect("store");
    (directory, store)
}

/// A package's tree of files that hold their own path.
fn package(store: &Store, name: &str, files: &[&str]) -> (String, Blob) {
    let mut tree = TreeBuilder::new();
    for file in files {
        tree.file(&path(file), store.put(file.as_bytes()).expect("put"), true).expect("no clash");
    }
    (name.to_owned(), tree.finish(store).expect("finish"))
}

fn links(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(link, target)| ((*link).to_owned(), (*target).to_owned())).collect()
}

/// The names of a directory, links with their targets.
fn names(store: &Store, directory: &Digest) -> Vec<String> {
    let entries = store.directory(directory).expect("directory").entries;
    let show = |(name, node): (String, Node)| match node {
        Node::Symlink(target) => format!("{name} -> {target}"),
        _ => name,
    };
    entries.into_iter().map(show).collect()
}

#[test]
fn a_root_gets_what_no_package_brings() {
    let (_directory, store) = store();
    let trees = [package(&store, "gcc", &["usr/bin/gcc", "usr/lib/x"]), package(&store, "etc", &["etc/os-release"])];
    let table = links(&[("cc", "gcc"), ("/lib/cpp", "/usr/bin/cc")]);
    let root = merge(&store, &trees, &table).expect("merge");
    let top = "bin -> usr/bin|build|deps|dev|etc|lib -> usr/lib|out|proc|src|tmp|usr";
    assert_eq!(names(&store, &root.digest).join("|"), top);
    let root = store.checkout(&root.digest).expect("checkout");
    let read = |file: &str| std::fs::read_to_string(root.join(file)).expect(file);
    assert_eq!((read("bin/cc"), read("usr/lib/x")), ("usr/bin/gcc".to_owned(), "usr/lib/x".to_owned()));
    assert_eq!(std::fs::read_link(root.join("usr/lib/cpp")).expect("link"), Path::new("/usr/bin/cc"));
    assert!(read("etc/passwd").contains("forge:x:1000:1000:") && read("etc/group").contains("forge:x:1000:"));
}

#[test]
fn what_does_not_fit_is_named() {
    let (_directory, store) = store();
    let gcc = package(&store, "gcc", &["usr/bin/gcc"]);
    let other = package(&store, "other", &["usr/bin/gcc/x"]);
    for (what, trees, table, want) in [
        ("two packages", vec![gcc.clone(), other], links(&[]), "package other does not fit"),
        ("a link over a file", vec![gcc.clone()], links(&[("gcc", "cc")]), "the link `usr/bin/gcc`"),
        ("a link to nowhere", vec![gcc.clone()], links(&[("cc", "clang")]), "leads to `clang`, which no package"),
        ("a link with a bad name", vec![gcc], links(&[("../x", "gcc")]), "a link of the recipe: `../x`"),
    ] {
        let error = merge(&store, &trees, &table).expect_err(what).to_string();
        assert!(error.contains(want), "{what}:\n  want {want}\n  got  {error}");
    }
}

#[test]
fn targets_are_found_where_the_kernel_would() {
    for (link, target, want) in [
        ("usr/bin/cc", "gcc", Some("usr/bin/gcc")),
        ("usr/bin/cc", "/usr/bin/gcc", Some("usr/bin/gcc")),
        ("usr/bin/ld.so", "../lib64/ld.so", Some("usr/lib64/ld.so")),
        ("usr/bin/sh", "/bin/dash", Some("usr/bin/dash")),
        ("x", "y", Some("y")),
        ("usr/bin/cc", "../../../etc", None),
        ("x", "/", None),
    ] {
        assert_eq!(resolve(&path(link), target), want.map(path), "{link} -> {target}");
    }
}

#[test]
fn real_packages_become_a_root_that_runs_them() {
    let (directory, store) = store();
    let packages = host::packages(&["base-files", "cpp", "gcc", "hello", "libc6"]);
    let debs: Vec<(String, PathBuf)> = packages
        .iter()
        .map(|(name, bytes)| {
            let path = directory.path().join(name);
            std::fs::write(&path, bytes).expect("write");
            (name.clone(), path)
        })
        .collect();
    let rules =
        Rules::toolroot(["doc", "man", "info", "locale"].map(|name| path(&format!("usr/share/{name}"))).to_vec());
    let tree = |(name, path): &(String, PathBuf)| unpack_deb(name, path, &rules, &store).expect("unpack").tree;
    let trees: Vec<_> = debs.iter().map(|deb| (deb.0.clone(), tree(deb))).collect();
    let root = merge(&store, &trees, &BTreeMap::new()).expect("merge");
    let root = store.checkout(&root.digest).expect("checkout");
    assert!(!root.join("usr/share/doc").exists() && root.join("bin/hello").exists());
    let library = root.join("usr/lib/x86_64-linux-gnu");
    let hello = std::process::Command::new(root.join("lib64/ld-linux-x86-64.so.2"))
        .args(["--library-path".as_ref(), library.as_os_str(), root.join("bin/hello").as_os_str()])
        .output();
    assert_eq!(String::from_utf8_lossy(&hello.expect("ld.so").stdout), "Hello, world!\n");

    let table = links(&[("cc", "gcc"), ("c89", "c89-gcc")]);
    let open = lint(&debs, &table, &BTreeSet::from(["cpp".to_owned()]), &rules).expect("lint");
    let open: Vec<_> = open.iter().map(ToString::to_string).collect();
    assert_eq!(open, ["gcc: /usr/bin/c99 -> /usr/bin/c99-gcc (`c99`)"]);
}
