//! Attaches a guard, or replaces the one that is attached.
//!
//! Nothing changes before everything was tried: config, object, conflicts, and a copy of the program. The new program
//! has maps of its own, which are filled before the kernel swaps one program for the other, so that no packet meets
//! half a config. The swap names the program that it expects: whoever lost a race is told.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::os::fd::AsFd;

use super::conflict;
use super::jiffy;
use super::peers::{Joined, Peers, carry, join};
use super::policy::{self, Scene, compile};
use super::site::Folders;
use super::status::hex;
use super::trial::Trial;
use crate::bpf::kernel;
use crate::bpf::maps::{Maps, Peer};
use crate::bpf::object::Object;
use crate::bpf::program::Program;
use crate::config::{Config, Mode};
use crate::failure::{During, Failure};
use crate::host::interface::{self, Interface};
use crate::host::pins::{Attached, Pins};
use crate::host::record::Record;
use crate::node::memory::Memory;

/// What is to be attached, and where.
pub struct Request<'a> {
    /// Of the machine.
    pub folders: &'a Folders,
    /// The name of the interface.
    pub interface: &'a str,
    /// The program.
    pub object: &'a Object,
    /// What is decided.
    pub config: &'a Config,
}

/// A guard that is attached.
pub struct Guard {
    /// Where.
    pub interface: Interface,
    /// The program and its maps.
    pub attached: Attached,
    /// What the maps do not say.
    pub record: Record,
    /// What the config does not say.
    pub scene: Scene,
    /// The maps.
    pub maps: Maps,
    /// Of peers and addresses for which new maps had no room.
    pub warnings: Vec<String>,
}

impl Guard {
    /// The tag of the program's instructions, in hexadecimal.
    pub fn tag(&self) -> Result<String, Failure> {
        let program = kernel::program(self.attached.program()?.as_fd());
        Ok(hex(&program.during(|| "asking for the attached program".into())?.tag))
    }
}

/// What was found out before anything changes.
struct Ground {
    pins: Pins,
    interface: Interface,
    before: Option<Attached>,
    scene: Scene,
    memory: Memory,
    tag: [u8; 8],
}

/// Attaches a new program, in the place of the one that is attached.
pub fn attach(request: &Request<'_>) -> Result<Guard, Failure> {
    let ground = explore(request)?;
    replace(request, ground)
}

/// Keeps the program that is attached where it is the same and has maps for the same classes.
pub fn take_over(request: &Request<'_>) -> Result<Guard, Failure> {
    let ground = explore(request)?;
    let Some(before) = &ground.before else { return replace(request, ground) };
    let info = kernel::program(before.program()?.as_fd()).during(|| "asking for the attached program".into())?;
    let kept = Record::read(&request.folders.run, request.interface, info.id);
    let record = record(info.id, ground.scene.hertz, request.config);
    let same = info.tag == ground.tag && kept.is_some_and(|kept| kept.has_same_maps(&record));
    match before.maps() {
        Ok(maps) if same => {
            let Ground { pins, interface, before, scene, .. } = ground;
            pins.sweep(before.as_ref())?;
            record.write(&request.folders.run, request.interface)?;
            let attached = before.ok_or_else(|| Failure::Environment("nothing is attached".into()))?;
            Ok(Guard { interface, attached, record, scene, maps, warnings: Vec::new() })
        }
        _ => replace(request, ground),
    }
}

/// Everything that can fail without having changed anything.
fn explore(request: &Request<'_>) -> Result<Ground, Failure> {
    let interface = interface::find(request.interface)?;
    let pins = request.folders.pins(request.interface);
    let before = pins.attached()?;
    conflict::judge(&interface, request.object.hook, before.as_ref())?;
    let trial = Trial::new(request.object)?;
    trial.judge()?;
    let memory = Memory::read(&request.folders.state, request.interface).unwrap_or_default();
    let scene = Scene {
        hertz: jiffy::measure(&trial)?,
        cpus: receivers(&interface),
        addresses: interface::addresses(interface.index)?,
        sockets: memory.sockets.clone(),
    };
    Ok(Ground { pins, interface, before, scene, memory, tag: trial.tag()? })
}

/// How many CPUs receive: each of them has its share of a ceiling.
fn receivers(interface: &Interface) -> u64 {
    let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    u64::from(interface.queues).min(cpus as u64).max(1)
}

fn replace(request: &Request<'_>, ground: Ground) -> Result<Guard, Failure> {
    let Ground { pins, interface, before, scene, memory, .. } = ground;
    let Request { folders, object, config, .. } = request;
    pins.prepare()?;
    pins.sweep(before.as_ref())?;
    let program = Program::load(object, config.samples)?;
    let id = program.info()?.id;
    let folder = pins.program(id);
    std::fs::create_dir(&folder).during(|| format!("making {}", folder.display()))?;
    program.pin(&folder)?;
    let mut maps = Maps::open(&folder)?;
    let warnings = fill(request, &mut maps, before.as_ref(), &scene, &memory)?;
    swap(&program, &pins, &interface, object, before.as_ref())?;
    let attached = verify(&pins, &interface, object, id)?;
    pins.sweep(Some(&attached))?;
    let record = record(id, scene.hertz, config);
    record.write(&folders.run, &interface.name)?;
    Ok(Guard { interface, attached, record, scene, maps, warnings })
}

/// What the maps of a program do not say.
pub fn record(program: u32, hertz: u64, config: &Config) -> Record {
    let modes = std::iter::once(config.mode).chain(config.classes.iter().map(|class| class.mode));
    let enforced = modes.enumerate().filter(|(_, mode)| *mode == Mode::Enforce).map(|(number, _)| number).collect();
    Record { program, hertz, samples: config.samples, classes: config.class_names(), enforced }
}

/// Fills new maps: with the present config, and with the peers that were known. What is to be said of what has no room.
fn fill(
    request: &Request<'_>,
    maps: &mut Maps,
    before: Option<&Attached>,
    scene: &Scene,
    memory: &Memory,
) -> Result<Vec<String>, Failure> {
    let config = request.config;
    let old = known_before(before);
    let old_classes = before
        .and_then(|before| Record::read(&request.folders.run, request.interface, before.info.program))
        .map(|record| record.classes)
        .unwrap_or_default();
    let classes = config.class_names();
    let joined = peers(config, memory);
    let compiled = compile(config, scene);
    let warnings = joined.warning().into_iter().chain(policy::warning(&compiled.unguarded())).collect();
    let peers = joined
        .peers
        .into_iter()
        .map(|(address, tier)| (address, carry(tier, old.get(&address), &old_classes, &classes)));
    maps.fill(&peers.collect())?;
    maps.set_config(&compiled)?;
    Ok(warnings)
}

/// The peers that a config and what the node told make.
pub fn peers(config: &Config, memory: &Memory) -> Joined {
    let none = Peers::new();
    join(&config.peers, if config.node.is_some() { &memory.peers } else { &none })
}

/// The peers of the old maps; none where they can't be read, which costs each peer's debt only.
fn known_before(before: Option<&Attached>) -> BTreeMap<IpAddr, Peer> {
    before.and_then(|before| before.maps().ok()?.peers().ok()).unwrap_or_default()
}

fn swap(
    program: &Program,
    pins: &Pins,
    interface: &Interface,
    object: &Object,
    before: Option<&Attached>,
) -> Result<(), Failure> {
    let Some(before) = before else {
        let link = kernel::create_link(program.fd()?, interface.index, object.hook)
            .map_err(|error| conflict::explain(interface, &error))?;
        return kernel::pin(link.as_fd(), &pins.link()).during(|| format!("pinning {}", pins.link().display()));
    };
    let expected = before.program()?;
    kernel::update_link(before.link.as_fd(), program.fd()?, expected.as_fd()).map_err(|error| {
        let hint = match error.raw_os_error() {
            Some(libc::EPERM) => ": another program was attached meanwhile, which stays",
            _ => ": the old program stays",
        };
        Failure::Environment(format!("replacing the program of {}: {error}{hint}", interface.name))
    })
}

/// What the kernel says is attached, if it is what was meant.
fn verify(pins: &Pins, interface: &Interface, object: &Object, id: u32) -> Result<Attached, Failure> {
    let attached = pins.attached()?.ok_or_else(|| Failure::Environment("the link is gone".into()))?;
    let want = kernel::Link { hook: Some(object.hook), program: id, interface: interface.index };
    if attached.info != want {
        let got = attached.info;
        return Err(Failure::Environment(format!(
            "the kernel attached something else\n  want {want:?}\n  got  {got:?}"
        )));
    }
    Ok(attached)
}
