//! The user's terminal: whether there is one, its size, and raw mode for as long as a shell inside
//! a sandbox has it.

use std::io::IsTerminal as _;

use rustix::stdio::stdin;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

use super::error::CliError;
use crate::sandbox::Window;

/// Whether the user types, and sees what is printed.
pub fn interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// The size of the terminal.
pub fn window() -> Window {
    // One that has just gone needs no size.
    tcgetwinsize(stdin()).map_or_else(|_| Window::default(), |size| Window { rows: size.ws_row, columns: size.ws_col })
}

/// Raw mode: every key goes inside, Ctrl-C too. Dropped, the terminal is as it was.
pub struct Raw(Termios);

impl Raw {
    /// Begins it.
    pub fn begin() -> Result<Self, CliError> {
        let failed = |errno| CliError::environment(format!("setting the terminal: {errno}"));
        let before = tcgetattr(stdin()).map_err(failed)?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(stdin(), OptionalActions::Now, &raw).map_err(failed)?;
        Ok(Self(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // A terminal that has gone needs no mode.
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.0);
    }
}
