//! Realised trees: `tree/<digest>/`, real directories of hard links to objects.
//!
//! A tree is made aside and gets its name by one rename, so what has the name is whole. On first
//! use in a process it is compared with its Directory messages by looks alone (names, types,
//! modes, sizes, times). A difference means that someone wrote into it, and so maybe into an
//! object: then all its objects are hashed again, and it is made anew from those that are sound.
//!
//! Empty files are never linked, as every tree has many and file systems allow about 65,000 links
//! to a file. When another object comes to that limit, a fresh copy takes its place.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, RenameFlags, Stat, linkat, mkdirat, openat, readlinkat};
use rustix::fs::{renameat_with, statat, symlinkat, utimensat};
use rustix::io::Errno;

use super::error::at;
use super::object::{DIRECTORY_MODE, Disk, Kind, MTIME, Object, looks, seal, times};
use super::reach::Reach;
use super::{Blob, Directory, Error, Node, Output, Store, fault, scratch, threads};
use crate::digest::Digest;

impl Store {
    /// The tree as a real directory that can be bind-mounted read-only; made once, looked over on
    /// first use in a process.
    ///
    /// # Errors
    /// [`Error::is_damage`] if an object of it is corrupt or gone: the results that need it are
    /// forgotten then, so that a new build makes it again.
    pub fn checkout(&self, tree: &Digest) -> Result<PathBuf, Error> {
        let path = self.disk.tree_path(tree);
        if self.disk.checked.lock().expect("BUG: a thread panicked").contains(tree) {
            return Ok(path);
        }
        let _lock = self.lock(tree)?;
        if !self.disk.tree_stands(tree)? {
            self.disk.make_tree(tree)?;
        }
        self.disk.checked.lock().expect("BUG: a thread panicked").insert(*tree);
        Ok(path)
    }

    /// The real path of an output: [`Store::checkout`] of a tree, [`Store::file`] of a file.
    ///
    /// # Errors
    /// As those.
    pub fn realise(&self, output: &Output) -> Result<PathBuf, Error> {
        match output {
            Output::File { blob, executable } => self.file(blob, *executable),
            Output::Tree(blob) => self.checkout(&blob.digest),
        }
    }

    /// The real path of an output if it was realised before, not looked over: enough to see
    /// whether a link still points to it.
    #[must_use]
    pub fn realised(&self, output: &Output) -> Option<PathBuf> {
        let path = match output {
            Output::File { blob, executable } => self.disk.path.join(Kind::of(*executable).path(&blob.digest)),
            Output::Tree(blob) => self.disk.tree_path(&blob.digest),
        };
        path.symlink_metadata().is_ok().then_some(path)
    }
}

impl Disk {
    fn tree_path(&self, tree: &Digest) -> PathBuf {
        self.path.join("tree").join(tree.hex())
    }

    /// Whether the tree is realised and looks right. One that does not is set aside, after
    /// its objects were found sound.
    fn tree_stands(&self, tree: &Digest) -> Result<bool, Error> {
        let path = self.tree_path(tree);
        let stat = match statat(CWD, &path, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => return Ok(false),
            stat => stat.map_err(at(&path))?,
        };
        if is_directory(&stat) && self.tree_matches(CWD, &path, tree)? {
            return Ok(true);
        }
        self.audit(tree)?;
        self.set_tree_aside(tree)?;
        Ok(false)
    }

    /// Compares a realised directory with its message by looks.
    pub(super) fn tree_matches(&self, parent: impl AsFd, name: &Path, digest: &Digest) -> Result<bool, Error> {
        let directory = self.directory(digest)?;
        let real = match open_directory(parent, name) {
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::ACCESS) => return Ok(false),
            real => real.map_err(at(name))?,
        };
        let mut seen = 0;
        for entry in Dir::read_from(&real).map_err(at(name))? {
            let entry = entry.map_err(at(name))?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let Some((name, node)) = name.to_str().ok().and_then(|name| directory.entries.get_key_value(name)) else {
                return Ok(false);
            };
            if !self.node_matches(&real, name, node)? {
                return Ok(false);
            }
            seen += 1;
        }
        Ok(seen == directory.entries.len())
    }

    fn node_matches(&self, parent: &File, name: &str, node: &Node) -> Result<bool, Error> {
        let stat = statat(parent, name, AtFlags::SYMLINK_NOFOLLOW).map_err(at(name))?;
        Ok(match node {
            Node::File { blob, executable } => looks(&stat, Kind::of(*executable).mode(), blob.size),
            Node::Directory(blob) => is_directory(&stat) && self.tree_matches(parent, name.as_ref(), &blob.digest)?,
            Node::Symlink(target) => {
                stat.st_mtime == MTIME
                    && readlinkat(parent, name, Vec::new()).is_ok_and(|found| found.to_bytes() == target.as_bytes())
            }
        })
    }

    /// Hashes every object of a tree; sound ones get their looks back, others go to quarantine.
    fn audit(&self, tree: &Digest) -> Result<(), Error> {
        let mut reach = Reach::default();
        reach.output(self, &Output::Tree(Blob { digest: *tree, size: 0 }));
        let objects: Vec<_> = reach.objects.into_keys().collect();
        let sound = self.sound(&objects, reach.bytes)?;
        let bad: Vec<_> = objects.iter().zip(sound).filter(|(_, sound)| !sound).map(|(object, _)| *object).collect();
        if bad.is_empty() { Ok(()) } else { Err(self.corrupt(&bad)) }
    }

    /// Whether each object, `bytes` in all, is sound. One that is not there is for the checkout to miss.
    pub(super) fn sound(&self, objects: &[Object], bytes: u64) -> Result<Vec<bool>, Error> {
        let threads = threads::worth(objects.len(), bytes);
        threads::hash_each(
            objects,
            threads,
            |object| self.open_object(object),
            |(kind, digest), read| match read {
                Some((_, blob)) if blob.digest != *digest => Ok(false),
                Some((_, blob)) => self.mend(*kind, &blob).map(|()| true),
                None => Ok(true),
            },
        )
    }

    /// Whether one object is sound.
    pub(super) fn is_sound(&self, kind: Kind, digest: &Digest) -> Result<bool, Error> {
        self.sound(&[(kind, *digest)], 0).map(|sound| sound[0])
    }

    /// Sets mode and time of an object right whose bytes were found right.
    pub(super) fn mend(&self, kind: Kind, blob: &Blob) -> Result<(), Error> {
        let path = kind.path(&blob.digest);
        if !self.intact(kind, blob)?
            && let Some(file) = self.open(&path)?
        {
            seal(file, kind.mode()).map_err(self.at(path))?;
        }
        Ok(())
    }

    fn make_tree(&self, tree: &Digest) -> Result<(), Error> {
        let aside = self.aside()?;
        let made = self.make_directory(CWD, &aside, &self.directory(tree)?);
        if let Err(error) = made {
            scratch::erase(&aside)?;
            return Err(error);
        }
        fault::point("checkout.made");
        let path = self.tree_path(tree);
        renameat_with(CWD, &aside, CWD, &path, RenameFlags::NOREPLACE).map_err(at(path))?;
        fault::point("checkout.placed");
        Ok(())
    }

    fn make_directory(&self, parent: impl AsFd, name: &Path, directory: &Directory) -> Result<(), Error> {
        mkdirat(&parent, name, Mode::RWXU).map_err(at(name))?;
        let real = open_directory(parent, name).map_err(at(name))?;
        for (name, node) in &directory.entries {
            match node {
                Node::File { blob, executable } => self.link(Kind::of(*executable), blob, &real, name)?,
                Node::Directory(blob) => self.make_directory(&real, name.as_ref(), &self.directory(&blob.digest)?)?,
                Node::Symlink(target) => make_symlink(&real, name, target).map_err(at(name))?,
            }
        }
        seal(&real, DIRECTORY_MODE).map_err(at(name))
    }

    /// Links an object into a tree.
    fn link(&self, kind: Kind, blob: &Blob, parent: &File, name: &str) -> Result<(), Error> {
        if blob.size == 0 {
            return make_empty(kind, parent, name).map_err(at(name));
        }
        let path = kind.path(&blob.digest);
        let mut linked = self.try_link(&path, parent, name);
        if linked == Err(Errno::NOENT) {
            self.make_other(kind, blob)?;
            linked = self.try_link(&path, parent, name);
        }
        if linked == Err(Errno::MLINK) {
            self.renew(kind, blob)?;
            linked = self.try_link(&path, parent, name);
        }
        linked.map_err(self.at(path))?;
        fault::point("checkout.linked");
        Ok(())
    }

    fn try_link(&self, path: &str, parent: &File, name: &str) -> Result<(), Errno> {
        if let Some(max) = self.max_links
            && statat(&self.root, path, AtFlags::SYMLINK_NOFOLLOW)?.st_nlink >= max
        {
            return Err(Errno::MLINK);
        }
        linkat(&self.root, path, parent, name, AtFlags::empty())
    }

    /// Puts a fresh copy in place of an object that has as many links as it can.
    fn renew(&self, kind: Kind, blob: &Blob) -> Result<(), Error> {
        let path = kind.path(&blob.digest);
        let mut temp = self.temp()?;
        let mut old = self.open(&path)?.ok_or(Error::Missing(blob.digest))?;
        std::io::copy(&mut old, &mut temp.file).map_err(self.at(path))?;
        temp.replace(kind, &blob.digest)
    }
}

fn is_directory(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
        && Mode::from_raw_mode(stat.st_mode) == DIRECTORY_MODE
        && stat.st_mtime == MTIME
}

fn open_directory(parent: impl AsFd, name: &Path) -> Result<File, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(parent, name, flags, Mode::empty()).map(File::from)
}

fn make_symlink(parent: &File, name: &str, target: &str) -> Result<(), Errno> {
    symlinkat(target, parent, name)?;
    utimensat(parent, name, &times(), AtFlags::SYMLINK_NOFOLLOW)
}

fn make_empty(kind: Kind, parent: &File, name: &str) -> Result<(), Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    seal(openat(parent, name, flags, Mode::RUSR | Mode::WUSR)?, kind.mode())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;
    use std::thread;

    use super::super::Setup;
    use super::super::fixture::{Fixture, chmod, sample, setup, write};
    use super::*;

    fn modes(path: &Path, found: &mut Vec<(PathBuf, u32, i64)>) {
        let data = path.symlink_metadata().expect("stats");
        found.push((path.to_owned(), data.mode() & 0o7777, data.mtime()));
        if data.is_dir() {
            path.read_dir().expect("reads").for_each(|entry| modes(&entry.expect("an entry").path(), found));
        }
    }

    #[test]
    fn modes_and_times_are_fixed() {
        let fixture = Fixture::new();
        sample(&fixture.outside("tree"));
        let tree = fixture.import(&fixture.outside("tree"));
        let path = fixture.store.checkout(&tree.digest).expect("checks out");
        let mut found = Vec::new();
        modes(&path, &mut found);
        for (path, mode, time) in found {
            let data = path.symlink_metadata().expect("stats");
            let want = if data.is_symlink() {
                0o777
            } else if data.is_dir() || path.ends_with("bin/tool") {
                0o755
            } else {
                0o644
            };
            assert_eq!((mode, time), (want, MTIME), "{}", path.display());
        }
        assert_eq!(std::fs::read_link(path.join("dangling")).expect("reads"), Path::new("/no/where"));
    }

    #[test]
    fn files_are_links_and_empty_files_are_not() {
        let fixture = Fixture::new();
        let tree = fixture.tree(&[("a", "text"), ("b", "text"), ("empty", "")]);
        let path = fixture.store.checkout(&tree.digest).expect("checks out");
        let links = |name| path.join(name).metadata().expect("stats").nlink();
        assert_eq!((links("a"), links("b"), links("empty")), (3, 3, 1));
    }

    #[test]
    fn an_object_with_all_its_links_is_renewed() {
        let fixture = Fixture::with(&Setup { max_links: Some(3), ..setup("one") });
        let tree = fixture.tree(&[("a", "x"), ("b", "x"), ("c", "x"), ("d", "x"), ("e", "x")]);
        let path = fixture.store.checkout(&tree.digest).expect("checks out");
        for name in ["a", "b", "c", "d", "e"] {
            let data = path.join(name).metadata().expect("stats");
            assert!(data.nlink() <= 3 && data.mtime() == MTIME, "{name}");
            assert_eq!(std::fs::read(path.join(name)).expect("reads"), b"x");
        }
    }

    /// Each entry damages a tree without touching an object; a new process makes it anew.
    #[test]
    fn a_damaged_tree_is_made_anew() {
        type Damage = fn(&Path);
        let cases: [(&str, Damage); 6] = [
            ("removed", |path| std::fs::remove_file(path.join("a")).expect("removes")),
            ("added", |path| write(&path.join("more"), "", 0o644)),
            ("mode", |path| chmod(&path.join("a"), 0o600)),
            ("time", |path| {
                drop(std::fs::File::open(path.join("a")).map(|f| f.set_modified(std::time::SystemTime::now())))
            }),
            ("directory", |path| chmod(&path.join("d"), 0o700)),
            ("type", |path| {
                std::fs::remove_file(path.join("a")).expect("removes");
                std::os::unix::fs::symlink("d", path.join("a")).expect("links");
            }),
        ];
        for (what, damage) in cases {
            let fixture = Fixture::new();
            let tree = fixture.tree(&[("a", "text"), ("d/b", "more")]);
            let path = fixture.store.checkout(&tree.digest).expect("checks out");
            damage(&path);
            let again = fixture.again("one");
            let path = again.checkout(&tree.digest).expect(what);
            assert!(again.disk.tree_matches(CWD, &path, &tree.digest).expect("compares"), "{what}");
        }
    }

    #[test]
    fn writing_through_a_tree_is_found() {
        let fixture = Fixture::new();
        let tree = fixture.tree(&[("a", "text"), ("b", "fine")]);
        let key = fixture.commit("key", Output::Tree(tree));
        let path = fixture.store.checkout(&tree.digest).expect("checks out");
        std::fs::write(path.join("a"), "TEXT").expect("writes through the link");
        let again = fixture.again("one");
        let error = again.checkout(&tree.digest).expect_err("corrupt");
        assert!(error.is_damage() && error.to_string().contains(&Digest::of(b"text").hex()), "{error}");
        assert_eq!(again.result(&key).expect("looks"), None, "a result over it is forgotten");
        assert_eq!(fixture.tree(&[("a", "text"), ("b", "fine")]), tree);
        let path = again.checkout(&tree.digest).expect("made again");
        assert_eq!(std::fs::read(path.join("a")).expect("reads"), b"text");
    }

    #[test]
    fn a_missing_object_is_damage() {
        let fixture = Fixture::new();
        let tree = fixture.tree(&[("a", "text")]);
        std::fs::remove_file(fixture.store.root().join(Kind::File.path(&Digest::of(b"text")))).expect("removes");
        assert!(fixture.store.checkout(&tree.digest).expect_err("missing").is_damage());
        assert!(fixture.store.checkout(&Digest::of(b"no such tree")).expect_err("missing").is_damage());
    }

    #[test]
    fn many_threads_and_stores_make_one_tree() {
        let fixture = Fixture::new();
        let tree = fixture.tree(&[("a", "text"), ("d/b", "more")]);
        let other = fixture.again("one");
        thread::scope(|scope| {
            for store in [&fixture.store, &other, &fixture.store, &other] {
                scope.spawn(|| store.checkout(&tree.digest).expect("checks out"));
            }
        });
        assert_eq!(fixture.store.root().join("tree").read_dir().expect("reads").count(), 1);
    }

    #[test]
    fn the_other_flavour_is_made_on_demand() {
        let fixture = Fixture::new();
        let blob = fixture.store.put(b"text").expect("puts");
        let path = fixture.store.file(&blob, true).expect("makes");
        assert_eq!(path.metadata().expect("stats").mode() & 0o777, 0o755);
        assert_eq!(std::fs::read(path).expect("reads"), b"text");
    }
}
