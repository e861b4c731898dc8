//! Results of actions, and when they are trusted.
//!
//! A result is a file `result/ab/<key>` of one JSON line:
//!
//! ```text
//! {"outputs":{"out":{"tree":{"digest":"<hex>","size":123}}},"seconds":1.5,"log":null,"label":"hello"}
//! ```
//!
//! A file output is `{"file":{"digest":…,"size":…,"executable":false}}`; a log, and what was
//! downloaded for it (`downloads`), is `{"digest":…,"size":…}`. A line that does not parse counts as absent. The file's modification
//! time is when the result was last used.
//!
//! [`Store::record`] only queues. [`Store::commit`] writes the lines aside, syncs the file system
//! once, which covers the lines and all objects written before, and only then gives the lines
//! their names. So no power cut leaves a result over objects that did not reach the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, Mode, OFlags, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};
use rustix::fs::{fsync, futimens, openat, syncfs, unlinkat};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::object::{Disk, Kind, shard};
use super::{ActionResult, Blob, Error, Output, Store, fault};
use crate::digest::Digest;
use crate::path::Name;

/// How old the time of a result's last use may be: `gc` counts in days, and a build looks up hundreds.
const USE_GRAIN: Duration = Duration::from_secs(3600);

/// The folder of results.
pub(super) const RESULT: &str = "result";

impl Store {
    /// What an action made, if that is known and the outputs are there. Marks it as used.
    ///
    /// # Errors
    /// If the line can't be read.
    pub fn result(&self, key: &Digest) -> Result<Option<ActionResult>, Error> {
        let queued = self.disk.queue.lock().expect("BUG: a thread panicked").get(key).cloned();
        let result = if queued.is_some() { queued } else { self.disk.use_line(key)? };
        Ok(result.filter(|result| result.outputs.values().all(|output| self.disk.has_output(output))))
    }

    /// Queues a result; trusted by this process at once, by others after [`Store::commit`].
    ///
    /// # Errors
    /// None now; kept for stores that write at once.
    pub fn record(&self, key: &Digest, result: &ActionResult) -> Result<(), Error> {
        self.disk.queue.lock().expect("BUG: a thread panicked").insert(*key, result.clone());
        Ok(())
    }

    /// Makes a result absent: its outputs were lost, or someone wants it made again.
    ///
    /// # Errors
    /// If the line can't be removed.
    pub fn forget(&self, key: &Digest) -> Result<(), Error> {
        self.disk.queue.lock().expect("BUG: a thread panicked").remove(key);
        self.disk.unlink_result(key)
    }

    /// Syncs all that was written, then makes the queued results durable. Call it from any
    /// thread: whoever comes while another commits waits, and finds its own results done with
    /// the next sync or the work already finished.
    ///
    /// # Errors
    /// If a line can't be written or the sync fails; the results stay queued then.
    pub fn commit(&self) -> Result<(), Error> {
        let _gate = self.gate.lock().expect("BUG: a thread panicked");
        let queued = self.disk.queue.lock().expect("BUG: a thread panicked").clone();
        if queued.is_empty() {
            return Ok(());
        }
        self.disk.write_lines(&queued)?;
        let mut queue = self.disk.queue.lock().expect("BUG: a thread panicked");
        queue.retain(|key, result| queued.get(key) != Some(result));
        Ok(())
    }
}

impl Disk {
    fn write_lines(&self, results: &BTreeMap<Digest, ActionResult>) -> Result<(), Error> {
        let mut lines = Vec::new();
        for (key, result) in results {
            let mut temp = self.temp()?;
            temp.write_all(&Line::from(result).bytes())?;
            lines.push((shard(RESULT, key), temp));
        }
        fault::point("commit.written");
        if self.sync {
            syncfs(&self.root).map_err(self.at(""))?;
        }
        fault::point("commit.synced");
        let mut folders = BTreeSet::from([RESULT.to_owned()]);
        for (path, temp) in lines {
            temp.rename(&path)?;
            fault::point("commit.renamed");
            folders.extend(path.rsplit_once('/').map(|(folder, _)| folder.to_owned()));
        }
        if self.sync {
            folders.iter().try_for_each(|folder| self.sync_folder(folder))?;
        }
        fault::point("commit.done");
        Ok(())
    }

    pub(super) fn sync_folder(&self, folder: &str) -> Result<(), Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let open = openat(&self.root, folder, flags, Mode::empty());
        open.and_then(fsync).map_err(self.at(folder))
    }

    /// The result as it lies on disk.
    pub(super) fn line(&self, key: &Digest) -> Result<Option<ActionResult>, Error> {
        let path = shard(RESULT, key);
        self.open(&path)?.map_or(Ok(None), |mut file| self.parse(&path, &mut file))
    }

    /// The result as it lies on disk, and when it was last used.
    pub(super) fn dated_line(&self, key: &Digest) -> Result<Option<(ActionResult, SystemTime)>, Error> {
        let path = shard(RESULT, key);
        let Some(mut file) = self.open(&path)? else { return Ok(None) };
        let used = file.metadata().and_then(|data| data.modified()).map_err(self.at(&path))?;
        Ok(self.parse(&path, &mut file)?.map(|result| (result, used)))
    }

    /// The result as it lies on disk, marked as used.
    fn use_line(&self, key: &Digest) -> Result<Option<ActionResult>, Error> {
        let path = shard(RESULT, key);
        let Some(mut file) = self.open(&path)? else { return Ok(None) };
        self.touch(&path, &file)?;
        self.parse(&path, &mut file)
    }

    fn parse(&self, path: &str, file: &mut File) -> Result<Option<ActionResult>, Error> {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(self.at(path))?;
        Ok(Line::parse(&bytes))
    }

    /// Sets the time of a result's last use, where the one it has is older than [`USE_GRAIN`] and
    /// the disk can be written.
    fn touch(&self, path: &str, file: &File) -> Result<(), Error> {
        let modified = file.metadata().and_then(|metadata| metadata.modified()).map_err(self.at(path))?;
        if modified.elapsed().is_ok_and(|age| age < USE_GRAIN) {
            return Ok(());
        }
        let times = Timestamps {
            last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
            last_modification: Timespec { tv_sec: 0, tv_nsec: UTIME_NOW },
        };
        match futimens(file, &times) {
            Ok(()) | Err(Errno::ROFS | Errno::PERM | Errno::ACCESS) => Ok(()),
            Err(error) => Err(self.at(path)(error)),
        }
    }

    pub(super) fn unlink_result(&self, key: &Digest) -> Result<(), Error> {
        let path = shard(RESULT, key);
        match unlinkat(&self.root, &path, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(self.at(path)(error)),
        }
    }

    fn has_output(&self, output: &Output) -> bool {
        match output {
            Output::File { blob, .. } => [Kind::File, Kind::Exec].iter().any(|kind| self.has(*kind, &blob.digest)),
            Output::Tree(blob) => self.has(Kind::Dir, &blob.digest),
        }
    }
}

/// The JSON of a result.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    outputs: BTreeMap<String, OutputLine>,
    seconds: f64,
    log: Option<BlobLine>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    label: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    downloads: Option<BlobLine>,
}

/// The JSON of an output; roots and failed steps are written with it too.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum OutputLine {
    File { digest: String, size: u64, executable: bool },
    Tree(BlobLine),
}

/// The JSON of a blob.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BlobLine {
    digest: String,
    size: u64,
}

impl Line {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).expect("BUG: strings and numbers always become JSON");
        bytes.push(b'\n');
        bytes
    }

    fn parse(bytes: &[u8]) -> Option<ActionResult> {
        let line: Self = serde_json::from_slice(bytes).ok()?;
        let output = |(name, line): (String, OutputLine)| Some((Name::new(name).ok()?, line.output()?));
        let outputs = line.outputs.into_iter().map(output).collect::<Option<_>>()?;
        // A part that is there must be right.
        let whole = |part: Option<BlobLine>| part.map_or(Some(None), |line| line.blob().map(Some));
        let (log, downloads) = (whole(line.log)?, whole(line.downloads)?);
        Some(ActionResult { label: line.label, outputs, seconds: line.seconds, log, downloads })
    }
}

impl From<&ActionResult> for Line {
    fn from(result: &ActionResult) -> Self {
        let ActionResult { label, outputs, seconds, log, downloads } = result;
        let outputs = outputs.iter().map(|(name, output)| (name.to_string(), output.into())).collect();
        let [log, downloads] = [log, downloads].map(|part| part.as_ref().map(BlobLine::from));
        Self { outputs, seconds: *seconds, log, label: label.clone(), downloads }
    }
}

impl From<&Output> for OutputLine {
    fn from(output: &Output) -> Self {
        match output {
            Output::File { blob, executable } => {
                Self::File { digest: blob.digest.hex(), size: blob.size, executable: *executable }
            }
            Output::Tree(blob) => Self::Tree(blob.into()),
        }
    }
}

impl OutputLine {
    /// The output, unless its digest is none.
    pub(crate) fn output(self) -> Option<Output> {
        match self {
            Self::File { digest, size, executable } => {
                Some(Output::File { blob: BlobLine { digest, size }.blob()?, executable })
            }
            Self::Tree(blob) => blob.blob().map(Output::Tree),
        }
    }
}

impl From<&Blob> for BlobLine {
    fn from(blob: &Blob) -> Self {
        Self { digest: blob.digest.hex(), size: blob.size }
    }
}

impl BlobLine {
    fn blob(self) -> Option<Blob> {
        Some(Blob { digest: self.digest.parse().ok()?, size: self.size })
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::super::fixture::{Fixture, result};
    use super::*;

    fn tree(text: &[u8]) -> Output {
        Output::Tree(Blob { digest: Digest::of(text), size: text.len() as u64 })
    }

    #[test]
    fn golden_lines() {
        let empty = Digest::of(b"").hex();
        let mut sample = result(tree(b""));
        assert_eq!(
            String::from_utf8(Line::from(&sample).bytes()).expect("text"),
            format!(
                "{{\"outputs\":{{\"out\":{{\"tree\":{{\"digest\":\"{empty}\",\"size\":0}}}}}},\"seconds\":0.5,\"log\":null}}\n"
            )
        );
        let blob = Blob { digest: Digest::of(b""), size: 0 };
        sample.outputs.insert(Name::new("tool").expect("a name"), Output::File { blob, executable: true });
        (sample.log, sample.downloads, sample.label) = (Some(blob), Some(blob), "hello: compile".to_owned());
        let line = String::from_utf8(Line::from(&sample).bytes()).expect("text");
        let end = format!(",\"label\":\"hello: compile\",\"downloads\":{{\"digest\":\"{empty}\",\"size\":0}}}}\n");
        assert!(line.ends_with(&end), "{line}");
        assert_eq!(Line::parse(&Line::from(&sample).bytes()), Some(sample));
    }

    #[test]
    fn broken_lines_count_as_absent() {
        let whole = Line::from(&result(tree(b""))).bytes();
        assert!((0..whole.len() - 1).all(|end| Line::parse(&whole[..end]).is_none()));
        assert!(Line::parse(&vec![0; whole.len()]).is_none());
    }

    #[test]
    fn trusted_here_at_once_and_elsewhere_after_a_commit() {
        let fixture = Fixture::new();
        let want = result(Output::Tree(fixture.tree(&[("a", "text")])));
        let (key, other) = (Digest::of(b"key"), fixture.again("one"));
        fixture.store.record(&key, &want).expect("records");
        assert_eq!(fixture.store.result(&key).expect("looks").as_ref(), Some(&want));
        assert_eq!(other.result(&key).expect("looks"), None);
        fixture.store.commit().expect("commits");
        assert_eq!(other.result(&key).expect("looks"), Some(want));
        other.forget(&key).expect("forgets");
        assert_eq!(fixture.store.result(&key).expect("looks"), None);
    }

    #[test]
    fn without_its_output_a_result_is_absent() {
        let fixture = Fixture::new();
        let key = fixture.commit("key", tree(b"never stored"));
        assert_eq!(fixture.store.result(&key).expect("looks"), None);
    }

    #[test]
    fn many_threads_commit() {
        let fixture = Fixture::new();
        let output = Output::Tree(fixture.tree(&[("a", "text")]));
        let store = &fixture.store;
        thread::scope(|scope| {
            for number in 0..8u8 {
                scope.spawn(move || {
                    store.record(&Digest::of(&[number]), &result(output)).expect("records");
                    store.commit().expect("commits");
                });
            }
        });
        let other = fixture.again("one");
        assert!((0..8u8).all(|number| other.result(&Digest::of(&[number])).expect("looks").is_some()));
    }

    #[test]
    fn one_at_a_time_has_the_lock() {
        let fixture = Fixture::new();
        let key = Digest::of(b"key");
        let lock = fixture.store.lock(&key).expect("locks");
        let other = fixture.again("one");
        assert!(other.try_lock(&key).expect("looks").is_none());
        thread::scope(|scope| {
            let waiter = scope.spawn(move || other.lock(&key));
            drop(lock);
            waiter.join().expect("no panic").expect("locks");
        });
        assert!(fixture.store.try_lock(&key).expect("looks").is_some());
    }
}
