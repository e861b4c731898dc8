//! What can go wrong between here and a registry.

use std::path::PathBuf;

use super::{Distrust, Host};
use crate::store;

/// Why a registry did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A text that names no repository.
    #[error("`{text}`: {why}")]
    Reference {
        /// The text.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// Plain HTTP was asked for.
    #[error("{0}: without TLS forge speaks to registries of this machine alone")]
    Plain(String),
    /// Docker's configuration, or a helper that it names.
    #[error("credentials for {host}, from {}: {why}", config.display())]
    Credentials {
        /// The registry.
        host: Host,
        /// Docker's configuration.
        config: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The registry refused something.
    #[error("{request}: {status}{}{}", said(text), tries(*attempts))]
    Answer {
        /// Method and address.
        request: String,
        /// Its number.
        code: u16,
        /// Number and words.
        status: String,
        /// What the registry said.
        text: String,
        /// How often it was asked.
        attempts: u32,
    },
    /// There was no answer.
    #[error("{request}: {why}{}", tries(*attempts))]
    Lost {
        /// Method and address.
        request: String,
        /// What happened.
        why: String,
        /// How often it was asked.
        attempts: u32,
    },
    /// TLS does not trust what answers.
    #[error("{request}: {why}")]
    Distrusted {
        /// Method and address.
        request: String,
        /// What is wrong.
        why: Distrust,
    },
    /// The registry breaks its own rules.
    #[error("{request}: {why}")]
    Broken {
        /// Method and address.
        request: String,
        /// What is not as it must be.
        why: String,
    },
    /// Something else than what was meant.
    #[error("{what}:\n  want {want}\n  got  {got}")]
    Differs {
        /// Where.
        what: String,
        /// As it must be.
        want: String,
        /// As it is.
        got: String,
    },
    /// Not an image that can be pushed.
    #[error("{0}")]
    Image(String),
    /// The HTTP client can't be made.
    #[error("TLS: {0}")]
    Client(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A note of forge's own.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no longer wanted.
    #[error("cancelled")]
    Cancelled,
}

impl Error {
    /// Whether the user's input is at fault.
    #[must_use]
    pub fn is_input(&self) -> bool {
        matches!(self, Self::Reference { .. } | Self::Plain(_))
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Reference { .. } => "write host[:port]/repository:tag",
            Self::Plain(_) => "leave `http://` out, and give the registry a certificate",
            Self::Credentials { .. } => "`docker login` writes that file; DOCKER_CONFIG names another folder",
            Self::Answer { code: 401 | 403, .. } => {
                "log in with `docker login` or `podman login --compat-auth-file ~/.docker/config.json`, as one who \
                 may write there"
            }
            Self::Answer { code: 413, .. } => "the registry, or a proxy before it, takes no blob of this size",
            Self::Answer { code: 429, .. } => "the registry wants fewer requests: wait, and run this again",
            Self::Answer { code: 507, .. } => "the registry is full: make room there, and run this again",
            Self::Answer { code: 404, .. } => "is there such a repository, and may you see it?",
            Self::Answer { code: 500.., .. } | Self::Lost { .. } => {
                "run this again when the registry is well; of a push, what was uploaded stays, and no tag names it yet"
            }
            Self::Distrusted { why, .. } => why.hint(),
            Self::Client(_) => {
                "TLS needs CAs to trust: install them (Debian: `apt-get install ca-certificates`), or name a file of \
                 them in SSL_CERT_FILE"
            }
            Self::Broken { .. } | Self::Differs { .. } => {
                "the registry, or a proxy before it, is at fault; ask who runs it"
            }
            Self::Answer { .. } => "the registry does not take it; who runs it knows what its words mean",
            Self::Image(_) | Self::Store(_) | Self::Io { .. } | Self::Cancelled => {
                return None;
            }
        })
    }

    /// With how often it was tried.
    pub(super) fn after(mut self, number: u32) -> Self {
        if let Self::Answer { attempts, .. } | Self::Lost { attempts, .. } = &mut self {
            *attempts = number;
        }
        self
    }

    pub(super) fn code(&self) -> Option<u16> {
        if let Self::Answer { code, .. } = self { Some(*code) } else { None }
    }
}

fn said(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

fn tries(attempts: u32) -> String {
    if attempts > 1 { format!(" ({attempts} attempts)") } else { String::new() }
}
