//! Two trees on the disk, side by side.
//!
//! Files of the same size are read in step and forgotten; only those that differ are read whole,
//! if [`Limits::file`](super::Limits::file) allows it.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::Path;

use super::bytes::{Bytes, Sample};
use super::difference::{Place, Side, What};
use super::{Error, Walk};

/// Files are read in pieces of this size.
const PIECE: usize = 256 << 10;

impl Walk<'_> {
    /// Compares what stands at two paths.
    pub(super) fn entry(&mut self, place: &Place, paths: [&Path; 2]) -> Result<(), Error> {
        let [one, two] = [look_at(paths[0])?, look_at(paths[1])?];
        let kinds = [kind(&one), kind(&two)];
        if kinds[0] != kinds[1] {
            self.field(place, "the kind", kinds[0], kinds[1]);
            return Ok(());
        }
        if one.is_dir() {
            return self.folder(place, paths);
        }
        if one.is_symlink() {
            let [one, two] = [target(paths[0])?, target(paths[1])?];
            self.field(place, "the target", &one, &two);
        } else if one.is_file() {
            let [executable, other] = [&one, &two].map(|file| file.permissions().mode() & 0o100 != 0);
            self.field(place, "the executable bit", mark(executable), mark(other));
            self.file(place, paths, [one.len(), two.len()])?;
        }
        Ok(())
    }

    /// Adds a difference if a fact differs.
    pub(super) fn field(&mut self, place: &Place, name: &str, want: &str, got: &str) {
        if want != got {
            let [name, want, got] = [name, want, got].map(str::to_owned);
            self.add(place, What::Field { name, want, got });
        }
    }

    fn folder(&mut self, place: &Place, paths: [&Path; 2]) -> Result<(), Error> {
        let [one, two] = [names(paths[0])?, names(paths[1])?];
        for name in one.union(&two) {
            let inside = place.below(&readable(name));
            let [in_one, in_two] = paths.map(|path| path.join(name));
            match (one.contains(name), two.contains(name)) {
                (true, true) => self.entry(&inside, [&in_one, &in_two])?,
                (true, false) => self.only(&inside, Side::Want, kind(&look_at(&in_one)?)),
                _ => self.only(&inside, Side::Got, kind(&look_at(&in_two)?)),
            }
        }
        Ok(())
    }

    /// Adds that only one side has something.
    pub(super) fn only(&mut self, place: &Place, side: Side, what: &str) {
        self.add(place, What::Only { side, what: what.to_owned() });
    }

    fn file(&mut self, place: &Place, paths: [&Path; 2], sizes: [u64; 2]) -> Result<(), Error> {
        if sizes[0] == sizes[1] && same(paths)? {
            return Ok(());
        }
        let limit = self.limits.file;
        if sizes.iter().any(|size| *size > limit) {
            let bytes = scan(paths, sizes)?;
            let note = format!("it is larger than {limit} bytes, so forge did not look inside");
            self.add_noted(place, What::Bytes(bytes), Some(note));
            return Ok(());
        }
        let [one, two] = [whole(paths[0])?, whole(paths[1])?];
        self.content(place, [&one, &two], 0, &[]);
        Ok(())
    }
}

/// A name with what is not UTF-8 escaped.
fn readable(name: &OsStr) -> String {
    let chunks = name.as_encoded_bytes().utf8_chunks();
    chunks.map(|chunk| format!("{}{}", chunk.valid(), chunk.invalid().escape_ascii())).collect()
}

fn kind(metadata: &Metadata) -> &'static str {
    match metadata.file_type() {
        kind if kind.is_file() => "a file",
        kind if kind.is_dir() => "a directory",
        kind if kind.is_symlink() => "a symlink",
        _ => "a device, fifo or socket",
    }
}

fn mark(executable: bool) -> &'static str {
    if executable { "executable" } else { "not executable" }
}

fn look_at(path: &Path) -> Result<Metadata, Error> {
    fs::symlink_metadata(path).map_err(at(path))
}

fn target(path: &Path) -> Result<String, Error> {
    Ok(fs::read_link(path).map_err(at(path))?.as_os_str().as_encoded_bytes().escape_ascii().to_string())
}

fn names(path: &Path) -> Result<BTreeSet<OsString>, Error> {
    let entries = fs::read_dir(path).map_err(at(path))?;
    entries.map(|entry| entry.map(|entry| entry.file_name()).map_err(at(path))).collect()
}

fn whole(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(at(path))
}

fn open(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(at(path))
}

fn same(paths: [&Path; 2]) -> Result<bool, Error> {
    let mut same = true;
    in_step(paths, |one, two| {
        same = one == two;
        same
    })?;
    Ok(same)
}

/// Where two files differ first, and in how many bytes, without having them in memory.
fn scan(paths: [&Path; 2], sizes: [u64; 2]) -> Result<Bytes, Error> {
    let (mut position, mut first, mut count) = (0u64, None, 0u64);
    in_step(paths, |one, two| {
        let length = one.len().min(two.len());
        if one[..length] != two[..length] {
            let differs = |at: &usize| one[*at] != two[*at];
            first = first.or_else(|| (0..length).find(differs).map(|at| position + at as u64));
            count += (0..length).filter(differs).count() as u64;
        }
        position += length as u64;
        one.len() == two.len()
    })?;
    let first = first.unwrap_or(position);
    let [one, two] = [sample(paths[0], first)?, sample(paths[1], first)?];
    Ok(Bytes::new(first, sizes, count, [&one, &two]))
}

fn sample(path: &Path, first: u64) -> Result<Sample, Error> {
    let range = Sample::range(first);
    let mut bytes = vec![0; Sample::LENGTH];
    let file = open(path)?;
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read_at(&mut bytes[filled..], range.start + filled as u64).map_err(at(path))? {
            0 => break,
            count => filled += count,
        }
    }
    bytes.truncate(filled);
    Ok(Sample { start: range.start, bytes })
}

/// Gives pieces of both files to `look` until it says that it has seen enough. A piece is shorter
/// than the other only at the end.
fn in_step(paths: [&Path; 2], mut look: impl FnMut(&[u8], &[u8]) -> bool) -> Result<(), Error> {
    let [mut one, mut two] = [open(paths[0])?, open(paths[1])?];
    let mut pieces = [Vec::with_capacity(PIECE), Vec::with_capacity(PIECE)];
    loop {
        fill(&mut one, &mut pieces[0]).map_err(at(paths[0]))?;
        fill(&mut two, &mut pieces[1]).map_err(at(paths[1]))?;
        if !look(&pieces[0], &pieces[1]) || pieces.iter().any(|piece| piece.len() < PIECE) {
            return Ok(());
        }
    }
}

fn fill(file: &mut File, piece: &mut Vec<u8>) -> io::Result<()> {
    piece.clear();
    file.take(PIECE as u64).read_to_end(piece).map(drop)
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> Error {
    |source| Error { path: path.to_owned(), source }
}
