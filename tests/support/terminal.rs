//! A run of forge at a terminal, with a user who types; every wait has an end.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use super::running::within;

/// After this a user gives up.
const LIMIT: Duration = Duration::from_secs(30);

/// A terminal and the run that has it.
pub struct Terminal {
    child: Child,
    /// The user's end.
    master: File,
    /// Keeps the terminal when the run has ended.
    slave: File,
    seen: Arc<Mutex<String>>,
    /// How much of it was waited for.
    read: usize,
}

impl Terminal {
    /// Starts `command` at a terminal of `rows` and `columns`.
    pub fn start(mut command: Command, rows: u16, columns: u16) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
        let master = openpt(flags).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let slave = ioctl_tiocgptpeer(&master, flags).unwrap();
        let (master, slave) = (File::from(master), File::from(slave));
        resize(&master, rows, columns);
        let end = || Stdio::from(slave.try_clone().unwrap());
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        let seen = Arc::new(Mutex::new(String::new()));
        let (mut from, into) = (master.try_clone().unwrap(), Arc::clone(&seen));
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(count @ 1..) = from.read(&mut chunk) {
                into.lock().unwrap().push_str(&String::from_utf8_lossy(&chunk[..count]));
            }
        });
        Self { child, master, slave, seen, read: 0 }
    }

    /// Waits until `words` are seen behind those that were waited for before.
    pub fn until(&mut self, words: &str) -> &mut Self {
        let mut end = None;
        let came = within(LIMIT, || {
            end = self.seen.lock().unwrap()[self.read..].find(words).map(|at| self.read + at + words.len());
            end.is_some()
        });
        assert!(came, "no `{words}` in\n{}", self.seen.lock().unwrap());
        self.read = end.unwrap();
        self
    }

    /// Types these keys.
    pub fn types(&mut self, keys: &str) -> &mut Self {
        self.master.write_all(keys.as_bytes()).unwrap();
        self
    }

    /// Gives the terminal another size.
    pub fn resize(&mut self, rows: u16, columns: u16) -> &mut Self {
        resize(&self.master, rows, columns);
        self
    }

    /// Whether each key goes to the run as it is.
    pub fn is_raw(&self) -> bool {
        !tcgetattr(&self.slave).unwrap().local_modes.intersects(LocalModes::ICANON | LocalModes::ISIG)
    }

    /// Sends a signal to forge.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the end, and gives the exit code.
    pub fn end(&mut self) -> Option<i32> {
        let ended = within(LIMIT, || self.child.try_wait().unwrap().is_some());
        assert!(ended, "it does not end\n{}", self.seen.lock().unwrap());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // After its end there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn resize(master: &File, rows: u16, columns: u16) {
    tcsetwinsize(master, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
}
