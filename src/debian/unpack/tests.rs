//! Hostile and odd archives, each a line of a table, and real packages beside dpkg.

use std::collections::BTreeMap;
use std::process::Command;

use super::*;
use crate::debian::deb::Deb;
use crate::debian::host;
use crate::debian::limits::Limits;

/// A tree in memory: path → what `ls -F` would show, and the content or target.
#[derive(Default, Debug)]
struct Memory(BTreeMap<String, String>);

impl Sink for Memory {
    fn file(&mut self, path: &RelPath, executable: bool, content: &mut dyn Read) -> Result<(), Error> {
        let mut text = Vec::new();
        content.read_to_end(&mut text).map_err(tarball::Error::Damaged)?;
        let sign = if executable { "*" } else { "" };
        self.0.insert(path.to_string(), format!("{sign}{}", String::from_utf8_lossy(&text)));
        Ok(())
    }

    fn again(&mut self, path: &RelPath, first: &RelPath) -> Result<(), Error> {
        let text = self.0[first.as_str()].clone();
        self.0.insert(path.to_string(), text);
        Ok(())
    }

    fn symlink(&mut self, path: &RelPath, target: &str) -> Result<(), Error> {
        self.0.insert(path.to_string(), format!("@{target}"));
        Ok(())
    }

    fn directory(&mut self, path: &RelPath) -> Result<(), Error> {
        self.0.insert(path.to_string(), "/".to_owned());
        Ok(())
    }
}

/// An entry of an archive: type, name, link target, mode, content. Written raw, as the crate refuses hostile ones.
type Raw<'a> = (u8, &'a [u8], &'a [u8], u32, &'a [u8]);

fn raw((kind, name, link, mode, content): Raw<'_>) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name);
    header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link);
    header.set_entry_type(tar::EntryType::new(kind));
    header.set_mode(mode);
    header.set_size(content.len() as u64);
    header.set_cksum();
    let padding = vec![0; content.len().next_multiple_of(512) - content.len()];
    [header.as_bytes(), content, &padding].concat()
}

fn archive(entries: &[Raw<'_>]) -> Vec<u8> {
    entries.iter().flat_map(|entry| raw(*entry)).chain([0; 1024]).collect()
}

fn file<'a>(name: &'a str, content: &'a str) -> Raw<'a> {
    (b'0', name.as_bytes(), b"", 0o644, content.as_bytes())
}

fn link<'a>(kind: u8, name: &'a str, target: &'a str) -> Raw<'a> {
    (kind, name.as_bytes(), target.as_bytes(), 0o777, b"")
}

fn directory(name: &str) -> Raw<'_> {
    (b'5', name.as_bytes(), b"", 0o755, b"")
}

fn unpacked(bytes: &[u8], rules: &Rules, limits: Limits) -> Result<(BTreeMap<String, String>, Notes), Error> {
    let mut decoder = Decoder::detect(bytes, limits).map_err(tarball::Error::Damaged)?;
    let mut memory = Memory::default();
    let notes = unpack(&mut decoder, rules, &mut memory)?;
    Ok((memory.0, notes))
}

fn tree(entries: &[Raw<'_>], rules: &Rules) -> BTreeMap<String, String> {
    unpacked(&archive(entries), rules, Limits::ARCHIVE).expect("sound").0
}

fn error(entries: &[Raw<'_>]) -> String {
    match unpacked(&archive(entries), &Rules::default(), Limits::ARCHIVE) {
        Err(error) => error.to_string(),
        Ok((tree, _)) => panic!("was unpacked: {tree:?}"),
    }
}

fn pairs(tree: &BTreeMap<String, String>) -> Vec<(&str, &str)> {
    tree.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect()
}

#[test]
fn names_modes_and_links() {
    let entries = [
        directory("./"),
        directory("./d/"),
        (b'0', b"./d/x", b"", 0o4755, b"tool"),
        (b'0', b"d/group", b"", 0o654, b"no owner's x"),
        link(b'1', "./d/same", "./d/x"),
        link(b'2', "./d/absolute", "/nowhere/../x"),
        link(b'1', "also", "d/absolute"),
        (b'2', b"d/outside", b"../../..", 0o777, b""),
    ];
    let (tree, notes) = unpacked(&archive(&entries), &Rules::default(), Limits::ARCHIVE).expect("sound");
    assert_eq!(
        pairs(&tree),
        [
            ("also", "@/nowhere/../x"),
            ("d", "/"),
            ("d/absolute", "@/nowhere/../x"),
            ("d/group", "no owner's x"),
            ("d/outside", "@../../.."),
            ("d/same", "*tool"),
            ("d/x", "*tool"),
        ]
    );
    assert_eq!(notes.setuid, [RelPath::new("d/x").expect("clean")]);
}

#[test]
fn hostile_archives_are_refused() {
    let long = "a/".repeat(3000);
    let pax = |record: &'static str| (b'x', &b"pax"[..], &b""[..], 0o644, record.as_bytes());
    for (what, entries, want) in [
        ("a name that leads outside", vec![file("../x", "")], "`../x` has the component `..`"),
        ("one that does so later", vec![file("a/../../x", "")], "has the component `..`"),
        ("an absolute name", vec![file("/etc/passwd", "")], "`/etc/passwd` is absolute"),
        ("an absolute name behind `./`", vec![file(".//etc/passwd", "")], "is absolute"),
        ("a name that is not UTF-8", vec![(b'0', b"a\xff", b"", 0o644, b"")], r"`a\xff` is not UTF-8"),
        ("a character device", vec![(b'3', b"null", b"", 0o666, b"")], "`null` is a character device"),
        ("a block device", vec![(b'4', b"sda", b"", 0o666, b"")], "`sda` is a block device"),
        ("a named pipe", vec![(b'6', b"pipe", b"", 0o666, b"")], "`pipe` is a named pipe"),
        ("a sparse file", vec![(b'S', b"sparse", b"", 0o666, b"")], "`sparse` is a sparse file"),
        ("an unknown type", vec![(b'Z', b"z", b"", 0o666, b"")], "`z` is an entry of type `Z`"),
        (
            "writing through a link",
            vec![link(b'2', "d", "/etc"), file("d/x", "")],
            "`d/x` stands below `d`, which is a symlink",
        ),
        ("the same, deeper", vec![link(b'2', "d", "."), file("d/e/f/x", "")], "`d/e/f/x` stands below `d`"),
        ("a directory through a link", vec![link(b'2', "d", "/"), directory("d/e/")], "stands below `d`"),
        ("writing into a file", vec![file("f", ""), file("f/x", "")], "`f/x` stands below `f`, which is a file"),
        ("a hard link to outside", vec![link(b'1', "x", "../secret")], "`../secret` has the component `..`"),
        ("a hard link to an absolute name", vec![link(b'1', "x", "/etc/shadow")], "`/etc/shadow` is absolute"),
        ("a hard link to nothing", vec![link(b'1', "x", "y")], "`x` is a hard link to `y`"),
        ("a hard link forwards", vec![link(b'1', "x", "y"), file("y", "")], "is no file before it"),
        ("a hard link to a directory", vec![directory("d/"), link(b'1', "x", "d")], "`x` is a hard link to `d`"),
        (
            "a hard link through a link",
            vec![file("e/f", ""), link(b'2', "d", "e"), link(b'1', "x", "d/f")],
            "hard link to `d/f`",
        ),
        ("a hard link to itself", vec![link(b'1', "x", "x")], "hard link to `x`"),
        ("a link over a directory", vec![file("d/x", ""), link(b'2', "d", "/etc")], "`d` is in the archive twice"),
        ("a directory over a link", vec![link(b'2', "d", "/etc"), directory("d")], "`d` is in the archive twice"),
        ("a file twice", vec![file("f", "1"), file("./f", "2")], "once as a file and once as a file"),
        ("a symlink without target", vec![link(b'2', "l", "")], "target of the link `l`"),
        ("a target that is not UTF-8", vec![(b'2', b"l", b"\xff", 0o777, b"")], "target of the link `l`"),
        ("a long name as a bomb", vec![(b'L', b"L", b"", 0, long.as_bytes())], "a name or link target of more than"),
        (
            "a long name that leads outside",
            vec![(b'L', b"L", b"", 0, b"../x\0"), file("y", "")],
            "`../x` has the component",
        ),
        ("a pax name that leads outside", vec![pax("13 path=../x\n"), file("y", "")], "`../x` has the component"),
        ("a pax link to outside", vec![pax("17 linkpath=../x\n"), link(b'1', "y", "z")], "`../x` has the component"),
        ("a second size", vec![pax("10 size=1\n"), file("y", "ab")], "the pax record `size`"),
        ("a malformed pax record", vec![pax("99 path=x\n"), file("y", "")], "damaged: malformed pax"),
        ("a global name", vec![(b'g', b"g", b"", 0, b"10 path=x\n"), file("y", "")], "the global pax record `path`"),
    ] {
        let error = error(&entries);
        assert!(error.contains(want), "{what}:\n  want {want}\n  got  {error}");
    }
}

#[test]
fn limits_hold() {
    let many: Vec<String> = (0..11).map(|number| format!("f{number}")).collect();
    let many: Vec<Raw<'_>> = many.iter().map(|name| file(name, "")).collect();
    let limits = Limits { entries: 10, bytes: 20_000, name: 40, ..Limits::ARCHIVE };
    let deep = "d/".repeat(30);
    for (what, entries, want) in [
        ("entries", many.clone(), "more than 10 entries"),
        (
            "bytes",
            vec![file("f", "x"); 1].into_iter().chain([(b'0', &b"g"[..], &b""[..], 0, &[b'x'; 30_000][..])]).collect(),
            "more than 20000 bytes",
        ),
        ("the length of a name", vec![file(&deep, "")], "name or link target of more than 40 bytes"),
    ] {
        let error = unpacked(&archive(&entries), &Rules::default(), limits).expect_err(what).to_string();
        assert!(error.contains(want), "{what}: {error}");
    }
}

#[test]
fn cut_and_continued_archives_are_refused() {
    let whole = archive(&[file("f", &"x".repeat(700))]);
    for length in [100, 512, 600, 1200, 1300] {
        assert!(unpacked(&whole[..length], &Rules::default(), Limits::ARCHIVE).is_err(), "cut at {length}");
    }
    let more = [&whole[..], &raw(file("g", ""))].concat();
    assert!(matches!(unpacked(&more, &Rules::default(), Limits::ARCHIVE), Err(Error::Tar(tarball::Error::Trailing))));
    let padded = [&whole[..], &[0; 8192]].concat();
    assert!(unpacked(&padded, &Rules::default(), Limits::ARCHIVE).is_ok(), "tar pads with zeros");
}

#[test]
fn long_names_are_put_together() {
    let name = format!("{}/end", "long-directory-name".repeat(8));
    let pax = format!("{} path={name}\n", name.len() + 10);
    assert_eq!(pax.len(), name.len() + 10);
    for header in [(b'L', &b"././@LongLink"[..], &b""[..], 0, name.as_bytes()), (b'x', b"pax", b"", 0, pax.as_bytes())]
    {
        assert_eq!(pairs(&tree(&[header, file("cut", "x")], &Rules::default())), [(name.as_str(), "x")]);
    }
}

#[test]
fn leading_components_are_stripped() {
    let rules = Rules { strip: 1, ..Rules::default() };
    let entries = [
        (b'g', &b"g"[..], &b""[..], 0, &b"14 comment=ab\n"[..]),
        directory("top/"),
        file("top/a", "1"),
        link(b'1', "top/b", "top/a"),
    ];
    assert_eq!(pairs(&tree(&entries, &rules)), [("a", "1"), ("b", "1")]);
    let shallow = unpacked(&archive(&[file("README", "")]), &rules, Limits::ARCHIVE).expect_err("shallow");
    assert!(shallow.to_string().contains("`README`"), "{shallow}");
}

#[test]
fn a_source_archive_becomes_a_tree_of_the_store() {
    let directory = tempfile::tempdir().expect("tempdir");
    let store = Store::open(&directory.path().join("store")).expect("store");
    let large = "0123456789abcdef".repeat(40_000);
    let entries = [file("top/large", &large), link(b'1', "top/same", "top/large"), link(b'2', "top/d/l", "../large")];
    let packed = liblzma::encode_all(&archive(&entries)[..], 0).expect("xz");
    let mut decoder = Decoder::detect(&packed[..], Limits::ARCHIVE).expect("decoder");
    let rules = Rules { strip: 1, ..Rules::default() };
    let (tree, _) = into_store(&mut decoder, &rules, &store).expect("sound");
    let tree = store.checkout(&tree.digest).expect("checkout");
    for name in ["large", "same", "d/l"] {
        assert_eq!(std::fs::read_to_string(tree.join(name)).expect(name), large);
    }
}

#[test]
fn usr_is_merged_and_docs_are_trimmed() {
    let rules = Rules::toolroot(vec![RelPath::new("usr/share/doc").expect("clean")]);
    let entries = [
        link(b'2', "./bin", "usr/bin"),
        directory("./lib/"),
        file("./bin/sh", "sh"),
        link(b'1', "./usr/bin/same", "./bin/sh"),
        file("./lib64/ld", "ld"),
        file("./usr/share/doc/x/copyright", "left out"),
        file("./usr/share/documents", "kept"),
        file("./library", "kept"),
    ];
    assert_eq!(
        pairs(&tree(&entries, &rules)),
        [
            ("library", "kept"),
            ("usr/bin/same", "sh"),
            ("usr/bin/sh", "sh"),
            ("usr/lib", "/"),
            ("usr/lib64/ld", "ld"),
            ("usr/share/documents", "kept"),
        ]
    );
    let wrong = unpacked(&archive(&[link(b'2', "bin", "/evil"), file("bin/sh", "")]), &rules, Limits::ARCHIVE);
    assert!(wrong.is_err(), "another link at the place of the merge's");
}

proptest::proptest! {
    #[test]
    fn any_bytes_give_a_tree_or_an_error(bytes: Vec<u8>, at in 0usize..1500) {
        let mut archive = archive(&[file("a", "some text"), link(b'2', "l", "a")]);
        for (byte, new) in archive.iter_mut().skip(at).zip(&bytes) {
            *byte = *new;
        }
        drop(unpacked(&archive, &Rules::default(), Limits::ARCHIVE));
        drop(unpacked(&bytes, &Rules::default(), Limits::ARCHIVE));
    }
}

/// `dpkg-deb -c` as the tree it describes, contents left out.
fn listed(path: &std::path::Path) -> BTreeMap<String, String> {
    let output = Command::new("dpkg-deb").arg("-c").arg(path).output().expect("dpkg-deb");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let mut tree = BTreeMap::new();
    for line in text.lines() {
        let name = &line[line.find(" ./").expect("name") + 3..];
        let executable = if line.as_bytes()[3] == b'x' || line.as_bytes()[3] == b's' { "*" } else { "" };
        match (line.as_bytes()[0], name.split_once(" -> "), name.split_once(" link to ")) {
            (b'd', ..) if name.is_empty() => continue,
            (b'd', ..) => tree.insert(name.trim_end_matches('/').to_owned(), "/".to_owned()),
            (b'l', Some((name, target)), _) => tree.insert(name.to_owned(), format!("@{target}")),
            (b'h', _, Some((name, _))) | (_, _, Some((name, _))) => tree.insert(name.to_owned(), executable.to_owned()),
            _ => tree.insert(name.to_owned(), executable.to_owned()),
        };
    }
    tree
}

#[test]
fn real_packages_unpack_as_dpkg_lists_them() {
    let directory = tempfile::tempdir().expect("tempdir");
    for (name, bytes) in host::packages(&["base-files", "gcc-14", "hello", "libc6", "perl-base", "sudo", "tzdata"]) {
        let path = directory.path().join(&name);
        std::fs::write(&path, &bytes).expect("write");
        let deb = Deb::open(&bytes[..]).expect(&name);
        assert!(deb.control().starts_with(&format!("Package: {name}\n")), "{}", deb.control());
        let mut memory = Memory::default();
        let notes = deb.unpack(&Rules::default(), &mut memory).expect(&name);
        assert_eq!(notes.setuid.is_empty(), name != "sudo", "{notes:?}");
        let ours: BTreeMap<_, _> = memory.0.into_iter().map(|(path, text)| (path, sign(text))).collect();
        assert_eq!(ours, listed(&path), "{name}");
    }
}

fn sign(text: String) -> String {
    match text.as_bytes().first() {
        Some(b'*') => "*".to_owned(),
        Some(b'@') => text,
        _ if text == "/" => text,
        _ => String::new(),
    }
}
