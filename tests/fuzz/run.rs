//! Runs a target in a process of its own, which gets little memory, and an end.
//!
//! So a stack overflow, an abort and a loop are failures like any panic. Every input is written to
//! a file before the target sees it; a panic is shrunk to a small input first.
//!
//! | variable | meaning |
//! |---|---|
//! | `FUZZ_SECONDS` | how long each target runs, by default half a second |
//! | `FUZZ_SEED` | the first seed, a number; by default always the same, but with `FUZZ_SECONDS` another each time |
//! | `FUZZ_INPUT` | a file: the target gets it and nothing else, in this process |

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use super::mutation::inputs;

/// How long a target runs as one test of many.
const DEFAULT_SECONDS: f64 = 0.5;

/// Inputs to a seed; the seed that is printed makes at most so many before the one that failed.
const ROUND: u32 = 64;

/// Steps of making a failing input smaller.
const SHRINK: u32 = 2000;

/// Milliseconds of the same.
const SHRINK_TIME: u32 = 10_000;

/// One input of at most 256 KiB takes milliseconds; this much means that it may take forever.
const SLOW: Duration = Duration::from_secs(20);

/// Address space of the process, in KiB: 1 GiB. The decoders may take 192 MiB ([`forge::debian::limits`]).
const MEMORY: u64 = 1 << 20;

/// Tells the process that it is the one that does the work, in which folder.
const CHILD: &str = "FUZZ_CHILD";

/// Whether an input is sound, or why not.
pub type Verdict = Result<(), String>;

/// What is fuzzed: sound inputs, and a function that takes or refuses an input, and panics on a bug.
pub struct Target {
    pub name: &'static str,
    pub corpus: fn() -> Vec<Vec<u8>>,
    pub takes: fn(&[u8]) -> Verdict,
}

impl Target {
    /// Runs as a test.
    pub fn test(&self) {
        if let Some(file) = env::var_os("FUZZ_INPUT") {
            eprintln!("{:?}", (self.takes)(&fs::read(file).unwrap()));
        } else if let Some(folder) = env::var_os(CHILD) {
            self.work(Path::new(&folder));
        } else {
            self.supervise();
        }
    }

    fn supervise(&self) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz").join(self.name);
        let (input, log) = (folder.join("input"), folder.join("log"));
        fs::create_dir_all(&folder).unwrap();
        let status = finish(self.child(&folder, File::create(&log).unwrap()));
        let said = String::from_utf8_lossy(&fs::read(&log).unwrap()).into_owned();
        let what = match status {
            Some(status) if status.success() => {
                return said.lines().filter(|line| line.ends_with(" inputs")).for_each(|line| eprintln!("{line}"));
            }
            Some(status) => status.to_string(),
            None => "it did not end".to_owned(),
        };
        let (name, input) = (self.name, input.display());
        panic!("fuzz target {name}: {what}\n{said}\nagain: FUZZ_INPUT={input} cargo test --test main fuzz::{name}");
    }

    /// This program with this test alone.
    fn child(&self, folder: &Path, log: File) -> Child {
        let words = log.try_clone().unwrap();
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "ulimit -v \"$1\"; ulimit -c 0; shift; exec \"$@\"", "sh", &MEMORY.to_string()]);
        command.arg(env::current_exe().unwrap()).args(["--exact", &format!("fuzz::{}", self.name), "--nocapture"]);
        command.env(CHILD, folder).env("FUZZ_SEED", seed().to_string()).stdout(log).stderr(words).spawn().unwrap()
    }

    fn work(&self, folder: &Path) {
        let corpus = (self.corpus)();
        for (number, input) in corpus.iter().enumerate() {
            if let Err(why) = (self.takes)(input) {
                panic!("the sound input {number} is refused, so that those made of it test nothing: {why}");
            }
        }
        let end = Instant::now() + Duration::from_secs_f64(seconds());
        let first = seed();
        let mut seed = first;
        while Instant::now() < end {
            self.round(&corpus, seed, &folder.join("input"));
            seed += 1;
        }
        eprintln!("{}: {} inputs", self.name, (seed - first) * u64::from(ROUND));
    }

    fn round(&self, corpus: &[Vec<u8>], seed: u64, file: &PathBuf) {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let config = Config {
            cases: ROUND,
            failure_persistence: None,
            max_shrink_iters: SHRINK,
            max_shrink_time: SHRINK_TIME,
            ..Config::default()
        };
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
        let attempt = |input: Vec<u8>| {
            fs::write(file, &input).unwrap();
            let start = Instant::now();
            drop((self.takes)(&input));
            assert!(start.elapsed() < SLOW, "it took {:?}", start.elapsed());
            Ok(())
        };
        if let Err(TestError::Fail(why, input)) = runner.run(&inputs(corpus), attempt) {
            fs::write(file, &input).unwrap();
            panic!("FUZZ_SEED={seed}: {why}\ninput: {}", input.escape_ascii());
        }
    }
}

fn seconds() -> f64 {
    env::var("FUZZ_SECONDS").map_or(DEFAULT_SECONDS, |text| text.parse().expect("FUZZ_SECONDS is no number"))
}

fn seed() -> u64 {
    match env::var("FUZZ_SEED") {
        Ok(text) => text.parse().expect("FUZZ_SEED is no number"),
        Err(_) if env::var_os("FUZZ_SECONDS").is_none() => 0,
        Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs(),
    }
}

/// Waits for the process; kills it when it takes much longer than it should.
fn finish(mut child: Child) -> Option<ExitStatus> {
    let end = Instant::now() + Duration::from_secs_f64(seconds()) + 3 * SLOW;
    while Instant::now() < end {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    None
}
