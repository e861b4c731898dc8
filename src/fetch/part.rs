//! A download on its way: `<store>/partial/<64 hex>`, named after the digest that is wanted (after
//! the digest of its URL where none is known yet). It survives a cut, a crash and the end of forge;
//! who wants the same file next goes on where it ends. One writer at a time, kept by a file lock.

use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::Error;
use crate::digest::{Digest, Hasher};
use crate::store::{Blob, Output, Store};

pub(super) struct Part {
    path: PathBuf,
    file: File,
    hasher: Hasher,
    size: u64,
}

impl Part {
    /// Opens what is there, or an empty one; waits while another download writes it.
    pub(super) fn open(store: &Store, key: &Digest) -> Result<Self, Error> {
        let folder = store.root().join("partial");
        let path = folder.join(key.hex());
        let open = || {
            fs::create_dir_all(&folder)?;
            let mut file = lock(&path)?;
            let mut hasher = Hasher::default();
            let size = io::copy(&mut file, &mut Hashed(&mut hasher))?;
            Ok((file, hasher, size))
        };
        let (file, hasher, size) = open().map_err(|source| Error::Io { path: path.clone(), source })?;
        Ok(Self { path, file, hasher, size })
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The digest of what is there so far.
    pub(super) fn digest(&self) -> Digest {
        self.hasher.clone().finish().0
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes).map_err(|source| self.failed(source))?;
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// Throws away what is there.
    pub(super) fn restart(&mut self) -> Result<(), Error> {
        self.file.set_len(0).and_then(|()| self.file.rewind()).map_err(|source| self.failed(source))?;
        (self.hasher, self.size) = (Hasher::default(), 0);
        Ok(())
    }

    /// Moves the file into the store.
    pub(super) fn enter(self, store: &Store) -> Result<Blob, Error> {
        match store.import(&self.path)? {
            Output::File { blob, .. } => Ok(blob),
            Output::Tree(_) => unreachable!("BUG: a part is a file"),
        }
    }

    /// The bytes; the file is gone then.
    pub(super) fn take(self) -> Result<Vec<u8>, Error> {
        let taken = fs::read(&self.path).and_then(|bytes| fs::remove_file(&self.path).map(|()| bytes));
        taken.map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Io { path: self.path.clone(), source }
    }
}

impl Drop for Part {
    /// Nothing is not worth keeping.
    fn drop(&mut self) {
        if self.size == 0 {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A lock is worth something only while the path still leads to the locked file: its last holder may have moved it.
fn lock(path: &Path) -> io::Result<File> {
    loop {
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        file.lock()?;
        match fs::metadata(path) {
            Ok(there) if there.ino() == file.metadata()?.ino() => return Ok(file),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
}

/// Takes in what is copied to it.
struct Hashed<'a>(&'a mut Hasher);

impl Write for Hashed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
