//! The mirror that this host's own apt uses, for tests against real packages.
//!
//! Its address is found when the tests run and stands nowhere in forge.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::OnceLock;

use super::decode::Decoder;
use super::limits::Limits;
use super::openpgp::Key;
use super::release::{self, Release};
use crate::digest::Digest;
use crate::path::RelPath;

/// Keys that sign trixie, as forge ships them.
pub const KEYS: [&[u8]; 2] = [
    include_bytes!("../../recipes/keys/04B54C3CDCA79751B16BC6B5225629DF75B188BD.asc"),
    include_bytes!("../../recipes/keys/41587F7DB8C774BCCF131416762F67A0B2C39DE4.asc"),
];

pub fn keys() -> Vec<Key> {
    KEYS.iter().flat_map(|file| Key::read(file).expect("shipped key")).collect()
}

/// Fetches `path` from the first base of the host's apt sources that has it.
pub fn get(path: &str) -> Vec<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    let fetch = |base: &String| {
        let url = format!("{}/{path}", base.trim_end_matches('/'));
        let response = runtime.block_on(reqwest::get(url)).ok()?.error_for_status().ok()?;
        runtime.block_on(response.bytes()).ok()
    };
    let found = bases().iter().find_map(fetch).expect("a base of the host's apt sources has the file");
    found.to_vec()
}

/// The addresses in `/etc/apt`, in both of its formats.
fn bases() -> Vec<String> {
    let listed = std::fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten().map(|entry| entry.path());
    let files = listed.chain(["/etc/apt/sources.list".into()]);
    let text: String = files.filter_map(|file| std::fs::read_to_string(file).ok()).collect::<Vec<_>>().join("\n");
    let active = text.lines().filter(|line| line.starts_with("URIs:") || line.starts_with("deb "));
    active.flat_map(str::split_ascii_whitespace).filter(|word| word.starts_with("http")).map(str::to_owned).collect()
}

/// The list of trixie, verified with the shipped keys.
pub fn release() -> Release {
    let pinned: Vec<String> = keys().iter().map(Key::fingerprint).collect();
    release::verify(&get("dists/trixie/InRelease"), &keys(), &pinned).expect("genuine")
}

/// Real packages of trixie by name, each checked down from the signature.
pub fn packages(names: &[&str]) -> BTreeMap<String, Vec<u8>> {
    static INDEX: OnceLock<String> = OnceLock::new();
    let index = INDEX.get_or_init(index);
    names.iter().map(|name| ((*name).to_owned(), package(index, name))).collect()
}

fn index() -> String {
    let index = release().files[&RelPath::new("main/binary-amd64/Packages.xz").expect("clean")];
    let packed = get(&format!("dists/trixie/main/binary-amd64/by-hash/SHA256/{}", index.digest.hex()));
    assert_eq!(Digest::of(&packed), index.digest);
    let mut text = String::new();
    let mut decoder = Decoder::detect(&packed[..], Limits::ARCHIVE).expect("decoder");
    decoder.read_to_string(&mut text).expect("xz");
    text
}

fn package(index: &str, name: &str) -> Vec<u8> {
    let start = index.find(&format!("\n\nPackage: {name}\n")).expect(name) + 2;
    let stanza = index[start..].split("\n\n").next().expect(name);
    let field = |field: &str| stanza.lines().find_map(|line| line.strip_prefix(field)).expect(field);
    let bytes = get(field("Filename: "));
    assert_eq!(Digest::of(&bytes).hex(), field("SHA256: "), "{name}");
    bytes
}
