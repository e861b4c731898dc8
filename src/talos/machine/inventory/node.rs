//! One machine.

use super::disk::{self, Choice, Disk};
use super::fields::Fields;
use super::net::{self, Subnet};
use super::{Said, rules};
use crate::talos::machine::mistake::Mistake;
use crate::yaml::Node;

/// What a node is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::talos::machine) enum Role {
    ControlPlane,
    Worker,
}

impl Role {
    pub(in crate::talos::machine) const ALL: [Self; 2] = [Self::ControlPlane, Self::Worker];

    /// Its name in inventories, and of its patch.
    pub(in crate::talos::machine) fn name(self) -> &'static str {
        match self {
            Self::ControlPlane => "control-plane",
            Self::Worker => "worker",
        }
    }

    /// What Talos calls it.
    pub(in crate::talos::machine) fn machine_type(self) -> &'static str {
        match self {
            Self::ControlPlane => "controlplane",
            Self::Worker => "worker",
        }
    }
}

/// A node.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::talos::machine) struct Machine {
    pub(in crate::talos::machine) name: Said<String>,
    pub(in crate::talos::machine) role: Said<Role>,
    pub(in crate::talos::machine) ports: Vec<Said<String>>,
    pub(in crate::talos::machine) public: Said<Subnet>,
    pub(in crate::talos::machine) gateway: Said<String>,
    pub(in crate::talos::machine) private: Said<Subnet>,
    pub(in crate::talos::machine) disks: Vec<Disk>,
    pub(in crate::talos::machine) system: Choice,
    pub(in crate::talos::machine) volumes: Vec<Volume>,
}

/// A volume that has a disk to itself.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::talos::machine) struct Volume {
    pub(in crate::talos::machine) name: Said<String>,
    pub(in crate::talos::machine) filesystem: Said<String>,
    pub(in crate::talos::machine) disk: Choice,
}

const NEEDED: [&str; 7] = ["name", "role", "ports", "public", "private", "disks", "system"];
/// What the disk that Talos goes on may be chosen by: 1.10 knows nothing else that later versions know.
const SYSTEM: [&str; 3] = ["serial", "model", "transport"];
const VOLUME: [&str; 5] = ["serial", "model", "transport", "min", "max"];

pub(super) fn machine(node: &Node, mistakes: &mut Vec<Mistake>) -> Option<Machine> {
    let name = node.find("name").and_then(Node::as_text).unwrap_or_default();
    let what = if name.is_empty() { "a node".to_owned() } else { format!("node `{}`", name.escape_debug()) };
    let mut fields = Fields::of(node, &what, &NEEDED, &["volumes"], mistakes)?;
    let name =
        fields.parsed("name", "a host's name in small letters", |text| net::is_label(text).then(|| text.to_owned()));
    let role = role(&mut fields);
    let ports = fields.list("ports", net::MAC, net::mac);
    let public = fields.within("public", &["address", "gateway"], &[]).and_then(|mut public| {
        let address = public.parsed("address", net::SUBNET, net::subnet);
        let gateway = public.parsed("gateway", net::ADDRESS, |text| net::address(text).map(|found| found.to_string()));
        Some((address?, gateway?))
    });
    let private = fields.parsed("private", net::SUBNET, net::subnet);
    let disks = fields.items("disks");
    let disks: Vec<_> = disks.into_iter().map(|node| disk::disk(node, fields.mistakes())).collect();
    let system = node.find("system").and_then(|node| disk::choice(node, &SYSTEM, fields.mistakes()));
    let volumes = fields.named("volumes");
    let volumes: Vec<_> = volumes
        .into_iter()
        .map(|(name, at, node)| volume(Said { value: name.to_owned(), at }, node, fields.mistakes()))
        .collect();
    let (public, gateway) = public?;
    Some(Machine {
        name: name?,
        role: role?,
        ports: ports?,
        public,
        gateway,
        private: private?,
        disks: disks.into_iter().collect::<Option<_>>()?,
        system: system?,
        volumes: volumes.into_iter().collect::<Option<_>>()?,
    })
}

fn role(fields: &mut Fields<'_, '_>) -> Option<Said<Role>> {
    let text = fields.text("role")?;
    let role = Role::ALL.into_iter().find(|role| role.name() == text.value);
    if role.is_none() {
        let title = format!("there is no role `{}`", text.value.escape_debug());
        fields.mistakes().push(Mistake::name(text.at, title, &text.value, Role::ALL.map(Role::name)));
    }
    role.map(|value| Said { value, at: text.at })
}

fn volume(name: Said<String>, node: &Node, mistakes: &mut Vec<Mistake>) -> Option<Volume> {
    if !rules::is_volume(&name.value) {
        let title = format!("a volume can't be called `{}`", name.value.escape_debug());
        mistakes.push(Mistake::new(name.at, title, "take up to 34 small letters, digits and dashes"));
    }
    let what = format!("volume `{}`", name.value.escape_debug());
    let mut fields = Fields::of(node, &what, &["filesystem", "disk"], &[], mistakes)?;
    let filesystem = fields.text("filesystem");
    let chosen = node.find("disk")?;
    if fields.has("disk") && chosen.find("min").is_none() && chosen.as_map().is_some() {
        let title = format!("the disk of {what} has no `min`");
        let at = fields.at();
        fields.mistakes().push(Mistake::new(at, title, "add `min: …`, the size that the volume has at least"));
    }
    let disk = disk::choice(chosen, &VOLUME, mistakes);
    Some(Volume { name, filesystem: filesystem?, disk: disk? })
}
