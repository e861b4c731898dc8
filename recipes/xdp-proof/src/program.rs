//! Programs of an object that is open: loaded, run without being attached, and asked about.

use anyhow::{Context, Result, bail};
use aya::Ebpf;
use aya::programs::{Program, ProgramError, TestRun, TestRunOptions};

/// What the kernel says of a program that it has taken.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Of the instructions as they are in the object, in hexadecimal digits.
    pub tag: String,
    /// Instructions that the verifier looked at.
    pub verified: u32,
}

/// Loads a program for XDP or tcx; what the verifier has against it is told.
pub fn load(ebpf: &mut Ebpf, name: &str) -> Result<()> {
    let loaded = match ebpf.program_mut(name) {
        Some(Program::Xdp(program)) => program.load(),
        Some(Program::SchedClassifier(program)) => program.load(),
        _ => bail!("the object has no program {name}"),
    };
    match loaded {
        Err(ProgramError::LoadError { io_error, verifier_log }) => {
            let log = verifier_log.to_string();
            let last: Vec<&str> = log.lines().rev().take(20).collect();
            let last: Vec<&str> = last.into_iter().rev().collect();
            bail!("the kernel refuses {name}: {io_error}\n{}", last.join("\n"))
        }
        other => other.with_context(|| format!("{name} can't be loaded")),
    }
}

/// Runs a loaded program; returns its last action.
pub fn run(ebpf: &Ebpf, name: &str, options: TestRunOptions<'_>) -> Result<u32> {
    let result = match ebpf.program(name) {
        Some(Program::Xdp(program)) => program.test_run(options)?,
        Some(Program::SchedClassifier(program)) => program.test_run(options)?,
        _ => bail!("the object has no program {name}"),
    };
    Ok(result.return_value)
}

/// What the kernel says of a loaded program.
pub fn loaded(ebpf: &Ebpf, name: &str) -> Result<Loaded> {
    let info = match ebpf.program(name) {
        Some(Program::Xdp(program)) => program.info(),
        Some(Program::SchedClassifier(program)) => program.info(),
        _ => bail!("the object has no program {name}"),
    };
    let info = info.context("the kernel says nothing of the program")?;
    let verified = info.verified_instruction_count().context("the kernel does not tell what it verified")?;
    Ok(Loaded { tag: format!("{:016x}", info.tag()), verified })
}
