//! Parsers of bytes from outside, fed with what their authors did not think of.
//!
//! Each target is a test; `just fuzz SECONDS` gives each that long. No input may make one panic,
//! take more memory than [`run`] allows, or not end.

mod corpus;
mod mutation;
mod run;

use std::cmp::Ordering;
use std::fmt;
use std::io::{self, Read};

use forge::compare;
use forge::debian::ar;
use forge::debian::control;
use forge::debian::deb::Deb;
use forge::debian::decode::Decoder;
use forge::debian::index::Index;
use forge::debian::limits::Limits;
use forge::debian::openpgp::Key;
use forge::debian::relation::Relation;
use forge::debian::release;
use forge::debian::resolve::resolve;
use forge::debian::rules::Rules;
use forge::debian::sink::Sink;
use forge::debian::tarball;
use forge::debian::unpack::{self, unpack};
use forge::debian::version::Version;
use forge::lockfile::Lockfile;
use forge::path::RelPath;
use forge::recipe::{self, Diagnostic, Target as Machine};
use forge::store::Directory;

use crate::fetch::archive::Archive;
use corpus::{BOTH, GOOD, KEY, LIST, LOCKFILE, PACKAGES, RECIPES, SUBKEY, texts};
use run::{Target, Verdict};

/// Makes a test of each line: name, sound inputs, what takes them.
macro_rules! targets {
    ($($name:ident: $corpus:expr, $takes:expr;)*) => {
        $(#[test]
        fn $name() {
            Target { name: stringify!($name), corpus: $corpus, takes: $takes }.test();
        })*
    };
}

targets! {
    ar: || vec![corpus::deb_of("", &corpus::tar())], takes_ar;
    tar: corpus::tars, takes_tar;
    deb: corpus::debs, takes_deb;
    control: || texts(&[PACKAGES, "A: 1\nB:\n two\n .\n\nC: x\n"]), |bytes| takes_control(&text(bytes));
    index: || texts(&[PACKAGES]), |bytes| takes_index(&text(bytes));
    relation: || texts(&["a (>= 1.2~3) | b, c:any (<< 2)", "a"]), |bytes| verdict(Relation::groups(&text(bytes)));
    version: || texts(&["1.0\n1.0-0\n0:1.00", "1:2.3~rc1-4\n2.3+dfsg-1\n10"]), |bytes| takes_versions(&text(bytes));
    inrelease: || vec![GOOD.to_vec(), BOTH.to_vec()], takes_inrelease;
    release: || texts(&[LIST]), |bytes| takes_list(&text(bytes));
    key: || vec![KEY.to_vec(), SUBKEY.to_vec()], |bytes| verdict(Key::read(bytes));
    recipe: || texts(&RECIPES), |bytes| takes_recipe(text(bytes));
    lockfile: || texts(&["", LOCKFILE]), |bytes| takes_lockfile(&text(bytes));
    directory: corpus::directories, takes_directory;
    compare: corpus::containers, takes_containers;
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Puts errors into words, as that must not fail either.
fn verdict<T>(result: Result<T, impl fmt::Display>) -> Verdict {
    result.map(drop).map_err(|error| error.to_string())
}

fn takes_ar(bytes: &[u8]) -> Verdict {
    let walk = || -> Result<(), ar::Error> {
        let mut reader = ar::Reader::open(bytes)?;
        while reader.next_member()?.is_some() {}
        Ok(())
    };
    verdict(walk())
}

fn takes_tar(bytes: &[u8]) -> Verdict {
    let bytes = with_checksums(bytes);
    let rules = Rules { strip: 1, usr_merge: true, trim: vec![RelPath::new("a/doc").unwrap()] };
    let mut decoder = Decoder::detect(&bytes[..], Limits::ARCHIVE).map_err(|error| error.to_string())?;
    verdict(unpack(&mut decoder, &rules, &mut Drain))
}

fn takes_deb(bytes: &[u8]) -> Verdict {
    let bytes = with_checksums(bytes);
    verdict(Deb::open(&bytes[..]).and_then(|deb| deb.unpack(&Rules::toolroot(Vec::new()), &mut Drain)))
}

/// Tar headers that were changed get the sum that makes them pass for sound.
fn with_checksums(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for at in 0..bytes.len().saturating_sub(511) {
        if bytes[at + 257..].starts_with(b"ustar") {
            let header = &mut bytes[at..at + 512];
            header[148..156].fill(b' ');
            let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
            header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
    }
    bytes
}

/// Reads files to their ends and keeps nothing.
struct Drain;

impl Sink for Drain {
    fn file(&mut self, _: &RelPath, _: bool, content: &mut dyn Read) -> Result<(), unpack::Error> {
        io::copy(content, &mut io::sink()).map_err(tarball::Error::Damaged)?;
        Ok(())
    }

    fn again(&mut self, _: &RelPath, _: &RelPath) -> Result<(), unpack::Error> {
        Ok(())
    }

    fn symlink(&mut self, _: &RelPath, _: &str) -> Result<(), unpack::Error> {
        Ok(())
    }

    fn directory(&mut self, _: &RelPath) -> Result<(), unpack::Error> {
        Ok(())
    }
}

fn takes_control(text: &str) -> Verdict {
    let walk = || -> Result<(), control::ControlError> {
        let mut reader = control::Reader::new(text);
        while reader.stanza() {
            while reader.field()?.is_some() {}
        }
        Ok(())
    };
    verdict(walk())
}

/// Resolves each package of an index that is sound; whether that is possible does not matter.
fn takes_index(text: &str) -> Verdict {
    let index = Index::parse(text, "amd64").map_err(|error| error.to_string())?;
    for root in index.packages().iter().filter_map(|package| package.name.parse().ok()) {
        drop(verdict(resolve(&index, &[root], true)));
    }
    Ok(())
}

/// Whatever is a version has a place in one order.
fn takes_versions(text: &str) -> Verdict {
    let versions: Result<Vec<_>, _> = text.lines().take(8).map(Version::parse).collect();
    let versions = versions.map_err(|error| error.to_string())?;
    for (a, b) in versions.iter().flat_map(|a| versions.iter().map(move |b| (a, b))) {
        assert_eq!(a.cmp(b), b.cmp(a).reverse(), "{} and {}", a.as_str(), b.as_str());
        for c in &versions {
            let ordered = a.cmp(b) != Ordering::Greater && b.cmp(c) != Ordering::Greater;
            assert!(!ordered || a.cmp(c) != Ordering::Greater, "{}, {} and {}", a.as_str(), b.as_str(), c.as_str());
        }
    }
    Ok(())
}

fn takes_inrelease(bytes: &[u8]) -> Verdict {
    let keys = Key::read(KEY).unwrap();
    let pinned = [keys[0].fingerprint()];
    verdict(release::verify(bytes, &keys, &pinned))
}

/// A list that a pinned key has signed, whatever it says.
fn takes_list(text: &str) -> Verdict {
    thread_local! {
        static ARCHIVE: Archive = Archive::new();
    }
    let verify = |ours: &Archive| release::verify(&ours.sign(text), &ours.keys(), &ours.recipe().fingerprints);
    verdict(ARCHIVE.with(verify))
}

fn takes_recipe(text: String) -> Verdict {
    let path = |name: &str| RelPath::new(format!("recipes/{name}.toml")).unwrap();
    let tools = "kind = \"toolroot\"\narchive = \"debian\"\npackages = [\"dash\"]\n".to_owned();
    let files = vec![(path("debian"), corpus::ARCHIVE.to_owned()), (path("tools"), tools), (path("unit"), text)];
    recipe::parse(files, Machine::default()).map(drop).map_err(draw)
}

/// What is taken is written such that it reads the same.
fn takes_lockfile(text: &str) -> Verdict {
    let lockfile = Lockfile::parse(text).map_err(draw)?;
    assert_eq!(Lockfile::parse(&lockfile.emit()).map_err(draw), Ok(lockfile));
    Ok(())
}

fn draw(diagnostics: Vec<Diagnostic>) -> String {
    diagnostics.iter().map(|diagnostic| diagnostic.render(false)).collect()
}

fn takes_directory(bytes: &[u8]) -> Verdict {
    let directory = Directory::decode(bytes).map_err(|error| error.to_string())?;
    assert_eq!(directory.encode(), bytes);
    Ok(())
}

/// A changed container against each sound one, of which those of its kind are looked into.
fn takes_containers(bytes: &[u8]) -> Verdict {
    let bytes = with_checksums(bytes);
    let limits = compare::Limits { unpacked: 64 << 20, ..compare::Limits::default() };
    for sound in corpus::containers() {
        let found = compare::contents(&sound, &bytes, &limits);
        assert_eq!(found.is_same(), sound == bytes);
        assert_eq!(found.to_string().is_empty(), found.is_same());
    }
    Ok(())
}
