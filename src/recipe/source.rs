//! Inputs from outside, as recipes ask for them.
//!
//! A lock entry is keyed by the digest of its source's canonical encoding ([`Source::specification`]), so that an
//! edited recipe invalidates its entry. The encoding is pinned by golden digests in the tests.

use std::collections::BTreeSet;

use crate::canon::{self, Canon};
use crate::digest::Digest;
use crate::path::{Name, RelPath};
use crate::registry::Reference;

/// An input from outside, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A closed set of packages, resolved as apt would on an empty system.
    Debs {
        /// Where the packages come from.
        archive: Archive,
        /// What to install.
        packages: Vec<String>,
        /// Whether the archive's essential packages belong to it.
        essential: bool,
    },
    /// One file inside one package (linux-source's tarball), or its whole data tree (`member: None`); never its
    /// dependencies.
    DebMember {
        /// Where the package comes from.
        archive: Archive,
        /// The package.
        package: String,
        /// The file in it.
        member: Option<RelPath>,
        /// Whether to unpack that file.
        unpack: Option<Unpack>,
    },
    /// A file to download.
    Url {
        /// Where it lies.
        url: String,
        /// Whether to unpack it.
        unpack: Option<Unpack>,
    },
    /// A file that the user has and nobody else may give.
    Supplied {
        /// What it is called where the user says where it is.
        name: String,
        /// Whether to unpack it.
        unpack: Option<Unpack>,
    },
    /// One state of a git repository.
    Git {
        /// The repository.
        url: String,
        /// The state.
        rev: Rev,
    },
    /// An image of a registry.
    Oci {
        /// Its repository, and its tag or digest.
        reference: Reference,
    },
    /// A package that is published in the crate registry, unpacked.
    Crate(Published),
    /// The packages that a Cargo.lock names, of the crate registry and of git repositories.
    Crates(Closure),
    /// Files of this repository: globs relative to a directory.
    Path {
        /// The recipe's directory, or the one that it names; relative to the project.
        directory: RelPath,
        /// Globs of the files.
        include: Vec<String>,
        /// Globs of files to leave out.
        exclude: Vec<String>,
    },
}

/// One version of a package in the crate registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Its name there.
    pub name: String,
    /// In full: `1.2.3`.
    pub version: String,
}

/// The packages that a Cargo.lock names, and where that file stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closure {
    /// The source with Cargo.lock at its top.
    pub source: Box<Source>,
    /// Packages (`name`, or `name@version`) and the versions that they are moved to, one after the other.
    pub updates: Vec<(String, String)>,
    /// Files of this repository that change what it names, relative to the project: its Cargo.lock, if that is one, and
    /// the patches of the source in their order.
    pub beside: Vec<RelPath>,
    /// Their content, once somebody looked.
    pub content: Option<Digest>,
    /// What of it has features that plugins depend on.
    pub crossing: Option<Crossing>,
}

/// Crates whose types cross between a program and its plugins, and how the unit that has them is built: their features
/// follow from that, and the layout of types from their features.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crossing {
    /// The crates.
    pub crates: BTreeSet<String>,
    /// The member of a workspace that is built; the package at its top if there is none.
    pub package: Option<String>,
    /// Features of that package.
    pub features: Vec<String>,
    /// Whether its default features are on.
    pub default_features: bool,
    /// Flags for rustc, on which it may depend what a package needs.
    pub rustflags: Vec<String>,
    /// What it is built for, as rustc calls it.
    pub target: String,
}

/// That a file is an archive to unpack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpack {
    /// How many leading components to drop from each name.
    pub strip: u32,
}

/// How a recipe names a state of a git repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rev {
    /// 40 hex digits.
    Commit(String),
    /// A tag.
    Tag(String),
    /// The branch's newest commit at the time of locking.
    Branch(String),
}

/// A Debian archive: from a recipe of `kind = "archive"`, copied into each source that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// The recipe's name, such as `debian`.
    pub name: Name,
    /// Such as `trixie`.
    pub suite: String,
    /// Such as `main`.
    pub components: Vec<String>,
    /// Such as `amd64`.
    pub architecture: String,
    /// Primary-key fingerprints of which one must have signed; the keys stand in `recipes/keys/<FINGERPRINT>.asc`.
    pub fingerprints: Vec<String>,
}

impl Source {
    /// The Debian archive that it comes from.
    #[must_use]
    pub fn archive(&self) -> Option<&Archive> {
        match self {
            Self::Debs { archive, .. } | Self::DebMember { archive, .. } => Some(archive),
            Self::Url { .. }
            | Self::Supplied { .. }
            | Self::Git { .. }
            | Self::Oci { .. }
            | Self::Crate(_)
            | Self::Crates(_)
            | Self::Path { .. } => None,
        }
    }

    /// The digest that a lock entry is keyed by. Path sources have one too, but are not locked.
    #[must_use]
    pub fn specification(&self) -> Digest {
        canon::identity("forge source 1", self)
    }
}

impl Canon for Source {
    fn canon(&self, out: &mut Vec<u8>) {
        match self {
            Self::Debs { archive, packages, essential } => {
                0u64.canon(out);
                archive.canon(out);
                packages.canon(out);
                essential.canon(out);
            }
            Self::DebMember { archive, package, member, unpack } => {
                1u64.canon(out);
                archive.canon(out);
                package.canon(out);
                member.canon(out);
                unpack.canon(out);
            }
            Self::Url { url, unpack } => {
                2u64.canon(out);
                url.canon(out);
                unpack.canon(out);
            }
            Self::Git { url, rev } => {
                3u64.canon(out);
                url.canon(out);
                rev.canon(out);
            }
            Self::Path { directory, include, exclude } => {
                4u64.canon(out);
                directory.canon(out);
                include.canon(out);
                exclude.canon(out);
            }
            Self::Crate(Published { name, version }) => {
                5u64.canon(out);
                name.canon(out);
                version.canon(out);
            }
            Self::Crates(Closure { source, updates, beside: _, content, crossing }) => {
                if crossing.is_some() { 7u64 } else { 6u64 }.canon(out);
                source.canon(out);
                updates.canon(out);
                content.canon(out);
                crossing.iter().for_each(|crossing| crossing.canon(out));
            }
            Self::Oci { reference } => {
                7u64.canon(out);
                reference.to_string().canon(out);
            }
            Self::Supplied { name, unpack } => {
                8u64.canon(out);
                name.canon(out);
                unpack.canon(out);
            }
        }
    }
}

impl Canon for Crossing {
    fn canon(&self, out: &mut Vec<u8>) {
        let Self { crates, package, features, default_features, rustflags, target } = self;
        crates.iter().collect::<Vec<_>>().canon(out);
        package.canon(out);
        features.canon(out);
        default_features.canon(out);
        rustflags.canon(out);
        target.canon(out);
    }
}

impl Canon for Unpack {
    fn canon(&self, out: &mut Vec<u8>) {
        let Self { strip } = self;
        u64::from(*strip).canon(out);
    }
}

impl Canon for Rev {
    fn canon(&self, out: &mut Vec<u8>) {
        let (variant, name) = match self {
            Self::Commit(name) => (0u64, name),
            Self::Tag(name) => (1, name),
            Self::Branch(name) => (2, name),
        };
        variant.canon(out);
        name.canon(out);
    }
}

impl Canon for Archive {
    fn canon(&self, out: &mut Vec<u8>) {
        let Self { name, suite, components, architecture, fingerprints } = self;
        name.canon(out);
        suite.canon(out);
        components.canon(out);
        architecture.canon(out);
        fingerprints.canon(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources() -> [Source; 10] {
        let text = str::to_owned;
        let archive = Archive {
            name: Name::new("debian").expect("name"),
            suite: text("trixie"),
            components: vec![text("main")],
            architecture: text("amd64"),
            fingerprints: vec!["0".repeat(40)],
        };
        let member = Some(RelPath::new("usr/src/linux.tar.xz").expect("clean"));
        let unpack = Some(Unpack { strip: 1 });
        let directory = RelPath::new("recipes/hello").expect("clean");
        let published = Source::Crate(Published { name: text("serve"), version: text("1.2.3") });
        let closure = Closure {
            source: Box::new(published.clone()),
            updates: vec![(text("time"), text("0.3.36"))],
            beside: Vec::new(),
            content: Some(Digest::of(b"lock")),
            crossing: None,
        };
        let crossing = Crossing {
            crates: BTreeSet::from([text("api")]),
            package: None,
            features: vec![text("tls")],
            default_features: true,
            rustflags: vec![text("-Ctarget-cpu=x86-64-v3")],
            target: text("x86_64-unknown-linux-gnu"),
        };
        [
            Source::Debs { archive: archive.clone(), packages: vec![text("gcc")], essential: true },
            Source::DebMember { archive, package: text("linux-source"), member, unpack: unpack.clone() },
            Source::Url { url: text("https://example.org/a.tar.gz"), unpack },
            Source::Git { url: text("https://example.org/a.git"), rev: Rev::Tag(text("v1")) },
            Source::Path { directory, include: vec![text("*.c")], exclude: vec![] },
            published.clone(),
            Source::Crates(closure.clone()),
            Source::Crates(Closure { crossing: Some(crossing), ..closure }),
            Source::Supplied { name: text("program"), unpack: None },
            Source::Oci { reference: "example.org/a/b:1".parse().expect("a reference") },
        ]
    }

    #[test]
    fn golden_digests() {
        let found = sources().map(|source| source.specification().hex());
        let expected = [
            "694c34bb19be06f54003c42c7d82409d2983ca1416eea65fd5a4eb38e02bff31",
            "33f9bde24bac22e8fd7ce39de4d2961cd8e5efd8ebba5ecd2861944106db6e46",
            "135ae02c1f7659c41812be5d06f994eb9f5ffa34725d95ac2d4a4a824e2b4cd7",
            "2c869ff9716b2fa761aa8b25ad88b92152c781c6a42a4f8c55525bd87d9a4472",
            "f46efe1930a6fc9ac4cb6e982deb69165bce20df2ec3e96b658df7a78145fe17",
            "b905398c9b5188ee9d5b715105511b1cd20aeafd02606fdcbdcbc4d5ec057bb4",
            "aa9ccfc2042dcacfcdc2154e96bf931287e74e7d316dc30e8e9b6383fcef8295",
            "9b2af7c5f0f1b96edd220e4eb457a6d4fa2911b69cecb2ea0236f6b7e7631ca6",
            "cf0eed34d4379e76d88297913665634e659afff378dcff4272edfde280472370",
            "fcb97deede2ed49c4f2273187ba876050d76d4458555d2fb4abf8925e5776c57",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn golden_bytes() {
        let mut out = Vec::new();
        Source::Git { url: "u".to_owned(), rev: Rev::Branch("b".to_owned()) }.canon(&mut out);
        assert_eq!(out, *b"\x03\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0u\x02\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0b");
    }
}
