//! Commits of real repositories, made by the git command.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use forge::digest::Digest;
use forge::fetch::{Error, Git};
use forge::recipe::Rev;
use forge::store::{Blob, Node, Output};

use super::Home;

/// A repository that one can commit to.
pub struct Origin {
    folder: tempfile::TempDir,
}

impl Origin {
    pub fn new() -> Self {
        let origin = Self { folder: tempfile::tempdir().expect("a folder") };
        origin.git(&["init", "--quiet", "--initial-branch=main"]);
        origin
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn url(&self) -> String {
        format!("file://{}", self.path().display())
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example", "-c", "commit.gpgSign=false"];
        let command = duct::cmd("git", identity.iter().chain(arguments)).dir(self.path());
        let command = command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        command.stderr_null().read().expect("git")
    }

    pub fn write(&self, name: &str, bytes: &[u8]) -> &Self {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
        self
    }

    pub fn commit(&self) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message=x"]);
        self.git(&["rev-parse", "HEAD"])
    }
}

fn git() -> Git {
    Git::new([("PATH".to_owned(), std::env::var("PATH").expect("a PATH"))])
}

fn pin(home: &Home, origin: &Origin, rev: Rev) -> Result<(String, Blob), Error> {
    git().pin(&home.store, &origin.url(), &[origin.url()], &rev)
}

fn branch(name: &str) -> Rev {
    Rev::Branch(name.to_owned())
}

/// Sources of every kind that git must not touch.
#[test]
fn the_tree_is_what_was_committed() {
    let (home, origin) = (Home::new(), Origin::new());
    origin.write("dos.txt", b"a\r\nb\r\n").write("unix.txt", b"a\nb\n").write("kept/out.txt", b"kept\n");
    origin.write("sub/run", b"#!/bin/sh\n").write("id.txt", b"$Id$\n").write("copy.txt", b"a\nb\n");
    origin
        .write(".gitattributes", b"unix.txt eol=crlf\nkept export-ignore\nid.txt ident\n* text=auto\ndos.txt -text\n");
    fs::set_permissions(origin.path().join("sub/run"), fs::Permissions::from_mode(0o755)).expect("a mode");
    symlink("../../outside", origin.path().join("sub/link")).expect("a link");
    let commit = origin.commit();
    let (found, tree) = pin(&home, &origin, branch("main")).expect("a commit");
    assert_eq!(found, commit);
    let top = home.store.directory(&tree.digest).expect("a tree");
    let names: Vec<_> = top.entries.keys().map(String::as_str).collect();
    assert_eq!(names, [".gitattributes", "copy.txt", "dos.txt", "id.txt", "kept", "sub", "unix.txt"]);
    for (name, bytes) in [("dos.txt", &b"a\r\nb\r\n"[..]), ("unix.txt", b"a\nb\n"), ("id.txt", b"$Id$\n")] {
        let Node::File { blob, executable: false } = &top.entries[name] else { panic!("{name}") };
        assert_eq!(home.read(blob), bytes, "{name}");
    }
    let Node::Directory(sub) = &top.entries["sub"] else { panic!("sub") };
    let sub = home.store.directory(&sub.digest).expect("a tree");
    assert_eq!(sub.entries["link"], Node::Symlink("../../outside".to_owned()));
    assert!(matches!(sub.entries["run"], Node::File { executable: true, .. }));
}

#[test]
fn tags_are_peeled_and_may_move() {
    let (home, origin) = (Home::new(), Origin::new());
    let first = origin.write("a", b"1").commit();
    origin.git(&["tag", "--annotate", "--message=x", "v1"]);
    let tag = || Rev::Tag("v1".to_owned());
    let (commit, tree) = pin(&home, &origin, tag()).expect("a tag");
    assert_eq!(commit, first);
    let second = origin.write("a", b"2").commit();
    origin.git(&["tag", "--force", "--annotate", "--message=x", "v1"]);
    assert_eq!(pin(&home, &origin, tag()).expect("a tag").0, second);
    let fresh = Home::new();
    let output = git().fetch(&fresh.store, &origin.url(), &[origin.url()], &first, &tree).expect("the old commit");
    assert_eq!(output.digest(), tree.digest);
}

#[test]
fn a_commit_is_fetched_by_id_from_the_first_place_that_has_it() {
    let (home, origin, other) = (Home::new(), Origin::new(), Origin::new());
    other.write("b", b"2").commit();
    let commit = origin.write("a", b"1").commit();
    origin.write("a", b"2").commit();
    let places = ["/nowhere/at/all".to_owned(), other.url(), origin.path().display().to_string()];
    let (found, tree) = git().pin(&home.store, "https://host/x", &places, &Rev::Commit(commit.clone())).expect("found");
    assert_eq!(found, commit);
    let output = git().fetch(&home.store, "https://host/x", &places, &commit, &tree).expect("found again");
    assert!(matches!(output, Output::Tree(blob) if blob == tree));
}

#[test]
fn what_can_not_be_had_is_said() {
    let (home, origin) = (Home::new(), Origin::new());
    let commit = origin.write("a", b"1").commit();
    let absent = "0123456789012345678901234567890123456789";
    for (rev, words) in [
        (Rev::Tag("v2".to_owned()), "cannot fetch tag v2"),
        (branch("--upload-pack=false"), "cannot fetch branch"),
        (Rev::Commit(absent.to_owned()), "no branch or tag leads to this commit"),
        (Rev::Commit(commit[..10].to_owned()), "write all 40 hex digits"),
        (Rev::Commit("main".to_owned()), "write all 40 hex digits"),
    ] {
        let error = pin(&home, &origin, rev).expect_err(words).to_string();
        assert!(error.contains(words) && error.contains(&origin.url()), "{error}");
    }
    let tree = Blob { digest: Digest::of(b"other"), size: 5 };
    let error = git().fetch(&home.store, "u", &[origin.url()], &commit, &tree).expect_err("a wrong tree").to_string();
    assert!(error.contains(&format!("want {}", tree.digest)), "{error}");
    let shell = ["ext::sh -c false".to_owned()];
    let error = git().pin(&home.store, "u", &shell, &branch("main")).expect_err("a transport").to_string();
    assert!(error.contains("not allowed"), "{error}");
}

#[test]
fn submodules_are_refused_by_name() {
    let (home, origin, inner) = (Home::new(), Origin::new(), Origin::new());
    let commit = inner.write("a", b"1").commit();
    origin.write("a", b"1").commit();
    origin.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},vendor/inner")]);
    origin.git(&["commit", "--quiet", "--message=x"]);
    let error = pin(&home, &origin, branch("main")).expect_err("a submodule");
    assert!(matches!(&error, Error::Submodules { submodules, .. } if submodules == &["vendor/inner"]), "{error}");
}

/// The user's configuration would redirect, rewrite and run things; none of it has influence.
#[test]
fn the_users_configuration_has_no_influence() {
    let (home, origin, user) = (Home::new(), Origin::new(), Home::new());
    let commit = origin.write("a", b"1\n").commit();
    let config = "[url \"file:///nowhere\"]\n\tinsteadOf = file://\n[core]\n\tautocrlf = true\n\thooksPath = /nowhere\n\
        [transfer]\n\tfsckObjects = maybe\n[fetch]\n\tprune = perhaps\n";
    let path: PathBuf = user.store.root().join(".gitconfig");
    fs::write(&path, config).expect("a file");
    let environment = [
        ("PATH", std::env::var("PATH").expect("a PATH")),
        ("HOME", user.store.root().display().to_string()),
        ("XDG_CONFIG_HOME", user.store.root().display().to_string()),
        ("GIT_CONFIG_GLOBAL", path.display().to_string()),
        ("GIT_DIR", "/nowhere".to_owned()),
        ("GIT_TRACE", "1".to_owned()),
    ];
    let git = Git::new(environment.map(|(name, value)| (name.to_owned(), value)));
    let (found, _) = git.pin(&home.store, "u", &[origin.url()], &branch("main")).expect("untouched");
    assert_eq!(found, commit);
}

#[test]
fn without_git_the_error_says_what_to_do() {
    let (home, git) = (Home::new(), Git::new([("PATH".to_owned(), "/nowhere".to_owned())]));
    let error = git.pin(&home.store, "u", &[], &branch("main")).expect_err("no git").to_string();
    assert!(error.contains("install it"), "{error}");
}
