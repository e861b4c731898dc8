//! Two network namespaces with a veth between them: the node with its guarded interface, and the world outside.

use std::net::Ipv4Addr;
use std::os::fd::AsFd;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::senders::Sender;

/// The node's interface, in its namespace.
pub const GUARDED: &str = "guarded";
/// The other end, outside.
pub const WIRE: &str = "wire";
pub const NODE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const OUTSIDE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
/// How the names of all that this test makes begin; the number of the process follows.
pub const PREFIX: &str = "xdp-live-";
/// Where the agent's pins are.
pub const PINS: &str = "/sys/fs/bpf";

/// The namespaces; they go with this value.
pub struct Network {
    node: String,
    outside: String,
}

/// A namespace.
#[derive(Clone, Copy, Debug)]
pub enum Side {
    Node,
    Outside,
}

/// The ends' addresses of the link layer.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    pub node: [u8; 6],
    pub outside: [u8; 6],
}

impl Network {
    /// Makes both, with addresses for all senders outside.
    pub fn new() -> Result<Self> {
        sweep();
        let name = |side: &str| format!("{PREFIX}{}-{side}", std::process::id());
        let network = Network { node: name("node"), outside: name("outside") };
        let Network { node, outside } = &network;
        ip(&format!("netns add {node}"))?;
        ip(&format!("netns add {outside}"))?;
        ip(&format!("link add {WIRE} netns {outside} type veth peer name {GUARDED} netns {node}"))?;
        ip(&format!("-n {node} address add {NODE}/24 dev {GUARDED}"))?;
        ip(&format!("-n {outside} address add {OUTSIDE}/24 dev {WIRE}"))?;
        for sender in Sender::ALL {
            ip(&format!("-n {outside} address add {}/32 dev {WIRE}", sender.address()))?;
        }
        ip(&format!("-n {node} link set {GUARDED} up"))?;
        ip(&format!("-n {outside} link set {WIRE} up"))?;
        // Whoever sends to the node, it has a way back, and nobody is asked who has which address.
        ip(&format!("-n {node} route add default via {OUTSIDE}"))?;
        let mac = network.link()?.node.map(|byte| format!("{byte:02x}")).join(":");
        ip(&format!("-n {outside} neigh add {NODE} lladdr {mac} dev {WIRE} nud permanent"))?;
        network.open_to_all()?;
        Ok(network)
    }

    /// Lets packets in whose senders can't be reached by the way that they come.
    fn open_to_all(&self) -> Result<()> {
        self.inside(Side::Node, || {
            for interface in ["all", GUARDED] {
                std::fs::write(format!("/proc/sys/net/ipv4/conf/{interface}/rp_filter"), "0")?;
            }
            Ok(())
        })
    }

    /// The addresses of both ends.
    pub fn link(&self) -> Result<Link> {
        Ok(Link { node: mac(&self.node, GUARDED)?, outside: mac(&self.outside, WIRE)? })
    }

    /// Packets that did not get from the world outside to the node, for want of room between.
    pub fn lost(&self) -> Result<u64> {
        let table = self.inside(Side::Outside, || Ok(std::fs::read_to_string("/proc/thread-self/net/dev")?))?;
        let line = table.lines().find_map(|line| line.trim().strip_prefix(WIRE)?.strip_prefix(':'));
        // Eight columns of what came in; the fourth of what goes out is what does not.
        let lost = line.and_then(|line| line.split_whitespace().nth(11)).context("the wire is in no table")?;
        Ok(lost.parse()?)
    }

    /// Puts this thread, and what it starts, into a namespace for good.
    pub fn enter(&self, side: Side) -> Result<()> {
        let path = format!("/run/netns/{}", if matches!(side, Side::Node) { &self.node } else { &self.outside });
        let file = std::fs::File::open(&path).with_context(|| format!("{path} can't be opened"))?;
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
            .with_context(|| format!("{path} can't be entered"))
    }

    /// Does something in a namespace.
    pub fn inside<T: Send>(&self, side: Side, act: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                self.enter(side)?;
                act()
            });
            thread.join().expect("nothing in a namespace panics")
        })
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for name in [&self.node, &self.outside] {
            ip(&format!("netns del {name}")).ok();
        }
    }
}

/// Removes what killed processes left.
fn sweep() {
    for name in left("/run/netns") {
        ip(&format!("netns del {name}")).ok();
    }
    for name in left(PINS) {
        std::fs::remove_dir_all(std::path::Path::new(PINS).join(name)).ok();
    }
}

/// What is in a folder of a process that is no more.
fn left(folder: &str) -> impl Iterator<Item = String> {
    let names = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let is_left = |name: &String| {
        let process = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        process.is_some_and(|process| !std::path::Path::new("/proc").join(process).exists())
    };
    names.filter_map(|name| name.into_string().ok()).filter(is_left)
}

fn ip(arguments: &str) -> Result<String> {
    let output = Command::new("ip").args(arguments.split(' ')).output().context("ip: `apt install iproute2`")?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "ip {arguments}: {}; this needs root", error.trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn mac(namespace: &str, interface: &str) -> Result<[u8; 6]> {
    let told = ip(&format!("-n {namespace} -brief link show {interface}"))?;
    let text = told.split_whitespace().nth(2).context("ip tells no address")?;
    let bytes: Vec<u8> = text.split(':').map(|byte| u8::from_str_radix(byte, 16)).collect::<Result<_, _>>()?;
    bytes.try_into().ok().with_context(|| format!("{text} is no address of the link layer"))
}
