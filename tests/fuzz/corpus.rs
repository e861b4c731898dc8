//! Sound inputs, from which the others are made.

use std::process::Command;
use std::sync::OnceLock;
use std::{fs, io};

use forge::digest::Digest;
use forge::store::{Blob, Directory, Node};
use tempfile::TempDir;

pub const GOOD: &[u8] = include_bytes!("../../src/debian/fixtures/good.asc");
pub const BOTH: &[u8] = include_bytes!("../../src/debian/fixtures/both.asc");
pub const KEY: &[u8] = include_bytes!("../../src/debian/fixtures/pinned.asc");
pub const SUBKEY: &[u8] = include_bytes!("../../src/debian/fixtures/subkey.asc");
pub const LOCKFILE: &str = include_str!("../../src/lockfile/golden.toml");
pub const ARCHIVE: &str = include_str!("../../recipes/debian.toml");

pub const RECIPES: [&str; 3] = [
    include_str!("../../recipes/toolroot-base.toml"),
    "kind = \"toolroot\"\narchive = \"debian\"\npackages = [\"dash\", \"gcc\"]\n[links]\ncc = \"gcc\"\n",
    r#"toolroot = "tools"
steps = ["echo ${word} > /out/out", "true"]
outputs = ["out", "dev"]
[vars]
word = "a"
[sources]
src = { path = ["*.c"], exclude = ["x.c"] }
data = { url = "https://example.org/a.tar.gz", unpack = true, strip = 1 }
git = { git = "https://example.org/a.git", tag = "v1" }
deb = { archive = "debian", package = "linux-source", member = "usr/src/a.tar" }
[[matrix]]
name = "-one"
vars = { word = "b" }
"#,
];

pub const PACKAGES: &str = "Package: a\nVersion: 1:2.0-1\nArchitecture: amd64\nMulti-Arch: allowed\nEssential: yes\n\
    Depends: b (>= 1) | c, v\nFilename: pool/a.deb\nSize: 12\n\
    SHA256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\nDescription: x\n y\n\n\
    Package: b\nVersion: 1\nArchitecture: all\nProvides: v (= 3), w\nConflicts: c (<< 1~)\nPre-Depends: a:any\n\
    Filename: pool/b.deb\nSize: 1\nSHA256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n";

pub const LIST: &str = "Suite: stable\nCodename: trixie\nDate: Sat, 12 Sep 2026 07:55:41 UTC\n\
    Valid-Until: Sat, 19 Sep 2026 07:55:41 UTC\nAcquire-By-Hash: yes\nArchitectures: all amd64\nComponents: main\n\
    SHA256:\n e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 0 main/binary-amd64/Packages\n";

pub fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// A tar archive with a member of each kind, and a name that takes a header of its own.
pub fn tar() -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut add = |kind: tar::EntryType, name: &str, link: &str, content: &str| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(0o755);
        header.set_size(content.len() as u64);
        if link.is_empty() {
            builder.append_data(&mut header, name, content.as_bytes()).unwrap();
        } else {
            builder.append_link(&mut header, name, link).unwrap();
        }
    };
    add(tar::EntryType::Directory, "usr/", "", "");
    add(tar::EntryType::Regular, "usr/a", "", "content");
    add(tar::EntryType::Link, "usr/b", "usr/a", "");
    add(tar::EntryType::Symlink, "usr/c", "../usr/a", "");
    add(tar::EntryType::Regular, &format!("usr/{}", "long/".repeat(40)), "", "x");
    builder.into_inner().unwrap()
}

/// The archive in each compression, with the suffix of its name.
fn compressed() -> [(&'static str, Vec<u8>); 4] {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    io::Write::write_all(&mut gzip, &tar()).unwrap();
    let xz = liblzma::encode_all(&tar()[..], 0).unwrap();
    let zstd = zstd::encode_all(&tar()[..], 1).unwrap();
    [("", tar()), (".gz", gzip.finish().unwrap()), (".xz", xz), (".zst", zstd)]
}

pub fn tars() -> Vec<Vec<u8>> {
    compressed().map(|(_, bytes)| bytes).to_vec()
}

pub fn debs() -> Vec<Vec<u8>> {
    compressed().map(|(suffix, data)| deb_of(suffix, &data)).to_vec()
}

pub fn deb_of(suffix: &str, data: &[u8]) -> Vec<u8> {
    let mut control = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(11);
    control.append_data(&mut header, "./control", &b"Package: a\n"[..]).unwrap();
    let control = control.into_inner().unwrap();
    let data_name = format!("data.tar{suffix}");
    let mut bytes = b"!<arch>\n".to_vec();
    for (name, content) in [("debian-binary", &b"2.0\n"[..]), ("control.tar", &control), (&data_name, data)] {
        bytes.extend(format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 100_644, content.len()).bytes());
        bytes.extend(content);
        bytes.extend(&b"\n"[..content.len() % 2]);
    }
    bytes
}

/// What the comparison looks into: archives, packed in each way, a zip, a cpio, an ELF object, JSON, text.
pub fn containers() -> Vec<Vec<u8>> {
    static MADE: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    let made = || {
        let folder = TempDir::new().unwrap();
        let script = r#"
            echo 'int one(void) { return 1; } const char *two(void) { return "two"; }' > x.c && gcc -g -gz -c x.c
            python3 -c 'import zipfile; w = zipfile.ZipFile("x.zip", "w"); w.writestr("a", "a"); w.write("x.c", "b", 8)'
        "#;
        let status = Command::new("/bin/sh").args(["-euc", script]).current_dir(folder.path()).status().unwrap();
        assert!(status.success(), "gcc and python3 are needed");
        let files = ["x.o", "x.zip"].map(|name| fs::read(folder.path().join(name)).unwrap());
        let literal = [CPIO, r#"{"a": [1, {"b": "c"}], "d": null}"#, "a\ntext\n"];
        [tars(), debs(), files.to_vec(), texts(&literal)].concat()
    };
    MADE.get_or_init(made).clone()
}

/// A member `a` that holds `x`, and the trailer.
const CPIO: &str = concat!(
    "07070100000001000081a40000000000000000000000010000000000000001",
    "0000000800000001000000000000000000000002",
    "00000000a\0x\0\0\0",
    "07070100000000000000000000000000000000000000010000000000000000",
    "000000000000000000000000000000000000000b",
    "00000000TRAILER!!!\0\0\0\0",
);

pub fn directories() -> Vec<Vec<u8>> {
    let blob = Blob { digest: Digest::of(b"x"), size: 1 };
    let entries = [
        ("a", Node::File { blob, executable: true }),
        ("b", Node::Directory(blob)),
        ("c", Node::Symlink("../a".to_owned())),
    ];
    let entries = entries.into_iter().map(|(name, node)| (name.to_owned(), node)).collect();
    vec![Vec::new(), Directory { entries }.encode()]
}
