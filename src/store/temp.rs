//! Files written aside: on the bench of this process first, then moved to where they belong.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use rustix::fs::{AtFlags, Mode, OFlags, openat, renameat, unlinkat};
use rustix::io::Errno;

use super::error::at;
use super::object::{Disk, Kind, seal};
use super::scratch::Scratch;
use super::{Blob, Error, fault};
use crate::digest::Digest;

impl Disk {
    /// A file to be written aside.
    pub(super) fn temp(&self) -> Result<Temp<'_>, Error> {
        let (bench, name) = (self.bench()?, self.fresh());
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(bench.directory(), &name, flags, Mode::RUSR | Mode::WUSR);
        let file = file.map_err(at(bench.path().join(&name)))?.into();
        fault::point("write.begun");
        Ok(Temp { disk: self, bench, file, name, placed: false })
    }
}

/// A file being written aside; removed on drop unless it was placed.
pub(super) struct Temp<'a> {
    disk: &'a Disk,
    bench: &'a Scratch,
    pub(super) file: File,
    name: String,
    placed: bool,
}

impl Temp<'_> {
    pub(super) fn path(&self) -> PathBuf {
        self.bench.path().join(&self.name)
    }

    pub(super) fn write_all(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes).map_err(at(self.path()))
    }

    /// Gives the file its mode and time, and moves it to where `blob` belongs.
    pub(super) fn place(mut self, kind: Kind, blob: &Blob) -> Result<(), Error> {
        seal(&self.file, kind.mode()).map_err(at(self.path()))?;
        fault::point("write.sealed");
        self.disk.place(self.bench.directory(), self.name.as_str(), kind, blob)?;
        self.placed = true;
        Ok(())
    }

    /// As [`Temp::place`], over what lies there.
    pub(super) fn replace(mut self, kind: Kind, digest: &Digest) -> Result<(), Error> {
        seal(&self.file, kind.mode()).map_err(at(self.path()))?;
        let to = kind.path(digest);
        self.disk.replace(self.bench.directory(), self.name.as_str(), &to).map_err(self.disk.at(&to))?;
        self.placed = true;
        Ok(())
    }

    /// Moves the file to a path below the store, over what lies there.
    pub(super) fn rename(mut self, to: &str) -> Result<(), Error> {
        let rename = || renameat(self.bench.directory(), &self.name, &self.disk.root, to);
        let mut moved = rename();
        if moved == Err(Errno::NOENT) {
            self.disk.make_folder(to)?;
            moved = rename();
        }
        moved.map_err(self.disk.at(to))?;
        self.placed = true;
        Ok(())
    }
}

impl Drop for Temp<'_> {
    fn drop(&mut self) {
        if !self.placed {
            // What stays is erased with the bench.
            let _ = unlinkat(self.bench.directory(), &self.name, AtFlags::empty());
        }
    }
}
