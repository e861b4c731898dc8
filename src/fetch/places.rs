//! Where a pinned file is to be had, computed as data; nothing is opened here but the two kinds of
//! configuration.
//!
//! The order for a file of an archive: content mirrors (`digests`), `[archive]` mirrors, the bases of
//! the host's apt sources, the permanent snapshot. For a URL: content mirrors, `[url]` mirrors, the
//! URL itself. For the tree of a commit: content mirrors, `[git]` mirrors, the URL. For an image:
//! content mirrors, `[oci]` mirrors of its registry, the registry. For a file that the user has to give: content mirrors,
//! then where `[supplied]` says it is. No place is trusted: what comes is compared with the pin.
//!
//! `FORGE_MIRRORS` names a TOML file:
//! ```toml
//! # What `forge mirror` writes: a folder or a web server with sha256/<hex>, a repository of a registry.
//! digests = ["/srv/forge", "https://host/forge", "oci://host/forge"]
//! [archive]
//! debian = ["http://host/debian", "file:///srv/debian", "/srv/debian"]
//! [git]
//! "https://host/x/y" = ["/srv/git/y.git"]
//! [url]
//! "https://host/prefix/" = ["https://other/prefix/"]   # the prefix is replaced
//! [oci]
//! "docker.io" = ["oci://host", "oci://host/prefix"]   # a repository has the same name there, below the prefix
//! [supplied]                             # where files are that the user has to give
//! jupiter-swap-api = "/srv/jupiter/jupiter-swap-api"
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::location::Base;
use super::oci::{Other, Shelf};
use super::supplied::Supply;
use super::{Error, Location, snapshot};
use crate::digest::Digest;
use crate::lockfile::{Pin, Place};
use crate::path::Name;
use crate::registry::{Address, Repository};

/// What `FORGE_MIRRORS` says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mirrors {
    digests: Vec<Shelf>,
    archive: BTreeMap<String, Vec<Base>>,
    git: BTreeMap<String, Vec<String>>,
    url: BTreeMap<String, Vec<Base>>,
    oci: BTreeMap<String, Vec<Other>>,
    supplied: BTreeMap<String, Supply>,
}

impl Mirrors {
    /// Reads the file.
    ///
    /// # Errors
    /// When it can't be read, and with line and column for what is not understood.
    pub fn read(file: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(file).map_err(|source| Error::Io { path: file.to_owned(), source })?;
        Self::parse(&text).map_err(|error| Error::Mirrors { file: file.to_owned(), error: Box::new(error) })
    }

    /// The files that the user has, each with its name.
    pub fn supplied(&self) -> impl Iterator<Item = (&str, Location)> {
        self.supplied.iter().map(|(name, supply)| (name.as_str(), supply.location()))
    }

    fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// `url` below each mirror of its longest prefix.
    fn url(&self, url: &str) -> Vec<Location> {
        let longest = self.url.iter().filter_map(|(prefix, bases)| Some((url.strip_prefix(prefix.as_str())?, bases)));
        let Some((rest, bases)) = longest.min_by_key(|(rest, _)| rest.len()) else { return Vec::new() };
        bases.iter().map(|base| base.join_url(rest)).collect()
    }
}

/// All places this host knows of.
#[derive(Clone, Debug, Default)]
pub struct Places {
    mirrors: Mirrors,
    apt: Vec<Base>,
}

impl Places {
    /// `apt` as [`super::apt::bases`] found them.
    #[must_use]
    pub fn new(mirrors: Mirrors, apt: Vec<Base>) -> Self {
        Self { mirrors, apt }
    }

    /// Where the pinned file is to be had, best first.
    #[must_use]
    pub fn of(&self, pin: &Pin) -> Vec<Location> {
        let mut places = self.by_digest(&pin.digest);
        match &pin.place {
            Place::Archive { archive, path, date } => {
                places.extend(self.archive(archive, date).iter().map(|base| base.join(path.as_str())));
            }
            Place::Url(url) => places.extend(self.url(url)),
            Place::Oci { repository, manifest } => {
                let address = |repository| Address { repository, digest: pin.digest, manifest: *manifest };
                places
                    .extend(self.oci(repository).into_iter().map(|repository| Location::Registry(address(repository))));
            }
            // Cargo knows where the registry is, and the user where that file is.
            Place::Registry { .. } | Place::Supplied(_) => {}
        }
        places
    }

    /// Where the user says that the file of this name is.
    #[must_use]
    pub fn supplied(&self, name: &str) -> Option<Location> {
        self.mirrors.supplied.get(name).map(Supply::location)
    }

    /// Where content of this digest may lie, whatever it is.
    #[must_use]
    pub fn by_digest(&self, digest: &Digest) -> Vec<Location> {
        self.mirrors.digests.iter().map(|shelf| shelf.place(digest)).collect()
    }

    /// The bases of an archive, best first; the snapshot comes last, as it was at `date` (`20260912T075541Z`).
    #[must_use]
    pub fn archive(&self, archive: &Name, date: &str) -> Vec<Base> {
        let mirrors = self.mirrors.archive.get(archive.as_str()).into_iter().flatten();
        let mut bases: Vec<Base> = Vec::new();
        for base in mirrors.chain(&self.apt).cloned().chain(snapshot::base(archive, date)) {
            if !bases.contains(&base) {
                bases.push(base);
            }
        }
        bases
    }

    /// Where a URL's content is to be had: mirrors first, then the URL itself.
    #[must_use]
    pub fn url(&self, url: &str) -> Vec<Location> {
        let mut places = self.mirrors.url(url);
        places.push(Location::Http(url.to_owned()));
        places
    }

    /// The repositories that have what `repository` has: mirrors of its registry first, then itself.
    #[must_use]
    pub fn oci(&self, repository: &Repository) -> Vec<Repository> {
        let mirrors = self.mirrors.oci.get(repository.host.name()).into_iter().flatten();
        // Each was tried with a name when it was read; a name that is too long there is none.
        mirrors.filter_map(|other| other.below(&repository.name).ok()).chain([repository.clone()]).collect()
    }

    /// The repositories that have what `url` has, as the git command takes them: mirrors first, then `url`.
    #[must_use]
    pub fn git(&self, url: &str) -> Vec<String> {
        let mirrors = self.mirrors.git.get(url).into_iter().flatten();
        mirrors.map(String::as_str).chain([url]).map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::RelPath;

    const MIRRORS: &str = r#"
        digests = ["/srv/forge"]
        [archive]
        debian = ["http://one.example/debian/", "file:///srv/debian"]
        [git]
        "https://example/x" = ["/srv/x.git"]
        [url]
        "https://example/" = ["http://slow.example/"]
        "https://example/dist/" = ["http://fast.example/d/", "/srv/dist"]
        [supplied]
        program = "/srv/program"
    "#;

    fn places() -> Places {
        let apt = ["http://apt.example/debian", "http://one.example/debian"];
        Places::new(
            Mirrors::parse(MIRRORS).expect("test"),
            apt.iter().map(|base| base.parse().expect("test")).collect(),
        )
    }

    fn texts(locations: &[Location]) -> Vec<String> {
        locations.iter().map(Location::to_string).collect()
    }

    fn pin(place: Place) -> Pin {
        Pin { place, size: 3, digest: Digest::of(b"abc") }
    }

    #[test]
    fn a_file_of_an_archive() {
        let place = Place::Archive {
            archive: Name::new("debian").expect("test"),
            path: RelPath::new("pool/main/g/g++_1~2.deb").expect("test"),
            date: "20260912T075541Z".to_owned(),
        };
        let mut found = texts(&places().of(&pin(place)));
        assert!(found.pop().expect("test").ends_with("/archive/debian/20260913T075541Z/pool/main/g/g%2B%2B_1~2.deb"));
        let by_digest = format!("/srv/forge/sha256/{}", Digest::of(b"abc").hex());
        let expected = [
            &*by_digest,
            "http://one.example/debian/pool/main/g/g%2B%2B_1~2.deb",
            "/srv/debian/pool/main/g/g++_1~2.deb",
            "http://apt.example/debian/pool/main/g/g%2B%2B_1~2.deb",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn the_longest_prefix_of_a_url_is_replaced() {
        let found = texts(&places().url("https://example/dist/a%20b.tar"));
        assert_eq!(found, ["http://fast.example/d/a%20b.tar", "/srv/dist/a b.tar", "https://example/dist/a%20b.tar"]);
        assert_eq!(texts(&places().url("https://example/x")), ["http://slow.example/x", "https://example/x"]);
        assert_eq!(texts(&places().url("https://other/x")), ["https://other/x"]);
    }

    #[test]
    fn git_repositories() {
        assert_eq!(places().git("https://example/x"), ["/srv/x.git", "https://example/x"]);
        assert_eq!(places().git("https://example/y"), ["https://example/y"]);
    }

    #[test]
    fn files_of_the_user() {
        assert_eq!(places().supplied("program"), Some(Location::File("/srv/program".into())));
        assert_eq!(places().supplied("other"), None);
        let found = texts(&places().of(&pin(Place::Supplied("program".to_owned()))));
        assert_eq!(found, [format!("/srv/forge/sha256/{}", Digest::of(b"abc").hex())], "the user's place comes later");
    }

    #[test]
    fn what_is_not_understood_is_refused_with_its_line() {
        for (text, words) in [
            ("\nmirrors = 1", "line 2"),
            ("digests = [\"relative/dir\"]", "relative/dir"),
            ("[archive]\ndebian = [\"ftp://host/debian\"]", "line 2"),
            ("[archive]\ndebian = \"http://host\"", "line 2"),
            ("[supplied]\nx = \"down/x\"", "`down/x` is relative"),
        ] {
            let error = Mirrors::parse(text).expect_err("test").to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
