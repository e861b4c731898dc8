//! A lock on a file or folder, by flock(2), that ends with the value.
//!
//! Closing the file does not always end it: a process that another thread is just starting has a copy of every
//! descriptor until it executes its program, and the lock is held until the last copy is closed.

use std::fs::File;
use std::ops::Deref;

/// An open file; the lock on it, if one was taken, ends with this.
#[derive(Debug)]
pub struct Flock(File);

impl From<File> for Flock {
    fn from(file: File) -> Self {
        Self(file)
    }
}

impl Deref for Flock {
    type Target = File;

    fn deref(&self) -> &File {
        &self.0
    }
}

impl Drop for Flock {
    fn drop(&mut self) {
        // Closing it follows, which ends the lock, too.
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_of_the_descriptor_does_not_prolong_it() {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("lock");
        let lock = Flock::from(File::create(&path).expect("creates"));
        lock.try_lock().expect("is free");
        let _copy = lock.try_clone().expect("copies");
        let other = Flock::from(File::open(&path).expect("opens"));
        assert!(other.try_lock().is_err());
        drop(lock);
        other.try_lock().expect("is free again");
    }
}
