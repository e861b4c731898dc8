//! How names of an archive become paths of a tree.

use super::tarball::Member;
use super::unpack::Error;
use crate::path::{PathError, RelPath};

/// What is done to each name, in the order of the fields.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Leading components that are dropped, as a source archive's top directory.
    pub strip: u32,
    /// Whether `bin`, `sbin` and `lib*` move below `usr`, as on every Debian since 12.
    pub usr_merge: bool,
    /// Directories that are left out.
    pub trim: Vec<RelPath>,
}

/// The directories that the usr-merge moves below `usr`.
pub const MERGED: [&str; 6] = ["bin", "lib", "lib32", "lib64", "libx32", "sbin"];

impl Rules {
    /// The rules for a toolroot's .debs.
    #[must_use]
    pub fn toolroot(trim: Vec<RelPath>) -> Self {
        Self { strip: 0, usr_merge: true, trim }
    }

    /// The place of the entry `name`; `None` for the top itself.
    pub(super) fn place(&self, name: &[u8], directory: bool) -> Result<Option<RelPath>, Error> {
        let Some(path) = clean(name)? else { return Ok(None) };
        let stripped: Vec<&str> = path.components().skip(self.strip as usize).collect();
        match stripped.as_slice() {
            [] if directory => Ok(None),
            [] => Err(Error::Shallow { path, strip: self.strip }),
            components => Ok(Some(self.merged(RelPath::new(components.join("/"))?))),
        }
    }

    /// Where the usr-merge puts `path`.
    #[must_use]
    pub fn merged(&self, path: RelPath) -> RelPath {
        let moves = self.usr_merge && path.components().next().is_some_and(|first| MERGED.contains(&first));
        if moves { usr().join(&path) } else { path }
    }

    /// Whether `path` is left out.
    #[must_use]
    pub fn trims(&self, path: &RelPath) -> bool {
        let below = |directory: &RelPath| {
            path.as_str().strip_prefix(directory.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.trim.iter().any(below)
    }

    /// Whether a package's own `bin -> usr/bin`: the usr-merge again, which the toolroot adds itself.
    pub(super) fn is_merge_link(&self, member: &Member) -> bool {
        let Ok(Some(path)) = clean(&member.name) else { return false };
        self.usr_merge && MERGED.contains(&path.as_str()) && member.link == usr().join(&path).as_str().as_bytes()
    }
}

fn usr() -> RelPath {
    RelPath::constant("usr")
}

/// Takes the `./` and the final `/` off, which are how tar writes a relative directory.
fn clean(name: &[u8]) -> Result<Option<RelPath>, PathError> {
    let mut name = name;
    while let Some(rest) = name.strip_prefix(b"./") {
        name = rest;
    }
    let name = name.strip_suffix(b"/").unwrap_or(name);
    if name.is_empty() || name == b"." { Ok(None) } else { RelPath::from_bytes(name).map(Some) }
}
