//! Trees of modules, signed with the development key and with kept signatures.

use std::ops::ControlFlow;

use super::*;
use crate::artifact::module::info::tests::module;
use crate::artifact::module::tests::{CERTIFICATE, KEY, trusted};
use crate::store::Directory;
use tempfile::TempDir;

/// The path of a module in its tree.
const PLACE: &str = "lib/modules/6.12.1-f/kernel/a.ko";

fn path(text: &str) -> RelPath {
    RelPath::new(text).expect(text)
}

/// A store, and a tree of files in it.
struct World {
    _folder: TempDir,
    store: Store,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("tempdir");
        let store = Store::open(&folder.path().join("store")).expect("store");
        Self { _folder: folder, store }
    }

    fn tree(&self, files: &[(&str, &[u8])]) -> Output {
        let mut tree = TreeBuilder::new();
        for (place, content) in files {
            tree.file(&path(place), self.store.put(content).expect("puts"), false).expect("fits");
        }
        Output::Tree(tree.finish(&self.store).expect("stores"))
    }

    fn modules(&self) -> Output {
        let ko = module("vermagic=6.12.1-f SMP\0");
        self.tree(&[(PLACE, &ko), ("lib/modules/6.12.1-f/modules.dep", b"kernel/a.ko:\n")])
    }

    fn made(&self, tree: &Output, signatures: &Signatures<Output>) -> Result<Output, String> {
        let certificate = self.tree(&[("keys/dev.crt", CERTIFICATE.as_bytes())]);
        let made = assemble(&self.store, tree, &certificate, signatures, (2, &|_| ControlFlow::Continue(())));
        made.map_err(|error| error.to_string())
    }

    fn dev(&self, tree: &Output) -> Result<Output, String> {
        self.made(tree, &Signatures::Dev { key: self.tree(&[("keys/dev.pem", KEY.as_bytes())]) })
    }

    fn detached(&self, tree: &Output, kept: &[(&str, &[u8])]) -> Result<Output, String> {
        let files: Vec<_> = kept.iter().map(|(place, bytes)| (format!("signatures/{place}"), *bytes)).collect();
        let files: Vec<_> = files.iter().map(|(place, bytes)| (place.as_str(), *bytes)).collect();
        let empty = || Output::Tree(self.store.put_directory(&Directory::default()).expect("puts"));
        let folder = if files.is_empty() { empty() } else { self.tree(&files) };
        self.made(tree, &Signatures::Detached { folder })
    }

    /// The detached signatures of a tree, as they are kept.
    fn signatures(&self, tree: &Output) -> Vec<(String, Vec<u8>)> {
        let signer = Signer::new(KEY, &trusted()).expect("fits");
        let made = sign(&self.store, tree, &signer, (1, &|_| ControlFlow::Continue(()))).expect("signs");
        made.into_iter().map(|(module, bytes)| (place(&tree.digest(), &module).to_string(), bytes)).collect()
    }
}

#[test]
fn both_ways_make_the_same_tree() {
    let world = World::new();
    let unsigned = world.modules();
    let dev = world.dev(&unsigned).expect("signs");
    let kept = world.signatures(&unsigned);
    let kept: Vec<_> = kept.iter().map(|(place, bytes)| (place.as_str(), &bytes[..])).collect();
    assert_eq!(world.detached(&unsigned, &kept), Ok(dev));
    let files = Files::of(&world.store, &dev.digest()).expect("a tree").files;
    assert_eq!(files.len(), 2);
    let module = files.iter().find(|(place, _)| place.as_str() == PLACE).expect("the module");
    let bytes = bytes(&world.store, &module.1).expect("reads");
    let (content, signature) = split(&bytes).expect("signed");
    assert_eq!(trusted().verify(content, signature.expect("a signature")), Ok(()));
    let error = world.dev(&dev).expect_err("signed already");
    assert_eq!(error, format!("{PLACE}: it is signed already"));
}

#[test]
fn kept_signatures_must_fit() {
    let world = World::new();
    let unsigned = world.modules();
    let error = world.detached(&unsigned, &[]).expect_err("none");
    assert!(error.contains(&unsigned.digest().to_string()), "{error}");
    assert!(error.contains("`forge sign-modules NAME --key FILE`"), "{error}");
    let (place, signature) = world.signatures(&unsigned).remove(0);
    let mut other = signature.clone();
    *other.last_mut().expect("bytes") ^= 1;
    let spare = place.replace("a.ko", "b.ko");
    for (kept, words) in [
        (vec![(place.as_str(), &other[..])], "a.ko: the signature does not fit the module"),
        (vec![(place.as_str(), b"text")], "a.ko: the signature is damaged"),
        (
            vec![(spare.as_str(), &signature)],
            "a.ko: no signature\nlib/modules/6.12.1-f/kernel/b.ko: signed, and not there",
        ),
    ] {
        let error = world.detached(&unsigned, &kept).expect_err(words);
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn modules_that_can_t_be_signed() {
    let world = World::new();
    let other = module("vermagic=6.1.0 SMP\0");
    let damaged = [&module("vermagic=6.12.1-f SMP\0")[..], b"123456789012~Module signature appended~\n"].concat();
    for (files, words) in [
        (vec![(PLACE, &other[..])], "a.ko: it is for the kernel 6.1.0, not for 6.12.1-f"),
        (vec![(PLACE, &damaged)], "a.ko: the end of the module is damaged"),
        (vec![(PLACE, b"text")], "a.ko: no kernel module"),
        (vec![("a.ko", &other)], "a.ko: it does not stand in lib/modules/<release>"),
        (vec![("lib/modules/6/a.ko.xz", b"")], "a.ko.xz: a compressed module can't be signed"),
        (vec![("lib/modules/6/modules.dep", b"")], "no modules in it"),
    ] {
        let error = world.dev(&world.tree(&files)).expect_err(words);
        assert!(error.contains(words), "{error}");
    }
}
