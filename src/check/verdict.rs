//! What rebuilds came to, kept so that an interrupted check goes on where it was.
//!
//! The file `check/<key of the step>` of the store has one line of JSON a rebuild, added as soon as
//! it has ended:
//!
//! ```text
//! {"factors":["kernel","uid"],"outputs":{"out":"tree <hex> <size>"}}
//! {"factors":[],"failed":"exit code 1","log":"file <hex> <size>"}
//! ```
//!
//! `factors` are those that were changed, by their names on the command line; an output is a `tree`,
//! a `file` or an executable file, `exec`. A line that does not parse, or whose outputs the store
//! has lost, counts as absent. `forge store gc` removes the files after a week, and at once what only
//! they name.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::factor::{Factor, Factors};
use crate::build::schedule::Outputs;
use crate::digest::Digest;
use crate::path::Name;
use crate::store::{self, Blob, Output, Store};

/// What a rebuild came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It made its outputs; the store has them, for as long as nothing sweeps it.
    Made(Outputs),
    /// It failed.
    Failed {
        /// How.
        what: String,
        /// What it said.
        log: Blob,
    },
}

/// The outcomes of one step's rebuilds.
#[derive(Debug)]
pub struct Verdicts {
    file: PathBuf,
    known: BTreeMap<Factors, Outcome>,
}

impl Verdicts {
    /// Reads what is known of the step with this key.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn read(store: &Store, key: &Digest) -> Result<Self, store::Error> {
        let file = store.root().join(store::CHECK).join(key.hex());
        let text = match fs::read_to_string(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(store::Error::Io { path: file, source }),
            Ok(text) => text,
        };
        let there = |(_, outcome): &(Factors, Outcome)| outcome.contents().all(|digest| store.contains(&digest));
        Ok(Self { known: text.lines().filter_map(parse).filter(there).collect(), file })
    }

    /// The outcome with these factors changed, if that is known.
    #[must_use]
    pub fn get(&self, factors: &Factors) -> Option<&Outcome> {
        self.known.get(factors)
    }

    /// Keeps an outcome.
    ///
    /// # Errors
    /// If the store can't be written.
    pub fn add(&mut self, factors: &Factors, outcome: Outcome) -> Result<(), store::Error> {
        let folder = self.file.parent().expect("BUG: it lies in a folder");
        let line = format!("{}\n", line(factors, &outcome));
        let append = || {
            fs::create_dir_all(folder)?;
            File::options().create(true).append(true).open(&self.file)?.write_all(line.as_bytes())
        };
        append().map_err(|source| store::Error::Io { path: self.file.clone(), source })?;
        self.known.insert(factors.clone(), outcome);
        Ok(())
    }

    /// Forgets all outcomes, so that the next check asks anew.
    ///
    /// # Errors
    /// If the store can't be written.
    pub fn forget(&mut self) -> Result<(), store::Error> {
        self.known.clear();
        match fs::remove_file(&self.file) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(store::Error::Io { path: self.file.clone(), source })
            }
            _ => Ok(()),
        }
    }
}

impl Outcome {
    /// What the store must have for it to be of use.
    fn contents(&self) -> impl Iterator<Item = Digest> {
        let outputs = match self {
            Self::Made(outputs) => outputs.values().map(Output::digest).collect(),
            Self::Failed { log, .. } => vec![log.digest],
        };
        outputs.into_iter()
    }
}

/// The JSON of an outcome.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    factors: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outputs: Option<BTreeMap<String, String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failed: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    log: Option<String>,
}

fn line(factors: &Factors, outcome: &Outcome) -> String {
    let factors = factors.iter().map(|factor| factor.word().to_owned()).collect();
    let line = match outcome {
        Outcome::Made(outputs) => {
            let outputs = outputs.iter().map(|(name, output)| (name.to_string(), content(output))).collect();
            Line { factors, outputs: Some(outputs), failed: None, log: None }
        }
        Outcome::Failed { what, log } => {
            let log = content(&Output::File { blob: *log, executable: false });
            Line { factors, outputs: None, failed: Some(what.clone()), log: Some(log) }
        }
    };
    serde_json::to_string(&line).expect("BUG: plain data")
}

fn content(output: &Output) -> String {
    let (word, Blob { digest, size }) = match output {
        Output::Tree(blob) => ("tree", blob),
        Output::File { blob, executable: false } => ("file", blob),
        Output::File { blob, executable: true } => ("exec", blob),
    };
    format!("{word} {} {size}", digest.hex())
}

fn parse(line: &str) -> Option<(Factors, Outcome)> {
    let Line { factors, outputs, failed, log } = serde_json::from_str(line).ok()?;
    let factors = factors.iter().map(|word| Factor::of(word)).collect::<Option<_>>()?;
    let outcome = match (outputs, failed, log) {
        (Some(outputs), None, None) => {
            let output = |(name, text): (&String, &String)| Some((Name::new(name).ok()?, parse_content(text)?));
            Outcome::Made(outputs.iter().map(output).collect::<Option<_>>()?)
        }
        (None, Some(what), Some(log)) => match parse_content(&log)? {
            Output::File { blob, .. } => Outcome::Failed { what, log: blob },
            Output::Tree(_) => return None,
        },
        _ => return None,
    };
    Some((factors, outcome))
}

fn parse_content(text: &str) -> Option<Output> {
    let [word, hex, size] = text.split(' ').collect::<Vec<_>>().try_into().ok()?;
    let blob = Blob { digest: hex.parse().ok()?, size: size.parse().ok()? };
    match word {
        "tree" => Some(Output::Tree(blob)),
        "file" => Some(Output::File { blob, executable: false }),
        "exec" => Some(Output::File { blob, executable: true }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(text: &str) -> Blob {
        Blob { digest: Digest::of(text.as_bytes()), size: text.len() as u64 }
    }

    fn made(outputs: &[(&str, Output)]) -> Outcome {
        Outcome::Made(outputs.iter().map(|(name, output)| (Name::new(*name).expect("a name"), *output)).collect())
    }

    #[test]
    fn golden_lines() {
        let file = Output::File { blob: blob("a"), executable: true };
        let failed = Outcome::Failed { what: "exit code 1".to_owned(), log: blob("") };
        for (factors, outcome, golden) in [
            (
                Factors::from([Factor::Uid, Factor::Kernel]),
                made(&[("out", file)]),
                r#"{"factors":["kernel","uid"],"outputs":{"out":"exec ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb 1"}}"#,
            ),
            (
                Factors::new(),
                failed,
                r#"{"factors":[],"failed":"exit code 1","log":"file e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 0"}"#,
            ),
        ] {
            assert_eq!(line(&factors, &outcome), golden);
            assert_eq!(parse(golden), Some((factors, outcome)));
        }
    }

    #[test]
    fn what_does_not_parse_is_absent() {
        for line in [
            "",
            "{}",
            r#"{"factors":["weather"],"outputs":{}}"#,
            r#"{"factors":[],"outputs":{"out":"tree 00 1"}}"#,
            r#"{"factors":[],"outputs":{},"failed":"x"}"#,
            r#"{"factors":[],"failed":"x"}"#,
        ] {
            assert_eq!(parse(line), None, "{line}");
        }
    }

    #[test]
    fn keeps_what_the_store_still_has() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("a store");
        let key = Digest::of(b"key");
        let there = made(&[("out", Output::File { blob: store.put(b"there").expect("puts"), executable: false })]);
        let gone = made(&[("out", Output::File { blob: blob("gone"), executable: false })]);
        let mut verdicts = Verdicts::read(&store, &key).expect("reads");
        verdicts.add(&Factors::from([Factor::Uid]), there.clone()).expect("adds");
        verdicts.add(&Factors::new(), gone).expect("adds");
        let mut again = Verdicts::read(&store, &key).expect("reads");
        assert_eq!((again.get(&Factors::from([Factor::Uid])), again.get(&Factors::new())), (Some(&there), None));
        again.forget().expect("forgets");
        assert_eq!(Verdicts::read(&store, &key).expect("reads").get(&Factors::from([Factor::Uid])), None);
    }
}
