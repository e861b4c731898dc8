//! forge's side of a command that a user watches: carries bytes between the user's descriptors and
//! the sandbox's terminal or pipes.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags};
use rustix::io::{Errno, read, retry_on_intr, write};
use rustix::termios::tcsetwinsize;

use super::stdio::{Medium, Window};

/// How much is carried at a time: what a pipe that is ready takes without blocking.
const CHUNK_BYTES: usize = 4096;

/// Where a watched command reads from and writes to, outside.
pub struct Console<'a> {
    /// What the command is to read.
    pub input: BorrowedFd<'a>,
    /// Where its output goes.
    pub output: BorrowedFd<'a>,
    /// Where its errors go; with a terminal both go to `output`.
    pub errors: BorrowedFd<'a>,
    /// Says the size of the user's terminal, which must be in raw mode; the command then has a
    /// terminal too, that follows this size. `None`: it has pipes.
    pub window: Option<&'a dyn Fn() -> Window>,
}

impl Console<'_> {
    pub(super) fn medium(&self) -> Medium {
        self.window.map_or(Medium::Pipes, |window| Medium::Terminal(window()))
    }
}

/// Bytes on their way in both directions, once the command runs.
pub(super) struct Relay<'a> {
    console: &'a Console<'a>,
    input: Option<Pump<'a>>,
    outputs: Vec<Pump<'a>>,
    /// The terminal's master, and the size it has.
    terminal: Option<(OwnedFd, Window)>,
}

impl<'a> Relay<'a> {
    /// Nothing moves before [`Relay::open`].
    pub(super) fn new(console: &'a Console<'a>) -> Self {
        Self { console, input: None, outputs: Vec::new(), terminal: None }
    }

    /// Starts to carry; `ends` are those that the sandbox sent.
    pub(super) fn open(&mut self, ends: Vec<OwnedFd>) -> io::Result<()> {
        let Console { input, output, errors, window } = self.console;
        match <[OwnedFd; 3]>::try_from(ends) {
            Ok([to_input, from_output, from_errors]) => {
                self.input = Some(Pump::new(*input, to_input));
                self.outputs = vec![Pump::new(from_output, *output), Pump::new(from_errors, *errors)];
            }
            Err(ends) => {
                let master = ends.into_iter().next().ok_or_else(|| io::Error::other("no streams came"))?;
                self.input = Some(Pump::new(*input, master.try_clone()?));
                self.outputs = vec![Pump::new(master.try_clone()?, *output)];
                self.terminal = Some((master, window.map_or_else(Window::default, |window| window())));
            }
        }
        Ok(())
    }

    /// What to wait for, in an order that [`Relay::carry`] knows.
    pub(super) fn watched(&self) -> impl Iterator<Item = PollFd<'_>> {
        self.input.iter().chain(&self.outputs).map(Pump::watched)
    }

    /// Carries a chunk each where it is `ready`. A user's terminal that has gone hangs up the one inside.
    pub(super) fn carry(&mut self, ready: &[bool]) -> io::Result<()> {
        let mut ended = false;
        for (pump, _) in self.input.iter_mut().chain(&mut self.outputs).zip(ready).filter(|(_, ready)| **ready) {
            pump.carry()?;
            ended |= pump.over;
        }
        if ended && self.terminal.is_some() {
            (self.input, self.outputs, self.terminal) = (None, Vec::new(), None);
        }
        self.input.take_if(|pump| pump.over);
        self.outputs.retain(|pump| !pump.over);
        Ok(())
    }

    /// Makes the terminal inside as large as the user's.
    pub(super) fn resize(&mut self) -> io::Result<()> {
        if let (Some((master, size)), Some(window)) = (&mut self.terminal, self.console.window)
            && *size != window()
        {
            *size = window();
            tcsetwinsize(master, (*size).into())?;
        }
        Ok(())
    }

    /// Carries what is left of the output, now that the sandbox has gone.
    pub(super) fn drain(&mut self) -> io::Result<()> {
        for pump in &mut self.outputs {
            while !pump.over && pump.carry()? {}
        }
        Ok(())
    }
}

/// One direction. It is dropped at its end, which closes what the sandbox sent.
struct Pump<'a> {
    from: Box<dyn AsFd + 'a>,
    to: Box<dyn AsFd + 'a>,
    /// Read and not yet written.
    waiting: Vec<u8>,
    over: bool,
}

impl<'a> Pump<'a> {
    fn new(from: impl AsFd + 'a, to: impl AsFd + 'a) -> Self {
        Self { from: Box::new(from), to: Box::new(to), waiting: Vec::new(), over: false }
    }

    fn watched(&self) -> PollFd<'_> {
        if self.waiting.is_empty() {
            PollFd::from_borrowed_fd(self.from.as_fd(), PollFlags::IN)
        } else {
            PollFd::from_borrowed_fd(self.to.as_fd(), PollFlags::OUT)
        }
    }

    /// Reads a chunk, or writes from the one that waits; false where it would have to wait.
    fn carry(&mut self) -> io::Result<bool> {
        let moved = if self.waiting.is_empty() { self.take() } else { self.put() };
        match moved {
            // EIO: the terminal has no other end any more. EPIPE: nobody reads.
            Ok(0) | Err(Errno::IO | Errno::PIPE) => self.over = true,
            Ok(_) => {}
            Err(Errno::AGAIN) => return Ok(false),
            Err(errno) => return Err(errno.into()),
        }
        Ok(true)
    }

    fn take(&mut self) -> rustix::io::Result<usize> {
        let mut chunk = [0; CHUNK_BYTES];
        let count = retry_on_intr(|| read(self.from.as_fd(), &mut chunk))?;
        self.waiting.extend_from_slice(&chunk[..count]);
        Ok(count)
    }

    fn put(&mut self) -> rustix::io::Result<usize> {
        let count = retry_on_intr(|| write(self.to.as_fd(), &self.waiting))?;
        self.waiting.drain(..count);
        Ok(count)
    }
}
