//! Another kernel in a machine of its own, whose only program is this one.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::cpio::{File, archive};
use crate::guest::DONE;

/// A machine in software, as any user may have one.
#[derive(Clone, Debug)]
pub struct Machine {
    pub qemu: PathBuf,
    /// A kernel with serial console and initial file system, as the file that a boot loader loads.
    pub kernel: PathBuf,
    /// For the kernel's command line.
    pub append: String,
    /// After this time it is ended.
    pub limit: Duration,
}

impl Machine {
    /// Boots with these files and this program, and lets it run with `arguments`. All that the machine says is printed.
    /// The error is that it did not say at its end that all is as it should be, or never what else was expected of it.
    pub fn run(&self, files: Vec<File>, arguments: &[&str], expected: Option<&str>) -> Result<()> {
        let mut initial = tempfile::NamedTempFile::new().context("there is no room for a file system")?;
        let files = [itself().context("this program can't be read")?, files].concat();
        initial.write_all(&archive(&files)).context("the file system can't be written")?;
        let mut child = self.start(initial.path(), arguments)?;
        let said = listen(&mut child, self.limit);
        // It is gone, or has had its time.
        let _ = child.kill();
        child.wait().context("the machine can't be waited for")?;
        let said = said?;
        ensure!(said.iter().any(|line| line.contains(DONE)), "the machine did not say `{DONE}`");
        match expected {
            Some(text) if !said.iter().any(|line| line.contains(text)) => bail!("the machine did not say `{text}`"),
            _ => Ok(()),
        }
    }

    fn start(&self, initial: &Path, arguments: &[&str]) -> Result<Child> {
        let append =
            format!("console=ttyS0 loglevel=4 panic=-1 no_timer_check {} -- {}", self.append, arguments.join(" "));
        Command::new(&self.qemu)
            .args(["-accel", "tcg", "-cpu", "max", "-m", "2048", "-nodefaults", "-no-reboot"])
            .args(["-display", "none", "-serial", "stdio"])
            .arg("-kernel")
            .arg(&self.kernel)
            .arg("-initrd")
            .arg(initial)
            .args(["-append", &append])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} can't be run: name one by --qemu", self.qemu.display()))
    }
}

/// This program as `init`, and the files that it is made of: those that are mapped.
fn itself() -> Result<Vec<File>> {
    const LOADER: &str = "lib64/ld-linux-x86-64.so.2";
    let mut files = vec![("init".to_string(), fs::read("/proc/self/exe")?)];
    let maps = fs::read_to_string("/proc/self/maps")?;
    let paths: BTreeSet<&str> = maps.lines().filter_map(|line| line.split_once('/').map(|(_, path)| path)).collect();
    for path in paths.into_iter().filter(|path| path.contains(".so")) {
        let content = fs::read(Path::new("/").join(path))?;
        if path.ends_with("/ld-linux-x86-64.so.2") && path != LOADER {
            files.push((LOADER.into(), content.clone()));
        }
        files.push((path.into(), content));
    }
    Ok(files)
}

/// Prints what a machine says until it ends.
fn listen(child: &mut Child, limit: Duration) -> Result<Vec<String>> {
    let output = child.stdout.take().context("the machine has no console")?;
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        let lines = BufReader::new(output).split(b'\n').map_while(Result::ok);
        lines.map(|line| String::from_utf8_lossy(&line).trim_end().to_string()).try_for_each(|line| sender.send(line))
    });
    collect(&lines, Instant::now() + limit)
}

fn collect(lines: &Receiver<String>, end: Instant) -> Result<Vec<String>> {
    let mut said = Vec::new();
    loop {
        match lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                println!("| {line}");
                said.push(line);
            }
            Err(RecvTimeoutError::Disconnected) => return Ok(said),
            Err(RecvTimeoutError::Timeout) => bail!("the machine did not end in its time"),
        }
    }
}
