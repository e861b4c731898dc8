//! The command line.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::{Args, Parser, Subcommand};

mod verbs;

use verbs::pin;
use xdp_proof::boot::Machine;
use xdp_proof::fuzz::{self, Plan, Seen};
use xdp_proof::hook::Kind;
use xdp_proof::mutants::{self, MUTANTS, Workshop};
use xdp_proof::record::Record;
use xdp_proof::verdict::REASONS;
use xdp_proof::{attest, corpus, guest, layout, rate, vector};

/// Proves that the XDP guard does what a model of it says. Needs CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON, as root has them.
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// This is the first program of a machine that was booted for it, and ends it.
    #[arg(long, hide = true)]
    as_init: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    #[command(flatten)]
    Prove(Proof),
    /// Measures what the guard costs, beside an empty program and Debian's xdp-filter.
    ///
    /// Exit codes: 0 no bar is missed, 1 one is, 3 the machine has too much else to do.
    Race(verbs::race::Options),
    /// Lets the real agent guard an interface, in network namespaces, while all sorts of senders send to it.
    ///
    /// Exit codes: 0 all holds that has to, 1 something does not.
    Live(verbs::live::Options),
}

#[derive(Subcommand)]
enum Proof {
    /// Checks objects: layouts, frames by hand, rates, random frames.
    Objects {
        /// The object for XDP.
        xdp: PathBuf,
        /// The object for tcx.
        tcx: PathBuf,
        /// What the objects are to be: verdicts and tags, by the lines of this file.
        #[arg(long)]
        record: Option<PathBuf>,
        #[command(flatten)]
        traffic: Traffic,
    },
    /// Checks objects in another kernel, which is booted in a machine in software. Needs no capabilities.
    Boot {
        /// The kernel, as the file that a boot loader loads.
        kernel: PathBuf,
        /// The object for XDP.
        xdp: PathBuf,
        /// The object for tcx.
        tcx: PathBuf,
        /// What the objects are to be, as above.
        #[arg(long)]
        record: Option<PathBuf>,
        /// The kernel's lockdown: `integrity` or `confidentiality`.
        #[arg(long)]
        lockdown: Option<String>,
        /// The emulator of the machine.
        #[arg(long, default_value = "qemu-system-x86_64")]
        qemu: PathBuf,
        /// How long the machine may run.
        #[arg(long, default_value_t = 500)]
        seconds: u64,
        #[command(flatten)]
        traffic: Traffic,
    },
    /// Plants mistakes in the guard, one at a time; each has to be noticed.
    Mutants {
        /// Where the sources of the guard are.
        sources: PathBuf,
        /// A clang that knows the target bpf.
        #[arg(long, default_value = "clang")]
        clang: PathBuf,
        /// Where headers are looked for besides.
        #[arg(short = 'I', long = "include")]
        includes: Vec<PathBuf>,
        /// Only mutants with this in their name.
        #[arg(long, default_value = "")]
        only: String,
        /// How many random frames each mutant is judged by.
        #[arg(long, default_value_t = 2_000_000)]
        packets: u64,
        /// What the random frames are made of.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Lets an object and the model judge random frames, and no more.
    Fuzz {
        /// The object, for XDP where nothing else is said.
        object: PathBuf,
        /// The object is for tcx.
        #[arg(long)]
        tcx: bool,
        #[command(flatten)]
        traffic: Traffic,
    },
}

#[derive(Args)]
struct Traffic {
    /// How many random frames to judge.
    #[arg(long, default_value_t = 20_000_000)]
    packets: u64,
    /// What the random frames are made of; the same seed repeats them.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Values of maps are large and are returned on the stack.
const STACK: usize = 64 << 20;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(move || start(cli));
    let result = thread.context("no thread can be started").and_then(|thread| thread.join().expect("run panicked"));
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(cli: Cli) -> Result<ExitCode> {
    match cli.command {
        Command::Race(options) => return verbs::race::run(&options),
        Command::Live(options) => return verbs::live::run(&options),
        Command::Prove(proof) if cli.as_init => guest::run(|| prove(proof))?,
        Command::Prove(proof) => prove(proof)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn prove(proof: Proof) -> Result<()> {
    match proof {
        Proof::Objects { xdp, tcx, record, traffic } => objects(&[xdp, tcx], record.as_deref(), &traffic),
        Proof::Boot { kernel, xdp, tcx, record, lockdown, qemu, seconds, traffic } => {
            let append = lockdown.iter().map(|level| format!("lockdown={level}")).collect();
            let expected = lockdown.map(|level| format!("[{level}]"));
            let machine = Machine { qemu, kernel, append, limit: Duration::from_secs(seconds) };
            boot(&machine, &[&xdp, &tcx], record.as_deref(), &traffic, expected.as_deref())
        }
        Proof::Mutants { sources, clang, includes, only, packets, seed } => {
            let plan = Plan { packets, seed, progress: false };
            plant(&Workshop { sources, clang, includes }, &only, pin(None)?, plan)
        }
        Proof::Fuzz { object, tcx, traffic } => {
            random(&read(&object)?, if tcx { Kind::Tcx } else { Kind::Xdp }, pin(None)?, &traffic)
        }
    }
}

fn objects(paths: &[PathBuf; 2], record: Option<&Path>, traffic: &Traffic) -> Result<()> {
    let cpu = pin(None)?;
    let record = record.map(read).transpose()?.map(|bytes| Record::parse(&String::from_utf8_lossy(&bytes)));
    let objects = [(read(&paths[0])?, Kind::Xdp), (read(&paths[1])?, Kind::Tcx)];
    objects.iter().try_for_each(|(object, kind)| by_hand(object, *kind, cpu, record.as_ref()))?;
    objects.iter().try_for_each(|(object, kind)| random(object, *kind, cpu, traffic))
}

/// Boots a machine with this program, the objects and the record, and lets it do there what `objects` does.
fn boot(
    machine: &Machine,
    [xdp, tcx]: &[&Path; 2],
    record: Option<&Path>,
    traffic: &Traffic,
    expected: Option<&str>,
) -> Result<()> {
    let mut files = vec![("xdp.o".into(), read(xdp)?), ("tcx.o".into(), read(tcx)?)];
    let [packets, seed] = [traffic.packets, traffic.seed].map(|number| number.to_string());
    let mut arguments = vec!["--as-init", "objects", "/xdp.o", "/tcx.o", "--packets", &packets, "--seed", &seed];
    if let Some(record) = record {
        files.push(("record".into(), read(record)?));
        arguments.extend(["--record", "/record"]);
    }
    machine.run(files, &arguments, expected)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("{} can't be read", path.display()))
}

fn by_hand(object: &[u8], kind: Kind, cpu: usize, record: Option<&Record>) -> Result<()> {
    let structs = layout::check(object).with_context(|| format!("the object for {kind:?}"))?;
    println!("{kind:?}: {structs} structs are laid out as this program has them");
    let loaded = attest::run(object, kind, cpu)?;
    println!("{kind:?}: {} instructions verified, of at most {}", loaded.verified, attest::MOST);
    let cases = corpus::run(object, kind, cpu)?;
    corpus::run_untested(object, kind, cpu)?;
    println!("{kind:?}: {} frames by hand, with their verdicts, counters and actions", cases.len());
    let (offers, deviation) = rate::run(object, kind, cpu)?;
    println!("{kind:?}: {offers} limits let pass what they should, but for {deviation:.2} packets of a thousand");
    let verdicts = vector::run(&cases, object, kind, cpu)?;
    for fact in [format!("verdicts {} {verdicts}", kind.program()), format!("tag {} {}", kind.program(), loaded.tag)] {
        println!("{fact}");
        record.map_or(Ok(()), |record| record.check(&fact))?;
    }
    Ok(())
}

fn random(object: &[u8], kind: Kind, cpu: usize, traffic: &Traffic) -> Result<()> {
    let Traffic { packets, seed } = *traffic;
    let seen = fuzz::run(object, kind, cpu, Plan { packets, seed, progress: true })?;
    print(&seen, kind);
    let missing: Vec<_> = REASONS.iter().filter(|&&reason| seen.reasons[reason as usize] == 0).collect();
    ensure!(missing.is_empty(), "no packet ended with {missing:?}: judge more packets");
    Ok(())
}

/// Judges the guard as it is, which has to be right, and with each mistake, which has to be noticed.
fn plant(workshop: &Workshop, only: &str, cpu: usize, plan: Plan) -> Result<()> {
    for kind in [Kind::Xdp, Kind::Tcx] {
        let right = mutants::judge(&workshop.compile(kind, None)?, kind, cpu, plan)?;
        ensure!(right.is_empty(), "{kind:?} is wrong without a mutant: {right:?}; run `objects` to see where");
    }
    let chosen: Vec<_> = MUTANTS.iter().filter(|mutant| mutant.name.contains(only)).collect();
    let mut survivors = Vec::new();
    for mutant in &chosen {
        let catch = mutants::judge(&workshop.compile(mutant.kind, Some(mutant))?, mutant.kind, cpu, plan)?;
        let corpus = catch.corpus.as_deref().unwrap_or("not by the corpus");
        let fuzz = catch.fuzz.map_or("not by random frames".to_string(), |packets| format!("random frame {packets}"));
        let outcome = if catch.is_empty() { "SURVIVES" } else { "caught" };
        println!("{outcome:8}  {:45}  {corpus:60}  {fuzz}", mutant.name);
        survivors.extend(catch.is_empty().then_some(mutant.name));
    }
    println!("mutants: {} of {} caught", chosen.len() - survivors.len(), chosen.len());
    ensure!(survivors.is_empty(), "nobody noticed {survivors:?}: add frames to the corpus that do");
    Ok(())
}

fn print(seen: &Seen, kind: Kind) {
    for reason in REASONS {
        println!("{kind:?}: {:>12} {reason:?}", seen.reasons[reason as usize]);
    }
    let (elapsed, busy) = (seen.elapsed.as_secs_f64(), seen.busy.as_secs_f64());
    let rate = seen.rate();
    let packets = seen.packets;
    println!("{kind:?}: {packets} random frames without a difference in {elapsed:.1} s");
    println!("{kind:?}: {busy:.1} s of one CPU, {rate:.0} frames a second");
}
