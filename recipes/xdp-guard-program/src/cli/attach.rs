use std::path::PathBuf;

use clap::ValueEnum;

use super::check::load;
use crate::bpf::kernel::Hook;
use crate::bpf::object::Object;
use crate::config::Config;
use crate::failure::Failure;
use crate::guard::attach::{Guard, Request, attach};
use crate::guard::site::Folders;

/// Attach a guard, or replace the one that is attached
///
/// Finds what stands in the way before anything changes. Where a guard is attached, the kernel swaps the programs in
/// one step; the old object rolls back in the same way.
#[derive(clap::Args)]
pub struct Options {
    #[command(flatten)]
    target: Target,
}

// What is to be attached, and where. No doc comment: clap would take it for the verb's.
#[allow(missing_docs)]
#[derive(clap::Args)]
#[group(skip)]
pub struct Target {
    /// The BPF object, built with this agent
    #[arg(long, value_name = "FILE")]
    pub object: PathBuf,
    /// The config, in TOML
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// The interface to guard
    #[arg(long, env = "XDP_GUARD_INTERFACE", value_name = "NAME")]
    pub interface: String,
    /// Where the program sees packets
    #[arg(long, default_value = "xdp")]
    pub hook: HookName,
    #[command(flatten)]
    pub folders: Folders,
}

/// Hooks, as they are written on the command line.
#[derive(Clone, Copy, ValueEnum)]
pub enum HookName {
    /// In the driver: what it drops costs least
    Xdp,
    /// After the kernel made a socket buffer: for interfaces whose XDP is taken
    Tcx,
}

impl From<HookName> for Hook {
    fn from(name: HookName) -> Self {
        match name {
            HookName::Xdp => Self::Xdp,
            HookName::Tcx => Self::Tcx,
        }
    }
}

impl Target {
    /// Config and object.
    pub fn open(&self) -> Result<(Config, Object), Failure> {
        Ok((load(&self.config)?, Object::open(&self.object, self.hook.into())?))
    }
}

pub fn run(options: &Options) -> Result<(), Failure> {
    let target = &options.target;
    let _lock = target.folders.lock(&target.interface)?;
    let (config, object) = target.open()?;
    let (folders, interface) = (&target.folders, &*target.interface);
    let guard = attach(&Request { folders, interface, object: &object, config: &config })?;
    for words in &guard.warnings {
        super::say(&format!("warning: {words}"));
    }
    super::print(&describe(&guard)?)
}

/// What is attached now.
pub fn describe(guard: &Guard) -> Result<String, Failure> {
    let (name, hook) = (&guard.interface.name, guard.attached.info.hook.map_or("other", Hook::name));
    let (program, tag, hertz) = (guard.attached.info.program, guard.tag()?, guard.record.hertz);
    Ok(format!("{name}: {hook}, program {program}, tag {tag}, {hertz} jiffies a second"))
}
