//! Why a place did not give a file, and what follows: ask again, or go on to the next place.

use std::time::Duration;

use super::Error;
use crate::digest::Digest;
use crate::registry::Credentials;

/// How patient a download is. `Default` is what forge uses; tests are in more of a hurry.
#[derive(Clone, Debug)]
pub struct Policy {
    /// How often one place is asked for one file.
    pub attempts: u32,
    /// The pause before the second attempt; doubled before each further one, so 0.5 s, 1 s, 2 s.
    pub pause: Duration,
    /// The longest `Retry-After` that is waited for; a place that wants more is left.
    pub retry_after_max: Duration,
    /// How long a connection may take to stand.
    pub connect: Duration,
    /// How long a place may send nothing.
    pub idle: Duration,
    /// Nothing is asked over the network; mirrors in directories still are.
    pub offline: bool,
    /// Who we are to registries.
    pub credentials: Credentials,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            attempts: 4,
            pause: Duration::from_millis(500),
            retry_after_max: Duration::from_secs(20),
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            offline: false,
            credentials: Credentials::default(),
        }
    }
}

/// Why a place did not give the file.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The place does not have it, or asking again would bring the same answer.
    #[error("{0}")]
    Refused(String),
    /// The content is something else.
    #[error("wrong content\n      want {want}\n      got  {got}")]
    Digest {
        /// As pinned.
        want: Digest,
        /// As it came.
        got: Digest,
    },
    /// The size the place announces is not the pinned one.
    #[error("wrong size\n      want {want} bytes\n      got  {got} bytes")]
    Size {
        /// As pinned.
        want: u64,
        /// As announced.
        got: u64,
    },
    /// More came than may come; cut off.
    #[error("sends more than {0} bytes; cut off")]
    TooLong(u64),
    /// It may go better in a moment.
    #[error("{what}")]
    Passing {
        /// What happened.
        what: String,
        /// When the place wants to be asked again.
        after: Option<Duration>,
    },
    /// The network may not be used.
    #[error("not asked (offline)")]
    Offline,
    /// Trouble on this side; no other place would help.
    #[error(transparent)]
    Here(#[from] Error),
}

impl Fault {
    pub(super) fn passing(what: impl ToString) -> Self {
        Self::Passing { what: what.to_string(), after: None }
    }

    /// The pause before asking the same place again after `attempts` attempts; `None`: leave it.
    pub(super) fn pause(&self, attempts: u32, policy: &Policy) -> Option<Duration> {
        let Self::Passing { after, .. } = self else { return None };
        if attempts >= policy.attempts {
            return None;
        }
        let pause = policy.pause * 2u32.saturating_pow(attempts.saturating_sub(1));
        match after {
            Some(after) if *after > policy.retry_after_max => None,
            Some(after) => Some(pause.max(*after)),
            None => Some(pause),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses() {
        let policy = Policy::default();
        let ms = Duration::from_millis;
        let after = |seconds| Fault::Passing { what: String::new(), after: Some(Duration::from_secs(seconds)) };
        for (fault, attempts, pause) in [
            (Fault::passing(""), 1, Some(ms(500))),
            (Fault::passing(""), 2, Some(ms(1000))),
            (Fault::passing(""), 3, Some(ms(2000))),
            (Fault::passing(""), 4, None),
            (after(3), 1, Some(ms(3000))),
            (after(0), 2, Some(ms(1000))),
            (after(3600), 1, None),
            (Fault::Refused("404".to_owned()), 1, None),
            (Fault::TooLong(3), 1, None),
        ] {
            assert_eq!(fault.pause(attempts, &policy), pause, "{fault:?}");
        }
    }
}
