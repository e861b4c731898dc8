//! What end-to-end tests share: a project in a folder of its own, with its own store.

pub mod boxed;
pub mod running;
pub mod terminal;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// The program under test.
pub const FORGE: &str = env!("CARGO_BIN_EXE_forge");

/// Gives a run the mirrors of the machine that the tests run on, where FORGE_MIRRORS names some.
pub fn mirrors(command: &mut Command) -> &mut Command {
    if let Some(file) = std::env::var_os("FORGE_MIRRORS") {
        command.env("FORGE_MIRRORS", file);
    }
    command
}

/// Copies a folder: by hard links, as quick as a store's checkout, where both places are on one file system.
pub fn copy_tree(from: &Path, to: &Path) {
    let copy = |flags| Command::new("cp").args([flags, "--"]).arg(from).arg(to).output().unwrap();
    if !copy("-alT").status.success() {
        let output = copy("-aT");
        assert!(output.status.success(), "copying {}: {}", from.display(), String::from_utf8_lossy(&output.stderr));
    }
}

/// Copies a folder with modes and times; what is linked within it stays so.
fn copy_real(from: &Path, to: &Path) {
    let status = Command::new("cp").args(["-a", "--"]).arg(from).arg(to).status().unwrap();
    assert!(status.success(), "copying {}", from.display());
}

/// A project of recipes with a store of its own, both gone at the end.
pub struct Forge {
    folder: TempDir,
    program: PathBuf,
    environment: BTreeMap<String, String>,
}

impl Forge {
    /// An empty project.
    pub fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("project")).unwrap();
        fs::write(folder.path().join("project/lockfile.toml"), "").unwrap();
        let store = folder.path().join("store").display().to_string();
        Self { folder, program: FORGE.into(), environment: BTreeMap::from([("FORGE_STORE".to_owned(), store)]) }
    }

    /// Sets a variable for all runs.
    pub fn env(mut self, name: &str, value: impl AsRef<Path>) -> Self {
        self.environment.insert(name.to_owned(), value.as_ref().display().to_string());
        self
    }

    /// Runs a program that lies in the own folder, so that a process of this forge is known by its command line.
    pub fn own_program(mut self) -> Self {
        self.program = self.folder().join("forge");
        fs::hard_link(FORGE, &self.program).or_else(|_| fs::copy(FORGE, &self.program).map(drop)).unwrap();
        self
    }

    /// Parts the store from the one that it was linked from, so that objects can be damaged.
    pub fn own_store(self) -> Self {
        let linked = self.folder().join("linked");
        fs::rename(self.store(), &linked).unwrap();
        copy_real(&linked, &self.store());
        fs::remove_dir_all(linked).unwrap();
        self
    }

    /// Writes a file of the project.
    pub fn write(&self, path: &str, text: &str) -> &Self {
        let path = self.project().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// The folder of all that belongs to this forge.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The project's folder.
    pub fn project(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    /// The store's folder.
    pub fn store(&self) -> PathBuf {
        PathBuf::from(&self.environment["FORGE_STORE"])
    }

    /// A run that was not started yet; nothing of the caller's environment is in it but PATH.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.folder.path()).envs(&self.environment);
        mirrors(&mut command);
        command.arg("-C").arg(self.project()).args(args);
        command
    }

    /// Runs forge to its end; the caller says what it expects of it.
    #[must_use]
    pub fn run(&self, args: &[&str]) -> Run {
        Run::of(self.command(args).output().unwrap(), args)
    }
}

/// A run that ended.
pub struct Run {
    code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    what: String,
}

impl Run {
    /// What `output` is that forge gave to `args`.
    pub fn of(output: Output, args: &[&str]) -> Self {
        let [stdout, stderr] = [output.stdout, output.stderr].map(|stream| String::from_utf8(stream).unwrap());
        Self { code: output.status.code(), stdout, stderr, what: format!("forge {}", args.join(" ")) }
    }

    /// A run that something else than this test started; `what` names it.
    pub fn was(code: i32, stdout: String, stderr: String, what: &str) -> Self {
        Self { code: Some(code), stdout, stderr, what: what.to_owned() }
    }

    /// The exit code; `None` if a signal ended it.
    pub fn exit(&self) -> Option<i32> {
        self.code
    }

    /// Expects this exit code.
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}\n{}", self.what, self.stdout, self.stderr);
        self
    }

    /// Expects exit code 0.
    pub fn success(self) -> Self {
        self.code(0)
    }

    /// Expects these words on stderr.
    pub fn says(self, words: &str) -> Self {
        assert!(self.stderr.contains(words), "{}: no `{words}` in\n{}", self.what, self.stderr);
        self
    }

    /// The JSON lines of stdout.
    pub fn json(&self) -> Vec<serde_json::Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }
}
