//! The two HTTP clients: certificates are read when TLS is first spoken, which takes longer than a whole push that
//! has nothing to send to a registry of this machine.

use std::sync::OnceLock;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;

use reqwest::Url;
use reqwest::blocking::{Client as Http, RequestBuilder, Response};
use reqwest::redirect::{self, Attempt};

use super::policy::STEP;
use super::wire::causes;
use super::{Error, Policy, Watch};

/// More redirects are a loop.
const REDIRECTS_MAX: usize = 5;

/// The clients; each starts when it is first needed.
pub(super) struct Clients {
    policy: Policy,
    watch: Watch,
    plain: OnceLock<Http>,
    secure: OnceLock<Http>,
}

impl Clients {
    pub(super) fn new(policy: Policy, watch: Watch) -> Self {
        // Where another crate was first to choose, its choice serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { policy, watch, plain: OnceLock::new(), secure: OnceLock::new() }
    }

    /// The client that speaks to `url`.
    pub(super) fn of(&self, url: &Url) -> Result<&Http, Error> {
        let plain = url.scheme() == "http";
        let client = if plain { &self.plain } else { &self.secure };
        if client.get().is_none() {
            // Another thread may have been first; either client serves.
            let _ = client.set(self.start(plain).map_err(|error| Error::Client(causes(&error)))?);
        }
        Ok(client.get().expect("BUG: set above"))
    }

    /// Sends a request in a thread of its own, which is left to itself when the answer is no longer wanted.
    pub(super) fn send(&self, request: RequestBuilder) -> Result<reqwest::Result<Response>, Error> {
        let (sender, receiver) = mpsc::channel();
        // Nobody may be there any more to take the answer.
        thread::spawn(move || drop(sender.send(request.send())));
        loop {
            match receiver.recv_timeout(STEP) {
                Ok(answer) => return Ok(answer),
                Err(RecvTimeoutError::Timeout) => self.watch.check()?,
                Err(RecvTimeoutError::Disconnected) => unreachable!("BUG: the thread panicked"),
            }
        }
    }

    /// The plain one trusts no certificate: where it is redirected to TLS, it ends.
    fn start(&self, plain: bool) -> reqwest::Result<Http> {
        let policy = &self.policy;
        let builder = Http::builder()
            .user_agent(concat!("forge/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::custom(follow))
            .connect_timeout(policy.idle)
            .tcp_user_timeout(policy.idle)
            .timeout(policy.idle);
        if plain { builder.tls_certs_only([]).build() } else { builder.build() }
    }
}

/// Follows redirects, but not out of TLS.
fn follow(attempt: Attempt<'_>) -> redirect::Action {
    let secure = attempt.previous().last().is_some_and(|url| url.scheme() == "https");
    if secure && attempt.url().scheme() != "https" {
        return attempt.error("redirects to an address without TLS");
    }
    if attempt.previous().len() > REDIRECTS_MAX { attempt.error("redirects in a circle") } else { attempt.follow() }
}
