//! What can go wrong in a store.

use std::io;
use std::path::PathBuf;

use crate::digest::Digest;

/// What helps against a full disk.
const FULL: &str = "\n  the disk with the store is full: make room on it, or run `forge store gc`";

/// A failure of the store. Each variant names the path or digest it is about.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A system call failed.
    #[error("{}: {source}{}", path.display(), if is_full(source) { FULL } else { "" })]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A directory that holds something else.
    #[error("{}: this is not a store\n  want: `{want}` in the file `format`, or an empty directory\n  got: {got}", path.display())]
    NotAStore {
        /// The directory.
        path: PathBuf,
        /// The format line of this version.
        want: String,
        /// What was found in its place.
        got: String,
    },
    /// A store of another user: files made in it could not be kept up by either.
    #[error("{}: the store belongs to another user; set FORGE_STORE to one of your own\n  want: uid {want}\n  got: uid {got}", path.display())]
    Owner {
        /// The store.
        path: PathBuf,
        /// This process's effective uid.
        want: u32,
        /// The directory's owner.
        got: u32,
    },
    /// Upkeep wants the store for itself while another process works in it.
    #[error("{}: another forge works in the store; try again when it has ended", .0.display())]
    Busy(PathBuf),
    /// Upkeep was told to stop.
    #[error("stopped")]
    Stopped,
    /// A name or symlink target that is not UTF-8, shown with escapes.
    #[error("`{0}` is not UTF-8; a tree can only hold names and symlink targets that are")]
    NotUtf8(String),
    /// A device, socket, fifo or the like.
    #[error("{}: {what} can't be stored; only files, directories and symlinks can", path.display())]
    Unsupported {
        /// Where it stands.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// A setuid, setgid or sticky bit.
    #[error("{}: mode {mode:04o} can't be stored; special permissions are data: declare them in the recipe", path.display())]
    Permissions {
        /// Where it stands.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// More than [`super::MAX_DEPTH`] directories inside each other.
    #[error("{}: directories are nested deeper than {}", .0.display(), super::MAX_DEPTH)]
    TooDeep(PathBuf),
    /// Two different things at one path of a tree.
    #[error("`{path}` is put into the tree twice\n  first: {first}\n  then: {second}")]
    Clash {
        /// The path inside the tree.
        path: String,
        /// What stands there.
        first: String,
        /// What was to be put there.
        second: String,
    },
    /// A blob that is not a canonical Directory message.
    #[error("{digest} is not a directory of the store: {why}")]
    NotADirectory {
        /// The blob.
        digest: Digest,
        /// What is wrong with it.
        why: super::NotCanonical,
    },
    /// Objects whose bytes are not what their names say. They are in quarantine already.
    #[error("{}: {cause}\n  the bad copy went to {}, and every result made of it is forgotten: the next build makes it again", list(digests), quarantine.display())]
    Corrupt {
        /// The objects, at least one.
        digests: Vec<Digest>,
        /// How they may have come to be so.
        cause: Cause,
        /// Where the bad copies lie.
        quarantine: PathBuf,
    },
    /// An object that is not there.
    #[error("{0} is not in the store; every result made of it is forgotten: build again")]
    Missing(Digest),
    /// A fault point that does not exist.
    #[error("there is no fault point `{0}`; `store::fault::POINTS` lists them")]
    NoSuchPoint(String),
}

/// How an object may have come to hold other bytes than its name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// Its time or mode is another one, so it was written to.
    #[error(
        "something wrote to it after it was made, as one can through ./result: results are hard links, so copy one before you change it"
    )]
    Written,
    /// It looks as the store left it.
    #[error("its bytes changed, and its time did not: check the disk and the memory")]
    Decayed,
}

impl Error {
    /// The disk or the user's quota is full: freeing space (`forge store gc`) helps.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Io { source, .. } if is_full(source))
    }

    /// The store lost an object: [`super::Store::forget`] the result and make it again.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Corrupt { .. } | Self::Missing(_))
    }
}

/// The disk or the user's quota is full.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// For `map_err`: names the path that a system call failed on.
pub(super) fn at<P: Into<PathBuf>, E: Into<io::Error>>(path: P) -> impl FnOnce(E) -> Error {
    move |source| Error::Io { path: path.into(), source: source.into() }
}

fn list(digests: &[Digest]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<_> = digests.iter().take(SHOWN).map(Digest::to_string).collect();
    let more = digests.len().saturating_sub(SHOWN);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_other_failures() {
        use rustix::io::Errno;
        for (errno, want) in [(Errno::NOSPC, true), (Errno::DQUOT, true), (Errno::IO, false), (Errno::ACCESS, false)] {
            let error = at("path")(errno);
            assert_eq!((error.is_full(), error.to_string().contains("forge store gc")), (want, want), "{errno}");
        }
    }

    #[test]
    fn long_lists_are_cut() {
        let digests: Vec<_> = (0..5u8).map(|number| Digest::of(&[number])).collect();
        assert!(list(&digests).ends_with(" and 2 more"));
    }
}
