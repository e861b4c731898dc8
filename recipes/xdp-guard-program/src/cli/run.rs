use std::net::SocketAddr;

use super::attach::{Target, describe};
use super::check::load;
use crate::agent::metrics::{self, Labels};
use crate::agent::{Agent, Task, samples};
use crate::bpf::kernel::Hook;
use crate::failure::Failure;

/// Attach or take over a guard, and keep its peers and ports up to date
///
/// Samples of what is dropped go to stdout, as lines of JSON. What is attached stays when this ends.
#[derive(clap::Args)]
pub struct Options {
    #[command(flatten)]
    target: Target,
    /// Where Prometheus may read `/metrics`
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics: Option<SocketAddr>,
}

pub fn run(options: &Options) -> Result<(), Failure> {
    let Options { target, metrics } = options;
    let _lock = target.folders.lock(&target.interface)?;
    let (config, object) = target.open()?;
    let (folders, interface, path) = (target.folders.clone(), target.interface.clone(), target.config.clone());
    let agent = Agent::start(Task { folders, interface, object, path }, config, super::say)?;
    super::say(&describe(agent.guard())?);
    if let Some(address) = metrics {
        let hook = agent.guard().attached.info.hook.map_or("other", Hook::name);
        let labels = Labels { interface: target.interface.clone(), hook, tag: agent.guard().tag()? };
        metrics::serve(*address, labels, agent.shared())?;
    }
    samples::follow(agent.shared(), print_line);
    agent.work(load, super::say)
}

/// Whoever read the samples may be gone, which ends them only.
fn print_line(line: &str) -> std::io::Result<()> {
    use std::io::Write;
    writeln!(std::io::stdout(), "{line}")
}
