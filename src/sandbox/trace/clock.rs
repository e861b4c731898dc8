//! A clock that is ahead: what reading it answers, and for how long to wait until it shows a moment.
//!
//! Only the clocks that tell the time of day are ahead. Those that measure run as they do, so that a span is as
//! long as ever. A wait for a *moment* of the clock, as in `pthread_cond_timedwait`, is moved back to the
//! moment that the command means. Timers that are set to a moment (timer_settime, timerfd_settime) and
//! message queues are not: they would end late. The times of files are the kernel's own.

use std::time::Duration;

use libc::{FUTEX_CLOCK_REALTIME, FUTEX_CMD_MASK};

const NANOSECONDS: i64 = 1_000_000_000;

/// A moment as the kernel tells it: `struct timespec`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) seconds: i64,
    pub(super) nanoseconds: i64,
}

impl Moment {
    /// The bytes of a `timespec`.
    pub(super) const BYTES: usize = 16;

    /// What the clock shows that is `ahead`.
    pub(super) fn later(self, ahead: Duration) -> Self {
        let nanoseconds = self.nanoseconds.saturating_add(ahead.subsec_nanos().into());
        Self {
            seconds: self.seconds.saturating_add(seconds(ahead)).saturating_add(nanoseconds / NANOSECONDS),
            nanoseconds: nanoseconds % NANOSECONDS,
        }
    }

    /// When the clock that is `ahead` shows this; 1970 where that is before. A moment that the
    /// kernel would refuse stays as it is.
    pub(super) fn earlier(self, ahead: Duration) -> Self {
        if self.seconds < 0 || !(0..NANOSECONDS).contains(&self.nanoseconds) {
            return self;
        }
        let (nanoseconds, borrowed) = match self.nanoseconds - i64::from(ahead.subsec_nanos()) {
            less @ ..0 => (less + NANOSECONDS, 1),
            enough => (enough, 0),
        };
        match self.seconds.saturating_sub(seconds(ahead)) - borrowed {
            ..0 => Self { seconds: 0, nanoseconds: 0 },
            seconds => Self { seconds, nanoseconds },
        }
    }

    pub(super) fn from_timespec(bytes: [u8; Self::BYTES]) -> Self {
        let [seconds, nanoseconds] = [0, 8].map(|at| {
            let word = bytes[at..at + 8].try_into().expect("BUG: a word is eight bytes");
            i64::from_ne_bytes(word)
        });
        Self { seconds, nanoseconds }
    }

    pub(super) fn timespec(self) -> [u8; Self::BYTES] {
        pair(self.seconds, self.nanoseconds)
    }

    /// The bytes of a `timeval`, which counts microseconds.
    pub(super) fn timeval(self) -> [u8; Self::BYTES] {
        pair(self.seconds, self.nanoseconds / 1000)
    }
}

fn seconds(ahead: Duration) -> i64 {
    i64::try_from(ahead.as_secs()).unwrap_or(i64::MAX)
}

fn pair(first: i64, second: i64) -> [u8; Moment::BYTES] {
    let mut bytes = [0; Moment::BYTES];
    bytes[..8].copy_from_slice(&first.to_ne_bytes());
    bytes[8..].copy_from_slice(&second.to_ne_bytes());
    bytes
}

/// Whether a futex(2) operation waits until a moment of the clock, rather than for a span or not at all.
pub(super) fn waits_for_moment(operation: u64) -> bool {
    const REALTIME: u64 = FUTEX_CLOCK_REALTIME as u64;
    let command = i32::try_from(operation & u64::from(u32::MAX)).unwrap_or_default() & FUTEX_CMD_MASK;
    match command {
        libc::FUTEX_LOCK_PI => true,
        libc::FUTEX_WAIT_BITSET | libc::FUTEX_WAIT_REQUEUE_PI | libc::FUTEX_LOCK_PI2 => operation & REALTIME != 0,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(seconds: i64, nanoseconds: i64) -> Moment {
        Moment { seconds, nanoseconds }
    }

    #[test]
    fn later_and_back() {
        for (now, ahead, want) in [
            (moment(100, 5), Duration::ZERO, moment(100, 5)),
            (moment(100, 5), Duration::from_secs(1000), moment(1100, 5)),
            (moment(100, 999_999_999), Duration::new(1, 1), moment(102, 0)),
            (moment(100, 600_000_000), Duration::new(0, 500_000_000), moment(101, 100_000_000)),
        ] {
            assert_eq!(now.later(ahead), want, "{now:?} + {ahead:?}");
            assert_eq!(want.earlier(ahead), now, "{want:?} - {ahead:?}");
        }
    }

    #[test]
    fn the_ends_of_time() {
        let long = Duration::from_secs(1000);
        assert_eq!(moment(5, 5).later(Duration::MAX).seconds, i64::MAX);
        assert_eq!(moment(999, 5).earlier(long), moment(0, 0));
        assert_eq!(moment(5, 5).earlier(Duration::MAX), moment(0, 0));
        for refused in [moment(-1, 0), moment(5000, -1), moment(5000, NANOSECONDS)] {
            assert_eq!(refused.earlier(long), refused);
        }
    }

    #[test]
    fn as_the_kernel_writes_it() {
        let bytes = moment(0x0102, 0x03e8_0000).timespec();
        assert_eq!(bytes, [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0xe8, 3, 0, 0, 0, 0]);
        assert_eq!(Moment::from_timespec(bytes), moment(0x0102, 0x03e8_0000));
        assert_eq!(moment(1, 2_999).timeval(), moment(1, 2).timespec());
    }

    #[test]
    fn waits_that_end_at_a_moment() {
        const PRIVATE: i32 = libc::FUTEX_PRIVATE_FLAG;
        for (operation, want) in [
            (libc::FUTEX_WAIT, false),
            (libc::FUTEX_WAKE, false),
            (libc::FUTEX_WAIT | FUTEX_CLOCK_REALTIME, false),
            (libc::FUTEX_WAIT_BITSET | PRIVATE, false),
            (libc::FUTEX_WAIT_BITSET | PRIVATE | FUTEX_CLOCK_REALTIME, true),
            (libc::FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, true),
            (libc::FUTEX_LOCK_PI | PRIVATE, true),
            (libc::FUTEX_LOCK_PI2 | PRIVATE, false),
        ] {
            assert_eq!(waits_for_moment(operation.cast_unsigned().into()), want, "{operation:#x}");
        }
    }
}
