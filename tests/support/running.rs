//! Runs of forge that go on while a test does something to them; every wait has an end.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::Run;

/// After this a run that does not end has failed.
const LIMIT: Duration = Duration::from_secs(60);

/// A run that goes on, in a process group of its own. Dropped, it is killed.
pub struct Running {
    child: Child,
    streams: [std::path::PathBuf; 2],
    _folder: tempfile::TempDir,
    what: String,
}

impl Running {
    /// Starts a command.
    pub fn start(mut command: Command) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let streams = ["stdout", "stderr"].map(|name| folder.path().join(name));
        let [stdout, stderr] = [0, 1].map(|number: usize| File::create(&streams[number]).unwrap());
        let what = format!("{command:?}");
        let child = command.stdout(stdout).stderr(stderr).process_group(0).spawn().unwrap();
        Self { child, streams, _folder: folder, what }
    }

    /// Waits until it has said `words` on stderr.
    pub fn until(&mut self, words: &str) {
        let said = within(LIMIT, || {
            fs::read_to_string(&self.streams[1]).unwrap().contains(words) || self.child.try_wait().unwrap().is_some()
        });
        let stderr = fs::read_to_string(&self.streams[1]).unwrap();
        assert!(said && stderr.contains(words), "{}: no `{words}` in\n{stderr}", self.what);
    }

    /// Whether it still goes on.
    pub fn lives(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Does as Ctrl-C in a terminal.
    pub fn interrupt(&self) {
        kill_process_group(self.pid(), Signal::INT).unwrap();
    }

    /// Kills forge itself, not what it has started, and waits for its death.
    pub fn kill(mut self) {
        // A run that has ended can't be killed any more.
        let _ = kill_process(self.pid(), Signal::KILL);
        self.child.wait().unwrap();
    }

    /// Waits for the end.
    pub fn end(mut self) -> Run {
        let ended = within(LIMIT, || self.child.try_wait().unwrap().is_some());
        let [stdout, stderr] = [0, 1].map(|number: usize| fs::read(&self.streams[number]).unwrap());
        assert!(ended, "{} does not end\n{}", self.what, String::from_utf8_lossy(&stderr));
        Run::of(Output { status: self.child.wait().unwrap(), stdout, stderr }, &[&self.what])
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // After its end there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until `condition` holds, for `limit` at most; says whether it does.
pub fn within(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    while !condition() {
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}

/// The processes whose command line or environment holds `word`, with their command lines.
pub fn processes(word: &str) -> Vec<(Pid, String)> {
    let read = |pid: i32, file: &str| fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let numbers = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    let found = numbers.filter_map(|pid: i32| {
        let [line, environment] =
            ["cmdline", "environ"].map(|file| String::from_utf8_lossy(&read(pid, file)).into_owned());
        (line.contains(word) || environment.contains(word)).then_some((Pid::from_raw(pid)?, line))
    });
    found.collect()
}
