//! The real agent, in the node's namespace.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::network::{GUARDED, PINS, PREFIX};
use super::senders::{Kind, Sender};
use super::{CEILING, LIMIT, PORT};

/// The agent's program, and the folders that it works in; what is attached and the folders go with this value.
pub struct Agent {
    program: PathBuf,
    folder: tempfile::TempDir,
    pins: PathBuf,
    running: Option<Child>,
}

/// What the agent tells of what is attached.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Status {
    pub tag: String,
    pub counts: Vec<Count>,
}

/// Packets of a class with a reason.
#[derive(Clone, Debug, Deserialize)]
pub struct Count {
    class: String,
    reason: String,
    packets: u64,
}

impl Status {
    /// Packets of the only class, with one of these reasons.
    pub fn packets(&self, reasons: &[&str]) -> u64 {
        let of_them = self.counts.iter().filter(|count| count.class == CLASS && reasons.contains(&&*count.reason));
        of_them.map(|count| count.packets).sum()
    }
}

const CLASS: &str = "gossip";
/// What a program may take to be loaded, tried and attached.
const PATIENCE: Duration = Duration::from_secs(30);

impl Agent {
    /// The agent, with nothing attached yet.
    pub fn new(program: &Path) -> Result<Self> {
        let program = program.canonicalize().with_context(|| format!("{} is no agent", program.display()))?;
        let folder = tempfile::tempdir().context("no temporary folder can be made")?;
        std::fs::write(folder.path().join("config.toml"), config())?;
        let pins = Path::new(PINS).join(format!("{PREFIX}{}", std::process::id()));
        Ok(Agent { program, folder, pins, running: None })
    }

    /// Starts the agent, as it runs on a node, and waits until it has attached an object.
    pub fn start(&mut self, object: &Path) -> Result<()> {
        let mut command = self.command("run", Some(object));
        let log = std::fs::File::create(self.folder.path().join("log"))?;
        self.running = Some(command.stdout(Stdio::null()).stderr(log).spawn().context("the agent can't be started")?);
        let start = Instant::now();
        while self.status().is_err() {
            let ended = self.running.as_mut().is_some_and(|agent| !matches!(agent.try_wait(), Ok(None)));
            let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            ensure!(!ended && start.elapsed() < PATIENCE, "the agent attaches nothing: {log}");
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Kills the agent, as a crash does.
    pub fn kill(&mut self) -> Result<()> {
        let mut agent = self.running.take().context("no agent runs")?;
        agent.kill()?;
        agent.wait()?;
        Ok(())
    }

    /// Puts another object in the place of the one that is attached.
    pub fn replace(&self, object: &Path) -> Result<()> {
        output(&mut self.command("attach", Some(object))).map(drop)
    }

    /// What is attached.
    pub fn status(&self) -> Result<Status> {
        let mut command = self.command("status", None);
        let told: Vec<Status> = serde_json::from_slice(&output(command.arg("--json"))?)?;
        told.into_iter().next().context("nothing is attached")
    }

    /// A verb of the agent, which does not outlive this program.
    fn command(&self, verb: &str, object: Option<&Path>) -> Command {
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL"])
            .arg(&self.program)
            .arg(verb)
            .args(["--interface", GUARDED])
            .arg("--pins")
            .arg(&self.pins);
        for name in ["run", "state"] {
            command.arg(format!("--{name}")).arg(self.folder.path().join(name));
        }
        if let Some(object) = object {
            command.arg("--object").arg(object).arg("--config").arg(self.folder.path().join("config.toml"));
        }
        command
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.kill().ok();
        std::fs::remove_dir_all(&self.pins).ok();
    }
}

fn output(command: &mut Command) -> Result<Vec<u8>> {
    let output = command.output().context("the agent can't be started")?;
    if !output.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(output.stdout)
}

/// What is right for gossip on mainnet, with limits that the senders stay below or exceed.
fn config() -> String {
    let mut config = format!(
        "mode = 'enforce'\n[class.{CLASS}]\nports = [{PORT}]\nsource_port_min = 1024\npayload_min = 132\n\
         payload_max = 1232\nfirst_byte = {{ min = 0, max = 5 }}\n\
         unknown = {{ rate = {}, burst_ms = {}, ceiling = {CEILING}, ceiling_burst_ms = 100 }}\n\
         gossip = {{ rate = 5000, burst_ms = 200 }}\n",
        LIMIT.rate, LIMIT.burst_ms
    );
    for sender in Sender::ALL.iter().filter(|sender| sender.kind == Kind::Known) {
        config += &format!("[[peer]]\naddress = '{}'\ntier = 'gossip'\n", sender.address());
    }
    config
}
