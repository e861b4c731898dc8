//! A program in the kernel: loaded for a test, told its configuration, run on frames, and asked what it remembers.

use anyhow::{Context, Result};
use aya::maps::{Array, Map, MapData, MapError, PerCpuArray, RingBuf};
use aya::programs::TestRunOptions;
use aya::{Ebpf, EbpfLoader};

use crate::abi::{Config, Dues, Memory, Peers, Sample, Sketch, Slots, State};
use crate::model::{Frame, Joined};
use crate::program;
use crate::roster::Roster;

pub use crate::program::Loaded;

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

    /// The name of the program in its object.
    pub fn program(self) -> &'static str {
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
    /// Whether there are samples.
    pub sampling: bool,
    /// Whether the time comes from the map, and the program returns its verdict.
    pub testing: bool,
}

/// A loaded program. Nothing of it is attached or pinned: it goes with this value.
pub struct Hook {
    kind: Kind,
    ebpf: Ebpf,
    memory: Array<MapData, Memory>,
    slots: Array<MapData, Slots>,
    peers: Array<MapData, Peers>,
    dues: Array<MapData, Dues>,
    sketch: Array<MapData, Sketch>,
    clock: Array<MapData, u64>,
    states: PerCpuArray<MapData, State>,
    samples: RingBuf<MapData>,
    /// What is in `memory`.
    written: Box<Memory>,
    cpu: usize,
    linear: usize,
    splits: bool,
}

impl Hook {
    /// Loads the program of `kind` from an object. The thread has to stay on `cpu`, whose state is the one that is read.
    pub fn load(object: &[u8], kind: Kind, settings: Settings, cpu: usize) -> Result<Self> {
        let [sampling, testing] = [settings.sampling, settings.testing].map(u8::from);
        let mut ebpf = EbpfLoader::new()
            .override_global("seed", &settings.seed, true)
            .override_global("sampling", &sampling, true)
            .override_global("testing", &testing, true)
            .load(object)
            .context(
                "the object's maps can't be made; this needs CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON: run it as root",
            )?;
        program::load(&mut ebpf, kind.program())?;
        let mut hook = Hook {
            kind,
            memory: map(&mut ebpf, ".bss")?,
            slots: map(&mut ebpf, ".bss.slots")?,
            peers: map(&mut ebpf, ".bss.peers")?,
            dues: map(&mut ebpf, ".bss.dues")?,
            sketch: map(&mut ebpf, ".bss.sketch")?,
            clock: map(&mut ebpf, "clock")?,
            states: map(&mut ebpf, "states")?,
            samples: map(&mut ebpf, "samples")?,
            written: bytemuck::zeroed_box(),
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

    /// What the kernel says of the program.
    pub fn loaded(&self) -> Result<Loaded> {
        program::loaded(&self.ebpf, self.kind.program())
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

    /// Whether the kernel may have put a frame together of several.
    pub fn joins(&self) -> bool {
        self.kind == Kind::Tcx
    }

    /// What the program returns for a frame, which the kernel wants to be at least an Ethernet header.
    pub fn run(&self, frame: Frame<'_>) -> Result<u32> {
        // `struct xdp_md`, of which only the end of the data is set.
        let context: [u32; 6] = [0, frame.reach() as u32, 0, 0, 0, 0];
        let is_whole = frame.reach() >= self.linear.min(frame.bytes().len());
        let ctx_in = match frame.parts() {
            Some(parts) => Some(&socket_buffer(parts)[..]),
            None => (!is_whole).then_some(bytemuck::bytes_of(&context)),
        };
        let options = TestRunOptions { data_in: Some(frame.bytes()), ctx_in, ..TestRunOptions::new() };
        program::run(&self.ebpf, self.kind.program(), options)
            .with_context(|| format!("the kernel refuses to run a frame of {} bytes", frame.bytes().len()))
    }

    /// Runs the program on a whole frame some times in one go; returns the last action.
    pub fn repeat(&self, frame: &[u8], times: u32) -> Result<u32> {
        let options = TestRunOptions { data_in: Some(frame), repeat: times, ..TestRunOptions::new() };
        program::run(&self.ebpf, self.kind.program(), options)
    }

    /// Puts another configuration in the place that does not count, and lets it count.
    pub fn set_config(&mut self, config: &Config) -> Result<()> {
        self.written.active ^= 1;
        self.written.configs[self.written.active as usize] = *config;
        self.memory.set(0, self.written.as_ref(), 0).context("the configuration can't be written")
    }

    /// Replaces the known senders.
    pub fn set_peers(&mut self, roster: &Roster) -> Result<()> {
        self.peers.set(0, roster.peers.as_ref(), 0).context("the peers can't be written")?;
        self.slots.set(0, roster.slots.as_ref(), 0).context("the slots can't be written")
    }

    /// Sets the time of the next frames, in steps.
    pub fn set_clock(&mut self, now: u64) -> Result<()> {
        self.clock.set(0, now, 0).context("the clock can't be set")
    }

    /// What the program remembers for this CPU.
    pub fn state(&self) -> Result<State> {
        Ok(self.states.get(&0, 0).context("the state can't be read")?[self.cpu])
    }

    /// What peers owe.
    pub fn dues(&self) -> Result<Dues> {
        self.dues.get(&0, 0).context("the dues can't be read")
    }

    /// What unknown senders owe.
    pub fn sketch(&self) -> Result<Sketch> {
        self.sketch.get(&0, 0).context("the sketch can't be read")
    }

    /// The next sample; its time is the kernel's own and its padding says nothing: both are left out.
    pub fn sample(&mut self) -> Option<Sample> {
        let item = self.samples.next()?;
        let sample: Sample = bytemuck::pod_read_unaligned(item.get(..size_of::<Sample>())?);
        Some(Sample { nanoseconds: 0, padding: 0, ..sample })
    }

    /// Forgets counters and samples of frames that nobody owes anything for.
    fn clear(&mut self) -> Result<()> {
        let cpus = self.states.get(&0, 0).context("the state can't be read")?.len();
        let empty = aya::maps::PerCpuValues::try_from(vec![bytemuck::Zeroable::zeroed(); cpus])?;
        self.states.set(0, empty, 0).context("the state can't be cleared")?;
        while self.sample().is_some() {}
        Ok(())
    }
}

/// `struct __sk_buff`, of which only `gso_segs` and `gso_size` are set.
fn socket_buffer(parts: Joined) -> [u8; 192] {
    let mut context = [0; 192];
    context[164..166].copy_from_slice(&parts.segments.to_le_bytes());
    context[176..178].copy_from_slice(&parts.bytes.to_le_bytes());
    context
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
