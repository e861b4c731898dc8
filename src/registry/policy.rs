//! How patient forge is with a registry.

use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant};

use super::{Error, Watch};

/// How often a pause looks whether the work is still wanted.
pub(super) const STEP: Duration = Duration::from_millis(50);

/// The bounds of patience. `Default` is what forge uses; tests are in more of a hurry.
#[derive(Clone, Debug)]
pub struct Policy {
    /// How often something is asked for that brings nothing.
    pub attempts: u32,
    /// The pause before the second attempt; doubled before each further one.
    pub pause: Duration,
    /// The longest `Retry-After` that is waited for.
    pub retry_after_max: Duration,
    /// How long a connection may take to stand, and how long nothing may be heard.
    pub idle: Duration,
    /// Bytes a second below which a transfer counts as dead.
    pub slowest: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            attempts: 5,
            pause: Duration::from_millis(500),
            retry_after_max: Duration::from_secs(60),
            idle: Duration::from_secs(30),
            slowest: 32 << 10,
        }
    }
}

/// Why one attempt came to nothing.
#[derive(Debug)]
pub(super) enum Fault {
    /// Another attempt would end alike.
    Final(Error),
    /// It may go better in a moment.
    Passing {
        error: Error,
        /// When the registry wants to be asked again.
        after: Option<Duration>,
        /// Whether it brought the work forward all the same.
        moved: bool,
    },
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

impl Fault {
    pub(super) fn passing(error: Error) -> Self {
        Self::Passing { error, after: None, moved: false }
    }

    pub(super) fn error(&self) -> &Error {
        match self {
            Self::Final(error) | Self::Passing { error, .. } => error,
        }
    }
}

impl Policy {
    /// How long something may take that moves so many bytes.
    pub(super) fn patience(&self, bytes: u64) -> Duration {
        self.idle + Duration::from_secs(bytes / self.slowest.max(1))
    }

    /// Attempts until one succeeds; those that bring the work forward are not counted.
    pub(super) fn patiently<T>(
        &self,
        watch: &Watch,
        mut attempt: impl FnMut() -> Result<T, Fault>,
    ) -> Result<T, Error> {
        let mut vain = 0;
        loop {
            watch.check()?;
            let (error, after, moved) = match attempt() {
                Ok(done) => return Ok(done),
                Err(Fault::Final(error)) => return Err(error),
                Err(Fault::Passing { error, after, moved }) => (error, after, moved),
            };
            watch.check()?;
            vain = if moved { 1 } else { vain + 1 };
            let Some(pause) = self.pause_after(vain, after) else { return Err(error.after(vain)) };
            wait(pause, watch)?;
        }
    }

    /// The pause after so many vain attempts; `None`: give up.
    fn pause_after(&self, vain: u32, after: Option<Duration>) -> Option<Duration> {
        let pause = self.pause * 2u32.saturating_pow(vain.saturating_sub(1));
        let asked = after.unwrap_or_default();
        (vain < self.attempts && asked <= self.retry_after_max).then(|| pause.max(asked))
    }
}

fn wait(pause: Duration, watch: &Watch) -> Result<(), Error> {
    let end = Instant::now() + pause;
    while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        watch.check()?;
        thread::sleep(left.min(STEP));
    }
    Ok(())
}

impl Watch {
    /// `Err` once it is no longer wanted.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.look() == ControlFlow::Break(()) { Err(Error::Cancelled) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses() {
        let policy = Policy::default();
        let seconds = Duration::from_secs;
        for (vain, after, pause) in [
            (1, None, Some(Duration::from_millis(500))),
            (3, None, Some(seconds(2))),
            (4, None, Some(seconds(4))),
            (5, None, None),
            (1, Some(seconds(7)), Some(seconds(7))),
            (4, Some(seconds(1)), Some(seconds(4))),
            (1, Some(seconds(61)), None),
        ] {
            assert_eq!(policy.pause_after(vain, after), pause, "{vain} {after:?}");
        }
    }

    #[test]
    fn attempts_that_move_are_not_counted() {
        let policy = Policy { attempts: 2, pause: Duration::ZERO, ..Policy::default() };
        let lost = || Error::Lost { request: String::new(), why: String::new(), attempts: 1 };
        let mut left = 9;
        let moving = policy.patiently(&Watch::default(), || {
            left -= 1;
            if left == 0 { Ok(()) } else { Err(Fault::Passing { error: lost(), after: None, moved: true }) }
        });
        assert!(moving.is_ok());
        let mut asked = 0;
        let vain: Result<(), Error> = policy.patiently(&Watch::default(), || {
            asked += 1;
            Err(Fault::passing(lost()))
        });
        assert!(vain.is_err() && asked == 2);
    }
}
