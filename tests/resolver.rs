//! The resolver against apt itself: the same index, an empty dpkg status, the same sets.
//!
//! Needs apt-get and Debian's archive keyring. The index comes from the mirror that the host's own
//! apt uses, and stays in cargo's target directory for the next run.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use forge::debian::index::Index;
use forge::debian::resolve::{Root, resolve};

const SUITE: &str = "trixie";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// What to install; `+essential` stands for all essential packages.
const SETS: [&str; 26] = [
    "gcc",
    "gcc +essential",
    "clang lld llvm",
    "clang lld llvm +essential",
    "build-essential",
    "rustc-web cargo-web",
    "bc bison flex libelf-dev libssl-dev dwarves gcc-14-plugin-dev g++",
    "qemu-system-x86",
    "systemd",
    "postgresql",
    "qemu-system-x86 systemd postgresql",
    "podman",
    "gnome-core",
    "kde-full",
    "python3-pip",
    "default-jdk",
    "texlive-latex-base",
    "chromium",
    "libreoffice-core",
    "nginx",
    "squashfs-tools zstd systemd-ukify",
    "default-mta",
    "network-manager plasma-desktop",
    "linux-image-amd64 grub-efi-amd64",
    "sbuild mmdebstrap debhelper",
    "libz-dev gawk",
];

/// An apt with a state of its own.
struct Apt {
    root: PathBuf,
}

impl Apt {
    /// In cargo's directory for tests, with the index downloaded.
    fn new() -> Self {
        assert!(Path::new(KEYRING).exists(), "{KEYRING} is missing: install debian-archive-keyring");
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("apt");
        for directory in ["empty", "state/lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(root.join(directory)).expect("a writable target directory");
        }
        fs::write(root.join("status"), "").expect("a writable target directory");
        let apt = Self { root };
        if apt.packages().is_none() {
            apt.download();
        }
        apt
    }

    fn command(&self) -> Command {
        let mut command = Command::new("apt-get");
        let mut set = |option: &str, value: &str| drop(command.args(["-o", &format!("{option}={value}")]));
        for (option, file) in [
            ("Dir::State", "state"),
            ("Dir::State::status", "status"),
            ("Dir::Cache", "cache"),
            // Images of containers turn the caches off, which makes apt five times slower.
            ("Dir::Cache::pkgcache", "cache/pkgcache.bin"),
            ("Dir::Cache::srcpkgcache", "cache/srcpkgcache.bin"),
            ("Dir::Etc::SourceList", "sources.list"),
            ("Dir::Etc::SourceParts", "empty"),
            ("Dir::Etc::Preferences", "none"),
            ("Dir::Etc::PreferencesParts", "empty"),
        ] {
            set(option, self.root.join(file).to_str().expect("a path in UTF-8"));
        }
        for (option, value) in [
            ("APT::Architecture", "amd64"),
            ("APT::Architectures", "amd64"),
            ("APT::Install-Recommends", "false"),
            ("APT::Solver", "internal"),
            ("APT::Sandbox::User", ""),
            ("Acquire::GzipIndexes", "false"),
            ("Acquire::IndexTargets::deb::DEP-11::DefaultEnabled", "false"),
            ("Acquire::Languages", "none"),
            ("Debug::NoLocking", "true"),
        ] {
            set(option, value);
        }
        command
    }

    /// The index that apt downloaded.
    fn packages(&self) -> Option<PathBuf> {
        let lists = fs::read_dir(self.root.join("state/lists")).expect("made above");
        let ours = format!("_dists_{SUITE}_main_binary-amd64_Packages");
        lists.map(|entry| entry.expect("readable").path()).find(|path| path.to_string_lossy().ends_with(&ours))
    }

    /// Takes the index from the first repository of the host's that has the suite.
    fn download(&self) {
        let targets = Command::new("apt-get").args(["indextargets", "--format", "$(REPO_URI)"]).output();
        let targets = targets.expect("apt-get is missing: run the tests on Debian or in a Debian container");
        let places = String::from_utf8(targets.stdout).expect("URIs in UTF-8");
        for place in places.lines().collect::<BTreeSet<_>>() {
            let line = format!("deb [signed-by={KEYRING}] {place} {SUITE} main\n");
            fs::write(self.root.join("sources.list"), line).expect("a writable target directory");
            let done = self.command().arg("update").output().expect("apt-get runs");
            if done.status.success() && self.packages().is_some() {
                return;
            }
        }
        panic!("none of the host's apt repositories has {SUITE}, or it can't be reached: {places:?}");
    }

    /// What apt would install: lines `name version`.
    fn install(&self, names: &[&str]) -> BTreeSet<String> {
        let mut command = self.command();
        let Output { status, stdout, stderr } =
            command.args(["-s", "-y", "install"]).args(names).env("LC_ALL", "C").output().expect("apt-get runs");
        assert!(status.success(), "apt can't install {names:?}: {}", String::from_utf8_lossy(&stderr));
        let text = String::from_utf8(stdout).expect("names in UTF-8");
        let install = |line: &str| {
            let mut words = line.strip_prefix("Inst ")?.split(' ');
            Some(format!("{} {}", words.next()?, words.next()?.strip_prefix('(')?))
        };
        text.lines().filter_map(install).collect()
    }
}

/// How the two differ, if they do.
fn difference(apt: &Apt, index: &Index<'_>, set: &str) -> Option<String> {
    let essential = set.ends_with("+essential");
    let names: Vec<_> = set.split(' ').filter(|name| *name != "+essential").collect();
    let roots: Vec<Root> = names.iter().map(|name| name.parse().expect("a name")).collect();
    let ours = match resolve(index, &roots, essential) {
        Ok(packages) => packages.iter().map(|package| format!("{} {}", package.name, package.version)).collect(),
        Err(error) => return Some(format!("{set}: {error}")),
    };
    let all = index.packages().iter().filter(|package| essential && package.essential).map(|package| package.name);
    let theirs = apt.install(&all.chain(names.iter().copied()).collect::<Vec<_>>());
    let only = |ours: &BTreeSet<_>, theirs| ours.difference(theirs).cloned().collect::<Vec<String>>().join(", ");
    (ours != theirs)
        .then(|| format!("{set}:\n  only forge: {}\n  only apt: {}", only(&ours, &theirs), only(&theirs, &ours)))
}

#[test]
fn chooses_what_apt_chooses() {
    let apt = Apt::new();
    let text = fs::read_to_string(apt.packages().expect("downloaded")).expect("apt's index is UTF-8");
    let index = Index::parse(&text, "amd64").expect("Debian's index is well-formed");
    // The first run of apt writes its cache; the others read it.
    apt.install(&["base-files"]);
    let (next, differences) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(set) = SETS.get(next.fetch_add(1, Ordering::Relaxed)) {
            differences.lock().expect("no panic").extend(difference(&apt, &index, set));
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let differences = differences.into_inner().expect("no panic");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
