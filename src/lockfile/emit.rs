//! Writes a lockfile.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::{Crate, Deb, Entry, FORMAT, GitCrate, Index, Locked, Lockfile, Pin, Place, Suite};
use crate::path::{Name, RelPath};
use crate::recipe::Unpack;
use crate::store::Blob;

const HEADER: &str = "\
# Written by `forge lock`; do not edit it by hand.
# Every input from outside, pinned by digest. To change it, change a recipe and run `forge lock`,
# or move to newer versions with `forge lock --update`; review the difference like code.
";

impl Lockfile {
    /// The text of the file; equal lockfiles give equal bytes.
    #[must_use]
    pub fn emit(&self) -> String {
        let mut out = format!("{HEADER}format = {FORMAT}\n");
        self.emit_crates(&mut out);
        self.emit_repositories(&mut out);
        let mut debs = BTreeMap::<&Name, BTreeMap<(&str, &str), &Deb>>::new();
        for deb in self.sources.values().flat_map(Entry::debs) {
            if let Some((archive, _)) = deb.state() {
                debs.entry(archive).or_default().insert((&deb.package, &deb.architecture), deb);
            }
        }
        for suite in self.suites.values() {
            out.push_str("\n[[suite]]\n");
            let debs = debs.get(&suite.archive).into_iter().flat_map(BTreeMap::values);
            emit_suite(&mut out, suite, debs.copied());
        }
        for ((unit, name), entry) in &self.sources {
            out.push_str("\n[[source]]\n");
            field(&mut out, "unit", unit.as_str());
            field(&mut out, "name", name.as_str());
            emit_entry(&mut out, entry);
        }
        out
    }
}

impl Lockfile {
    /// Every crate, each once.
    fn emit_crates(&self, out: &mut String) {
        let crates: BTreeSet<&Crate> = self.sources.values().flat_map(|entry| entry.locked.crates()).collect();
        let line = |Crate { name, version, size, digest }: &Crate| format!("{name} {version} {size} {}", digest.hex());
        if !crates.is_empty() {
            list(out, "crates", crates.into_iter().map(line));
        }
    }

    /// Every state of a repository, each once.
    fn emit_repositories(&self, out: &mut String) {
        let git = self.sources.values().flat_map(|entry| entry.locked.git_crates());
        let line = |GitCrate { repository, .. }: &GitCrate| {
            let Blob { digest, size } = repository.tree;
            format!("{} {size} {}", repository.reference(), digest.hex())
        };
        let lines: BTreeSet<String> = git.map(line).collect();
        if !lines.is_empty() {
            list(out, "repositories", lines.into_iter());
        }
    }
}

fn emit_suite<'a>(out: &mut String, suite: &Suite, debs: impl Iterator<Item = &'a Deb>) {
    let Suite { archive, suite, date, inrelease, indexes } = suite;
    field(out, "archive", archive.as_str());
    field(out, "suite", suite);
    field(out, "date", date);
    field(out, "inrelease", &inrelease.to_string());
    let line = |Index { path, size, digest }: &Index| format!("{size} {} {path}", digest.hex());
    list(out, "indexes", indexes.iter().map(line));
    list(out, "debs", debs.map(deb_line));
}

fn deb_line(deb: &Deb) -> String {
    let Deb { package, version, architecture, pin: Pin { place, size, digest } } = deb;
    let path = match place {
        Place::Archive { path, .. } => path.as_str(),
        Place::Url(name) | Place::Supplied(name) | Place::Registry { name, .. } => name,
        Place::Oci { repository, .. } => &repository.name,
    };
    format!("{package}:{architecture} {version} {size} {} {path}", digest.hex())
}

fn emit_entry(out: &mut String, entry: &Entry) {
    let Entry { spec, locked } = entry;
    field(out, "spec", &spec.to_string());
    match locked {
        Locked::Debs(debs) => list(out, "debs", debs.iter().map(Deb::reference)),
        Locked::DebMember { deb, member, unpack } => {
            field(out, "deb", &deb.reference());
            optional(out, "member", member.as_ref().map(RelPath::as_str));
            emit_unpack(out, unpack.as_ref());
        }
        Locked::File { pin: Pin { place, size, digest }, unpack } => {
            let (kind, place) = match place {
                Place::Supplied(name) => ("supplied", name.as_str()),
                Place::Url(name) | Place::Registry { name, .. } => ("url", name.as_str()),
                Place::Archive { path, .. } => ("url", path.as_str()),
                Place::Oci { repository, .. } => ("url", repository.name.as_str()),
            };
            field(out, kind, place);
            _ = writeln!(out, "size = {size}");
            field(out, "digest", &digest.to_string());
            emit_unpack(out, unpack.as_ref());
        }
        Locked::Git { url, commit, tree } => {
            field(out, "git", url);
            field(out, "commit", commit);
            field(out, "tree", &tree.digest.to_string());
            _ = writeln!(out, "tree-size = {}", tree.size);
        }
        Locked::Oci { repository, index, manifest, blobs } => {
            let line = |blob: &Blob| format!("{} {}", blob.size, blob.digest.hex());
            field(out, "oci", &repository.to_string());
            field(out, "index", &index.to_string());
            field(out, "manifest", &line(manifest));
            list(out, "blobs", blobs.iter().map(line));
        }
        Locked::Crate(one) => field(out, "crate", &one.reference()),
        Locked::Crates { published, git, features } => {
            list(out, "crates", published.iter().map(Crate::reference).chain(git.iter().map(GitCrate::reference)));
            if !features.is_empty() {
                list(out, "features", features.iter().map(ToString::to_string));
            }
        }
        Locked::Path { .. } => {}
    }
}

fn emit_unpack(out: &mut String, unpack: Option<&Unpack>) {
    if let Some(Unpack { strip }) = unpack {
        _ = writeln!(out, "strip = {strip}");
    }
}

fn optional(out: &mut String, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        field(out, key, value);
    }
}

fn field(out: &mut String, key: &str, value: &str) {
    out.push_str(key);
    out.push_str(" = ");
    quote(out, value);
    out.push('\n');
}

fn list(out: &mut String, key: &str, items: impl Iterator<Item = String>) {
    out.push_str(key);
    out.push_str(" = [\n");
    for item in items {
        out.push_str("  ");
        quote(out, &item);
        out.push_str(",\n");
    }
    out.push_str("]\n");
}

/// A TOML basic string on one line.
fn quote(out: &mut String, text: &str) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => out.extend(['\\', char]),
            char if char.is_control() => _ = write!(out, "\\u{:04X}", u32::from(char)),
            char => out.push(char),
        }
    }
    out.push('"');
}
