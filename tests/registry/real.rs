//! Debian's docker-registry on loopback, with a folder of its own.

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long it may take to start.
const START: Duration = Duration::from_secs(20);

/// A running registry; it ends with the test.
pub struct Real {
    /// `host:port`.
    pub host: String,
    folder: TempDir,
    process: Child,
}

impl Real {
    pub fn start() -> Self {
        let folder = TempDir::new().unwrap();
        // The port is free again at once; nobody else takes it so soon.
        let host = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let data = folder.path().join("data");
        let config = format!(
            "version: 0.1\nlog: {{ level: error }}\nstorage:\n  filesystem: {{ rootdirectory: {} }}\n  delete: {{ enabled: true }}\nhttp: {{ addr: '{host}' }}\n",
            data.display()
        );
        fs::write(folder.path().join("config.yml"), config).unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let process = Command::new("docker-registry")
            .arg("serve")
            .arg(folder.path().join("config.yml"))
            .stdout(log.try_clone().unwrap())
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap_or_else(|error| panic!("docker-registry: {error}: apt-get install docker-registry"));
        let real = Self { host, folder, process };
        let begin = Instant::now();
        while TcpStream::connect(&real.host).is_err() {
            assert!(begin.elapsed() < START, "docker-registry does not start: {}", real.log());
            thread::sleep(Duration::from_millis(20));
        }
        real
    }

    /// Sweeps away what no manifest names, and manifests that no tag leads to.
    pub fn sweep(&self) {
        let config = self.folder.path().join("config.yml");
        let sweep = Command::new("docker-registry").args(["garbage-collect", "--delete-untagged"]).arg(config).output();
        assert!(sweep.unwrap().status.success());
    }

    /// What it wrote; its requests, a line each.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// The lines of its requests.
    pub fn requests(&self) -> Vec<String> {
        let log = self.log();
        let request = |line: &str| line.split('"').nth(1).filter(|line| line.contains(" HTTP/")).map(str::to_owned);
        log.lines().filter_map(request).collect()
    }

    /// Where it keeps a blob.
    pub fn blob(&self, digest: &str) -> PathBuf {
        let hex = digest.trim_start_matches("sha256:");
        self.folder.path().join("data/docker/registry/v2/blobs/sha256").join(&hex[..2]).join(hex).join("data")
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
