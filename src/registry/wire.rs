//! One request to a registry, and what its answer means.

use std::error::Error as _;
use std::io::Read as _;
use std::time::Duration;

use reqwest::blocking::{Body, Response};
use reqwest::header::{HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Method, StatusCode, Url};
use serde::Deserialize;

use super::clients::Clients;
use super::policy::{Fault, Policy};
use super::token::{Access, Key, Keyring};
use super::{Credentials, Distrust, Error, Watch};

/// What is read of the text of a refusal.
const TEXT: u64 = 16 << 10;
/// What is shown of a text that is not a registry's.
const SHOWN: usize = 160;
/// Failures of a server that pass by themselves; a full disk (507) or what it never learnt (501) do not.
const PASSING: [StatusCode; 6] = [
    StatusCode::REQUEST_TIMEOUT,
    StatusCode::TOO_MANY_REQUESTS,
    StatusCode::INTERNAL_SERVER_ERROR,
    StatusCode::BAD_GATEWAY,
    StatusCode::SERVICE_UNAVAILABLE,
    StatusCode::GATEWAY_TIMEOUT,
];

/// A request.
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    /// Makes the body, anew for each time that it is sent.
    pub(super) body: Option<&'a dyn Fn() -> Result<Body, Error>>,
    /// How long the answer may take.
    pub(super) patience: Option<Duration>,
}

impl Ask<'_> {
    pub(super) fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: HeaderMap::new(), body: None, patience: None }
    }
}

/// Sends requests, with the keys that they need.
pub(super) struct Wire {
    clients: Clients,
    keyring: Keyring,
    pub(super) policy: Policy,
}

impl Wire {
    pub(super) fn new(credentials: Credentials, policy: Policy, watch: Watch) -> Self {
        Self { clients: Clients::new(policy.clone(), watch), keyring: Keyring::new(credentials), policy }
    }

    /// The answer, whatever it is; a key that has expired is replaced.
    pub(super) fn send(&self, access: &Access, ask: &Ask<'_>) -> Result<Response, Fault> {
        let response = self.once(access, ask)?;
        if response.status() == StatusCode::UNAUTHORIZED && self.keyring.forget(access) {
            return self.once(access, ask);
        }
        Ok(response)
    }

    /// The answer, which must be one of `good`.
    pub(super) fn expect(&self, access: &Access, ask: &Ask<'_>, good: &[StatusCode]) -> Result<Response, Fault> {
        let response = self.send(access, ask)?;
        if good.contains(&response.status()) {
            return Ok(response);
        }
        Err(answer(ask.method.as_str(), &ask.url, response))
    }

    fn once(&self, access: &Access, ask: &Ask<'_>) -> Result<Response, Fault> {
        let mut request =
            self.clients.of(&ask.url)?.request(ask.method.clone(), ask.url.clone()).headers(ask.headers.clone());
        // A signed address of some storage is not told who we are.
        if access.host.base()?.origin() == ask.url.origin() {
            request = self.key(access)?.on(request);
        }
        if let Some(patience) = ask.patience {
            request = request.timeout(patience);
        }
        if let Some(body) = ask.body {
            request = request.body(body()?);
        }
        self.clients.send(request)?.map_err(|error| lost(ask.method.as_str(), &ask.url, &error))
    }

    /// What goes into a request for `access`.
    pub(super) fn key(&self, access: &Access) -> Result<Key, Fault> {
        self.keyring.key(&self.clients, access)
    }
}

/// Where an answer says that things go on.
pub(super) fn location(base: &Url, response: &Response) -> Result<Url, Error> {
    let broken = |why: String| Error::Broken { request: base.to_string(), why };
    let text = response.headers().get(LOCATION).and_then(|header| header.to_str().ok());
    let text = text.ok_or_else(|| broken("the answer does not say where to go on".to_owned()))?;
    let url = base.join(text).map_err(|error| broken(format!("`{text}`: {error}")))?;
    if base.scheme() == "https" && url.scheme() != "https" {
        return Err(broken(format!("goes on at an address without TLS, {url}")));
    }
    Ok(url)
}

/// What a refusal means.
pub(super) fn answer(method: &str, url: &Url, response: Response) -> Fault {
    let status = response.status();
    let passing = PASSING.contains(&status);
    let after = retry_after(response.headers());
    let (request, text) = (format!("{method} {}", shown(url)), text(response));
    let error = Error::Answer { request, code: status.as_u16(), status: status.to_string(), text, attempts: 1 };
    if passing { Fault::Passing { error, after, moved: false } } else { Fault::Final(error) }
}

/// What a request without an answer means.
pub(super) fn lost(method: &str, url: &Url, error: &reqwest::Error) -> Fault {
    unanswered(format!("{method} {}", shown(url)), error)
}

pub(super) fn unanswered(request: String, error: &reqwest::Error) -> Fault {
    if let Some(why) = Distrust::of(error) {
        return Fault::Final(Error::Distrusted { request, why });
    }
    let lost = Error::Lost { request, why: causes(error), attempts: 1 };
    if error.is_redirect() || error.is_builder() { Fault::Final(lost) } else { Fault::passing(lost) }
}

/// An address without what registries hide in it.
fn shown(url: &Url) -> String {
    url.as_str().split('?').next().unwrap_or_default().to_owned()
}

/// Seconds only; a registry that gives a date is asked again after our own pause.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

#[derive(Deserialize)]
struct Refusal {
    errors: Vec<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// What a registry says of a refusal, in a line.
fn text(response: Response) -> String {
    let mut bytes = Vec::new();
    // What can't be read is not needed.
    let _ = response.take(TEXT).read_to_end(&mut bytes);
    if let Ok(refusal) = serde_json::from_slice::<Refusal>(&bytes) {
        let reason = |reason: Reason| format!("{} {}", reason.code, reason.message).trim().to_owned();
        return refusal.errors.into_iter().map(reason).collect::<Vec<_>>().join("; ");
    }
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    line.chars().filter(|letter| !letter.is_control()).take(SHOWN).collect()
}

/// The causes; the outermost text only says that there was one.
pub(super) fn causes(error: &reqwest::Error) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    if error.is_timeout() && texts.is_empty() {
        return "no answer in time".to_owned();
    }
    if texts.is_empty() { error.to_string() } else { texts.join(": ") }
}
