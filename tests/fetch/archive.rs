//! A Debian archive in a directory, with a key of its own.

use std::fs;
use std::path::Path;

use forge::debian::openpgp::Key;
use forge::digest::Digest;
use forge::path::Name;
use forge::recipe;
use pgp::composed::{ArmorOptions, CleartextSignedMessage, KeyType, SecretKeyParamsBuilder, SignedSecretKey};
use pgp::types::{KeyDetails, Password, Timestamp};

/// 2026-01-01
const KEY_MADE: u32 = 1_767_225_600;

pub struct Archive {
    folder: tempfile::TempDir,
    key: SignedSecretKey,
}

impl Archive {
    pub fn new() -> Self {
        let mut parameters = SecretKeyParamsBuilder::default();
        parameters.key_type(KeyType::Ed25519Legacy).can_sign(true).can_certify(true);
        parameters.primary_user_id("Test <test@example.org>".to_owned()).created_at(Timestamp::from_secs(KEY_MADE));
        let key = parameters.build().expect("parameters").generate(rand::thread_rng()).expect("a key");
        Self { folder: tempfile::tempdir().expect("a folder"), key }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn base(&self) -> String {
        self.path().display().to_string()
    }

    /// The public key, as a file of `recipes/keys` holds it.
    pub fn armored(&self) -> String {
        self.key.to_public_key().to_armored_string(ArmorOptions::default()).expect("armor")
    }

    pub fn keys(&self) -> Vec<Key> {
        Key::read(self.armored().as_bytes()).expect("a key")
    }

    /// As a recipe names it.
    pub fn recipe(&self) -> recipe::Archive {
        recipe::Archive {
            name: Name::new("debian").expect("a name"),
            suite: "trixie".to_owned(),
            components: vec!["main".to_owned()],
            architecture: "amd64".to_owned(),
            fingerprints: vec![format!("{:X}", self.key.fingerprint())],
        }
    }

    /// Puts packages (name, version, dependencies) into the pool, and signs a list of them. `fields` are more lines of
    /// the InRelease, at least its date.
    pub fn publish(&self, fields: &str, packages: &[(&str, &str, &str)]) {
        let stanzas: Vec<String> = packages.iter().map(|package| self.add(package)).collect();
        let list = stanzas.join("\n");
        let by_hash = format!("dists/trixie/main/binary-amd64/by-hash/SHA256/{}", Digest::of(list.as_bytes()).hex());
        self.write(&by_hash, list.as_bytes());
        let text = format!(
            "Suite: stable\nCodename: trixie\n{fields}\nAcquire-By-Hash: yes\nArchitectures: all amd64\nComponents: main\n\
             SHA256:\n {} {} main/binary-amd64/Packages\n",
            Digest::of(list.as_bytes()).hex(),
            list.len()
        );
        self.write("dists/trixie/InRelease", &self.sign(&text));
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }

    /// A text, signed with the key.
    pub fn sign(&self, text: &str) -> Vec<u8> {
        let signed = CleartextSignedMessage::sign(rand::thread_rng(), text, &*self.key, &Password::empty());
        signed.and_then(|signed| signed.to_armored_bytes(ArmorOptions::default())).expect("a signature")
    }

    fn add(&self, (name, version, depends): &(&str, &str, &str)) -> String {
        let bytes = deb(name);
        let file = format!("pool/{name}_{version}_amd64.deb");
        self.write(&file, &bytes);
        let depends = if depends.is_empty() { String::new() } else { format!("Depends: {depends}\n") };
        format!(
            "Package: {name}\nVersion: {version}\nArchitecture: amd64\n{depends}Filename: {file}\nSize: {}\nSHA256: {}\n",
            bytes.len(),
            Digest::of(&bytes).hex()
        )
    }
}

/// A package with `usr/bin/<name>` and, within it, a source archive.
fn deb(name: &str) -> Vec<u8> {
    let control = tar(&[("./control", 0o644, format!("Package: {name}\n").as_bytes())]);
    let source = tar(&[("top/README", 0o644, b"read me"), ("top/configure", 0o755, b"#!/bin/sh")]);
    let program = format!("./usr/bin/{name}");
    let data = tar(&[(&program, 0o755, name.as_bytes()), ("./usr/src/source.tar", 0o644, &source)]);
    let members = [("debian-binary", &b"2.0\n"[..]), ("control.tar", &control), ("data.tar", &data)];
    members.iter().fold(b"!<arch>\n".to_vec(), |mut deb, (name, content)| {
        deb.extend(format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, "100644", content.len()).bytes());
        deb.extend(*content);
        deb.extend(&b"\n"[..content.len() % 2]);
        deb
    })
}

/// A tar archive of files with their modes.
pub fn tar(files: &[(&str, u32, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, mode, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(*mode);
        archive.append_data(&mut header, name, *content).expect("in memory");
    }
    archive.into_inner().expect("in memory")
}
