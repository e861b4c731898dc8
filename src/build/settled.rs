//! What a build that had nothing to do looked at, so that the next one need not work it out again.
//!
//! A build is settled when every unit asked for was in the store and linked. Its record says in
//! which state the project was and where each link leads. As long as the state is the same, the
//! outputs look sound and the links stand, the same build has nothing to do again, and neither
//! recipes nor lockfile need to be read. In any doubt a build goes the long way.
//!
//! One file for a project and the units asked for, `<store>/index/settled-<16 hex of both>`: JSON,
//! `{"state":"<hex>","links":[{"link":"/home/…/result/x","output":{"tree":{…}},"toolroot":false},…],"units":2}`. It can be
//! deleted at any time. It counts for [`FRESH`], so that results in use are marked as used.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::canon;
use crate::digest::Digest;
use crate::recipe::Reference;
use crate::store::{Output, OutputLine, Store};

/// What separates the digests of records from all others.
const TAG: &str = "forge settled 1";

/// How old a record may be.
const FRESH: Duration = Duration::from_secs(3600);

/// A link to an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The absolute path of the link.
    pub link: PathBuf,
    /// What it leads to.
    pub output: Output,
    /// A toolroot is looked over when a command runs in it, and not before.
    pub toolroot: bool,
}

/// A build that had nothing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The state of all that the build depends on.
    pub state: Digest,
    /// The links to the results.
    pub links: Vec<Link>,
    /// How many units were asked for.
    pub units: usize,
}

#[derive(Serialize, Deserialize)]
struct Record {
    state: String,
    links: Vec<LinkRecord>,
    units: usize,
}

#[derive(Serialize, Deserialize)]
struct LinkRecord {
    link: String,
    output: OutputLine,
    toolroot: bool,
}

impl Settled {
    /// The record of building what is `asked` of the project at `project`, if there is a fresh one that can be read.
    #[must_use]
    pub fn read(store: &Store, project: &Path, asked: &[Reference]) -> Option<Self> {
        let file = file(store, project, asked);
        let age = file.metadata().and_then(|metadata| metadata.modified()).ok()?.elapsed().ok()?;
        let bytes = if age < FRESH { fs::read(file).ok()? } else { return None };
        let Record { state, links, units } = serde_json::from_slice(&bytes).ok()?;
        let link = |LinkRecord { link, output, toolroot }: LinkRecord| {
            Some(Link { link: link.into(), output: output.output()?, toolroot })
        };
        Some(Self { state: state.parse().ok()?, links: links.into_iter().map(link).collect::<Option<_>>()?, units })
    }

    /// Writes the record, whole or not at all. A link whose path is not UTF-8 can't be recorded.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn save(&self, store: &Store, project: &Path, asked: &[Reference]) -> io::Result<()> {
        let link = |Link { link, output, toolroot }: &Link| {
            Some(LinkRecord { link: link.to_str()?.to_owned(), output: OutputLine::from(output), toolroot: *toolroot })
        };
        let Some(links) = self.links.iter().map(link).collect() else { return Ok(()) };
        let record = Record { state: self.state.hex(), links, units: self.units };
        let file = file(store, project, asked);
        let aside = file.with_extension(std::process::id().to_string());
        fs::write(&aside, serde_json::to_vec(&record)?)?;
        fs::rename(aside, file)
    }

    /// Whether the outputs look sound, and the links to them stand and are roots.
    #[must_use]
    pub fn holds(&self, store: &Store) -> bool {
        self.links.iter().all(|Link { link, output, toolroot }| {
            let path = if *toolroot { store.realised(output) } else { store.realise(output).ok() };
            store.has_root(link) && path.is_some_and(|path| fs::read_link(link).is_ok_and(|target| target == path))
        })
    }
}

fn file(store: &Store, project: &Path, asked: &[Reference]) -> PathBuf {
    let asked: Vec<String> = asked.iter().map(Reference::to_string).collect();
    let identity = canon::identity(TAG, &(project.display().to_string(), asked));
    store.root().join("index").join(format!("settled-{}", &identity.hex()[..16]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Setup;

    struct Settle {
        folder: tempfile::TempDir,
        store: Store,
    }

    impl Settle {
        fn new() -> Self {
            let folder = tempfile::tempdir().expect("a directory");
            let setup = Setup { boot: "one".to_owned(), sync: false, max_links: None };
            let store = Store::open_with(&folder.path().join("store"), &setup).expect("opens");
            fs::create_dir_all(store.root().join("index")).expect("makes");
            Self { folder, store }
        }

        /// A build that came to one file, and is linked.
        fn build(&self) -> Settled {
            let blob = self.store.put(b"result").expect("puts");
            let output = Output::File { blob, executable: false };
            let link = self.folder.path().join("link");
            std::os::unix::fs::symlink(self.store.realise(&output).expect("is there"), &link).expect("links");
            self.store.add_root(&link, &[output]).expect("adds");
            Settled { state: Digest::of(b"state"), links: vec![Link { link, output, toolroot: false }], units: 1 }
        }

        fn read(&self, asked: &[Reference]) -> Option<Settled> {
            Settled::read(&self.store, self.folder.path(), asked)
        }
    }

    #[test]
    fn what_is_written_is_read_for_the_same_units() {
        let settle = Settle::new();
        let (settled, name) = (settle.build(), "a:b".parse().expect("a name"));
        assert_eq!(settle.read(&[]), None);
        settled.save(&settle.store, settle.folder.path(), &[]).expect("writes");
        assert_eq!(settle.read(&[]), Some(settled));
        assert_eq!(settle.read(&[name]), None);
        let file = file(&settle.store, settle.folder.path(), &[]);
        let text = fs::read_to_string(&file).expect("reads");
        let state = Digest::of(b"state").hex();
        assert!(text.starts_with(&format!(r#"{{"state":"{state}","links":[{{"link":"/"#)), "{text}");
        fs::write(file, &text[1..]).expect("damages");
        assert_eq!(settle.read(&[]), None);
    }

    #[test]
    fn an_old_record_does_not_count() {
        let settle = Settle::new();
        settle.build().save(&settle.store, settle.folder.path(), &[]).expect("writes");
        let file = fs::File::options().write(true).open(file(&settle.store, settle.folder.path(), &[])).expect("opens");
        file.set_modified(std::time::SystemTime::now() - FRESH).expect("ages");
        assert_eq!(settle.read(&[]), None);
    }

    #[test]
    fn holds_while_link_root_and_output_are_as_they_were() {
        type Harm = fn(&Settle, &Link);
        let harms: [Harm; 4] = [
            |_, link| fs::remove_file(&link.link).expect("removes"),
            |_, link| {
                fs::remove_file(&link.link).expect("removes");
                std::os::unix::fs::symlink("elsewhere", &link.link).expect("links");
            },
            |settle, link| fs::write(settle.store.realise(&link.output).expect("is there"), "RESULT").expect("damages"),
            |settle, _| fs::remove_dir_all(settle.store.root().join("roots")).expect("removes"),
        ];
        for (number, harm) in harms.iter().enumerate() {
            let settle = Settle::new();
            let settled = settle.build();
            assert!(settled.holds(&settle.store));
            harm(&settle, &settled.links[0]);
            assert!(!settled.holds(&settle.store), "harm {number}");
        }
    }
}
