//! Debian's docker-registry, with a folder of its own: on loopback, or in a network of its own.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::support::running::within;
use crate::support::{Forge, Run};

/// How long it may take to start.
const START: Duration = Duration::from_secs(20);

/// Where one in a network of its own is: an address for examples, which nobody has.
pub const AWAY: &str = "203.0.113.1";

/// Makes a network with that address, and runs a program there. Everybody may, in a user namespace.
const ELSEWHERE: [&str; 5] =
    ["unshare", "-Urn", "sh", "-c", "ip link set lo up && ip address add 203.0.113.1/32 dev lo && exec \"$0\" \"$@\""];

/// Who may come in where not everybody may: `me` with `secret`.
const USERS: &str = "me:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n";

/// A running registry; it ends with the test.
pub struct Real {
    /// `host:port`.
    pub host: String,
    folder: TempDir,
    process: Child,
}

impl Real {
    pub fn start() -> Self {
        Self::launch(&[], &free(), "", "")
    }

    /// One that only knows [`USERS`].
    pub fn guarded() -> Self {
        let users = "auth: { htpasswd: { realm: house, path: users } }\n";
        Self::launch(&[], &free(), "", users)
    }

    /// One in a network of its own, with a certificate and its key, or without TLS.
    pub fn away(certificate: Option<(&Path, &Path)>) -> Self {
        let tls = certificate.map(|(certificate, key)| {
            format!(", tls: {{ certificate: {}, key: {} }}", certificate.display(), key.display())
        });
        Self::launch(&ELSEWHERE, &format!("{AWAY}:5000"), &tls.unwrap_or_default(), "")
    }

    fn launch(before: &[&str], host: &str, http: &str, more: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let storage = "{ filesystem: { rootdirectory: data }, delete: { enabled: true } }";
        let config = format!(
            "version: 0.1\nlog: {{ level: info }}\nstorage: {storage}\nhttp: {{ addr: '{host}'{http} }}\n{more}"
        );
        fs::write(folder.path().join("config.yml"), config).unwrap();
        fs::write(folder.path().join("users"), USERS).unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let line = [before, &["docker-registry", "serve", "config.yml"]].concat();
        let process = Command::new(line[0])
            .args(&line[1..])
            .current_dir(&folder)
            .stdout(log.try_clone().unwrap())
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}: apt-get install {0}", line[0]));
        let real = Self { host: host.to_owned(), folder, process };
        assert!(within(START, || real.log().contains("listening on")), "{line:?} does not start: {}", real.log());
        real
    }

    /// Runs forge in the network of this registry, with the CAs of a file.
    pub fn near(&self, forge: &Forge, authorities: &Path, args: &[&str]) -> Run {
        let inner = forge.command(args);
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.process.id().to_string(), "--user", "--preserve-credentials", "--net", "--"]);
        command.arg(inner.get_program()).args(inner.get_args()).env_clear();
        command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Run::of(command.env("SSL_CERT_FILE", authorities).output().unwrap(), args)
    }

    /// Sweeps away what no manifest names, and manifests that no tag leads to.
    pub fn sweep(&self) {
        let mut sweep = Command::new("docker-registry");
        sweep.args(["garbage-collect", "--delete-untagged", "config.yml"]).current_dir(&self.folder);
        assert!(sweep.output().unwrap().status.success());
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

/// An address on loopback. Its port is free again at once; nobody else takes it so soon.
fn free() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}
