//! A GNU make jobserver over all sandboxes of a build, from which no token is ever lost.
//!
//! make, cargo, ninja (from 1.13) and gcc's LTO speak one protocol: read a byte to start one more
//! job, write it back when the job ends. One pipe shared by all sandboxes would lose the tokens of
//! those that are killed, and would let them talk to each other. So each sandbox has a fifo of its
//! own at `/dev/jobserver`, made inside, and forge *lends* tokens through it. At every tick
//! ([`Lease::settle`]):
//!
//! - tokens that lie unread in the fifo go back to the pool: nobody wants them here;
//! - an empty fifo gets one token if the pool has one: whoever waits takes it at once.
//!
//! So a token that is not wanted moves on, tick by tick, to a sandbox that wants it, and when a
//! sandbox is gone, however it ended, all that was lent to it is free again.
//!
//! A running sandbox counts as one job by itself, as in make's protocol, and may always run; only
//! the jobs beyond it need tokens. `MAKEFLAGS` names the fifo and no number of jobs. make knows
//! the fifo from 4.4 on (an older one warns and runs one job).

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::io::{Errno, ioctl_fionread, read, write};

/// The byte that is lent; any will do.
const TOKEN: &[u8; 1] = b"+";

/// The jobs that all sandboxes of a build may run together.
pub struct Jobserver {
    /// Tokens in no sandbox; negative while more sandboxes run than there are jobs.
    free: Mutex<i64>,
}

impl Jobserver {
    /// A jobserver for `jobs` jobs at a time, of which each running sandbox is one.
    #[must_use]
    pub fn new(jobs: usize) -> Self {
        Self { free: Mutex::new(i64::try_from(jobs).unwrap_or(i64::MAX)) }
    }

    /// Counts a sandbox in.
    pub(super) fn lease(&self) -> Lease<'_> {
        *self.free() -= 1;
        Lease { jobserver: self, fifo: None, lent: 0 }
    }

    fn take(&self) -> bool {
        let mut free = self.free();
        let any = *free > 0;
        *free -= i64::from(any);
        any
    }

    fn free(&self) -> MutexGuard<'_, i64> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one sandbox has of the jobs: itself, and the tokens lent to it. Dropped, all comes back.
pub(super) struct Lease<'a> {
    jobserver: &'a Jobserver,
    fifo: Option<OwnedFd>,
    lent: i64,
}

impl Lease<'_> {
    /// Starts lending through `fifo`, which must not block.
    pub(super) fn open(&mut self, fifo: OwnedFd) {
        self.fifo = Some(fifo);
    }

    /// Takes back what nobody wants, or lends one more.
    pub(super) fn settle(&mut self) -> io::Result<()> {
        let Some(fifo) = &self.fifo else { return Ok(()) };
        if ioctl_fionread(fifo)? > 0 {
            let mut unread = [0; 4096];
            let count = match read(fifo, &mut unread) {
                Err(Errno::AGAIN) => 0, // taken this very moment
                result => result?,
            };
            // A command may write bytes that it never took: they are worth nothing.
            let returned = i64::try_from(count).unwrap_or(i64::MAX).min(self.lent);
            self.lent -= returned;
            *self.jobserver.free() += returned;
        } else if self.jobserver.take() {
            self.lent += 1;
            write(fifo, TOKEN)?;
        }
        Ok(())
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        *self.jobserver.free() += self.lent + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::pipe::{PipeFlags, pipe_with};

    // A fifo stands for one file that is read and written; a pipe in a test needs /proc to be that.
    fn fifo() -> (OwnedFd, OwnedFd) {
        let (read, _write) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).expect("pipe");
        let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&read));
        let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NONBLOCK;
        let both = rustix::fs::open(path, flags, rustix::fs::Mode::empty()).expect("open");
        (both, read)
    }

    fn take(fifo: &OwnedFd) -> usize {
        read(fifo, &mut [0; 16]).unwrap_or(0)
    }

    #[test]
    fn tokens_go_where_they_are_wanted() {
        let jobserver = Jobserver::new(4);
        let (mut idle, mut busy) = (jobserver.lease(), jobserver.lease());
        let ((idle_fifo, _), (busy_fifo, busy_end)) = (fifo(), fifo());
        idle.open(idle_fifo);
        busy.open(busy_fifo);
        let mut taken = 0;
        for _ in 0..6 {
            idle.settle().expect("settle");
            busy.settle().expect("settle");
            taken += take(&busy_end);
        }
        assert_eq!(taken, 2, "two of four jobs are the sandboxes themselves");
    }

    #[test]
    fn tokens_of_the_dead_come_back_and_invented_ones_are_worth_nothing() {
        let jobserver = Jobserver::new(3);
        let mut lease = jobserver.lease();
        let (ours, theirs) = fifo();
        lease.open(ours);
        for _ in 0..3 {
            lease.settle().expect("settle");
            take(&theirs);
        }
        assert_eq!(*jobserver.free(), 0);
        write(&theirs, b"+++++").ok();
        drop(lease);
        assert_eq!(*jobserver.free(), 3);
    }
}
