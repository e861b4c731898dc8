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

use super::console::{Console, Relay};
use super::error::{Error, Failure};
use super::helper::HELPER_ARG;
use super::jobserver::{Jobserver, Lease};
use super::mounts;
use super::spec::{Exit, Spec};
use super::stdio::Medium;
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
        self.perform(spec, jobs, cancel, log, None)
    }

    /// Runs one command in the same world, with the user at `console` in place of a log.
    ///
    /// # Errors
    /// As [`Launcher::run`].
    pub fn attach(
        &self,
        spec: &Spec,
        jobs: Option<&Jobserver>,
        cancel: &(dyn Fn() -> bool + Sync),
        console: &Console<'_>,
    ) -> Result<Exit, Error> {
        self.perform(spec, jobs, cancel, &mut |_| {}, Some(console))
    }

    fn perform(
        &self,
        spec: &Spec,
        jobs: Option<&Jobserver>,
        cancel: &(dyn Fn() -> bool + Sync),
        log: &mut dyn FnMut(&[u8]),
        console: Option<&Console<'_>>,
    ) -> Result<Exit, Error> {
        let medium = console.map_or(Medium::Log, Console::medium);
        let mounts = mounts::plan(spec, jobs.is_some())?;
        let beside = spec.service.as_ref().map(|service| mounts::service(service, spec.limits.tmp_bytes));
        let request = Request { spec, mounts, beside: beside.unwrap_or_default(), jobserver: jobs.is_some(), medium };
        let (control, output) = self.send(&request)?;
        // A timeout beyond the clock's end is none.
        let deadline = Instant::now().checked_add(spec.limits.timeout);
        let mut run = Run {
            control,
            output: Some(output),
            relay: console.map(Relay::new),
            lease: jobs.map(Jobserver::lease),
            log: Log { to: log, bytes: 0 },
            report: None,
            stopped: None,
        };
        run.watch(deadline, cancel).map_err(io_error("watching a sandbox"))?;
        match run.report {
            Some(Ok(exit)) => Ok(exit),
            Some(Err(failure)) => Err(failure.into()),
            None => run.stopped.map_or_else(|| self.killed(), Ok),
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
    /// What the command has besides its log.
    relay: Option<Relay<'a>>,
    lease: Option<Lease<'a>>,
    log: Log<'a>,
    report: Option<Result<Exit, Failure>>,
    /// Why it was told to stop, if it was.
    stopped: Option<Exit>,
}

impl Run<'_> {
    /// Follows the sandbox until all of it is gone.
    fn watch(&mut self, deadline: Option<Instant>, cancel: &(dyn Fn() -> bool + Sync)) -> io::Result<()> {
        let mut buffer = vec![0; CHUNK_BYTES];
        let mut next_tick = Instant::now();
        loop {
            let ready = self.wait()?;
            if ready.output {
                self.pass_on(&mut buffer)?;
            }
            self.relay.as_mut().map_or(Ok(()), |relay| relay.carry(&ready.relay))?;
            if ready.control && !self.hear()? {
                break;
            }
            let now = Instant::now();
            if now >= next_tick {
                self.tick(deadline.is_some_and(|deadline| now >= deadline), cancel)?;
                next_tick = now + TICK;
            }
        }
        while self.output.is_some() {
            self.pass_on(&mut buffer)?;
        }
        self.relay.as_mut().map_or(Ok(()), Relay::drain)
    }

    /// Has the sandbox killed if it is time, and settles its tokens. Only every [`TICK`], however much output
    /// comes: a token must lie long enough for a waiting process to be scheduled and take it.
    fn tick(&mut self, late: bool, cancel: &(dyn Fn() -> bool + Sync)) -> io::Result<()> {
        if self.stopped.is_none() {
            self.stopped = if cancel() { Some(Exit::Cancelled) } else { late.then_some(Exit::TimedOut) };
            if self.stopped.is_some() {
                shutdown(&self.control, Shutdown::Write)?;
            }
        }
        self.relay.as_mut().map_or(Ok(()), Relay::resize)?;
        self.lease.as_mut().map_or(Ok(()), Lease::settle)
    }

    /// Waits a tick at most.
    fn wait(&self) -> io::Result<Ready> {
        let tick = Timespec { tv_sec: 0, tv_nsec: i64::from(TICK.subsec_nanos()) };
        let mut fds = vec![PollFd::new(&self.control, PollFlags::IN)];
        fds.extend(self.output.as_ref().map(|output| PollFd::new(output, PollFlags::IN)));
        let own = fds.len();
        fds.extend(self.relay.iter().flat_map(Relay::watched));
        retry_on_intr(|| poll(&mut fds, Some(&tick)))?;
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        Ok(Ready { control: ready[0], output: own > 1 && ready[1], relay: ready[own..].to_vec() })
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
        let Some((report, fds)) = receive_report(&self.control)? else { return Ok(false) };
        match report {
            Report::Running => self.begin(fds)?,
            Report::Failed(failure) => self.report = Some(Err(failure)),
            Report::Ended(exit) => self.report = Some(Ok(exit)),
        }
        Ok(true)
    }

    /// Takes what comes with the command's start.
    fn begin(&mut self, fds: Vec<OwnedFd>) -> io::Result<()> {
        let mut fds = fds.into_iter();
        if let Some(lease) = &mut self.lease {
            fds.next().into_iter().for_each(|fifo| lease.open(fifo));
        }
        self.relay.as_mut().map_or(Ok(()), |relay| relay.open(fds.collect()))
    }
}

/// What [`Run::wait`] saw.
struct Ready {
    /// A report, or their end.
    control: bool,
    /// Output for the log.
    output: bool,
    /// In the order of [`Relay::watched`].
    relay: Vec<bool>,
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
