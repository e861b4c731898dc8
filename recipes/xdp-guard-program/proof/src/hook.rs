//! A program in the kernel: loaded for a test, told its configuration, run on frames, and asked what it remembers.

use anyhow::{Context, Result, bail};
use aya::maps::{Array, HashMap, Map, MapData, MapError, PerCpuArray, RingBuf};
use aya::programs::{ProgramError, SchedClassifier, TestRun, TestRunOptions, Xdp};
use aya::{Ebpf, EbpfLoader};

use crate::abi::{Config, Limit, Peer, Sample, Sketch, State};
use crate::model::{Address, Frame};

/// Where a program is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Xdp,
    Tcx,
}

impl Kind {
    /// What the program returns on a node: XDP_DROP and XDP_PASS, or TC_ACT_SHOT and TC_ACT_UNSPEC.
    pub fn action(self, drops: bool) -> u32 {
        match (self, drops) {
            (Kind::Xdp, true) => 1,
            (Kind::Xdp, false) | (Kind::Tcx, true) => 2,
            (Kind::Tcx, false) => u32::MAX,
        }
    }

    fn program(self) -> &'static str {
        match self {
            Kind::Xdp => "solana_xdp",
            Kind::Tcx => "solana_tcx",
        }
    }
}

/// What is set when a program is loaded.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub seed: u64,
    pub sampling: Limit,
    /// Whether the time comes from the map, and the program returns its verdict.
    pub testing: bool,
}

/// A loaded program. Nothing of it is attached or pinned: it goes with this value.
pub struct Hook {
    kind: Kind,
    ebpf: Ebpf,
    configs: Array<MapData, Config>,
    active: Array<MapData, u32>,
    clock: Array<MapData, u64>,
    peers4: HashMap<MapData, u32, Peer>,
    peers6: HashMap<MapData, [u8; 16], Peer>,
    states: PerCpuArray<MapData, State>,
    sketches: Array<MapData, Sketch>,
    samples: RingBuf<MapData>,
    cpu: usize,
    linear: usize,
    splits: bool,
}

impl Hook {
    /// Loads the program of `kind` from an object. The thread has to stay on `cpu`, whose state is the one that is read.
    pub fn load(object: &[u8], kind: Kind, settings: Settings, cpu: usize) -> Result<Self> {
        let mut ebpf = EbpfLoader::new()
            .override_global("seed", &settings.seed, true)
            .override_global("sample_interval", &settings.sampling.interval, true)
            .override_global("sample_burst", &settings.sampling.burst, true)
            .override_global("testing", &u8::from(settings.testing), true)
            .load(object)
            .context(
                "the object's maps can't be made; this needs CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON: run it as root",
            )?;
        load_program(&mut ebpf, kind)?;
        let mut hook = Hook {
            kind,
            configs: map(&mut ebpf, "configs")?,
            active: map(&mut ebpf, ".bss")?,
            clock: map(&mut ebpf, "clock")?,
            peers4: map(&mut ebpf, "peers4")?,
            peers6: map(&mut ebpf, "peers6")?,
            states: map(&mut ebpf, "states")?,
            sketches: map(&mut ebpf, "sketches")?,
            samples: map(&mut ebpf, "samples")?,
            ebpf,
            cpu,
            linear: usize::MAX,
            splits: false,
        };
        if kind == Kind::Xdp && settings.testing {
            hook.linear = hook.measure_reach()?;
            hook.splits = hook.run(Frame::new(&[0; 64], 14)).is_ok();
            hook.clear()?;
        }
        Ok(hook)
    }

    /// How many bytes of a large frame are in reach: those that are counted of one that carries no IP.
    fn measure_reach(&self) -> Result<usize> {
        self.run(Frame::new(&[0; 8000], 8000))?;
        Ok(self.state()?.counters[0][0].bytes as usize)
    }

    /// Whether the kernel runs a frame of at least an Ethernet header.
    pub fn takes(&self, frame: &[u8]) -> bool {
        self.kind == Kind::Xdp || fits_tcx(frame)
    }

    /// A frame of which as much is in reach as the kernel puts there by itself.
    pub fn frame<'a>(&self, bytes: &'a [u8]) -> Frame<'a> {
        Frame::new(bytes, self.linear)
    }

    /// Whether the kernel lets a test say how many bytes of a frame are in reach: Linux 6.18 does, for XDP.
    pub fn splits(&self) -> bool {
        self.splits
    }

    /// What the program returns for a frame, which the kernel wants to be at least an Ethernet header.
    pub fn run(&self, frame: Frame<'_>) -> Result<u32> {
        // `struct xdp_md`, of which only the end of the data is set.
        let context: [u32; 6] = [0, frame.reach() as u32, 0, 0, 0, 0];
        let is_whole = frame.reach() >= self.linear.min(frame.bytes().len());
        let ctx_in = (!is_whole).then_some(bytemuck::bytes_of(&context));
        let options = TestRunOptions { data_in: Some(frame.bytes()), ctx_in, ..TestRunOptions::new() };
        let result = match self.ebpf.program(self.kind.program()) {
            Some(aya::programs::Program::Xdp(program)) => program.test_run(options),
            Some(aya::programs::Program::SchedClassifier(program)) => program.test_run(options),
            _ => bail!("the object has no program {}", self.kind.program()),
        };
        let result =
            result.with_context(|| format!("the kernel refuses to run a frame of {} bytes", frame.bytes().len()))?;
        Ok(result.return_value)
    }

    /// Writes one of both configurations.
    pub fn set_config(&mut self, which: u32, config: &Config) -> Result<()> {
        self.configs.set(which, config, 0).with_context(|| format!("configuration {which} can't be written"))
    }

    /// Says which configuration counts.
    pub fn set_active(&mut self, which: u32) -> Result<()> {
        self.active.set(0, which, 0).context("`active` can't be written")
    }

    /// Sets the time of the next frames, in steps.
    pub fn set_clock(&mut self, now: u64) -> Result<()> {
        self.clock.set(0, now, 0).context("the clock can't be set")
    }

    /// Makes a sender known.
    pub fn insert_peer(&mut self, address: Address, peer: &Peer) -> Result<()> {
        match address {
            Address::V4(bytes) => self.peers4.insert(u32::from_le_bytes(bytes), peer, 0),
            Address::V6(bytes) => self.peers6.insert(bytes, peer, 0),
        }
        .with_context(|| format!("{address:?} can't be made a peer"))
    }

    /// Forgets a sender.
    pub fn remove_peer(&mut self, address: Address) -> Result<()> {
        match address {
            Address::V4(bytes) => self.peers4.remove(&u32::from_le_bytes(bytes)),
            Address::V6(bytes) => self.peers6.remove(&bytes),
        }
        .with_context(|| format!("{address:?} is no peer to be removed"))
    }

    /// What a known sender owes.
    pub fn peer(&self, address: Address) -> Result<Peer> {
        match address {
            Address::V4(bytes) => self.peers4.get(&u32::from_le_bytes(bytes), 0),
            Address::V6(bytes) => self.peers6.get(&bytes, 0),
        }
        .with_context(|| format!("the peer {address:?} can't be read"))
    }

    /// What the program remembers for this CPU.
    pub fn state(&self) -> Result<State> {
        Ok(self.states.get(&0, 0).context("the state can't be read")?[self.cpu])
    }

    /// What unknown senders owe.
    pub fn sketch(&self) -> Result<Sketch> {
        self.sketches.get(&0, 0).context("the sketch can't be read")
    }

    /// The next sample; its time is the kernel's own and is left out.
    pub fn sample(&mut self) -> Option<Sample> {
        let item = self.samples.next()?;
        let sample: Sample = bytemuck::pod_read_unaligned(item.get(..size_of::<Sample>())?);
        Some(Sample { nanoseconds: 0, ..sample })
    }

    /// Forgets debts, counters and samples; what an administrator set stays.
    pub fn clear(&mut self) -> Result<()> {
        let cpus = self.states.get(&0, 0).context("the state can't be read")?.len();
        let empty = aya::maps::PerCpuValues::try_from(vec![bytemuck::Zeroable::zeroed(); cpus])?;
        self.states.set(0, empty, 0).context("the state can't be cleared")?;
        let sketch: Box<Sketch> = bytemuck::zeroed_box();
        self.sketches.set(0, &*sketch, 0).context("the sketch can't be cleared")?;
        while self.sample().is_some() {}
        Ok(())
    }
}

/// A test at tcx takes no frame larger than a page, and none that says it is IP and has no room for its header.
fn fits_tcx(frame: &[u8]) -> bool {
    let least = match frame[12..14] {
        [0x08, 0x00] => 14 + 20,
        [0x86, 0xdd] => 14 + 40,
        _ => 14,
    };
    (least..3000).contains(&frame.len())
}

/// A map of the object under its name.
fn map<M>(ebpf: &mut Ebpf, name: &str) -> Result<M>
where
    M: TryFrom<Map, Error = MapError>,
{
    let map = ebpf.take_map(name).with_context(|| format!("the object has no map {name}"))?;
    M::try_from(map).with_context(|| format!("the map {name} is not what this program knows"))
}

fn load_program(ebpf: &mut Ebpf, kind: Kind) -> Result<()> {
    let program = ebpf.program_mut(kind.program());
    let program = program.with_context(|| format!("the object has no program {}", kind.program()))?;
    let loaded = match kind {
        Kind::Xdp => <&mut Xdp>::try_from(program).and_then(|program| program.load()),
        Kind::Tcx => <&mut SchedClassifier>::try_from(program).and_then(|program| program.load()),
    };
    match loaded {
        Err(ProgramError::LoadError { io_error, verifier_log }) => {
            let log = verifier_log.to_string();
            let last: Vec<&str> = log.lines().rev().take(20).collect();
            let last: Vec<&str> = last.into_iter().rev().collect();
            bail!("the kernel refuses {}: {io_error}\n{}", kind.program(), last.join("\n"))
        }
        other => other.with_context(|| format!("{} can't be loaded", kind.program())),
    }
}
