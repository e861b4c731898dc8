//! A root file system of busybox and `probe.c`, and one-line ways to run commands on it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use forge::sandbox::{Error, Exit, Jobserver, Launcher, Limits, Profile, Spec, World};
use tempfile::TempDir;

/// The forge binary, which is its own helper.
pub const FORGE: &str = env!("CARGO_BIN_EXE_forge");
const BUSYBOX: &str = "/bin/busybox";
const APPLETS: &[&str] = &[
    "cat", "chmod", "date", "dd", "echo", "env", "grep", "head", "hostname", "id", "ip", "kill", "ls", "mkdir", "nc",
    "nproc", "ping", "readlink", "seq", "setsid", "sh", "sleep", "sort", "stat", "touch", "tr", "true", "uname", "wc",
    "yes",
];

/// A launcher, a root and a place to build in.
pub struct House {
    pub launcher: Launcher,
    /// Holds the host's side of `/build` and `/out`.
    pub dir: TempDir,
    root: Arc<TempDir>,
}

impl House {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("build")).unwrap();
        fs::create_dir(dir.path().join("out")).unwrap();
        Self { launcher: Launcher::start(Path::new(FORGE)).unwrap(), dir, root: root() }
    }

    /// A specification that runs `script` in busybox's shell.
    pub fn sh(&self, script: &str) -> Spec {
        self.spec(&["sh", "-c", script])
    }

    pub fn spec(&self, argv: &[&str]) -> Spec {
        Spec {
            root: self.root.path().to_owned(),
            sources: Vec::new(),
            deps: Vec::new(),
            build: self.dir.path().join("build"),
            out: self.dir.path().join("out"),
            argv: argv.iter().map(|&word| word.to_owned()).collect(),
            env: vec![("PATH".to_owned(), "/bin".to_owned())],
            cwd: "/build".to_owned(),
            profile: Profile::Build,
            world: World::default(),
            limits: Limits { timeout: Duration::from_secs(60), tmp_bytes: 1 << 20 },
            service: None,
        }
    }

    /// Runs a specification to its end.
    pub fn run(&self, spec: &Spec) -> Result<(Exit, String), Error> {
        self.run_with(spec, None, &|| false)
    }

    pub fn run_with(
        &self,
        spec: &Spec,
        jobs: Option<&Jobserver>,
        cancel: &(dyn Fn() -> bool + Sync),
    ) -> Result<(Exit, String), Error> {
        let mut log = Vec::new();
        let exit = self.launcher.run(spec, jobs, cancel, &mut |bytes| log.extend_from_slice(bytes))?;
        Ok((exit, String::from_utf8_lossy(&log).into_owned()))
    }

    /// The output of a script that must succeed.
    #[track_caller]
    pub fn says(&self, script: &str) -> String {
        let (exit, log) = self.run(&self.sh(script)).unwrap();
        assert_eq!(exit, Exit::Code(0), "{script}\n{log}");
        log
    }

    /// What `probe.c` prints for these attempts.
    pub fn probe(&self, profile: Profile, attempts: &[&str]) -> (Exit, String) {
        fs::write(self.dir.path().join("build/file"), "").unwrap();
        let spec = Spec { profile, ..self.spec(&[&["probe"], attempts].concat()) };
        self.run(&spec).unwrap()
    }
}

/// The root, shared by all houses that stand at the same time.
fn root() -> Arc<TempDir> {
    static ROOT: Mutex<Weak<TempDir>> = Mutex::new(Weak::new());
    let mut shared = ROOT.lock().unwrap_or_else(PoisonError::into_inner);
    shared.upgrade().unwrap_or_else(|| {
        let root = Arc::new(make_root());
        *shared = Arc::downgrade(&root);
        root
    })
}

fn make_root() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    for name in ["bin", "build", "out", "src", "deps", "tmp", "proc", "dev"] {
        fs::create_dir(at(name)).unwrap();
    }
    fs::copy(BUSYBOX, at("bin/busybox"))
        .expect("the tests need a static busybox at /bin/busybox: apt-get install busybox-static");
    for applet in APPLETS {
        symlink("busybox", at("bin").join(applet)).unwrap();
    }
    compile(&at("bin/probe"));
    root
}

fn compile(program: &Path) {
    let source = program.with_extension("c");
    fs::write(&source, include_str!("probe.c")).unwrap();
    let made = Command::new("cc").arg("-static").arg("-o").args([program, &source]).status();
    assert!(made.expect("the tests need the C compiler that Rust links with").success());
}

/// Whether any process of the machine has `word` in its command line.
pub fn lives(word: &str) -> bool {
    let processes = fs::read_dir("/proc").unwrap();
    let lines = processes.filter_map(|entry| fs::read(entry.unwrap().path().join("cmdline")).ok());
    lines.into_iter().any(|line| String::from_utf8_lossy(&line).contains(word))
}

/// Waits until `condition` holds, for `limit` at most; says whether it does.
pub fn within(limit: Duration, condition: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    while Instant::now() < deadline {
        if condition() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    condition()
}

/// A number that no other test sleeps for, to find a process by.
pub fn marker() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("9{}{:03}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}
