use std::os::fd::AsFd;

use crate::bpf::kernel;
use crate::failure::{During, Failure};
use crate::guard::site::Folders;

/// Detach the guard and remove its pins
#[derive(clap::Args)]
pub struct Options {
    /// The interface; none: the one that is guarded
    #[arg(long, value_name = "NAME")]
    interface: Option<String>,
    #[command(flatten)]
    folders: Folders,
}

pub fn run(options: &Options) -> Result<(), Failure> {
    let interface = match &options.interface {
        Some(interface) => interface.clone(),
        None => only(options.folders.interfaces()?)?,
    };
    let _lock = options.folders.lock(&interface)?;
    let pins = options.folders.pins(&interface);
    let Some(attached) = pins.attached()? else {
        pins.remove().ok();
        return Err(Failure::Negative(format!("nothing is attached to {interface}")));
    };
    // Not only the pin: whoever else has the link open would keep the program attached.
    kernel::detach_link(attached.link.as_fd()).during(|| format!("detaching from {interface}"))?;
    pins.remove()?;
    super::print(&format!("{interface}: program {} is detached", attached.info.program))
}

fn only(mut interfaces: Vec<String>) -> Result<String, Failure> {
    match (interfaces.pop(), interfaces.len()) {
        (None, _) => Err(Failure::Negative("nothing is attached".into())),
        (Some(interface), 0) => Ok(interface),
        (Some(last), _) => {
            Err(Failure::Input(format!("give --interface: guarded are {} and {last}", interfaces.join(", "))))
        }
    }
}
