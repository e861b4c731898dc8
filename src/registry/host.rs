//! Registries by name: `host[:port]`.

use std::fmt;

use reqwest::Url;

use super::Error;

/// A registry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Host {
    /// `host[:port]`.
    name: String,
    /// Spoken to without TLS.
    plain: bool,
}

impl Host {
    /// The registry `name`. TLS is spoken with all but those of this machine.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), plain: is_loopback(name) }
    }

    /// The registry of an address; nothing for one that is no registry's.
    pub(super) fn of_address(scheme: Option<&str>, name: &str) -> Option<Result<Self, Error>> {
        let mut host = Self::new(if name == "index.docker.io" { "docker.io" } else { name });
        match scheme {
            None | Some("oci") => {}
            Some("https") => host.plain = false,
            Some("http") if host.is_loopback() => {}
            Some("http") => return Some(Err(Error::Plain(host.name))),
            Some(_) => return None,
        }
        Some(Ok(host))
    }

    /// `host[:port]`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is on this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.name)
    }

    /// Where its interface stands: Docker's own has another name there.
    pub(super) fn base(&self) -> Result<Url, Error> {
        let scheme = if self.plain { "http" } else { "https" };
        let name = if self.name == "docker.io" { "registry-1.docker.io" } else { &self.name };
        let url = format!("{scheme}://{name}/v2/");
        Url::parse(&url).map_err(|error| Error::Reference { text: self.name.clone(), why: error.to_string() })
    }

    /// What docker's configuration calls it.
    pub(super) fn key(&self) -> &str {
        if self.name == "docker.io" { "https://index.docker.io/v1/" } else { &self.name }
    }

    pub(super) fn is_plain(&self) -> bool {
        self.plain
    }
}

/// Whether a `host[:port]` is this machine itself.
fn is_loopback(name: &str) -> bool {
    let host = name.rsplit_once(':').map_or(name, |(host, _)| host);
    let address = host.parse::<std::net::Ipv4Addr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
