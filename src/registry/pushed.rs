//! Notes on which repositories have which blobs, so that a registry can mount them instead of taking them again.
//!
//! A file a registry, a line a blob: its digest, and the last repository that it was pushed to. A note that is wrong
//! costs nothing: the registry then opens an upload in place of the mount.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::{Error, Host, Repository};
use crate::digest::Digest;
use crate::store::Blob;

/// The notes on a registry.
#[derive(Debug)]
pub struct Pushed {
    path: PathBuf,
    host: Host,
    blobs: BTreeMap<Digest, String>,
}

impl Pushed {
    /// The notes on `host`, out of `folder`. Notes that can't be read count as none.
    #[must_use]
    pub fn read(folder: &Path, host: &Host) -> Self {
        let path = folder.join(&Digest::of(host.name().as_bytes()).hex()[..16]);
        let text = fs::read_to_string(&path).unwrap_or_default();
        let line = |line: &str| line.split_once(' ').and_then(|(hex, name)| Some((hex.parse().ok()?, name.to_owned())));
        Self { path, host: host.clone(), blobs: text.lines().filter_map(line).collect() }
    }

    /// A repository that has the blob.
    #[must_use]
    pub fn of(&self, blob: &Blob) -> Option<Repository> {
        let name = self.blobs.get(&blob.digest)?.clone();
        Some(Repository { host: self.host.clone(), name })
    }

    /// Notes that `repository` has these blobs.
    ///
    /// # Errors
    /// When the notes can't be written.
    pub fn add(mut self, repository: &Repository, blobs: impl IntoIterator<Item = Blob>) -> Result<(), Error> {
        self.blobs.extend(blobs.into_iter().map(|blob| (blob.digest, repository.name.clone())));
        let text: String = self.blobs.iter().map(|(digest, name)| format!("{} {name}\n", digest.hex())).collect();
        write(&self.path, &text).map_err(|source| Error::Io { path: self.path.clone(), source })
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let aside = path.with_extension(std::process::id().to_string());
    match path.parent().map_or(Ok(()), fs::create_dir) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    fs::write(&aside, text)?;
    fs::rename(aside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let (folder, host) = (folder.path().join("pushed"), Host::new("example.org"));
        let repository = |name: &str| Repository { host: host.clone(), name: name.to_owned() };
        let blob = |text: &str| Blob { digest: Digest::of(text.as_bytes()), size: 1 };
        let read = || Pushed::read(&folder, &host);
        assert_eq!(read().of(&blob("a")), None);
        read().add(&repository("one"), [blob("a"), blob("b")]).expect("writes");
        read().add(&repository("two/x"), [blob("b")]).expect("writes");
        assert_eq!(read().of(&blob("a")), Some(repository("one")));
        assert_eq!(read().of(&blob("b")), Some(repository("two/x")));
        assert_eq!(Pushed::read(&folder, &Host::new("example.com")).of(&blob("a")), None);
    }
}
