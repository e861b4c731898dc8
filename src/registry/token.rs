//! What a registry wants to see: nothing, a password, or a token for certain repositories.
//!
//! Source: distribution's token specification (spec/auth/token.md, spec/auth/oauth.md).

use std::collections::BTreeMap;
use std::sync::Mutex;

use reqwest::blocking::{Client as Http, RequestBuilder};
use reqwest::header::CONTENT_TYPE;
use reqwest::{StatusCode, Url};
use serde::Deserialize;

use super::challenge::Challenge;
use super::clients::Clients;
use super::credentials::Identity;
use super::policy::Fault;
use super::wire::{answer, lost};
use super::{Credentials, Error, Host, Repository};

/// What is to be done where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Access {
    pub(super) host: Host,
    /// As token servers read them.
    scopes: Vec<String>,
}

impl Access {
    pub(super) fn pull(repository: &Repository) -> Self {
        Self { host: repository.host.clone(), scopes: vec![format!("repository:{}:pull", repository.name)] }
    }

    pub(super) fn push(repository: &Repository) -> Self {
        Self { host: repository.host.clone(), scopes: vec![format!("repository:{}:pull,push", repository.name)] }
    }

    /// And to read from another repository of the same registry.
    pub(super) fn and_pull(mut self, repository: &Repository) -> Self {
        self.scopes.push(format!("repository:{}:pull", repository.name));
        self
    }
}

/// What goes into a request.
#[derive(Clone)]
pub(super) enum Key {
    Nothing,
    Password(String, String),
    Token(String),
}

impl Key {
    pub(super) fn on(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self::Nothing => request,
            Self::Password(name, password) => request.basic_auth(name, Some(password)),
            Self::Token(token) => request.bearer_auth(token),
        }
    }
}

/// Keeps what registries asked for and gave.
pub(super) struct Keyring {
    credentials: Credentials,
    challenges: Mutex<BTreeMap<Host, Challenge>>,
    keys: Mutex<BTreeMap<Access, Key>>,
}

impl Keyring {
    pub(super) fn new(credentials: Credentials) -> Self {
        Self { credentials, challenges: Mutex::default(), keys: Mutex::default() }
    }

    /// The key for `access`; asked for but once.
    pub(super) fn key(&self, http: &Clients, access: &Access) -> Result<Key, Fault> {
        let known = self.keys.lock().expect("BUG: a thread panicked").get(access).cloned();
        if let Some(key) = known {
            return Ok(key);
        }
        let key = match self.challenge(http, &access.host)? {
            Challenge::Nothing => Key::Nothing,
            Challenge::Basic => match self.credentials.of(&access.host)? {
                Identity::User(name, password) => Key::Password(name, password),
                Identity::Token(token) => Key::Token(token),
                Identity::Anonymous => Key::Nothing,
            },
            Challenge::Bearer { realm, service } => self.token(http, access, &realm, service.as_deref())?,
        };
        self.keys.lock().expect("BUG: a thread panicked").insert(access.clone(), key.clone());
        Ok(key)
    }

    /// Forgets the key for `access`, which is no longer good; whether another may be had.
    pub(super) fn forget(&self, access: &Access) -> bool {
        let key = self.keys.lock().expect("BUG: a thread panicked").remove(access);
        matches!(key, Some(Key::Token(_)))
    }

    fn challenge(&self, http: &Clients, host: &Host) -> Result<Challenge, Fault> {
        let known = self.challenges.lock().expect("BUG: a thread panicked").get(host).cloned();
        if let Some(challenge) = known {
            return Ok(challenge);
        }
        let url = host.base()?;
        let response = http.send(http.of(&url)?.get(url.clone()))?.map_err(|error| lost("GET", &url, &error))?;
        let challenge = match response.status() {
            StatusCode::UNAUTHORIZED => Challenge::of(&response),
            status if status.is_success() || status == StatusCode::NOT_FOUND => Challenge::Nothing,
            _ => return Err(answer("GET", &url, response)),
        };
        self.challenges.lock().expect("BUG: a thread panicked").insert(host.clone(), challenge.clone());
        Ok(challenge)
    }

    fn token(&self, http: &Clients, access: &Access, realm: &str, service: Option<&str>) -> Result<Key, Fault> {
        let url = realm_url(access, realm)?;
        let identity = self.credentials.of(&access.host)?;
        let method = if matches!(identity, Identity::Token(_)) { "POST" } else { "GET" };
        let response = http.send(ask(http.of(&url)?, access, &url, service, &identity))?;
        let response = response.map_err(|error| lost(method, &url, &error))?;
        if !response.status().is_success() {
            return Err(answer(method, &url, response));
        }
        let request = || format!("{method} {url}");
        let text = response.text().map_err(|error| lost(method, &url, &error))?;
        let given: Given = serde_json::from_str(&text).map_err(|error| Error::Broken {
            request: request(),
            why: format!("not the answer of a token server: {error}"),
        })?;
        let token = given.token.or(given.access_token).filter(|token| !token.is_empty());
        let none = || Error::Broken { request: request(), why: "there is no token in the answer".to_owned() };
        Ok(Key::Token(token.ok_or_else(none)?))
    }
}

/// What a token server answers.
#[derive(Deserialize)]
struct Given {
    token: Option<String>,
    access_token: Option<String>,
}

/// Where tokens are had. Passwords go there, so it must not be in the clear.
fn realm_url(access: &Access, realm: &str) -> Result<Url, Error> {
    let request = format!("token for {}", access.host);
    let broken = |why: String| Error::Broken { request: request.clone(), why };
    let url = Url::parse(realm).map_err(|error| broken(format!("`{realm}`: {error}")))?;
    let here = url.host_str().is_some_and(|host| Host::new(host).is_loopback());
    if url.scheme() == "https" || (here && access.host.is_plain()) {
        return Ok(url);
    }
    Err(broken(format!("the registry names a token server without TLS: {url}")))
}

fn ask(http: &Http, access: &Access, url: &Url, service: Option<&str>, identity: &Identity) -> RequestBuilder {
    let scopes = access.scopes.iter().map(|scope| ("scope", scope.as_str()));
    let mut url = url.clone();
    if let Identity::Token(token) = identity {
        let joined = access.scopes.join(" ");
        let form =
            [("grant_type", "refresh_token"), ("client_id", "forge"), ("refresh_token", token), ("scope", &joined)];
        let form = encoded(form.into_iter().chain(service.map(|service| ("service", service))));
        return http.post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
    }
    url.query_pairs_mut().extend_pairs(service.map(|service| ("service", service)).into_iter().chain(scopes));
    let request = http.get(url);
    if let Identity::User(name, password) = identity { request.basic_auth(name, Some(password)) } else { request }
}

/// Pairs as a form has them.
fn encoded<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut url = Url::parse("https://form").expect("BUG: an address");
    url.query_pairs_mut().extend_pairs(pairs);
    url.query().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_do_not_go_in_the_clear() {
        let of = |host: &str, realm: &str| {
            let repository = Repository { host: Host::new(host), name: "a".to_owned() };
            realm_url(&Access::pull(&repository), realm).is_ok()
        };
        assert!(of("example.org", "https://auth.example.org/token"));
        assert!(of("localhost:5000", "http://127.0.0.1:5001/token"));
        assert!(!of("example.org", "http://auth.example.org/token"));
        assert!(!of("example.org", "http://localhost/token"));
        assert!(!of("localhost:5000", "http://example.org/token"));
    }
}
