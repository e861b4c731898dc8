//! One place to try: a web address or a file of this host; and bases, below which paths are joined.

use std::fmt;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

use crate::registry::Address;

/// How long a host may take to answer at all.
const PATIENCE: Duration = Duration::from_secs(3);

/// Where a file may be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// An `http` or `https` address.
    Http(String),
    /// A file of this host.
    File(PathBuf),
    /// Content of a registry.
    Registry(Address),
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(url) => f.write_str(url),
            Self::File(path) => path.display().fmt(f),
            Self::Registry(address) => address.fmt(f),
        }
    }
}

/// What paths are joined to: `http://…`, `https://…`, `file:///…` or an absolute directory.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Base(Root);

/// What a base is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Root {
    Http(String),
    File(PathBuf),
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(url) => f.write_str(url),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// A text that is no [`Base`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no mirror: write http://…, https://…, file:///… or an absolute directory")]
pub struct NotABase(String);

impl FromStr for Base {
    type Err = NotABase;

    fn from_str(text: &str) -> Result<Self, NotABase> {
        let clean = text.trim_end_matches('/');
        if clean.starts_with("http://") || clean.starts_with("https://") {
            return Ok(Self(Root::Http(clean.to_owned())));
        }
        // apt's manual writes `file:/dir`, the RFC `file:///dir`.
        let path = clean.strip_prefix("file://").or_else(|| clean.strip_prefix("file:")).unwrap_or(clean);
        if path.starts_with('/') { Ok(Self(Root::File(path.into()))) } else { Err(NotABase(text.to_owned())) }
    }
}

impl TryFrom<String> for Base {
    type Error = NotABase;
    fn try_from(text: String) -> Result<Self, NotABase> {
        text.parse()
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Base {
    /// A path below the base; percent-encoded where the base is an address.
    #[must_use]
    pub fn join(&self, path: &str) -> Location {
        match &self.0 {
            Root::Http(base) => Location::Http(format!("{base}/{}", encode(path))),
            Root::File(base) => Location::File(base.join(path)),
        }
    }

    /// Whether somebody listens at its host, or its folder is there; waits [`PATIENCE`] at most.
    ///
    /// # Errors
    /// Why not, in words.
    pub fn answers(&self) -> Result<(), String> {
        let words = |error: std::io::Error| error.to_string();
        match &self.0 {
            Root::File(path) => path.metadata().map(drop).map_err(words),
            Root::Http(url) => {
                let address = host(url).to_socket_addrs().map_err(words)?.next().ok_or("its name has no address")?;
                TcpStream::connect_timeout(&address, PATIENCE).map(drop).map_err(words)
            }
        }
    }

    /// The rest of an address below the base; percent-decoded where the base is a directory.
    #[must_use]
    pub fn join_url(&self, rest: &str) -> Location {
        match &self.0 {
            Root::Http(base) => Location::Http(format!("{base}/{rest}")),
            Root::File(base) => Location::File(base.join(decode(rest).trim_start_matches('/'))),
        }
    }
}

/// `host:port` of an address.
fn host(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let authority = rest.split('/').next().unwrap_or(rest);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let ported = host.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    if ported { host.to_owned() } else { format!("{host}:{}", if scheme == "https" { 443 } else { 80 }) }
}

/// As apt does, `+` too: some object stores read it as a space.
fn encode(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail.get(..2).filter(|_| first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        rest = if byte.is_some() { &tail[2..] } else { tail };
        out.push(byte.unwrap_or(first));
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bases() {
        for (text, shown) in [
            ("http://host/debian/", "http://host/debian"),
            ("https://host", "https://host"),
            ("file:///srv/a/", "/srv/a"),
            ("file:/srv/a", "/srv/a"),
            ("/srv/a", "/srv/a"),
        ] {
            assert_eq!(text.parse::<Base>().map(|base| base.to_string()), Ok(shown.to_owned()));
        }
        for text in ["", "srv", "ftp://host", "cdrom:[x]/", "mirror+http://host", "file:srv"] {
            assert!(text.parse::<Base>().is_err(), "{text}");
        }
    }

    #[test]
    fn hosts() {
        for (url, want) in [
            ("http://host/debian", "host:80"),
            ("https://host", "host:443"),
            ("http://user:secret@host:3142/debian", "host:3142"),
            ("http://[::1]/debian", "[::1]:80"),
        ] {
            assert_eq!(host(url), want);
        }
    }

    #[test]
    fn answering() {
        let port = std::net::TcpListener::bind("127.0.0.1:0").expect("listens");
        let base: Base = format!("http://{}/debian", port.local_addr().expect("an address")).parse().expect("a base");
        assert_eq!(base.answers(), Ok(()));
        assert_eq!("/proc".parse::<Base>().expect("a base").answers(), Ok(()));
        assert!("/nowhere".parse::<Base>().expect("a base").answers().is_err());
    }

    #[test]
    fn percent_signs() {
        assert_eq!(encode("pool/g++ 1~2%3a"), "pool/g%2B%2B%201~2%253a");
        assert_eq!(decode("a%20b%2B%zz%2"), "a b+%zz%2");
    }
}
