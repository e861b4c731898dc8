//! forge's side: starts the helper, hands it sandboxes, reads logs and reports.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, read, retry_on_intr};
use rustix::net::{Shutdown, shutdown};
use rustix::pipe::{PipeFlags, pipe_with};

use super::error::{Error, Failure};
use super::helper::HELPER_ARG;
use super::jobserver::{Jobserver, Lease};
use super::mounts;
use super::spec::{Exit, Spec};
use super::wire::{Report, Request, Start, pair, receive_report, send_start, write_request};

/// Output beyond this is dropped, with one line that says so.
pub const LOG_LIMIT_BYTES: usize = 256 << 20;
/// How often `cancel`, the timeout and the jobserver are looked at.
const TICK: Duration = Duration::from_millis(10);
/// How much output is read at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// The small helper process that all sandboxes are forked from. Dropped, it kills them.
pub struct Launcher {
    helper: OwnedFd,
    process: Child,
}

impl Launcher {
    /// Starts `program` (the forge binary itself) as the helper: `program sandbox-helper`.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn start(program: &Path) -> Result<Self, Error> {
        let start = || {
            let (helper, theirs) = pair()?;
            let mut command = Command::new(program);
            command.arg(HELPER_ARG).env_clear().stdin(theirs).stdout(Stdio::null());
            Ok(Self { helper, process: command.spawn()? })
        };
        start().map_err(|source| Error::Helper { program: program.to_owned(), source })
    }

    /// Runs one command to its end, passing its output (stdout and stderr as one stream) to `log`.
    /// Call it from many threads. `cancel` is asked about every 10 ms; true kills the sandbox whole.
    ///
    /// When this returns, every process of the sandbox is gone.
    ///
    /// # Errors
    /// When the command could not be run. That it ran and failed is an [`Exit`].
    pub fn run(
        &self,
        spec: &Spec,
        jobs: Option<&Jobserver>,
        cancel: &(dyn Fn() -> bool + Sync),
        log: &mut dyn FnMut(&[u8]),
    ) -> Result<Exit, Error> {
        let request = Request { spec, mounts: mounts::plan(spec, jobs.is_some())?, jobserver: jobs.is_some() };
        let (control, output) = self.send(&request)?;
        let deadline = Instant::now() + spec.limits.timeout;
        let mut run = Run {
            control,
            output: Some(output),
            lease: jobs.map(Jobserver::lease),
            log: Log { to: log, bytes: 0 },
            report: None,
        };
        let stopped = run.watch(deadline, cancel).map_err(io_error("watching a sandbox"))?;
        match run.report {
            Some(Ok(exit)) => Ok(exit),
            Some(Err(failure)) => Err(failure.into()),
            None => stopped.map_or_else(|| self.killed(), Ok),
        }
    }

    /// The process id of the helper, for messages.
    #[must_use]
    pub fn helper_id(&self) -> u32 {
        self.process.id()
    }

    fn send(&self, request: &Request<&Spec>) -> Result<(OwnedFd, OwnedFd), Error> {
        let send = || {
            let (control, theirs) = pair()?;
            let (output, input) = pipe_with(PipeFlags::CLOEXEC)?;
            send_start(&self.helper, &Start { request: write_request(request)?, log: input, control: theirs })?;
            Ok((control, output))
        };
        send().map_err(|error: io::Error| match Errno::from_io_error(&error) {
            Some(Errno::PIPE | Errno::CONNRESET) => Error::HelperDied,
            _ => io_error("handing a sandbox to the helper")(error),
        })
    }

    /// A sandbox ended without a word: something outside killed it, or it went with its helper.
    fn killed(&self) -> Result<Exit, Error> {
        const SIGKILL: i32 = 9;
        let mut fds = [PollFd::new(&self.helper, PollFlags::empty())];
        poll(&mut fds, Some(&Timespec::default())).map_err(|errno| io_error("asking for the helper")(errno.into()))?;
        if fds[0].revents().contains(PollFlags::HUP) { Err(Error::HelperDied) } else { Ok(Exit::Signal(SIGKILL)) }
    }
}

impl Drop for Launcher {
    fn drop(&mut self) {
        // Both can fail only when the helper is gone already, which is what they are for.
        let _ = shutdown(&self.helper, Shutdown::Both);
        let _ = self.process.wait();
    }
}

/// One run, as seen from forge.
struct Run<'a> {
    control: OwnedFd,
    /// `None` once its end was read.
    output: Option<OwnedFd>,
    lease: Option<Lease<'a>>,
    log: Log<'a>,
    report: Option<Result<Exit, Failure>>,
}

impl Run<'_> {
    /// Follows the sandbox until all of it is gone. Says why, if it was told to stop.
    fn watch(&mut self, deadline: Instant, cancel: &(dyn Fn() -> bool + Sync)) -> io::Result<Option<Exit>> {
        let mut stopped = None;
        let mut buffer = vec![0; CHUNK_BYTES];
        loop {
            let (output, control) = self.wait()?;
            if output {
                self.pass_on(&mut buffer)?;
            }
            if control && !self.hear()? {
                break;
            }
            if stopped.is_none() {
                stopped = if cancel() {
                    Some(Exit::Cancelled)
                } else {
                    (Instant::now() >= deadline).then_some(Exit::TimedOut)
                };
                if stopped.is_some() {
                    shutdown(&self.control, Shutdown::Write)?;
                }
            }
            if let Some(lease) = &mut self.lease {
                lease.settle()?;
            }
        }
        while self.output.is_some() {
            self.pass_on(&mut buffer)?;
        }
        Ok(stopped)
    }

    /// Waits a tick at most; says whether there is output, and whether there is a report.
    fn wait(&self) -> io::Result<(bool, bool)> {
        let tick = Timespec { tv_sec: 0, tv_nsec: i64::from(TICK.subsec_nanos()) };
        let mut fds = vec![PollFd::new(&self.control, PollFlags::IN)];
        fds.extend(self.output.as_ref().map(|output| PollFd::new(output, PollFlags::IN)));
        retry_on_intr(|| poll(&mut fds, Some(&tick)))?;
        let ready = |fd: &PollFd<'_>| !fd.revents().is_empty();
        Ok((fds.get(1).is_some_and(ready), ready(&fds[0])))
    }

    /// Reads one chunk of output.
    fn pass_on(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        let Some(output) = &self.output else { return Ok(()) };
        match retry_on_intr(|| read(output, &mut *buffer))? {
            0 => self.output = None,
            count => self.log.write(&buffer[..count]),
        }
        Ok(())
    }

    /// Takes one report; false when there will be no more.
    fn hear(&mut self) -> io::Result<bool> {
        let Some((report, fifo)) = receive_report(&self.control)? else { return Ok(false) };
        match report {
            Report::Running => {
                if let (Some(lease), Some(fifo)) = (&mut self.lease, fifo) {
                    lease.open(fifo);
                }
            }
            Report::Failed(failure) => self.report = Some(Err(failure)),
            Report::Ended(exit) => self.report = Some(Ok(exit)),
        }
        Ok(true)
    }
}

/// Output on its way to whoever keeps it, up to [`LOG_LIMIT_BYTES`].
struct Log<'a> {
    to: &'a mut dyn FnMut(&[u8]),
    /// Output so far, kept or dropped.
    bytes: usize,
}

impl Log<'_> {
    fn write(&mut self, chunk: &[u8]) {
        let room = LOG_LIMIT_BYTES.saturating_sub(self.bytes);
        let kept = &chunk[..chunk.len().min(room)];
        if !kept.is_empty() {
            (self.to)(kept);
        }
        let before = self.bytes;
        self.bytes += chunk.len();
        if before <= LOG_LIMIT_BYTES && self.bytes > LOG_LIMIT_BYTES {
            (self.to)(format!("\nforge: output beyond {LOG_LIMIT_BYTES} bytes is dropped\n").as_bytes());
        }
    }
}

fn io_error(doing: &'static str) -> impl Fn(io::Error) -> Error {
    move |source| Error::Io { doing, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_without_end_is_cut_once() {
        for chunk_bytes in [1 << 20, (1 << 20) + 1] {
            let (mut kept, mut notes) = (0, 0);
            let mut to = |bytes: &[u8]| match bytes.starts_with(b"\nforge: output beyond") {
                true => notes += 1,
                false => kept += bytes.len(),
            };
            let mut log = Log { to: &mut to, bytes: 0 };
            let chunk = vec![b'x'; chunk_bytes];
            for _ in 0..LOG_LIMIT_BYTES / chunk_bytes + 3 {
                log.write(&chunk);
            }
            assert_eq!((kept, notes), (LOG_LIMIT_BYTES, 1));
        }
    }
}
