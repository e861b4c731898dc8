//! What each step of a project was made of when it was last built, or found built.
//!
//! One file a project, `<store>/last/<16 hex of the SHA-256 of the project's path>`: a first line
//! `forge last 1`, then for each step, the one that was set last at the end, a line
//! `step<TAB>key<TAB>label` and the lines of its [`Account`]. A file of another version counts as
//! empty. Advice only: it can be deleted at any time, and then plans say less.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::account::{Account, escape, unescape};
use crate::digest::Digest;

const MAGIC: &str = "forge last 1\n";

/// Steps that were not set for longest are dropped where the file would grow beyond this.
const MAX_BYTES: usize = 32 << 20;

/// The record, read once and written back at the end of a build.
#[derive(Debug)]
pub struct Last {
    file: PathBuf,
    records: Vec<Option<Record>>,
    places: HashMap<String, usize>,
    changed: bool,
}

#[derive(Debug)]
struct Record {
    label: String,
    key: Digest,
    account: String,
}

impl Last {
    /// Reads the record of the project at `project` in the store at `store`.
    #[must_use]
    pub fn read(store: &Path, project: &Path) -> Self {
        let name = Digest::of(project.as_os_str().as_encoded_bytes()).hex();
        let file = store.join("last").join(&name[..16]);
        let text = fs::read_to_string(&file).unwrap_or_default();
        let mut last = Self { file, records: Vec::new(), places: HashMap::new(), changed: false };
        for record in text.strip_prefix(MAGIC).into_iter().flat_map(records) {
            last.put(record);
        }
        last
    }

    /// The key of the step called `label` when it was last built.
    #[must_use]
    pub fn key(&self, label: &str) -> Option<Digest> {
        self.record(label).map(|record| record.key)
    }

    /// What that step was made of then.
    #[must_use]
    pub fn account(&self, label: &str) -> Option<Account> {
        self.record(label).map(|record| Account::parse(&record.account))
    }

    /// Takes a step that is built.
    pub fn set(&mut self, label: &str, key: Digest, account: &Account) {
        self.put(Record { label: label.to_owned(), key, account: account.encode() });
        self.changed = true;
    }

    /// Writes the record back if it changed, whole or not at all.
    ///
    /// # Errors
    /// Where the store can't be written.
    pub fn save(&self) -> io::Result<()> {
        if !self.changed {
            return Ok(());
        }
        let mut texts: Vec<String> = self.records.iter().rev().flatten().map(Record::text).collect();
        let mut bytes = MAGIC.len();
        let fits = texts.iter().take_while(|text| {
            bytes += text.len();
            bytes <= MAX_BYTES
        });
        texts.truncate(fits.count());
        texts.push(MAGIC.to_owned());
        texts.reverse();
        if let Some(folder) = self.file.parent() {
            fs::create_dir_all(folder)?;
        }
        let aside = self.file.with_extension(std::process::id().to_string());
        fs::write(&aside, texts.concat())?;
        fs::rename(aside, &self.file)
    }

    fn record(&self, label: &str) -> Option<&Record> {
        self.places.get(label).and_then(|place| self.records[*place].as_ref())
    }

    fn put(&mut self, record: Record) {
        if let Some(old) = self.places.insert(record.label.clone(), self.records.len()) {
            self.records[old] = None;
        }
        self.records.push(Some(record));
    }
}

impl Record {
    fn text(&self) -> String {
        format!("step\t{}\t{}\n{}", self.key.hex(), escape(&self.label), self.account)
    }
}

/// The records of a text; what makes no sense is left out.
fn records(text: &str) -> impl Iterator<Item = Record> {
    let starts =
        text.match_indices("step\t").map(|(at, _)| at).filter(|at| *at == 0 || text.as_bytes()[at - 1] == b'\n');
    let starts: Vec<usize> = starts.collect();
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([text.len()]).collect();
    let record = |(start, end): (usize, usize)| {
        let (head, account) = text[start..end].split_once('\n')?;
        let (key, label) = head.strip_prefix("step\t")?.split_once('\t')?;
        Some(Record { label: unescape(label), key: key.parse().ok()?, account: account.to_owned() })
    };
    starts.into_iter().zip(ends).filter_map(record)
}

#[cfg(test)]
mod tests {
    use super::super::account::tests::{account, run, toolroot};
    use super::*;
    use crate::derivation::Derivation;

    fn key(text: &str) -> Digest {
        Digest::of(text.as_bytes())
    }

    #[test]
    fn the_last_of_each_label_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let [run, root] = [Derivation::Run(run()), Derivation::Assemble(toolroot())].map(|step| account(&step));
        let project = Path::new("/project");
        let mut last = Last::read(folder.path(), project);
        assert_eq!((last.key("app"), last.account("app")), (None, None));
        last.save().expect("nothing to write");
        assert!(!folder.path().join("last").exists());
        last.set("app", key("1"), &root);
        last.set("box: step\tx", key("2"), &root);
        last.set("app", key("3"), &run);
        last.save().expect("written");
        let again = Last::read(folder.path(), project);
        assert_eq!((again.key("app"), again.account("app")), (Some(key("3")), Some(run)));
        assert_eq!(again.key("box: step\tx"), Some(key("2")));
        assert_eq!(Last::read(folder.path(), Path::new("/other")).key("app"), None);
    }

    #[test]
    fn golden_bytes_and_damage() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut last = Last::read(folder.path(), Path::new("/project"));
        last.set("a", key("1"), &Account::parse("text\tkind\t3\n"));
        last.save().expect("written");
        let text = fs::read_to_string(&last.file).expect("there");
        assert_eq!(text, format!("forge last 1\nstep\t{}\ta\ntext\tkind\t3\n", key("1").hex()));
        for (damaged, want) in [
            (text.replace("last 1", "last 2"), None),
            (text.replace("step\t", "step\tx"), None),
            (format!("forge last 1\nnoise\n{}", &text[13..]), Some(key("1"))),
        ] {
            fs::write(&last.file, damaged).expect("written");
            assert_eq!(Last::read(folder.path(), Path::new("/project")).key("a"), want);
        }
    }
}
