//! The guard at work: keeps peers, ports, addresses and the config up to date, and tells what happens.

mod frame;
pub mod metrics;
pub mod samples;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::abi::{self, Change};
use crate::bpf::object::Object;
use crate::config::Config;
use crate::failure::Failure;
use crate::guard::attach::{Guard, Request, attach, peers, record, take_over};
use crate::guard::peers::difference;
use crate::guard::policy::{self, compile};
use crate::guard::site::Folders;
use crate::host::interface;
use crate::host::record::Record;
use crate::node::discovery;
use crate::node::memory::Memory;

/// Between two looks at the config and at the interface.
const TICK: Duration = Duration::from_secs(1);
/// The same after many failures on end.
const LONGEST: Duration = Duration::from_secs(30);

/// What the agent is about.
pub struct Task {
    /// Of the machine.
    pub folders: Folders,
    /// The name of the interface.
    pub interface: String,
    /// The program.
    pub object: Object,
    /// Where the config is.
    pub path: PathBuf,
}

/// What others may know of the agent.
pub struct Shared {
    /// The maps that count.
    pub folder: PathBuf,
    /// What the maps do not say.
    pub record: Record,
    /// Peers by tier; the first are in gossip.
    pub peers: [usize; 3],
    /// Peers for which the maps have no room.
    pub left_out: usize,
    /// When the node told of peers last, in seconds since 1970; 0: never.
    pub told_at: u64,
    /// How often it did not.
    pub failures: u64,
}

/// The guard at work.
pub struct Agent {
    task: Task,
    config: Config,
    guard: Guard,
    memory: Memory,
    tiers: BTreeMap<IpAddr, u16>,
    written: abi::Config,
    shared: Arc<Mutex<Shared>>,
    next: Instant,
}

/// Takes what is shared, also from a thread that panicked: it is replaced as a whole, never half.
pub fn look(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Agent {
    /// Attaches, or takes over what is attached; `say` is told what is to be known of it.
    pub fn start(task: Task, config: Config, say: impl Fn(&str)) -> Result<Self, Failure> {
        let guard = take_over(&task.request(&config))?;
        let memory = Memory::read(&task.folders.state, &task.interface).unwrap_or_default();
        let shared = Shared {
            folder: guard.attached.folder.clone(),
            record: guard.record.clone(),
            peers: [0; 3],
            left_out: 0,
            told_at: memory.at,
            failures: 0,
        };
        let shared = Arc::new(Mutex::new(shared));
        let (tiers, written, next) = (BTreeMap::new(), abi::Config::open(), Instant::now());
        let mut agent = Self { task, config, guard, memory, tiers, written, shared, next };
        agent.tiers = agent.guard.maps.tiers()?;
        agent.write(say)?;
        Ok(agent)
    }

    /// What is attached.
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// What others may know.
    pub fn shared(&self) -> Arc<Mutex<Shared>> {
        Arc::clone(&self.shared)
    }

    /// Works until the process ends; `load` reads the config, and `say` is told what happens.
    pub fn work(mut self, load: impl Fn(&Path) -> Result<Config, Failure>, say: impl Fn(&str)) -> ! {
        let (mut refused, mut pause) = (None, TICK);
        loop {
            let done =
                self.reload(&load, &mut refused).and_then(|()| self.discover(&say)).and_then(|()| self.write(&say));
            pause = after(pause, done.is_ok());
            if let Err(failure) = done {
                say(&format!("warning: {failure}; what was known stays; next try in {} s", pause.as_secs()));
            }
            std::thread::sleep(pause);
        }
    }

    /// Reads the config anew. One that is refused is told of once, and not used.
    fn reload(
        &mut self,
        load: impl Fn(&Path) -> Result<Config, Failure>,
        refused: &mut Option<String>,
    ) -> Result<(), Failure> {
        let config = match load(&self.task.path) {
            Ok(config) => config,
            Err(failure) if refused.as_ref() == Some(&failure.to_string()) => return Ok(()),
            Err(failure) => {
                *refused = Some(failure.to_string());
                return Err(failure);
            }
        };
        *refused = None;
        if config == self.config {
            return Ok(());
        }
        let other_maps = config.class_names() != self.config.class_names() || config.samples != self.config.samples;
        if other_maps {
            self.guard = attach(&self.task.request(&config))?;
            self.tiers = self.guard.maps.tiers()?;
        }
        self.guard.record = record(self.guard.attached.info.program, self.guard.scene.hertz, &config);
        self.guard.record.write(&self.task.folders.run, &self.task.interface)?;
        self.config = config;
        self.next = Instant::now();
        Ok(())
    }

    /// Asks the node, where it is time.
    fn discover(&mut self, say: impl Fn(&str)) -> Result<(), Failure> {
        self.guard.scene.addresses = interface::addresses(self.guard.interface.index)?;
        let Some(node) = self.config.node.as_ref().filter(|_| self.next <= Instant::now()) else { return Ok(()) };
        self.next = Instant::now() + node.interval;
        let asked = discovery::ask(node, &self.locals(), &self.memory);
        let (memory, said) = asked.inspect_err(|_| look(&self.shared).failures += 1)?;
        if let Some(words) = said {
            say(&format!("warning: {words}"));
        }
        memory.write(&self.task.folders.state, &self.task.interface)?;
        self.guard.scene.sockets = memory.sockets.clone();
        self.memory = memory;
        Ok(())
    }

    fn locals(&self) -> Vec<IpAddr> {
        let configured = &self.config.addresses;
        if configured.is_empty() { self.guard.scene.addresses.clone() } else { configured.clone() }
    }

    /// Brings the maps to what is decided and known; nothing is written where nothing changed.
    fn write(&mut self, say: impl Fn(&str)) -> Result<(), Failure> {
        let joined = peers(&self.config, &self.memory);
        let change = difference(&self.tiers, &joined.peers);
        if change != Change::default() {
            let changed = self.guard.maps.change(&change);
            // Also where it was only half done: what the maps then hold decides what is next to do.
            self.tiers = self.guard.maps.tiers()?;
            changed?;
        }
        let compiled = compile(&self.config, &self.guard.scene);
        if compiled != self.written {
            self.guard.maps.set_config(&compiled)?;
            if let Some(words) =
                policy::warning(&compiled.unguarded()).filter(|_| compiled.locals != self.written.locals)
            {
                say(&format!("warning: {words}"));
            }
            self.written = compiled;
        }
        self.share();
        let before = std::mem::replace(&mut look(&self.shared).left_out, joined.left_out);
        if let Some(words) = joined.warning().filter(|_| joined.left_out != before) {
            say(&format!("warning: {words}"));
        }
        Ok(())
    }

    fn share(&self) {
        let mut shared = look(&self.shared);
        shared.folder = self.guard.attached.folder.clone();
        shared.record = self.guard.record.clone();
        shared.peers = discovery::by_tier(&self.tiers);
        shared.told_at = self.memory.at;
    }
}

/// How long to wait after `before`: twice as long with each failure on end, up to a limit.
fn after(before: Duration, done: bool) -> Duration {
    if done { TICK } else { (before * 2).min(LONGEST) }
}

impl Task {
    fn request<'a>(&'a self, config: &'a Config) -> Request<'a> {
        Request { folders: &self.folders, interface: &self.interface, object: &self.object, config }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_longer_after_each_failure_on_end() {
        let mut pause = TICK;
        let pauses: Vec<u64> = [false, false, false, false, false, false, true, false]
            .into_iter()
            .map(|done| {
                pause = after(pause, done);
                pause.as_secs()
            })
            .collect();
        assert_eq!(pauses, [2, 4, 8, 16, 30, 30, 1, 2]);
    }
}
