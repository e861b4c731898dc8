//! The inventory: the machines of a platform, as they stand in their racks.
//!
//! ```yaml
//! cluster:
//!   name: solana
//!   endpoint: https://k8s.example.org:6443  # of the Kubernetes API
//! network:
//!   nameservers: [192.0.2.53]
//!   bond: {mtu: 9000}                       # of all ports of a node; its own address is the public one
//!   public: {mtu: 1500}                     # of the way out
//!   private: {vlan: 2064, mtu: 9000}        # the tag on the wire, on top of the bond
//! nodes:
//!   - name: node-1
//!     role: worker                          # or control-plane, of which there is an odd number
//!     ports: ["0c:42:a1:00:00:01", "0c:42:a1:00:00:02"]    # permanent addresses of two or more
//!     public: {address: 192.0.2.11/24, gateway: 192.0.2.1}
//!     private: 10.0.0.11/24
//!     disks:                                # what is built in
//!       - {serial: S1, size: 960GB, transport: sata, model: M}
//!       - {serial: S2, size: 15.36TB, transport: nvme}
//!     system: {serial: S1}                  # the one that Talos goes on: serial, model and transport of it
//!     volumes:                              # each on a disk of its own, whatever its name
//!       ledger: {filesystem: ext4, disk: {transport: nvme, min: 14TB, max: 16TB}}
//! ```
//!
//! Disks are chosen by what they are, never by the name that a boot gives them; each choice is tried on the disks of
//! the node, and must fit exactly one.

mod disk;
mod fields;
mod net;
mod node;
mod rules;
#[cfg(test)]
mod tests;

use fields::Fields;

pub(super) use disk::{Choice, written};

pub(super) use node::{Machine, Role, Volume};

use super::mistake::Mistake;
use crate::yaml::{Node, Place};

/// A value of the inventory, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Said<T> {
    pub(super) value: T,
    pub(super) at: Place,
}

/// The machines of a platform.
#[derive(Clone, Debug, PartialEq)]
pub struct Inventory {
    pub(super) cluster: Said<String>,
    pub(super) endpoint: Said<String>,
    pub(super) network: Network,
    pub(super) nodes: Vec<Machine>,
}

/// What all nodes have in common on the wire.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Network {
    pub(super) nameservers: Vec<Said<String>>,
    pub(super) bond_mtu: Said<i64>,
    pub(super) public_mtu: Said<i64>,
    pub(super) vlan: Said<i64>,
    pub(super) private_mtu: Said<i64>,
}

impl Inventory {
    /// Reads an inventory, one document.
    ///
    /// # Errors
    /// Every mistake.
    pub fn read(document: &Node) -> Result<Self, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let read = inventory(document, &mut mistakes);
        if let (Some(inventory), true) = (&read, mistakes.is_empty()) {
            rules::check(inventory, &mut mistakes);
        }
        read.filter(|_| mistakes.is_empty()).ok_or(mistakes)
    }

    /// The host of the endpoint.
    pub(super) fn host(&self) -> &str {
        let rest = self.endpoint.value.strip_prefix("https://").unwrap_or_default();
        rest.split([':', '/']).next().unwrap_or_default()
    }
}

fn inventory(document: &Node, mistakes: &mut Vec<Mistake>) -> Option<Inventory> {
    let mut top = Fields::of(document, "the inventory", &["cluster", "network", "nodes"], &[], mistakes)?;
    let cluster = top.within("cluster", &["name", "endpoint"], &[]).and_then(|mut cluster| {
        let (name, endpoint) = (cluster.text("name"), cluster.parsed("endpoint", net::ENDPOINT, net::endpoint));
        Some((name?, endpoint?))
    });
    let network = top.within("network", &["nameservers", "bond", "public", "private"], &[]).and_then(network);
    let nodes = top.items("nodes");
    let nodes: Vec<_> = nodes.into_iter().map(|node| node::machine(node, mistakes)).collect();
    let (cluster, endpoint) = cluster?;
    Some(Inventory { cluster, endpoint, network: network?, nodes: nodes.into_iter().collect::<Option<_>>()? })
}

fn network(mut fields: Fields<'_, '_>) -> Option<Network> {
    let nameservers = fields.addresses("nameservers");
    let mut mtu = |within: &str, known: &[&str]| {
        let mut fields = fields.within(within, known, &[])?;
        let mtu = fields.number("mtu", net::MTUS);
        let vlan = known.contains(&"vlan").then(|| fields.number("vlan", net::VLANS));
        Some((mtu?, vlan))
    };
    let (bond, public, private) = (mtu("bond", &["mtu"]), mtu("public", &["mtu"]), mtu("private", &["vlan", "mtu"]));
    let (private_mtu, vlan) = private?;
    Some(Network { nameservers: nameservers?, bond_mtu: bond?.0, public_mtu: public?.0, vlan: vlan??, private_mtu })
}
