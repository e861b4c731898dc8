//! Path sources: files of this repository, chosen by globs, as a tree of the store.
//!
//! Git is not asked. `*` does not cross a slash, `**` does; a pattern that matches a directory
//! matches all that is below it; no `include` means everything. Never included, at any depth: `.git`,
//! `target`, `result`. Symlinks are kept as they are and never followed; directories without a file
//! are left out. Each pattern of `include` must match something.
//!
//! A source whose directory has not changed, as far as stat tells, is not even listed again: see
//! [`super::seen`]. A file whose ctime is within [`RACY`] of the moment it was read could change once
//! more without its stat showing it; it is read again in the next run.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::Error;
use super::seen::{File, Seen, Source};
use super::walk::{Kind, Stat, Walk};
use crate::canon;
use crate::digest::{Digest, Hasher};
use crate::path::RelPath;
use crate::store::{Blob, Output, Store, TreeBuilder};
use crate::words;

/// Coarser than the clock of any file system that forge runs on.
const RACY: Duration = Duration::from_millis(50);
/// How often a file is read that changes meanwhile.
const READS_MAX: usize = 3;

/// Looks at the files of a project; one for all path sources of a run.
pub struct Observer<'a> {
    store: &'a Store,
    index: PathBuf,
    clock: fn() -> SystemTime,
    state: Mutex<State>,
}

struct State {
    walk: Walk,
    seen: Seen,
}

impl<'a> Observer<'a> {
    /// Opens the index of the project at `project`, an absolute path. `clock` is `SystemTime::now`.
    ///
    /// # Errors
    /// When the project or its index can't be read.
    pub fn open(store: &'a Store, project: &Path, clock: fn() -> SystemTime) -> Result<Self, Error> {
        let name = Digest::of(project.as_os_str().as_encoded_bytes()).hex();
        let index = store.root().join("index").join(format!("paths-{}", &name[..16]));
        let seen = Seen::read(&index).map_err(|source| Error::Io { path: index.clone(), source })?;
        Ok(Self { store, index, clock, state: Mutex::new(State { walk: Walk::new(project)?, seen }) })
    }

    /// The tree of one source, in the store. Every directory and file is looked at once a run.
    ///
    /// # Errors
    /// When nothing matches, when a matched entry can't be stored, or when the directory leads out of the project.
    pub fn observe(&self, directory: &RelPath, include: &[String], exclude: &[String]) -> Result<Output, Error> {
        let specification = specification(directory, include, exclude);
        let mut state = self.lock();
        let now = state.walk.state(directory)?;
        if let Some(source) = state.seen.source(&specification)
            && source.state == now
            && self.store.contains(&source.tree.digest)
        {
            return Ok(Output::Tree(source.tree));
        }
        let choice = Choice::new(directory, include, exclude)?;
        let (tree, racy) = self.tree(&mut state, directory, &choice)?;
        if !racy {
            state.seen.add_source(specification, Source { state: now, tree });
        }
        Ok(Output::Tree(tree))
    }

    /// A digest of all that stat tells of everything below `directories`: the same as long as nothing
    /// has changed there. `None` where that can't be told: a file changed within [`RACY`] of this
    /// moment and could do so once more unseen, a recipe is a link, which may lead out of the
    /// directories, or something can't be read. What is looked at here
    /// needs no second look in this run.
    pub fn state(&self, directories: &[RelPath]) -> Option<Digest> {
        let racy_from = nanoseconds((self.clock)() - RACY);
        let mut state = self.lock();
        let mut hasher = Hasher::default();
        for directory in directories {
            match state.walk.state(directory) {
                Ok(_) if state.walk.has_linked_recipe(directory) => return None,
                Ok(digest) => hasher.update(digest.bytes()),
                Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => hasher.update(b"none"),
                Err(_) => return None,
            }
        }
        (state.walk.newest() < racy_from).then(|| hasher.finish().0)
    }

    /// Forgets what earlier runs found, for when the store has lost an object: everything is read again.
    pub fn forget(&self) {
        self.lock().seen = Seen::default();
    }

    /// Writes what was found, for the next run.
    ///
    /// # Errors
    /// When the index can't be written.
    pub fn save(&self) -> Result<(), Error> {
        let State { walk, seen } = &mut *self.lock();
        let folder = self.index.parent().expect("BUG: joined in open");
        let saved = std::fs::create_dir_all(folder).and_then(|()| seen.save(&self.index, |path| walk.gone(path)));
        saved.map_err(|source| Error::Io { path: self.index.clone(), source })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("BUG: a thread panicked")
    }

    /// The tree, and whether one of its files may still change unseen.
    fn tree(&self, state: &mut State, directory: &RelPath, choice: &Choice) -> Result<(Blob, bool), Error> {
        let mut chosen = Chosen::default();
        choice.walk(&mut state.walk, directory, None, choice.everything(), &mut chosen)?;
        choice.check(directory, &chosen)?;
        let mut tree = TreeBuilder::new();
        let mut any_racy = false;
        for (path, found) in chosen.entries {
            match found {
                Found::Symlink(target) => tree.symlink(&path, &target)?,
                Found::File(stat) => {
                    let File { stat, digest, racy } = self.file(state, directory.join(&path), stat)?;
                    any_racy |= racy;
                    tree.file(&path, Blob { digest, size: stat.size }, stat.executable())?;
                }
            }
        }
        Ok((tree.finish(self.store)?, any_racy))
    }

    fn file(&self, state: &mut State, path: RelPath, stat: Stat) -> Result<File, Error> {
        match state.seen.file(&path) {
            Some(file) if file.stat == stat && self.store.contains(&file.digest) => Ok(*file),
            _ => {
                let file = self.read(&state.walk, &path, stat)?;
                state.seen.add_file(path, file);
                Ok(file)
            }
        }
    }

    fn read(&self, walk: &Walk, path: &RelPath, mut stat: Stat) -> Result<File, Error> {
        for _ in 0..READS_MAX {
            let racy_from = nanoseconds((self.clock)() - RACY);
            let blob = self.store.copy_file(&walk.full(path))?;
            let after = walk.stat(path)?;
            if after == stat && blob.size == stat.size {
                return Ok(File { stat, digest: blob.digest, racy: stat.ctime >= racy_from });
            }
            if !after.is_file() {
                break;
            }
            stat = after;
        }
        Err(Error::Changing(path.clone()))
    }
}

fn nanoseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// What a source is remembered by.
fn specification(directory: &RelPath, include: &[String], exclude: &[String]) -> Digest {
    canon::identity("forge path source 2", &(directory, (include.to_vec(), exclude.to_vec())))
}

/// A chosen entry.
enum Found {
    File(Stat),
    Symlink(String),
}

/// What the patterns of a source chose.
#[derive(Default)]
struct Chosen {
    /// By paths below the source's directory.
    entries: Vec<(RelPath, Found)>,
    /// The patterns that chose something, by number.
    used: BTreeSet<usize>,
    /// Files that were not chosen.
    seen: Vec<RelPath>,
}

/// Tells which sources hold a file, with no look at the rest of them and no store.
pub struct Finder(Walk);

impl Finder {
    /// Opens the project at `project`, an absolute path.
    ///
    /// # Errors
    /// When it can't be opened.
    pub fn open(project: &Path) -> Result<Self, Error> {
        Walk::new(project).map(Self)
    }

    /// Whether the patterns of a source choose `file`, a path of the project.
    ///
    /// # Errors
    /// When a directory that leads to it can't be read or leads out of the project, or the file can't be stored.
    pub fn holds(
        &mut self,
        directory: &RelPath,
        include: &[String],
        exclude: &[String],
        file: &RelPath,
    ) -> Result<bool, Error> {
        let below = file.as_str().strip_prefix(directory.as_str()).and_then(|rest| rest.strip_prefix('/'));
        let Some(goal) = below.and_then(|rest| RelPath::new(rest).ok()) else { return Ok(false) };
        let choice = Choice { goal: Some(goal.clone()), ..Choice::new(directory, include, exclude)? };
        let mut chosen = Chosen::default();
        choice.walk(&mut self.0, directory, None, choice.everything(), &mut chosen)?;
        // A file or link in place of a folder that should lead on is chosen, too.
        Ok(chosen.entries.iter().any(|(path, _)| *path == goal))
    }
}

/// The patterns of a source.
struct Choice {
    include: Vec<String>,
    included: GlobSet,
    excluded: GlobSet,
    /// The one entry that is asked for, if it is not all.
    goal: Option<RelPath>,
}

impl Choice {
    fn new(directory: &RelPath, include: &[String], exclude: &[String]) -> Result<Self, Error> {
        let set = |patterns: &[String]| {
            let mut set = GlobSetBuilder::new();
            for pattern in patterns {
                set.add(GlobBuilder::new(pattern).literal_separator(true).build()?);
            }
            set.build()
        };
        let failed = |error| Error::Glob { directory: directory.clone(), error };
        let (included, excluded) = (set(include).map_err(failed)?, set(exclude).map_err(failed)?);
        Ok(Self { include: include.to_vec(), included, excluded, goal: None })
    }

    /// Whether an entry is asked for, or leads to what is.
    fn concerns(&self, path: &RelPath) -> bool {
        self.goal.as_ref().is_none_or(|goal| {
            goal.as_str().strip_prefix(path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    fn everything(&self) -> bool {
        self.include.is_empty()
    }

    /// Refuses patterns that match nothing: they are slips, or left over.
    fn check(&self, directory: &RelPath, chosen: &Chosen) -> Result<(), Error> {
        let unused = self.include.iter().enumerate().filter(|(number, _)| !chosen.used.contains(number));
        let mut globs: Vec<_> = unused.map(|(_, glob)| glob.clone()).collect();
        if self.everything() && chosen.entries.is_empty() {
            globs.push("**".to_owned());
        }
        let Some(first) = globs.first() else { return Ok(()) };
        let files = chosen.entries.iter().map(|(path, _)| path).chain(&chosen.seen);
        let near = words::nearest(first, files.map(RelPath::as_str)).map(str::to_owned);
        Err(Error::NothingMatched { directory: directory.clone(), globs, near })
    }

    /// Adds what is chosen in `directory` to `chosen`, by paths below the source's own; `above` is its path there.
    fn walk(
        &self,
        walk: &mut Walk,
        directory: &RelPath,
        above: Option<&RelPath>,
        inherited: bool,
        chosen: &mut Chosen,
    ) -> Result<(), Error> {
        for entry in walk.list(directory)?.iter() {
            let path = above.map_or_else(|| entry.name.clone(), |above| above.join(&entry.name));
            if !self.concerns(&path) || self.excluded.is_match(&path) {
                continue;
            }
            let matching = self.included.matches(&path);
            let included = inherited || !matching.is_empty();
            let (here, before) = (|| directory.join(&entry.name), chosen.entries.len());
            match &entry.kind {
                Kind::Directory => self.walk(walk, &here(), Some(&path), included, chosen)?,
                _ if !included => chosen.seen.push(path),
                Kind::File(stat) => chosen.entries.push((path, Found::File(*stat))),
                Kind::Symlink(target) => chosen.entries.push((path, Found::Symlink(target.clone()))),
                Kind::Special => return Err(Error::Special(here())),
            }
            if chosen.entries.len() > before {
                chosen.used.extend(matching);
            }
        }
        Ok(())
    }
}
