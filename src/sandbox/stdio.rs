//! Inside: what a command reads from and writes to.
//!
//! A build's command reads nothing and writes to its log. One that a user watches has a terminal
//! of the sandbox's own `/dev/pts`, or three pipes; both are made inside, and forge's ends travel
//! to forge with the report that the command runs. So no descriptor of the host gets in.

use std::io;
use std::os::fd::OwnedFd;
use std::process::Command;

use rustix::io::ioctl_fionbio;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::ioctl_tiocsctty;
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{InputModes, OptionalActions, Winsize, tcgetattr, tcsetattr, tcsetwinsize};
use serde::{Deserialize, Serialize};

/// What a command reads from and writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Medium {
    /// Nothing, and its log.
    Log,
    /// Three pipes.
    Pipes,
    /// A terminal that has the command's session.
    Terminal(Window),
}

/// The size of a terminal, in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Lines.
    pub rows: u16,
    /// Characters in a line.
    pub columns: u16,
}

impl From<Window> for Winsize {
    fn from(Window { rows, columns }: Window) -> Self {
        Self { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
    }
}

/// The streams of a command.
#[derive(Default)]
pub(super) struct Streams {
    pub(super) inside: Ends,
    /// forge's ends: of each pipe in the order of [`Ends`], or one that is the terminal's master.
    pub(super) outside: Vec<OwnedFd>,
}

/// The command's ends: input, output, errors. None where it has the log.
#[derive(Default)]
pub(super) struct Ends(Option<[OwnedFd; 3]>);

impl Streams {
    /// Makes them. This process must lead a session; a terminal becomes that session's.
    pub(super) fn open(medium: Medium) -> io::Result<Self> {
        match medium {
            Medium::Log => Ok(Self::default()),
            Medium::Pipes => pipes(),
            Medium::Terminal(window) => terminal(window),
        }
    }
}

impl Ends {
    /// Gives them to the command.
    pub(super) fn give(self, command: &mut Command) {
        if let Some([input, output, errors]) = self.0 {
            command.stdin(input).stdout(output).stderr(errors);
        }
    }
}

fn pipes() -> io::Result<Streams> {
    let [input, output, errors] = [(); 3].map(|()| pipe_with(PipeFlags::CLOEXEC));
    let ((input, to_input), (from_output, output), (from_errors, errors)) = (input?, output?, errors?);
    // forge waits for room itself.
    ioctl_fionbio(&to_input, true)?;
    Ok(Streams { inside: Ends(Some([input, output, errors])), outside: vec![to_input, from_output, from_errors] })
}

fn terminal(window: Window) -> io::Result<Streams> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = openpt(flags)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    ioctl_fionbio(&master, true)?;
    let slave = ioctl_tiocgptpeer(&master, flags)?;
    tcsetwinsize(&slave, window.into())?;
    let mut modes = tcgetattr(&slave)?;
    // The locale is UTF-8: the erase key takes a character, not a byte.
    modes.input_modes |= InputModes::IUTF8;
    tcsetattr(&slave, OptionalActions::Now, &modes)?;
    ioctl_tiocsctty(&slave)?;
    Ok(Streams { inside: Ends(Some([slave.try_clone()?, slave.try_clone()?, slave])), outside: vec![master] })
}
