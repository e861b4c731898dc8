//! Reads a lockfile, and checks that nobody edited it into something that `forge lock` would not write.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::ops::Range;
use std::str::FromStr;

use serde::Deserialize;
use toml::Spanned;

use super::{Deb, Entry, FILE, FORMAT, Locked, Lockfile, Pin, Place, Suite};
use crate::path::{Name, RelPath};
use crate::recipe::text::Texts;
use crate::recipe::{Diagnostic, Fault, Unpack, locate};
use crate::store::Blob;

type Text = Spanned<String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: Option<Spanned<u64>>,
    #[serde(default)]
    suite: Vec<RawSuite>,
    #[serde(default)]
    source: Vec<Spanned<RawSource>>,
}

/// The one field that is read of a file of any format.
#[derive(Deserialize)]
struct Version {
    format: Option<Spanned<u64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSuite {
    archive: Text,
    suite: String,
    date: Text,
    inrelease: Text,
    #[serde(rename = "inrelease-size")]
    inrelease_size: u64,
    debs: Vec<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSource {
    unit: Text,
    name: Text,
    spec: Text,
    debs: Option<Vec<Text>>,
    deb: Option<Text>,
    member: Option<Text>,
    strip: Option<u32>,
    url: Option<String>,
    size: Option<u64>,
    digest: Option<Text>,
    git: Option<String>,
    commit: Option<Text>,
    tree: Option<Text>,
    #[serde(rename = "tree-size")]
    tree_size: Option<u64>,
}

/// A package line, and whether an entry names it.
struct Listed {
    deb: Deb,
    at: Range<usize>,
    used: bool,
}

impl Lockfile {
    /// Reads what [`Lockfile::emit`] wrote. The empty text is the empty lockfile.
    ///
    /// # Errors
    /// Every line that `forge lock` would not have written.
    pub fn parse(text: &str) -> Result<Self, Vec<Diagnostic>> {
        let mut reading = Reading::default();
        let lockfile = match reading.file(text) {
            Ok(file) => reading.lockfile(file),
            Err(fault) => {
                reading.faults.push(fault);
                Self::default()
            }
        };
        if reading.faults.is_empty() {
            return Ok(lockfile);
        }
        let path = RelPath::new(FILE).expect("BUG: the lockfile's name is unclean");
        Err(locate(reading.faults, &Texts::new([(path, text.to_owned())])))
    }
}

#[derive(Default)]
struct Reading {
    debs: BTreeMap<String, Listed>,
    faults: Vec<Fault>,
}

impl Reading {
    fn file(&self, text: &str) -> Result<File, Fault> {
        let damaged = |error: toml::de::Error| {
            Fault::new(error.span().unwrap_or_default(), error.message()).help(RESTORE)
        };
        let wrong = |format: &Spanned<u64>| {
            let fault = Fault::new(format.span(), format!("the lockfile has format {}", format.get_ref()));
            fault.label(format!("this forge knows format {FORMAT}")).help("it was made by a newer forge: install that one")
        };
        match toml::from_str::<File>(text) {
            Ok(File { format: Some(format), .. }) if *format.get_ref() != FORMAT => Err(wrong(&format)),
            Ok(File { format: None, suite, source }) if !(suite.is_empty() && source.is_empty()) => {
                Err(Fault::new(0..0, "the lockfile does not say its format").help(RESTORE))
            }
            Ok(file) => Ok(file),
            Err(error) => match toml::from_str(text) {
                Ok(Version { format: Some(format) }) if *format.get_ref() > FORMAT => Err(wrong(&format)),
                _ => Err(damaged(error)),
            },
        }
    }

    fn lockfile(&mut self, file: File) -> Lockfile {
        let mut lockfile = Lockfile::default();
        for raw in file.suite {
            let at = raw.archive.span();
            let Some(suite) = self.suite(raw) else { continue };
            let archive = suite.archive.clone();
            if lockfile.suites.insert(archive.clone(), suite).is_some() {
                self.fault(at, format!("the archive `{archive}` stands here twice"));
            }
        }
        for raw in file.source {
            let at = raw.span();
            let Some((key, entry)) = self.source(raw) else { continue };
            let name = format!("{}/{}", key.0, key.1);
            if lockfile.sources.insert(key, entry).is_some() {
                self.fault(at, format!("the source `{name}` stands here twice"));
            }
        }
        let unused = self.debs.iter().filter(|(_, listed)| !listed.used);
        let unused: Vec<_> = unused.map(|(name, listed)| (listed.at.clone(), format!("no source uses `{name}`"))).collect();
        unused.into_iter().for_each(|(at, title)| self.fault(at, title));
        lockfile
    }

    fn suite(&mut self, raw: RawSuite) -> Option<Suite> {
        let archive: Name = self.parsed(&raw.archive)?;
        let date = raw.date.into_inner();
        for text in &raw.debs {
            let Some((name, deb)) = self.deb(&archive, &date, text) else { continue };
            let listed = Listed { deb, at: text.span(), used: false };
            if self.debs.insert(name.clone(), listed).is_some() {
                self.fault(text.span(), format!("the package `{name}` stands here twice"));
            }
        }
        let inrelease = Blob { digest: self.parsed(&raw.inrelease)?, size: raw.inrelease_size };
        Some(Suite { archive, suite: raw.suite, date, inrelease })
    }

    /// The name by which entries know it (`debian/gcc:amd64`), and the package.
    fn deb(&mut self, archive: &Name, date: &str, text: &Text) -> Option<(String, Deb)> {
        let mut words = text.get_ref().splitn(5, ' ');
        let mut next = || words.next().filter(|word| !word.is_empty());
        let (Some(key), Some(version), Some(size), Some(digest), Some(path)) = (next(), next(), next(), next(), next())
        else {
            return self.refuse(text.span(), "a package is `name:architecture version size sha256 path`");
        };
        let Some((package, architecture)) = key.split_once(':') else {
            return self.refuse(text.span(), format!("`{key}` is not `name:architecture`"));
        };
        let at = text.span();
        let path = self.word(path, &at)?;
        let place = Place::Archive { archive: archive.clone(), path, date: date.to_owned() };
        let pin = Pin { place, size: self.word(size, &at)?, digest: self.word(digest, &at)? };
        let (package, architecture) = (package.to_owned(), architecture.to_owned());
        Some((format!("{archive}/{key}"), Deb { package, version: version.to_owned(), architecture, pin }))
    }

    fn source(&mut self, raw: Spanned<RawSource>) -> Option<((Name, Name), Entry)> {
        let at = raw.span();
        let raw = raw.into_inner();
        let unit = self.parsed(&raw.unit)?;
        let name = self.parsed(&raw.name)?;
        let spec = self.parsed(&raw.spec)?;
        let unpack = raw.strip.map(|strip| Unpack { strip });
        let file = raw.size.zip(raw.digest);
        let state = raw.commit.zip(raw.tree.zip(raw.tree_size));
        let locked = match (raw.debs, raw.deb, raw.member, raw.url, file, raw.git, state, unpack) {
            (Some(debs), None, None, None, None, None, None, None) => Locked::Debs(self.set(&debs)),
            (None, Some(deb), member, None, None, None, None, unpack) => {
                let member = member.map(|member| self.parsed(&member));
                let member = member.map_or(Some(None), |member| member.map(Some))?;
                Locked::DebMember { deb: self.named(&deb)?, member, unpack }
            }
            (None, None, None, Some(url), Some((size, digest)), None, None, unpack) => {
                Locked::Url { pin: Pin { place: Place::Url(url), size, digest: self.parsed(&digest)? }, unpack }
            }
            (None, None, None, None, None, Some(url), Some((commit, (tree, size))), None) => {
                let tree = Blob { digest: self.parsed(&tree)?, size };
                Locked::Git { url, commit: self.commit(commit)?, tree }
            }
            _ => return self.refuse(at, "a source has `debs`, or `deb`, or `url size digest`, or `git commit tree tree-size`"),
        };
        Some(((unit, name), Entry { spec, locked }.sorted()))
    }

    /// The packages of a set.
    fn set(&mut self, names: &[Text]) -> Vec<Deb> {
        let mut seen = BTreeSet::new();
        for name in names.iter().filter(|name| !seen.insert(name.get_ref())) {
            self.fault(name.span(), format!("the set names `{}` twice", name.get_ref()));
        }
        names.iter().filter_map(|name| self.named(name)).collect()
    }

    /// The package that the suites list under that name.
    fn named(&mut self, name: &Text) -> Option<Deb> {
        if let Some(listed) = self.debs.get_mut(name.get_ref()) {
            listed.used = true;
            return Some(listed.deb.clone());
        }
        self.refuse(name.span(), format!("no suite lists the package `{}`", name.get_ref().escape_debug()))
    }

    fn commit(&mut self, commit: Text) -> Option<String> {
        let text = commit.get_ref();
        if text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Some(commit.into_inner());
        }
        self.refuse(commit.span(), "a commit has 40 hex digits")
    }

    fn parsed<T: FromStr<Err: Display>>(&mut self, text: &Text) -> Option<T> {
        self.word(text.get_ref(), &text.span())
    }

    fn word<T: FromStr<Err: Display>>(&mut self, word: &str, at: &Range<usize>) -> Option<T> {
        match word.parse() {
            Ok(value) => Some(value),
            Err(error) => self.refuse(at.clone(), format!("`{}`: {error}", word.escape_debug())),
        }
    }

    fn fault(&mut self, at: Range<usize>, title: impl Into<String>) {
        self.faults.push(Fault::new(at, title).help(RESTORE));
    }

    /// A fault in place of a value.
    fn refuse<T>(&mut self, at: Range<usize>, title: impl Into<String>) -> Option<T> {
        self.fault(at, title);
        None
    }
}

const RESTORE: &str = "only `forge lock` writes this file: take it back from version control, or run `forge lock`";
