//! A guarded interface in a network namespace of its own, and the program that guards it.
#![allow(dead_code, clippy::unwrap_used)]

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// One test's world; it is gone when this is dropped. `10.x.y.2` is this process's end of a veth, `10.x.y.1` is the
/// guarded one, in the namespace.
pub struct World {
    pub name: String,
    pub folder: PathBuf,
    net: [u8; 2],
}

static NEXT: AtomicU32 = AtomicU32::new(0);

impl World {
    pub fn new() -> Self {
        let is_root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
        assert!(is_root, "these tests load BPF programs and make interfaces: run as root");
        let number = std::process::id() * 8 + NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("xg{number}");
        let net = [100 + (number / 250 % 100) as u8, (number % 250) as u8];
        let folder = std::env::temp_dir().join(&name);
        std::fs::create_dir_all(&folder).unwrap();
        let world = Self { name, folder, net };
        let (name, end) = (&world.name, format!("{}e", world.name));
        world.ip(&format!("netns add {name}"));
        world.ip(&format!("link add {end} type veth peer name guarded netns {name}"));
        world.ip(&format!("address add {}/24 dev {end}", world.here()));
        world.ip(&format!("link set {end} up"));
        world.ip(&format!("-n {name} address add {}/24 dev guarded", world.there()));
        world.ip(&format!("-n {name} link set guarded up"));
        world
    }

    pub fn here(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, self.net[0], self.net[1], 2)
    }

    pub fn there(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, self.net[0], self.net[1], 1)
    }

    pub fn ip(&self, arguments: &str) {
        let output = Command::new("ip").args(arguments.split(' ')).output().expect("these tests need iproute2");
        assert!(output.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// A command in the namespace. Not `ip netns exec`, which hides the BPF file system.
    pub fn inside(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/run/netns/{}", self.name)).arg(program);
        command
    }

    pub fn pins(&self) -> PathBuf {
        Path::new("/sys/fs/bpf").join(&self.name)
    }

    /// The guard with a verb and further arguments.
    pub fn guard(&self, arguments: &str) -> Command {
        let mut command = self.inside(env!("CARGO_BIN_EXE_xdp-guard"));
        command.args(arguments.split(' ').filter(|argument| !argument.is_empty()));
        command.arg("--pins").arg(self.pins());
        command.arg("--run").arg(self.folder.join("run"));
        command.arg("--state").arg(self.folder.join("state"));
        command
    }

    /// Runs the guard to its end: exit code, stdout and stderr.
    pub fn run(&self, arguments: &str) -> (i32, String, String) {
        text(&self.guard(arguments).output().unwrap())
    }

    /// What `attach` and `run` need.
    pub fn flags(&self, config: &str) -> String {
        let path = self.folder.join("config.toml");
        std::fs::write(&path, config).unwrap();
        format!("--interface guarded --config {} --object {}", path.display(), object("solana-xdp").display())
    }

    pub fn attach(&self, config: &str) -> String {
        let (code, out, err) = self.run(&format!("attach {}", self.flags(config)));
        assert_eq!(code, 0, "{err}");
        out
    }

    pub fn status(&self) -> serde_json::Value {
        let (code, out, err) = self.run("status --json");
        assert_eq!(code, 0, "{err}");
        serde_json::from_str::<serde_json::Value>(&out).unwrap()[0].clone()
    }

    /// Packets of a class with a reason.
    pub fn count(&self, class: &str, reason: &str) -> u64 {
        let status = self.status();
        let counts = status["counts"].as_array().unwrap();
        let one = counts.iter().find(|count| count["class"] == class && count["reason"] == reason);
        one.map_or(0, |count| count["packets"].as_u64().unwrap())
    }

    /// Sends datagrams to a port of the guarded end.
    pub fn send(&self, port: u16, payload: &[u8], times: usize) {
        let socket = UdpSocket::bind(SocketAddr::from((self.here(), 0))).unwrap();
        for _ in 0..times {
            // Nobody listens there, and the kernel may say so.
            socket.send_to(payload, SocketAddr::from((self.there(), port))).ok();
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }

    /// Starts the guard; it ends with the world.
    pub fn spawn(&self, arguments: &str) -> Running {
        let mut command = self.guard(arguments);
        Running(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        Command::new("ip").args(["netns", "del", &self.name]).output().ok();
        Command::new("ip").args(["link", "del", &format!("{}e", self.name)]).output().ok();
        std::fs::remove_dir_all(self.pins()).ok();
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

/// A guard at work.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn text(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// The sources of the programs.
pub fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bpf/solana-xdp")
}

/// An object of the programs.
pub fn object(name: &str) -> PathBuf {
    compile(&sources().join(format!("{name}.bpf.c")), &format!("{name}.bpf.o"))
}

/// Compiles a program once for each test process.
pub fn compile(source: &Path, name: &str) -> PathBuf {
    static DONE: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());
    let mut done = DONE.lock().unwrap();
    let object = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if done.iter().any(|done| done == name) {
        return object;
    }
    let multiarch = format!("-I/usr/include/{}-linux-gnu", std::env::consts::ARCH);
    let clang = clang();
    let mut command = Command::new(&clang);
    command.args(["-target", "bpf", "-mcpu=v3", "-O2", "-g", &multiarch, "-c"]).arg(source).arg("-o").arg(&object);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{clang} {}: {}", source.display(), String::from_utf8_lossy(&output.stderr));
    done.push(name.into());
    object
}

fn clang() -> String {
    let names = std::iter::once("clang".to_owned()).chain((14..=22).rev().map(|version| format!("clang-{version}")));
    let works = |name: &String| Command::new(name).arg("--version").output().is_ok();
    names.into_iter().find(works).expect("these tests need clang, with the headers of libbpf and of the kernel")
}
