//! Content in and out: bytes are hashed as they are written and again as they are read.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat};

use super::error::{self, at};
use super::object::{Disk, Kind, looks};
use super::temp::Temp;
use super::{Blob, Error, Store};
use crate::digest::{Digest, Hasher};

/// A file up to this size is held in memory until it is whole, and never touches the disk if the
/// store has it.
const HELD: usize = 256 << 10;

/// A blob's file, open for reading.
pub type Opened = File;

impl Store {
    /// Stores a small file.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn put(&self, bytes: &[u8]) -> Result<Blob, Error> {
        self.disk.put(Kind::File, bytes)
    }

    /// A file being written; hashed on the way in, it enters the store at [`Writer::finish`].
    ///
    /// # Errors
    /// None now; the first write may fail.
    pub fn writer(&self) -> Result<Writer<'_>, Error> {
        Ok(Writer { disk: &self.disk, hasher: Hasher::default(), held: Vec::new(), spilled: None })
    }

    /// Copies one file in, leaving the original alone. A symlink is not followed.
    ///
    /// # Errors
    /// If it is no regular file or can't be read or written.
    pub fn copy_file(&self, path: &Path) -> Result<Blob, Error> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file: OwnedFd = openat(CWD, path, flags, Mode::empty()).map_err(at(path))?;
        let stat = fstat(&file).map_err(at(path))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Error::Unsupported { path: path.to_owned(), what: "what is no regular file" });
        }
        let mut writer = self.writer()?;
        // Only writing fills a disk, and that is the store's.
        let blame = |error: io::Error| at(if error::is_full(&error) { self.root() } else { path })(error);
        io::copy(&mut File::from(file), &mut writer).map_err(blame)?;
        writer.finish()
    }

    /// The bytes of a blob, verified while they are read: the end of a corrupt one is an error
    /// that holds an [`Error::Corrupt`], and its bytes must not be used.
    ///
    /// # Errors
    /// If it is not there or can't be opened.
    pub fn read(&self, blob: &Blob) -> Result<Box<dyn Read + Send>, Error> {
        let (kind, file) = self.disk.find(&blob.digest)?;
        let (disk, hasher) = (Arc::clone(&self.disk), Hasher::default());
        Ok(Box::new(Reader { disk, kind, blob: *blob, file, hasher: Some(hasher) }))
    }

    /// A blob's file, opened. One that does not look as the store left it is hashed first: for much that is read
    /// often, where [`read`](Self::read) would take as long to hash it as to work on it.
    ///
    /// # Errors
    /// [`Error::is_damage`] if it is corrupt or not there.
    pub fn open_file(&self, blob: &Blob) -> Result<Opened, Error> {
        let (kind, file) = self.disk.find(&blob.digest)?;
        let stat = fstat(&file).map_err(self.disk.at(kind.path(&blob.digest)))?;
        let sound = looks(&stat, kind.mode(), blob.size) || self.disk.is_sound(kind, &blob.digest)?;
        if sound { Ok(file) } else { Err(self.disk.corrupt(&[(kind, blob.digest)])) }
    }

    /// Whether the store has a blob, as a file or as a directory.
    #[must_use]
    pub fn contains(&self, digest: &Digest) -> bool {
        Kind::ALL.iter().any(|kind| self.disk.has(*kind, digest))
    }

    /// Where the plain file lies, 0644 or 0755; made on demand from the other one. A file that
    /// does not look as the store left it is hashed again.
    ///
    /// # Errors
    /// [`Error::is_damage`] if it is corrupt, or the store has neither.
    pub fn file(&self, blob: &Blob, executable: bool) -> Result<PathBuf, Error> {
        let kind = Kind::of(executable);
        if !self.disk.has(kind, &blob.digest) {
            self.disk.make_other(kind, blob)?;
        } else if !self.disk.intact(kind, blob)? && !self.disk.is_sound(kind, &blob.digest)? {
            return Err(self.disk.corrupt(&[(kind, blob.digest)]));
        }
        Ok(self.disk.path.join(kind.path(&blob.digest)))
    }
}

impl Disk {
    /// An object with that digest, opened, and its kind.
    fn find(&self, digest: &Digest) -> Result<(Kind, File), Error> {
        for kind in Kind::ALL {
            if let Some(file) = self.open(&kind.path(digest))? {
                return Ok((kind, file));
            }
        }
        Err(self.missing(*digest))
    }

    /// Makes the plain file from the executable one, or the other way round.
    pub(super) fn make_other(&self, kind: Kind, blob: &Blob) -> Result<(), Error> {
        let other = Kind::of(kind == Kind::File);
        let path = other.path(&blob.digest);
        let Some(file) = self.open(&path)? else { return Err(self.missing(blob.digest)) };
        let disk_writer = Writer { disk: self, hasher: Hasher::default(), held: Vec::new(), spilled: None };
        let (mut writer, mut file) = (disk_writer, file);
        io::copy(&mut file, &mut writer).map_err(self.at(&path))?;
        if writer.finish_as(kind == Kind::Exec)? == *blob {
            return Ok(());
        }
        Err(self.corrupt(&[(other, blob.digest)]))
    }
}

/// A file being written into the store. Dropped unfinished, it leaves nothing.
pub struct Writer<'a> {
    disk: &'a Disk,
    hasher: Hasher,
    held: Vec<u8>,
    spilled: Option<Temp<'a>>,
}

impl Writer<'_> {
    /// Ends the file, a plain one.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn finish(self) -> Result<Blob, Error> {
        self.finish_as(false)
    }

    /// Ends the file. Saying here what it will be in its tree saves a copy at checkout.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn finish_as(mut self, executable: bool) -> Result<Blob, Error> {
        let kind = Kind::of(executable);
        let Some(mut temp) = self.spilled.take() else { return self.disk.put(kind, &self.held) };
        temp.write_all(&self.held)?;
        let (digest, size) = self.hasher.finish();
        let blob = Blob { digest, size };
        temp.place(kind, &blob)?;
        Ok(blob)
    }

    fn spill(&mut self) -> Result<(), Error> {
        if self.spilled.is_none() {
            self.spilled = Some(self.disk.temp()?);
        }
        if let Some(temp) = &mut self.spilled {
            temp.write_all(&self.held)?;
        }
        self.held.clear();
        Ok(())
    }
}

impl Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.held.len() + bytes.len() > HELD {
            self.spill().map_err(unwrap_io)?;
        }
        let taken = &bytes[..bytes.len().min(HELD)];
        self.hasher.update(taken);
        self.held.extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Keeps the kind of a failed system call, so that a full disk is still seen as one.
fn unwrap_io(error: Error) -> io::Error {
    match error {
        Error::Io { source, .. } => source,
        other => io::Error::other(other),
    }
}

/// Hashes what it reads, and compares at the end.
struct Reader {
    disk: Arc<Disk>,
    kind: Kind,
    blob: Blob,
    file: File,
    /// Until the end was reached and found right.
    hasher: Option<Hasher>,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let Some(hasher) = &mut self.hasher else { return Ok(0) };
        let count = self.file.read(buffer)?;
        hasher.update(&buffer[..count]);
        if count == 0 && !self.whole() {
            return Err(io::Error::other(self.disk.corrupt(&[(self.kind, self.blob.digest)])));
        }
        Ok(count)
    }
}

impl Reader {
    fn whole(&mut self) -> bool {
        self.hasher.take().is_some_and(|hasher| hasher.finish() == (self.blob.digest, self.blob.size))
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let fixture = Fixture::new();
        for size in [0, 1, HELD, HELD + 1, 3 * HELD + 7] {
            let bytes = vec![7; size];
            let mut writer = fixture.store.writer().expect("a writer");
            io::copy(&mut &bytes[..], &mut writer).expect("writes");
            let blob = writer.finish().expect("finishes");
            assert_eq!(blob, Blob { digest: Digest::of(&bytes), size: size as u64 });
            let mut read = Vec::new();
            fixture.store.read(&blob).expect("opens").read_to_end(&mut read).expect("reads");
            assert!(read == bytes, "{size}");
            assert_eq!(fixture.store.put(&bytes).expect("puts"), blob);
        }
    }

    #[test]
    fn an_unfinished_file_leaves_nothing() {
        let fixture = Fixture::new();
        let mut writer = fixture.store.writer().expect("a writer");
        writer.write_all(&vec![1; 2 * HELD]).expect("writes");
        drop(writer);
        assert_eq!(fixture.listing().iter().filter(|line| line.contains("/file/")).count(), 0);
    }

    #[test]
    fn corruption_is_found_while_reading() {
        for damage in [&b"texT"[..], b"tex", b"text and more", b""] {
            let fixture = Fixture::new();
            let blob = fixture.store.put(b"text").expect("puts");
            let path = fixture.store.file(&blob, false).expect("there");
            std::fs::write(&path, damage).expect("damages");
            let error = fixture.store.read(&blob).expect("opens").read_to_end(&mut Vec::new()).expect_err("corrupt");
            assert!(error.to_string().contains("quarantine"), "{error}");
            assert!(!fixture.store.contains(&blob.digest) && fixture.store.read(&blob).is_err());
            assert_eq!(fixture.store.put(b"text").expect("puts again"), blob);
            assert!(fixture.store.contains(&blob.digest));
        }
    }

    #[test]
    fn a_file_is_looked_over_where_it_is_used() {
        for (damage, sound) in [(&b"texT"[..], false), (b"", false), (b"text", true)] {
            let fixture = Fixture::new();
            let blob = fixture.store.put(b"text").expect("puts");
            let path = fixture.store.file(&blob, false).expect("there");
            std::fs::write(&path, damage).expect("damages");
            assert_eq!(fixture.store.file(&blob, false).is_ok(), sound);
            assert_eq!(fixture.store.contains(&blob.digest), sound);
        }
    }

    #[test]
    fn a_file_is_looked_over_where_it_is_opened() {
        for (damage, sound) in [(&b"texT"[..], false), (b"", false), (b"text", true)] {
            let fixture = Fixture::new();
            let blob = fixture.store.put(b"text").expect("puts");
            std::fs::write(fixture.store.file(&blob, false).expect("there"), damage).expect("damages");
            assert_eq!(fixture.store.open_file(&blob).is_ok(), sound);
            assert_eq!(fixture.store.contains(&blob.digest), sound);
        }
    }

    #[test]
    fn storing_again_heals_what_looks_wrong() {
        let fixture = Fixture::new();
        let blob = fixture.store.put(b"text").expect("puts");
        let path = fixture.store.file(&blob, false).expect("there");
        std::fs::write(&path, "longer").expect("damages");
        fixture.store.put(b"text").expect("puts");
        assert_eq!(std::fs::read(&path).expect("reads"), b"text");
    }

    #[test]
    fn copies_files_and_nothing_else() {
        let fixture = Fixture::new();
        let (file, link) = (fixture.outside("file"), fixture.outside("link"));
        std::fs::write(&file, "text").expect("writes");
        std::os::unix::fs::symlink(&file, &link).expect("links");
        assert_eq!(fixture.store.copy_file(&file).expect("copies").digest, Digest::of(b"text"));
        assert!(file.exists());
        for other in [link.as_path(), fixture.dir.path(), &fixture.outside("nothing")] {
            assert!(fixture.store.copy_file(other).is_err(), "{}", other.display());
        }
    }
}
