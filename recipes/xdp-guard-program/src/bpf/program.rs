//! A loaded program, before and beside the one that is attached.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use aya::programs::{Program as AyaProgram, SchedClassifier, TestRun, TestRunOptions, Xdp};
use aya::{Ebpf, EbpfLoader};

use super::kernel::{self, Hook};
use super::maps::{self, Maps};
use super::object::Object;
use crate::failure::{During, Failure};

/// A loaded program with maps of its own.
pub struct Program {
    loaded: Ebpf,
    hook: Hook,
}

impl Program {
    /// Has the kernel verify and keep the program of an object, and with `sampling` tell of what it drops.
    pub fn load(object: &Object, sampling: bool) -> Result<Self, Failure> {
        let loading = || format!("loading {}", object.path.display());
        let seed = random()?;
        let mut loaded = EbpfLoader::new()
            .override_global("seed", &seed, true)
            .override_global("sampling", &u8::from(sampling), true)
            .load(&object.bytes)
            .during(loading)?;
        let name = object.hook.program();
        let program = loaded.program_mut(name).ok_or_else(|| Failure::Input(format!("{}: no {name}", loading())))?;
        match program {
            AyaProgram::Xdp(program) => program.load(),
            AyaProgram::SchedClassifier(program) => program.load(),
            _ => return Err(Failure::Input(format!("{}: {name} is of another kind", loading()))),
        }
        .map_err(|error| Failure::Environment(format!("{}: {}", loading(), last_lines(&error))))?;
        Ok(Self { loaded, hook: object.hook })
    }

    /// What the kernel has of it.
    pub fn info(&self) -> Result<kernel::Program, Failure> {
        kernel::program(self.fd()?).during(|| "asking for the program".into())
    }

    /// Its descriptor.
    pub fn fd(&self) -> Result<BorrowedFd<'_>, Failure> {
        let program = self.loaded.program(self.hook.program());
        let fd = program.map(|program| program.fd()).ok_or_else(|| Failure::Environment("no program".into()))?;
        Ok(fd.during(|| "opening the program".into())?.as_fd())
    }

    /// Whether it drops a packet.
    pub fn drops(&self, packet: &[u8]) -> Result<bool, Failure> {
        const XDP_DROP: u32 = 1;
        const TC_ACT_SHOT: u32 = 2;
        let options = TestRunOptions { data_in: Some(packet), ..TestRunOptions::new() };
        let program = self.loaded.program(self.hook.program());
        let missing = || Failure::Environment("no program".into());
        let running = || "running the program on a test packet".to_owned();
        match self.hook {
            Hook::Xdp => {
                let program: &Xdp = program.ok_or_else(missing)?.try_into().during(running)?;
                Ok(program.test_run(options).during(running)?.return_value == XDP_DROP)
            }
            Hook::Tcx => {
                let program: &SchedClassifier = program.ok_or_else(missing)?.try_into().during(running)?;
                Ok(program.test_run(options).during(running)?.return_value == TC_ACT_SHOT)
            }
        }
    }

    /// Pins program and maps in a folder.
    pub fn pin(&self, folder: &Path) -> Result<(), Failure> {
        maps::pin(&self.loaded, folder)?;
        let path = folder.join("program");
        kernel::pin(self.fd()?, &path).during(|| format!("pinning {}", path.display()))
    }

    /// Its maps; they can be taken once.
    pub fn take_maps(&mut self) -> Result<Maps, Failure> {
        Maps::take(&mut self.loaded)
    }
}

/// The verifier's log is long, and says at its end what is wrong.
fn last_lines(error: &dyn std::error::Error) -> String {
    const LINES: usize = 20;
    let text = error.to_string();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

fn random() -> Result<u64, Failure> {
    let mut bytes = [0; 8];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())
        .during(|| "drawing a random number".into())?;
    Ok(u64::from_ne_bytes(bytes))
}
