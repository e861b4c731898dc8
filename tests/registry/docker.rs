//! A real docker with a daemon of its own, without a network.

use std::path::Path;
use std::process::Command;

use super::push::tool;
use crate::support::running::Running;

/// A daemon that ends with the test.
pub struct Docker {
    daemon: Option<Running>,
    folder: tempfile::TempDir,
}

impl Docker {
    /// Starts one, as only root can.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        tool(folder.path(), "dockerd", &["--version"]);
        let mut command = Command::new("dockerd");
        command.args(["--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=vfs"]);
        for (flag, name) in [("--data-root", "data"), ("--exec-root", "exec"), ("--pidfile", "pid")] {
            command.arg(flag).arg(folder.path().join(name));
        }
        command.arg("--host").arg(host(folder.path()));
        let mut daemon = Running::start(command);
        daemon.until("API listen on");
        Self { daemon: Some(daemon), folder }
    }

    /// The value of `DOCKER_HOST` that leads to it.
    pub fn host(&self) -> String {
        host(self.folder.path())
    }

    /// What docker says to `args`.
    pub fn says(&self, args: &[&str]) -> String {
        tool(self.folder.path(), "docker", &[&["--host", &self.host()], args].concat())
    }
}

fn host(folder: &Path) -> String {
    format!("unix://{}/socket", folder.display())
}

impl Drop for Docker {
    /// It ends what it has started, so it is not killed at once.
    fn drop(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            daemon.interrupt();
            daemon.end();
        }
    }
}
