//! One request to one place, and how its answer is read. reqwest's blocking client runs its async
//! half in a thread of its own; proxies come from the environment, certificates from the host.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::blocking::{Client as Http, Response};
use reqwest::header::{CONTENT_RANGE, ETAG, HeaderMap, IF_RANGE, LAST_MODIFIED, RANGE, RETRY_AFTER};

use super::{Fault, Location, Policy};
use crate::registry::{self, Content, Failure, Registry, Watch};

/// More redirects are a loop.
const REDIRECTS_MAX: usize = 5;

/// A body that has begun.
pub(super) struct Answer {
    pub(super) body: Box<dyn Read>,
    /// Where in the file the body starts.
    pub(super) from: u64,
    /// The size of the whole file, where the place says it.
    pub(super) total: Option<u64>,
    /// What names this state of the file (RFC 9110 §13.1.5); strong ones only.
    pub(super) validator: Option<String>,
}

/// The client; starts when it is first needed, as most builds need no network.
#[derive(Default)]
pub(super) struct Client(OnceLock<Http>, OnceLock<Registry>);

impl Client {
    /// Asks for the bytes from `from` on; a place that does not know ranges answers from 0.
    pub(super) fn get(
        &self,
        location: &Location,
        from: u64,
        validator: Option<&str>,
        policy: &Policy,
    ) -> Result<Answer, Fault> {
        match location {
            Location::File(path) => open(path),
            Location::Http(_) | Location::Registry(_) if policy.offline => Err(Fault::Offline),
            Location::Registry(address) => content(self.registry(policy).open(address, from)),
            Location::Http(url) => {
                let mut request = self.http(policy)?.get(url);
                if from > 0 {
                    request = request.header(RANGE, format!("bytes={from}-"));
                }
                if let Some(validator) = validator.filter(|_| from > 0) {
                    request = request.header(IF_RANGE, validator);
                }
                answer(request.send().map_err(|error| fault(&error))?, from)
            }
        }
    }

    pub(super) fn registry(&self, policy: &Policy) -> &Registry {
        self.1.get_or_init(|| {
            let patience = registry::Policy { idle: policy.idle, ..registry::Policy::default() };
            Registry::new(policy.credentials.clone(), patience, Watch::default())
        })
    }

    fn http(&self, policy: &Policy) -> Result<&Http, Fault> {
        if self.0.get().is_none() {
            // Where another crate was first to choose, its choice serves as well.
            let _ = rustls::crypto::ring::default_provider().install_default();
            let client = Http::builder()
                .user_agent(concat!("forge/", env!("CARGO_PKG_VERSION")))
                .redirect(reqwest::redirect::Policy::limited(REDIRECTS_MAX))
                .connect_timeout(policy.connect)
                // For the blocking client this is the time that one read may take.
                .timeout(policy.idle)
                .build();
            // Another thread may have been first; either client serves.
            let _ = self.0.set(client.map_err(|error| fault(&error))?);
        }
        Ok(self.0.get().expect("BUG: set above"))
    }
}

/// What a registry answered.
fn content(answer: Result<Content, Failure>) -> Result<Answer, Fault> {
    match answer {
        Ok(Content { body, from, total }) => Ok(Answer { body, from, total, validator: None }),
        Err(Failure { error, passing: true, after }) => Err(Fault::Passing { what: error.to_string(), after }),
        Err(Failure { error, .. }) => {
            let hint = error.hint().map(|hint| format!(": {hint}")).unwrap_or_default();
            Err(Fault::Refused(format!("{error}{hint}")))
        }
    }
}

/// A pipe, which would wait for a writer, is opened at once and refused for what it is.
fn open(path: &Path) -> Result<Answer, Fault> {
    let file = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path);
    let file = file.and_then(|file| Ok((file.metadata()?, file)));
    match file {
        Ok((meta, file)) if meta.is_file() => {
            Ok(Answer { body: Box::new(file), from: 0, total: Some(meta.len()), validator: None })
        }
        Ok(_) => Err(Fault::Refused("not a file".to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Fault::Refused("no such file".to_owned())),
        Err(error) => Err(Fault::Refused(error.to_string())),
    }
}

fn answer(response: Response, asked: u64) -> Result<Answer, Fault> {
    let status = response.status();
    let headers = response.headers();
    let validator = validator(headers);
    let (from, total) = match status {
        StatusCode::OK => (0, response.content_length()),
        StatusCode::PARTIAL_CONTENT => match content_range(headers) {
            Some((from, total)) if from == asked => (from, total),
            _ => return Err(Fault::Refused("answers with another range than was asked for".to_owned())),
        },
        _ if passing(status) => {
            return Err(Fault::Passing { what: status.to_string(), after: retry_after(headers) });
        }
        _ => return Err(Fault::Refused(status.to_string())),
    };
    Ok(Answer { body: Box::new(response), from, total, validator })
}

fn passing(status: StatusCode) -> bool {
    status.is_server_error() || [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS].contains(&status)
}

fn validator(headers: &HeaderMap) -> Option<String> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    text(ETAG).filter(|tag| !tag.starts_with("W/")).or_else(|| text(LAST_MODIFIED)).map(str::to_owned)
}

/// Seconds only; a place that gives a date is asked again after our own pause.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// `bytes 5-9/10`
fn content_range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    Some((range.split_once('-')?.0.parse().ok()?, total.parse().ok()))
}

fn fault(error: &reqwest::Error) -> Fault {
    if error.is_redirect() {
        return Fault::Refused("redirects in a circle".to_owned());
    }
    if error.is_builder() {
        return Fault::Refused(causes(error));
    }
    Fault::passing(causes(error))
}

/// The causes; the outermost text only says that there was one.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    let texts: Vec<String> = causes.map(ToString::to_string).collect();
    if texts.is_empty() { error.to_string() } else { texts.join(": ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        for (text, range) in [
            ("bytes 5-9/10", Some((5, Some(10)))),
            ("bytes 5-9/*", Some((5, None))),
            ("bytes */10", None),
            ("5-9/10", None),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_RANGE, text.parse().expect("test"))]);
            assert_eq!(content_range(&headers), range, "{text}");
        }
    }

    #[test]
    fn only_strong_validators() {
        let headers = |etag: &str| {
            let modified = "Sat, 06 Sep 2025 09:56:39 GMT".parse().expect("test");
            HeaderMap::from_iter([(ETAG, etag.parse().expect("test")), (LAST_MODIFIED, modified)])
        };
        assert_eq!(validator(&headers("\"a\"")).as_deref(), Some("\"a\""));
        assert_eq!(validator(&headers("W/\"a\"")).as_deref(), Some("Sat, 06 Sep 2025 09:56:39 GMT"));
    }
}
