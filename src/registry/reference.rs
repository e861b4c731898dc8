//! Names of repositories, as people write them: `host[:port]/repo[:tag]`.

use std::fmt;
use std::str::FromStr;

use reqwest::Url;

use super::grammar::{is_host, is_path, is_tag};
use super::{Error, Host};
use crate::digest::Digest;

/// A repository of a registry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Repository {
    /// Where it is.
    pub host: Host,
    /// Its path there.
    pub name: String,
}

/// Which image of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
    /// By a name that can move.
    Tag(String),
    /// By its content.
    Digest(Digest),
}

/// An image of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Where it is.
    pub repository: Repository,
    /// Which one; nothing where the text does not say.
    pub version: Option<Version>,
}

impl Repository {
    /// The address of something in it: `blobs/…`, `manifests/…`.
    pub(super) fn url(&self, path: &str) -> Result<Url, Error> {
        let why = |error| Error::Reference { text: self.to_string(), why: format!("{error}") };
        self.host.base()?.join(&format!("{}/{path}", self.name)).map_err(why)
    }
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = |why: &str| Error::Reference { text: text.to_owned(), why: why.to_owned() };
        let (scheme, rest) = text.split_once("://").map_or((None, text), |(scheme, rest)| (Some(scheme), rest));
        let (host, rest) = rest.split_once('/').unwrap_or(("", rest));
        if !host.contains(['.', ':']) && host != "localhost" {
            return Err(wrong("it names no registry"));
        }
        if !is_host(host) {
            return Err(wrong(&format!("`{host}` is not the name of a host")));
        }
        let host = Host::of_address(scheme, host).ok_or_else(|| wrong("it is no registry's address"))??;
        let (path, version) = version(rest).map_err(|why| wrong(&why))?;
        if !is_path(path) {
            return Err(wrong(&format!(
                "`{path}` is not the name of a repository: small letters, digits, - _ . and /"
            )));
        }
        let official = host.name() == "docker.io" && !path.contains('/');
        let name = if official { format!("library/{path}") } else { path.to_owned() };
        Ok(Self { repository: Repository { host, name }, version })
    }
}

/// The path of a repository, and the tag or the digest after it.
fn version(text: &str) -> Result<(&str, Option<Version>), String> {
    let (name, digest) = text.split_once('@').map_or((text, None), |(name, digest)| (name, Some(digest)));
    let (path, tag) = name.split_once(':').map_or((name, None), |(path, tag)| (path, Some(tag)));
    if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
        return Err(format!("`{tag}` is not a tag: letters, digits, - _ and ."));
    }
    let digest = digest.map(|digest| {
        let known = digest.strip_prefix("sha256:").and_then(|hex| hex.parse().ok());
        known.map(Version::Digest).ok_or_else(|| format!("`{digest}` is no sha256 digest"))
    });
    Ok((path, digest.transpose()?.or(tag.map(|tag| Version::Tag(tag.to_owned())))))
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.name)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => f.write_str(tag),
            Self::Digest(digest) => digest.fmt(f),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if matches!(self.version, Some(Version::Digest(_))) { '@' } else { ':' };
        self.repository.fmt(f)?;
        self.version.as_ref().map_or(Ok(()), |version| write!(f, "{sign}{version}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_read() {
        let digest = Digest::of(b"x");
        for (text, shown, base) in [
            ("localhost:5000/a", "localhost:5000/a", "http://localhost:5000/v2/"),
            ("127.0.0.1:5000/a/b:1.2", "127.0.0.1:5000/a/b:1.2", "http://127.0.0.1:5000/v2/"),
            ("https://localhost:5000/a:1", "localhost:5000/a:1", "https://localhost:5000/v2/"),
            ("oci://example.org/a", "example.org/a", "https://example.org/v2/"),
            ("docker.io/debian:13", "docker.io/library/debian:13", "https://registry-1.docker.io/v2/"),
            (&format!("example.org/a@{digest}"), &format!("example.org/a@{digest}"), "https://example.org/v2/"),
        ] {
            let read: Reference = text.parse().expect(text);
            assert_eq!(read.to_string(), shown);
            assert_eq!(read.repository.host.base().expect("an address").as_str(), base);
        }
    }

    #[test]
    fn names_that_are_refused() {
        for (text, words) in [
            ("a", "names no registry"),
            ("a/b:1", "names no registry"),
            ("", "names no registry"),
            ("example.org/UPPER", "not the name of a repository"),
            ("example.org/", "not the name of a repository"),
            ("example.org/a:b:c", "`b:c` is not a tag"),
            ("exa_mple.org/a:b", "not the name of a host"),
            ("http://example.org/a:1", "TLS"),
            ("http://127.0.0.1.example.org/a:1", "TLS"),
            ("ftp://example.org/a:1", "no registry's address"),
            ("example.org/a@sha512:00", "no sha256 digest"),
        ] {
            let error = text.parse::<Reference>().expect_err(text).to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
