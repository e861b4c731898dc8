//! Reads a lockfile, and checks that nobody edited it into something that `forge lock` would not write.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::crates::{Crates, Named, commit};
use super::listed::{Faults, Listed, RESTORE, Text};
use super::{Deb, Entry, FILE, FORMAT, Locked, Lockfile, Pin, Place, Suite};
use crate::path::{Name, RelPath};
use crate::recipe::text::Texts;
use crate::recipe::{Diagnostic, Fault, Unpack, locate};
use crate::registry::Reference;
use crate::store::Blob;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'a"))]
struct File<'a> {
    format: Option<Spanned<u64>>,
    #[serde(default)]
    crates: Vec<Text<'a>>,
    #[serde(default)]
    repositories: Vec<Text<'a>>,
    #[serde(default)]
    suite: Vec<RawSuite<'a>>,
    #[serde(default)]
    source: Vec<Spanned<RawSource<'a>>>,
}

/// The one field that is read of a file of any format.
#[derive(Deserialize)]
struct Version {
    format: Option<Spanned<u64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'a"))]
struct RawSuite<'a> {
    archive: Text<'a>,
    suite: String,
    date: Text<'a>,
    inrelease: Text<'a>,
    indexes: Vec<Text<'a>>,
    debs: Vec<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'a"))]
struct RawSource<'a> {
    unit: Text<'a>,
    name: Text<'a>,
    spec: Text<'a>,
    debs: Option<Vec<Text<'a>>>,
    deb: Option<Text<'a>>,
    member: Option<Text<'a>>,
    strip: Option<u32>,
    url: Option<String>,
    supplied: Option<String>,
    size: Option<u64>,
    digest: Option<Text<'a>>,
    git: Option<String>,
    oci: Option<Text<'a>>,
    index: Option<Text<'a>>,
    manifest: Option<Text<'a>>,
    blobs: Option<Vec<Text<'a>>>,
    #[serde(rename = "crate")]
    published: Option<Text<'a>>,
    crates: Option<Vec<Text<'a>>>,
    #[serde(default)]
    features: Vec<Text<'a>>,
    commit: Option<Text<'a>>,
    tree: Option<Text<'a>>,
    #[serde(rename = "tree-size")]
    tree_size: Option<u64>,
}

impl Lockfile {
    /// Reads what [`Lockfile::emit`] wrote. The empty text is the empty lockfile.
    ///
    /// # Errors
    /// Every line that `forge lock` would not have written.
    pub fn parse(text: &str) -> Result<Self, Vec<Diagnostic>> {
        let mut faults = Faults::default();
        let lockfile = match file(text) {
            Ok(file) => lockfile(&file, &mut faults),
            Err(fault) => {
                faults.0.push(fault);
                Self::default()
            }
        };
        if faults.0.is_empty() {
            return Ok(lockfile);
        }
        let path = RelPath::new(FILE).expect("BUG: the lockfile's name is unclean");
        Err(locate(faults.0, &Texts::new([(path, text.to_owned())])))
    }
}

fn file(text: &str) -> Result<File<'_>, Fault> {
    let wrong = |format: &Spanned<u64>| {
        let fault = Fault::new(format.span(), format!("the lockfile has format {}", format.get_ref()));
        fault.label(format!("this forge knows format {FORMAT}")).help("it was made by a newer forge: install that one")
    };
    match toml::from_str::<File<'_>>(text) {
        Ok(File { format: Some(format), .. }) if *format.get_ref() != FORMAT => Err(wrong(&format)),
        Ok(File { format: None, crates, repositories, suite, source })
            if !(crates.is_empty() && repositories.is_empty() && suite.is_empty() && source.is_empty()) =>
        {
            Err(Fault::new(0..0, "the lockfile does not say its format").help(RESTORE))
        }
        Ok(file) => Ok(file),
        Err(error) => match toml::from_str(text) {
            Ok(Version { format: Some(format) }) if *format.get_ref() > FORMAT => Err(wrong(&format)),
            _ => Err(Fault::new(error.span().unwrap_or_default(), error.message()).help(RESTORE)),
        },
    }
}

fn lockfile(file: &File<'_>, faults: &mut Faults) -> Lockfile {
    let mut lockfile = Lockfile::default();
    let mut listed = Listed::default();
    let mut crates = Crates::new(&file.crates, &file.repositories, faults);
    for raw in &file.suite {
        let Some(suite) = suite(raw, faults) else { continue };
        let archive = suite.archive.clone();
        listed.suite((&raw.archive.get_ref().0, &archive), &raw.date.get_ref().0, &raw.debs, faults);
        if lockfile.suites.insert(archive.clone(), suite).is_some() {
            faults.add(raw.archive.span(), format!("the archive `{archive}` stands here twice"));
        }
    }
    for raw in &file.source {
        let Some((key, entry)) = source(raw, &mut listed, &mut crates, faults) else { continue };
        let name = format!("{}/{}", key.0, key.1);
        if lockfile.sources.insert(key, entry).is_some() {
            faults.add(raw.span(), format!("the source `{name}` stands here twice"));
        }
    }
    listed.unused(faults);
    crates.unused(faults);
    lockfile
}

fn suite(raw: &RawSuite<'_>, faults: &mut Faults) -> Option<Suite> {
    let mut indexes: Vec<_> = raw.indexes.iter().filter_map(|text| faults.index(text)).collect();
    indexes.sort();
    Some(Suite {
        archive: faults.parsed(&raw.archive)?,
        suite: raw.suite.clone(),
        date: raw.date.get_ref().0.to_string(),
        inrelease: faults.parsed(&raw.inrelease)?,
        indexes,
    })
}

fn source<'f>(
    raw: &'f Spanned<RawSource<'f>>,
    listed: &mut Listed<'f>,
    crates: &mut Crates<'f>,
    faults: &mut Faults,
) -> Option<((Name, Name), Entry)> {
    let at = raw.span();
    let raw = raw.get_ref();
    let unit = faults.parsed(&raw.unit)?;
    let name = faults.parsed(&raw.name)?;
    let spec = faults.parsed(&raw.spec)?;
    let file = raw.size.zip(raw.digest.as_ref());
    let state = raw.commit.as_ref().zip(raw.tree.as_ref().zip(raw.tree_size));
    let unpack = raw.strip.map(|strip| Unpack { strip });
    let place = match (&raw.url, &raw.supplied) {
        (Some(url), None) => Some(Place::Url(url.clone())),
        (None, Some(name)) => Some(Place::Supplied(name.clone())),
        (None, None) => None,
        (Some(_), Some(_)) => return faults.refuse(at, "a source has `url` or `supplied`, not both"),
    };
    if let Some(locked) = registry(raw, crates, faults) {
        return Some(((unit, name), Entry { spec, locked: locked? }.sorted()));
    }
    if let Some(repository) = &raw.oci {
        let locked = image(repository, raw, at, faults)?;
        return Some(((unit, name), Entry { spec, locked }));
    }
    let locked = match (&raw.debs, &raw.deb, &raw.member, place, file, &raw.git, state, unpack) {
        (Some(debs), None, None, None, None, None, None, None) => Locked::Debs(set(debs, listed, faults)),
        (None, Some(deb), member, None, None, None, None, unpack) => {
            let member = match member {
                Some(member) => Some(faults.parsed(member)?),
                None => None,
            };
            Locked::DebMember { deb: listed.named(deb, faults)?, member, unpack }
        }
        (None, None, None, Some(place), Some((size, digest)), None, None, unpack) => {
            Locked::File { pin: Pin { place, size, digest: faults.parsed(digest)? }, unpack }
        }
        (None, None, None, None, None, Some(url), Some((commit, (tree, size))), None) => {
            let tree = Blob { digest: faults.parsed(tree)?, size };
            Locked::Git { url: url.clone(), commit: self::commit(&commit.get_ref().0, commit, faults)?, tree }
        }
        _ => {
            return faults.refuse(
                at,
                "a source has `debs`, or `deb`, or `url size digest`, or `supplied size digest`, or `git commit tree tree-size`, \
                          or `oci index manifest blobs`, or `crate`, or `crates`",
            );
        }
    };
    Some(((unit, name), Entry { spec, locked }.sorted()))
}

/// An image of a registry.
fn image(repository: &Text<'_>, raw: &RawSource<'_>, at: Range<usize>, faults: &mut Faults) -> Option<Locked> {
    let (Some(index), Some(manifest), Some(blobs)) = (&raw.index, &raw.manifest, &raw.blobs) else {
        return faults.refuse(at, "an `oci` source has `index`, `manifest` and `blobs`");
    };
    let read: Option<Reference> = repository.get_ref().0.parse().ok();
    let Some(Reference { repository, version: None }) = read else {
        return faults.refuse(repository.span(), "it is not the name of a repository");
    };
    let blobs: Vec<Blob> = blobs.iter().filter_map(|blob| sized(blob, faults)).collect();
    Some(Locked::Oci { repository, index: faults.parsed(index)?, manifest: sized(manifest, faults)?, blobs })
}

/// `<size> <hex>`
fn sized(text: &Text<'_>, faults: &mut Faults) -> Option<Blob> {
    let (size, hex) = text.get_ref().0.split_once(' ')?;
    match (size.parse(), hex.parse()) {
        (Ok(size), Ok(digest)) => Some(Blob { digest, size }),
        _ => faults.refuse(text.span(), "it is not a size and a digest"),
    }
}

/// A source with a field for crates.
fn registry<'f>(raw: &'f RawSource<'f>, crates: &mut Crates<'f>, faults: &mut Faults) -> Option<Option<Locked>> {
    match (&raw.published, &raw.crates, &raw.features[..]) {
        (Some(one), None, []) => Some(crates.published(one, faults).map(Locked::Crate)),
        (None, Some(all), features) => {
            let (mut published, mut git) = (Vec::new(), Vec::new());
            for one in all {
                match crates.named(one, faults) {
                    Some(Named::Published(one)) => published.push(one),
                    Some(Named::Git(one)) => git.push(one),
                    None => {}
                }
            }
            let features = features.iter().filter_map(|line| faults.parsed(line)).collect();
            Some(Some(Locked::Crates { published, git, features }))
        }
        (.., [line, _rest @ ..]) => Some(faults.refuse(line.span(), "`features` are of `crates`")),
        _ => None,
    }
}

/// The packages of a set.
fn set<'f>(names: &'f [Text<'f>], listed: &mut Listed<'f>, faults: &mut Faults) -> Vec<Deb> {
    let mut seen = BTreeSet::new();
    for name in names.iter().filter(|name| !seen.insert(name.get_ref())) {
        faults.add(name.span(), format!("the set names `{}` twice", name.get_ref().0.escape_debug()));
    }
    names.iter().filter_map(|name| listed.named(name, faults)).collect()
}
